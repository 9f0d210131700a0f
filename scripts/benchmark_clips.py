"""How much longer a clip takes than decoding and encoding it alone, and what else does it.

    python scripts/benchmark_clips.py [CLIP] [--sizes 960x540 1920x1080] [--frames 150] [-k 8]

Every figure is of a whole process, from its start to its end, the median of several rounds in
which all of them take turns: seconds, and as multiples of those without the segmentation; seconds
of all processors, which other programs disturb less; memory, the peak of the process.

- livekm: ``livekm in.mp4 -o out.mp4``.
- without: livekm without the segmentation. The same reader, the same queues, the same writer and
  the very pictures, whose labels and palettes were found before and are read from a file.
- elbg: ``ffmpeg -vf elbg``, k-means anew in each frame, to the same encoder, where ffmpeg is there.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from itertools import islice
from pathlib import Path

import cv2
import numpy as np

from livekm import Segmenter, open_sink, open_source
from livekm.core.painting import Painting
from livekm.prefetch import ReadAhead, WriteBehind


def make_input(clip: str, target: Path, size: tuple[int, int], frames: int) -> None:
    """Write the first frames of a clip at another size."""
    with open_source(clip) as source, open_sink(target, source.info) as sink:
        for frame in islice(source, frames):
            image = np.asarray(cv2.resize(frame.image, size, interpolation=cv2.INTER_CUBIC))
            sink.write(image, frame.time)


def segment(clip: Path, target: Path, k: int) -> None:
    """Write the labels and palettes of each frame, as livekm finds them."""
    segmenter = Segmenter(k, random_state=0)
    palettes = []
    with open_source(clip) as source, target.open("wb") as file:
        for frame in source:
            segmentation = segmenter.update(frame.image)
            file.write(segmentation.labels.tobytes())
            palettes.append(segmentation.palette)
    np.save(target.with_suffix(".npy"), palettes)


def recode(clip: str, labels: str, output: str) -> None:
    """Decode a clip, and paint and encode the labels that were found before."""
    palettes = np.load(Path(labels).with_suffix(".npy"))
    with (
        open_source(clip) as source,
        ReadAhead(source) as frames,
        open_sink(output, source.info, overwrite=True) as sink,
        WriteBehind(sink) as written,
        Path(labels).open("rb") as file,
    ):
        shape = source.info.height, source.info.width
        for frame, palette in zip(frames, palettes, strict=True):
            found = np.fromfile(file, np.uint8, shape[0] * shape[1]).reshape(shape)
            written.write(Painting(found, palette), frame.time)


MEASURED = """
import json, os, subprocess, sys, time
start = time.perf_counter()
process = subprocess.Popen(sys.argv[1:], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
_, status, usage = os.wait4(process.pid, 0)
seconds = time.perf_counter() - start
print(json.dumps([status, seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024]))
"""
"""Run by a small process: who starts another hands its own peak of memory down to it."""


def timed(command: list[str]) -> tuple[float, float, float]:
    """Run a command; give its seconds, those of the processor, and its peak memory in MB."""
    starter = [sys.executable, "-c", MEASURED, *command]
    output = subprocess.run(starter, stdout=subprocess.PIPE, check=True).stdout
    status, seconds, processors, memory = json.loads(output)
    if status:
        sys.exit(f"failed: {' '.join(command)}")
    return seconds, processors, memory


def measure(
    clip: str, size: str, frames: int, k: int, rounds: int, folder: Path, has_elbg: bool
) -> None:
    width, height = map(int, size.split("x"))
    source, labels, output = folder / f"{size}.mp4", folder / f"{size}.raw", folder / "out.mp4"
    make_input(clip, source, (width, height), frames)
    segment(source, labels, k)
    names = {"source": str(source), "labels": str(labels), "output": str(output)}
    python = sys.executable
    commands = {
        "livekm": [
            *[python, "-m", "livekm", names["source"], "-o", names["output"]],
            *["-k", str(k), "-q", "--overwrite"],
        ],
        "without": [python, __file__, "--recode", *names.values()],
    }
    ffmpeg = shutil.which("ffmpeg")
    if ffmpeg and has_elbg:
        encoder = ["-c:v", "libx264", "-crf", "18", "-preset", "veryfast", "-bf", "0"]
        filters = ["-vf", f"elbg=codebook_length={k}", "-pix_fmt", "yuv420p"]
        commands["elbg"] = [ffmpeg, "-y", "-i", names["source"], *filters, *encoder]
        commands["elbg"].append(names["output"])
    results: dict[str, list[tuple[float, float, float]]] = {name: [] for name in commands}
    for _ in range(rounds):
        for name, command in commands.items():
            results[name].append(timed(command))
    medians = {name: np.median(rows, axis=0) for name, rows in results.items()}
    print(f"{size}, {frames} frames, k = {k}")
    for name, (seconds, used, memory) in medians.items():
        base_seconds, base_used, _ = medians["without"]
        print(
            f"  {name:8s} {seconds:6.2f} s {seconds / base_seconds:5.2f}   "
            f"processors {used:6.2f} s {used / base_used:5.2f} {memory:6.0f} MB",
            flush=True,
        )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("clip", nargs="?", default="demo", help="default: the built-in scene")
    parser.add_argument("--sizes", nargs="+", default=["960x540", "1920x1080"])
    parser.add_argument("--frames", type=int, default=150)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("-k", type=int, default=8)
    parser.add_argument("--no-elbg", action="store_true", help="leave the slowest out")
    parser.add_argument("--recode", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.recode:
        recode(*options.recode)
        return
    with tempfile.TemporaryDirectory() as folder:
        for size in options.sizes:
            measure(
                options.clip,
                size,
                options.frames,
                options.k,
                options.rounds,
                Path(folder),
                not options.no_elbg,
            )


if __name__ == "__main__":
    main()
