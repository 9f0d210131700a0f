"""Damage files at random and tell what livekm makes of them.

    python scripts/fuzz.py [--count 2000] [--seed 0] [--only NUMBER] [--keep FOLDER]

Makes small clips, images, palettes and files of labels, changes a few bytes or stretches of each,
and runs a livekm command on every mutant, in a process of its own that is forked off one in which
livekm is imported and its kernels are loaded. Each has limits of time and memory. Mutant NUMBER of
a seed is always the same one. These are faults:

- traceback: livekm told of an error that it did not foresee, or Python of one;
- signal, hang: the process was killed, or took too long;
- code: the exit code is neither 0 nor 1, or it does not go with what was said;
- print: a line on stderr that is not livekm's, or more than one error;
- leftover: a file that has neither the output's name nor the one that says ``partial``;
- frames: fewer frames than a plain decode gives, without a warning.

The exit code is 1 if there was a fault. Linux only.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import re
import resource
import shutil
import signal
import struct
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

os.environ["SVT_LOG"] = "0"
os.environ["OPENBLAS_NUM_THREADS"] = "1"  # threads of its own would be lost in a fork

import av
import cv2
import numpy as np
from tqdm import tqdm

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

import heif

import livekm
from livekm.cli import main as run_livekm
from livekm.sources.container import open_container, picture_stream

WIDTH, HEIGHT, N_FRAMES = 64, 48, 12
SECONDS = 20  # of the processor, and
PATIENCE = 120  # of the clock
MEMORY = 1 << 30  # bytes more than the process has at its start
LARGEST = 100 << 20  # bytes of a file

Mutation = Callable[[bytearray, np.random.Generator], None]


# What is damaged


def images(n: int = N_FRAMES) -> Iterator[np.ndarray]:
    """Yield (H, W, 3) uint8 BGR: a bright field with a dark square that moves."""
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    for i in range(n):
        image = np.stack([100 + 2 * x, 90 + 3 * y, 60 + x + y], axis=2).astype(np.uint8)
        image[10:30, 4 * i : 4 * i + 16] = (20, 40, 200)
        yield image


def make_clip(
    path: Path,
    codec: str,
    *,
    pixels: str = "yuv420p",
    sound: str = "",
    muxer: str = "",
    **options: str,
) -> None:
    """Write a clip of `images`, maybe with a second of sound."""
    movflags = {"movflags": muxer} if muxer else {}
    with av.open(str(path), "w", options=movflags) as file:
        stream: Any = file.add_stream(codec, rate=25, options=options)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, pixels
        track: Any = file.add_stream(sound, rate=48000) if sound else None
        for i, image in enumerate(images()):
            picture = av.VideoFrame.from_ndarray(image, format="bgr24").reformat(format=pixels)
            picture.pts, picture.time_base = i, Fraction(1, 25)
            file.mux(stream.encode(picture))
        file.mux(stream.encode())
        for start in range(0, 24000, 1024) if sound else ():
            samples = np.zeros((1, 2048), np.int16)
            block = av.AudioFrame.from_ndarray(samples, format="s16", layout="stereo")
            block.sample_rate, block.pts, block.time_base = 48000, start, Fraction(1, 48000)
            file.mux(track.encode(block))
        if sound:
            file.mux(track.encode())


def make_image(path: Path, dtype: type = np.uint8) -> None:
    """Write an image in the format of its suffix."""
    image = next(images())
    if dtype is np.uint16:
        image = image.astype(np.uint16) * 257
    assert cv2.imwrite(str(path), image)


def make_heif(path: Path, *, is_grid: bool = False) -> None:
    """Write an HEIC of one picture, or of a grid of four."""
    tiles = list(images(4 if is_grid else 1))
    heif.write(path, tiles, **({"columns": 2, "size": (100, 80)} if is_grid else {}))


def make_labels(path: Path) -> None:
    """Write the labels of a clip, or the first image's."""
    if path.suffix == ".png":
        source = path.with_name("whole.png")
        make_image(source)
    else:
        source = path.with_name("whole.mp4")
        make_clip(source, "libx264", preset="ultrafast")
    code = run_livekm([str(source), "-k", "3", "--labels", str(path), "-q", "--threads", "1"])
    assert code == 0
    source.unlink()


def make_palette(path: Path) -> None:
    """Write a palette of three colours."""
    if path.suffix == ".gpl":
        path.write_text("GIMP Palette\nName: three\n#\n 10 20 30\tdark\n200 100 0\n0 0 255\tblue\n")
    else:
        path.write_text(json.dumps(["#102030", [200, 100, 0], "#0000ff"]))


@dataclass(frozen=True)
class Kind:
    """A file to damage: what makes it, and what livekm does with the mutants."""

    make: Callable[..., None]
    use: str
    options: dict[str, Any] = field(default_factory=dict)


X264 = {"codec": "libx264", "preset": "ultrafast", "g": "6", "bf": "2"}
KINDS = {
    "h264.mp4": Kind(make_clip, "clip", {**X264, "sound": "aac"}),
    "first.mp4": Kind(make_clip, "clip", {**X264, "muxer": "faststart"}),
    "parts.mp4": Kind(make_clip, "clip", {**X264, "muxer": "frag_keyframe+empty_moov"}),
    "hevc.mov": Kind(
        make_clip, "clip", {"codec": "libx265", "x265-params": "log-level=none:keyint=6"}
    ),
    "h264.mkv": Kind(make_clip, "clip", {**X264, "sound": "libopus"}),
    "vp9.webm": Kind(make_clip, "clip", {"codec": "libvpx-vp9", "cpu-used": "8", "g": "6"}),
    "av1.mp4": Kind(make_clip, "clip", {"codec": "libsvtav1", "preset": "12"}),
    "mpeg2.ts": Kind(make_clip, "clip", {"codec": "mpeg2video", "g": "6", "sound": "mp2"}),
    "h264.ts": Kind(make_clip, "clip", X264),
    "mpeg1.mpg": Kind(make_clip, "clip", {"codec": "mpeg1video", "g": "6"}),
    "mpeg4.avi": Kind(make_clip, "clip", {"codec": "mpeg4", "sound": "libmp3lame"}),
    "mjpeg.avi": Kind(make_clip, "clip", {"codec": "mjpeg", "pixels": "yuvj420p"}),
    "ffv1.mkv": Kind(make_clip, "clip", {"codec": "ffv1", "pixels": "yuv422p10le"}),
    "flv.flv": Kind(make_clip, "clip", {"codec": "flv1"}),
    "prores.mov": Kind(make_clip, "clip", {"codec": "prores_ks", "pixels": "yuv422p10le"}),
    "gif.gif": Kind(make_clip, "clip", {"codec": "gif", "pixels": "rgb8"}),
    "labels.mkv": Kind(make_labels, "clip"),
    "labels.npz": Kind(make_labels, "clip"),
    "labels.png": Kind(make_labels, "image"),
    **{f"image.{suffix}": Kind(make_image, "image")
       for suffix in ("png", "jpg", "webp", "bmp", "tif", "avif", "jp2", "ppm")},
    "one.heic": Kind(make_heif, "image"),
    "grid.heic": Kind(make_heif, "image", {"is_grid": True}),
    "deep.png": Kind(make_image, "image", {"dtype": np.uint16}),
    "deep.tif": Kind(make_image, "image", {"dtype": np.uint16}),
    "palette.gpl": Kind(make_palette, "palette"),
    "palette.json": Kind(make_palette, "palette"),
    "palette.png": Kind(make_image, "palette"),
}  # fmt: skip


# How it is damaged


def flip_bits(data: bytearray, rng: np.random.Generator) -> None:
    for at in rng.integers(0, len(data), rng.integers(1, 9)):
        data[at] ^= 1 << rng.integers(8)


def set_bytes(data: bytearray, rng: np.random.Generator) -> None:
    at, n = _stretch(data, rng, 64)
    data[at : at + n] = rng.integers(0, 256, n, np.uint8).tobytes()


def clear(data: bytearray, rng: np.random.Generator) -> None:
    at, n = _stretch(data, rng, 2048)
    data[at : at + n] = bytes(n)


def cut_out(data: bytearray, rng: np.random.Generator) -> None:
    at, n = _stretch(data, rng, 2048)
    del data[at : at + n]


def cut_off(data: bytearray, rng: np.random.Generator) -> None:
    del data[rng.integers(len(data)) :]


def repeat(data: bytearray, rng: np.random.Generator) -> None:
    at, n = _stretch(data, rng, 2048)
    data[at:at] = data[at : at + n]


def put_noise(data: bytearray, rng: np.random.Generator) -> None:
    at, n = _stretch(data, rng, 512)
    data[at:at] = rng.integers(0, 256, n, np.uint8).tobytes()


def set_number(data: bytearray, rng: np.random.Generator) -> None:
    """Set a number of four bytes to one at the end of its range; most often in the head."""
    numbers = (0, 1, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, int(rng.integers(1 << 32)))
    value = struct.pack(rng.choice([">I", "<I"]), rng.choice(numbers))
    reach = min(len(data), 1024) if rng.random() < 0.7 else len(data)
    at = rng.integers(max(1, reach - 3))
    data[at : at + 4] = value


def move(data: bytearray, rng: np.random.Generator) -> None:
    at, n = _stretch(data, rng, 2048)
    part = data[at : at + n]
    del data[at : at + n]
    to = rng.integers(len(data) + 1)
    data[to:to] = part


MUTATIONS: tuple[Mutation, ...] = (
    flip_bits, set_bytes, clear, cut_out, cut_off, repeat, put_noise, set_number, move,
)  # fmt: skip


def _stretch(data: bytearray, rng: np.random.Generator, longest: int) -> tuple[int, int]:
    n = int(rng.integers(1, max(2, min(longest, len(data) // 2))))
    return int(rng.integers(0, max(1, len(data) - n))), n


def mutant(data: bytes, rng: np.random.Generator) -> bytes:
    """Return the data with one to three damages."""
    changed = bytearray(data)
    for _ in range(rng.integers(1, 4)):
        if changed:
            MUTATIONS[rng.integers(len(MUTATIONS))](changed, rng)
    return bytes(changed)


# What livekm makes of it


@dataclass(frozen=True)
class End:
    """How a process ended: its exit code (or minus the signal), and what it printed."""

    code: int
    out: str
    err: str
    is_hung: bool = False


def forked(folder: Path, function: Callable[[], int]) -> End:
    """Run a function in a process of its own, which works in `folder`, within the limits."""
    streams = folder / ".out", folder / ".err"
    child = os.fork()
    if child == 0:
        _prepare(folder, streams)
        code = 99
        try:
            code = function()
        except BaseException:  # is told to the parent by its text
            traceback.print_exc()
        finally:
            # `_exit` would leave out what Python does at its end, where threads may block. An
            # exception would go through the parent's code.
            _leave(code)
    until, status = time.monotonic() + PATIENCE, None
    while status is None and time.monotonic() < until:
        ended, found = os.waitpid(child, os.WNOHANG)
        if ended:
            status = found
        else:
            time.sleep(0.002)
    is_hung = status is None
    if status is None:
        os.kill(child, signal.SIGKILL)
        status = os.waitpid(child, 0)[1]
    code = os.waitstatus_to_exitcode(status)
    out, err = (stream.read_text("utf-8", "replace") for stream in streams)
    for stream in streams:
        stream.unlink()
    return End(code, out, err, is_hung or code == -signal.SIGXCPU)


def _prepare(folder: Path, streams: tuple[Path, Path]) -> None:
    os.chdir(folder)
    for number, stream in enumerate(streams, 1):
        sys.stdout.flush()
        os.dup2(os.open(stream, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), number)
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    size = pages * resource.getpagesize() + MEMORY
    for limit, value in ((resource.RLIMIT_AS, size), (resource.RLIMIT_CPU, SECONDS),
                         (resource.RLIMIT_FSIZE, LARGEST), (resource.RLIMIT_CORE, 0)):  # fmt: skip
        resource.setrlimit(limit, (value, value + 1 if limit == resource.RLIMIT_CPU else value))


def _leave(code: int) -> None:
    import threading

    sys.stdout.flush()
    sys.stderr.flush()
    threading._shutdown()  # type: ignore[attr-defined] # waits for threads, as Python's end does
    os._exit(code)


def arguments(name: str, use: str) -> list[str]:
    """Return the command that reads a mutant."""
    common = ["-k", "3", "--threads", "1"]
    if use == "palette":
        return ["whole.png", "--palette", name, "--threads", "1", "-o", "out.png"]
    if use == "image":
        return [name, *common, "-o", "out.png", "--stats", "out.csv"]
    return [name, *common, "-o", "out.mkv", "--stats", "out.csv"]


def count_frames(path: Path) -> int:
    """Print how many pictures a plain decode gives."""
    n = 0
    with contextlib.suppress(av.FFmpegError, OSError, ValueError), open_container(path) as file:
        for packet in file.demux(picture_stream(file)):
            with contextlib.suppress(av.FFmpegError):
                n += len(packet.decode())
    os.write(1, b"%d" % n)
    return 0


FRAMES = re.compile(r": (\d+) frames?")
OURS = re.compile(r"livekm: ")
WARNING = re.compile(
    r"livekm: [^\n]*(damaged|left out|only the first|cut off|ends after|black and white|profile)"
)


def faults(end: End, folder: Path, name: str, use: str) -> list[str]:
    """Return the names of what is wrong with how livekm ended."""
    found = []
    if end.is_hung:
        found.append("hang")
    elif end.code < 0:
        found.append("signal")
    elif end.code not in (0, 1):
        found.append("code")
    if "Traceback" in end.err or "-v shows where" in end.err:
        found.append("traceback")
    lines = end.err.splitlines()
    if not all(OURS.match(line) for line in lines):
        found.append("print")
    known = {name, "whole.png", "out.mkv", "out.png", "out.csv"}
    known |= {"out.partial.mkv", "out.partial.png", "out.partial.csv"}
    left = {path.name for path in folder.iterdir()} - known
    if left:
        found.append("leftover")
    has_output = (folder / "out.mkv").exists() or (folder / "out.png").exists()
    if not end.is_hung and end.code in (0, 1) and has_output != (end.code == 0):
        found.append("code")
    if end.code == 1 and not lines:
        found.append("silent")
    if end.code == 0 and use == "clip" and not lines:
        n_frames = FRAMES.search(end.out)
        plain = forked(folder, lambda: count_frames(folder / name))
        if plain.code == 0 and n_frames and int(n_frames[1]) < int(plain.out or 0):
            found.append("frames")
    return found


# The whole


def make_all(folder: Path) -> dict[str, bytes]:
    """Make every kind of file, run livekm on each once, and return their contents."""
    contents = {}
    for name, kind in KINDS.items():
        path = folder / name
        kind.make(path, **kind.options)
        contents[name] = path.read_bytes()
    make_image(folder / "whole.png")
    contents["whole.png"] = (folder / "whole.png").read_bytes()
    return contents


def warm_up(contents: dict[str, bytes], folder: Path) -> None:
    """Load the kernels and libraries that the mutants' processes need; check the whole files."""
    os.chdir(folder)
    tqdm.monitor_interval = 0  # no thread that is lost in a fork
    for name in ("h264.mkv", "labels.png", "palette.json"):
        run_livekm([*arguments(name, KINDS[name].use), "-q", "--overwrite"])
    for name, kind in KINDS.items():
        with tempfile.TemporaryDirectory() as place:
            end, found = tried(contents, name, contents[name], Path(place))
            is_known = end.code == 0 or name == "labels.npz"
            if found or not is_known:
                sys.exit(f"{name}, undamaged: {found} {end} ({kind.use})")


def tried(
    contents: dict[str, bytes], name: str, data: bytes, folder: Path
) -> tuple[End, list[str]]:
    """Run livekm on a file; return how it ended and what is wrong with that."""
    use = KINDS[name].use
    (folder / name).write_bytes(data)
    if use == "palette":
        (folder / "whole.png").write_bytes(contents["whole.png"])
    end = forked(folder, lambda: run_livekm(arguments(name, use)))
    return end, faults(end, folder, name, use)


def main() -> int:
    """Try the mutants; print the faults and how the runs ended."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--count", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", type=int, metavar="NUMBER", help="this mutant alone")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="where mutants with faults go")
    options = parser.parse_args()
    keep = options.keep.absolute() if options.keep else None
    names, ends, found = list(KINDS), Counter[str](), Counter[str]()
    numbers = range(options.count) if options.only is None else [options.only]
    with tempfile.TemporaryDirectory() as place:
        contents = make_all(Path(place))
        warm_up(contents, Path(place))
        for number in numbers:
            name = names[number % len(names)]
            data = mutant(contents[name], np.random.default_rng([options.seed, number]))
            folder = Path(place) / f"mutant-{number}"
            folder.mkdir()
            end, wrong = tried(contents, name, data, folder)
            ends[f"code {end.code}{' with a warning' if end.code == 0 and end.err else ''}"] += 1
            found.update(set(wrong))
            if wrong:
                print(f"{number} {name}: {', '.join(wrong)}; {end.code}, {end.err.strip()[-300:]}")
            if keep and wrong:
                shutil.copytree(folder, keep / f"{options.seed}-{number}", dirs_exist_ok=True)
            shutil.rmtree(folder)
    print(f"{len(numbers)} mutants, seed {options.seed}: {dict(ends)}")
    print(f"faults: {dict(found) or 'none'} (livekm {livekm.__version__})")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
