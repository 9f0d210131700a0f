"""A camera for tests on machines without one: ``/dev/video0`` of a subprocess.

``virtual_camera.c`` says how it works. A test builds the library once, writes some frames and
starts the program under test with the environment made here:

    frames = write_frames(folder / "frames.yuyv", images)
    subprocess.run([...], env=environment(library(), frames, size=(320, 240), fps=30))
"""

from __future__ import annotations

import atexit
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from functools import cache
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

_SOURCE = Path(__file__).with_suffix(".c")


def why_not() -> str | None:
    """Why there can be no virtual camera here; None where there can."""
    if not sys.platform.startswith("linux") or sys.maxsize < 2**32:
        return "the virtual camera needs 64-bit Linux"
    if shutil.which("cc") is None:
        return "the virtual camera needs a C compiler named cc"
    if not Path("/usr/include/linux/videodev2.h").exists():
        return "the virtual camera needs linux/videodev2.h (package linux-libc-dev)"
    return None


def build_library(folder: Path, source: Path = _SOURCE) -> Path:
    """Compile a library to be preloaded into `folder`, in half a second; its path."""
    library = folder / source.with_suffix(".so").name
    options = ["-std=gnu11", "-O1", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", "-pthread"]
    subprocess.run(["cc", *options, "-o", str(library), str(source)], check=True)
    return library


@cache
def library() -> Path:
    """Build the camera's library once for this process."""
    folder = tempfile.TemporaryDirectory(prefix="livekm-camera-")
    atexit.register(folder.cleanup)
    return build_library(Path(folder.name))


def write_frames(path: Path, images: Iterable[npt.NDArray[np.uint8]]) -> Path:
    """Write (H, W, 3) uint8 BGR images of one size, W even, as the camera's loop; `path`."""
    yuyv = (cv2.cvtColor(image, cv2.COLOR_BGR2YUV_YUYV) for image in images)
    path.write_bytes(b"".join(image.tobytes() for image in yuyv))
    return path


def write_jpegs(
    path: Path, images: Iterable[npt.NDArray[np.uint8] | None], size: tuple[int, int]
) -> Path:
    """Write images of `size` as the loop of a camera that sends JPEGs; None is an empty buffer."""
    slots = []
    for image in images:
        jpeg = b"" if image is None else cv2.imencode(".jpg", image)[1].tobytes()
        slots.append(jpeg.ljust(2 * size[0] * size[1], b"\0"))
    path.write_bytes(b"".join(slots))
    return path


def environment(
    library: Path,
    frames: Path | None = None,
    *,
    size: tuple[int, int] = (320, 240),
    fps: int = 30,
    mode: str | None = None,
    unplug_after: int | None = None,
    return_after_ms: int | None = None,
    freeze_after: int | None = None,
    wishes: Path | None = None,
    mjpg: bool | None = None,
) -> dict[str, str]:
    """Environment of a subprocess that shall see the camera.

    `size` is (width, height); `mode` is "busy", "absent" or "denied"; the camera is unplugged
    when `unplug_after` frames were taken since it was plugged in, and is back `return_after_ms`
    later. It freezes when `freeze_after` frames were taken, until it is opened again. OpenCV itself
    takes and drops the first frame of a stream. Each format that is asked for becomes a line of
    the file `wishes`. With `mjpg`, `frames` are of `write_jpegs`.
    """
    options = {
        "FRAMES": frames,
        "SIZE": f"{size[0]}x{size[1]}",
        "FPS": fps,
        "MODE": mode,
        "UNPLUG_AFTER": unplug_after,
        "RETURN_AFTER_MS": return_after_ms,
        "FREEZE_AFTER": freeze_after,
        "WISHES": wishes,
        "MJPG": mjpg,
    }
    given = {f"LIVEKM_VCAM_{key}": str(v) for key, v in options.items() if v is not None}
    preloaded = " ".join(filter(None, [str(library), os.environ.get("LD_PRELOAD")]))
    return {**os.environ, **given, "LD_PRELOAD": preloaded}
