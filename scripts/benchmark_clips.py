"""How much longer a clip takes than decoding and encoding it alone, and what else does it.

    python scripts/benchmark_clips.py [CLIP] [--sizes 960x540 1920x1080] [--frames 150] [-k 8]

Every figure is of a whole process, from its start to its end, the median of several rounds in
which all of them take turns; memory is the peak of the process.

- livekm: ``livekm in.mp4 -o out.mp4``.
- decode + encode: the same reader, the same writer and the very frames that livekm wrote, taken
  from a raw file instead of being segmented and painted.
- elbg: ``ffmpeg -vf elbg``, k-means anew in each frame, to the same encoder, where ffmpeg is there.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from itertools import islice
from pathlib import Path

import cv2
import numpy as np

from livekm import Segmenter, open_sink, open_source
from livekm.frame import Frame
from livekm.overlap import ReadAhead, WriteBehind


def make_input(clip: str, target: Path, size: tuple[int, int], frames: int) -> None:
    """Write the first frames of a clip at another size."""
    with open_source(clip) as source, open_sink(target, source.info) as sink:
        for frame in islice(source, frames):
            image = np.asarray(cv2.resize(frame.image, size, interpolation=cv2.INTER_CUBIC))
            sink.write(Frame(image, frame.index, frame.time), image)


def paint_raw(clip: Path, target: Path, k: int) -> None:
    """Write what livekm paints as raw images, one after the other."""
    segmenter = Segmenter(k, random_state=0)
    with open_source(clip) as source, target.open("wb") as file:
        for frame in source:
            file.write(segmenter.update(frame.image).paint().tobytes())


def recode(clip: str, raw: str, output: str) -> None:
    """Decode a clip and encode the raw images in its place."""
    with (
        open_source(clip) as source,
        ReadAhead(source) as frames,
        WriteBehind(open_sink(output, source.info, overwrite=True)) as sink,
    ):
        shape = (-1, source.info.height, source.info.width, 3)
        images = np.memmap(raw, np.uint8, "r").reshape(shape)
        for frame, image in zip(frames, images, strict=True):
            sink.write(frame, image)


def timed(command: list[str]) -> tuple[float, float]:
    """Run a command; give its seconds and its peak memory in MB."""
    start = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - start
    if status:
        sys.exit(f"failed: {' '.join(command)}")
    return seconds, usage.ru_maxrss / 1024


def measure(clip: str, size: str, frames: int, k: int, rounds: int, folder: Path) -> None:
    width, height = map(int, size.split("x"))
    source, raw, output = folder / f"{size}.mp4", folder / f"{size}.raw", folder / "out.mp4"
    make_input(clip, source, (width, height), frames)
    paint_raw(source, raw, k)
    names = {"source": str(source), "raw": str(raw), "output": str(output)}
    python = sys.executable
    commands = {
        "livekm": [
            *[python, "-m", "livekm", names["source"], "-o", names["output"]],
            *["-k", str(k), "-q", "--overwrite"],
        ],
        "decode + encode": [python, __file__, "--recode", *names.values()],
    }
    ffmpeg = shutil.which("ffmpeg")
    if ffmpeg:
        encoder = ["-c:v", "libx264", "-crf", "18", "-preset", "veryfast", "-bf", "0"]
        filters = ["-vf", f"elbg=codebook_length={k}", "-pix_fmt", "yuv420p"]
        commands["elbg"] = [ffmpeg, "-y", "-i", names["source"], *filters, *encoder]
        commands["elbg"].append(names["output"])
    results: dict[str, list[tuple[float, float]]] = {name: [] for name in commands}
    for _ in range(rounds):
        for name, command in commands.items():
            results[name].append(timed(command))
    base = float(np.median([seconds for seconds, _ in results["decode + encode"]]))
    print(f"{size}, {frames} frames, k = {k}")
    for name, rows in results.items():
        seconds, memory = np.median(np.array(rows), axis=0)
        print(f"  {name:16s} {seconds:6.2f} s  {seconds / base:5.2f}  {memory:5.0f} MB", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("clip", nargs="?", default="demo", help="default: the built-in scene")
    parser.add_argument("--sizes", nargs="+", default=["960x540", "1920x1080"])
    parser.add_argument("--frames", type=int, default=150)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("-k", type=int, default=8)
    parser.add_argument("--recode", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.recode:
        recode(*options.recode)
        return
    with tempfile.TemporaryDirectory() as folder:
        for size in options.sizes:
            measure(options.clip, size, options.frames, options.k, options.rounds, Path(folder))


if __name__ == "__main__":
    main()
