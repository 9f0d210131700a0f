"""Make the README's pictures of the window: the program itself, on a private display.

    python scripts/make_screenshots.py [docs/media]

The source is the built-in demo; after the first picture it is paused. Needs Xvfb and xdotool, as
the tests of the window do.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image as Pillow

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from xvfb import VirtualDisplay, virtual_display

from livekm.sources.demo.source import SCENE_SECONDS

TITLE = "livekm - demo"
QUALITY = 80

Act = Callable[[VirtualDisplay, int], None]


def keys(*names: str) -> Act:
    """Press keys, one by one."""

    def act(display: VirtualDisplay, window: int) -> None:
        for name in names:
            display.press(window, name)
            time.sleep(0.2)

    return act


def click(x: int, y: int) -> Act:
    """Click at a pixel."""
    return lambda display, window: display.click(window, x, y)


PICTURES: dict[str, list[Act]] = {
    "window": [],
    "window-overlay": [keys("space", "o")],
    "window-isolated": [keys("g"), click(300, 480)],
    "window-help": [keys("a", "question")],
    "window-side-by-side": [keys("question", "d")],
}
"""Name of each picture -> what is done for it, after what was done for those before."""


def main() -> None:
    """Run the demo, act, and write what is seen."""
    default = Path(__file__).parents[1] / "docs" / "media"
    parser = argparse.ArgumentParser(description="Make the README's pictures of the window.")
    parser.add_argument("folder", nargs="?", type=Path, default=default)
    folder: Path = parser.parse_args().folder
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch, virtual_display() as display:
        process = subprocess.Popen(
            [sys.executable, "-m", "livekm", "--demo", "-q"],
            cwd=scratch,
            env=display.environment(),
            text=True,
        )
        try:
            window = display.wait_for_window(TITLE, process)
            time.sleep(SCENE_SECONDS - 2)  # for the kernels, and for the first note to go
            for name, acts in PICTURES.items():
                for act in acts:
                    act(display, window)
                time.sleep(1)
                save(display.screenshot(window), folder / f"{name}.webp")
            keys("q")(display, window)
            process.wait(10)
        finally:
            process.kill()
            process.wait()


def save(image: np.ndarray, path: Path) -> None:
    """Write (H, W, 3) uint8 BGR as WebP."""
    Pillow.fromarray(image[:, :, ::-1]).save(path, quality=QUALITY, method=6)
    print(f"{path}: {image.shape[1]}x{image.shape[0]}, {path.stat().st_size / 1e3:.0f} kB")


if __name__ == "__main__":
    main()
