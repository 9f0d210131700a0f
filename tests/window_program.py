"""A program with a window, run by test_window.py; it says on stdout what happens to it.

Shows an image of each size (``400x300``) of the command line, the next one when ``n`` is pressed,
until ``q`` is pressed or the window is closed.
"""

import sys

import numpy as np

from livekm.live.letterbox import letterboxed
from livekm.live.window import Window

TITLE = "livekm test"


def gradient(width: int, height: int) -> np.ndarray:
    """(H, W, 3) uint8 BGR, another colour at each place."""
    image = np.empty((height, width, 3), np.uint8)
    image[..., 0] = np.linspace(0, 255, width)
    image[..., 1] = np.linspace(255, 0, height)[:, None]
    image[..., 2] = 77
    return image


def show(window: Window, image: np.ndarray) -> str | None:
    """Show `image` until there is a reason to end, which is returned, or ``n`` is pressed."""
    height, width = image.shape[:2]
    while window.is_open:
        window.show(letterboxed(image, window.fit(width, height)))
        key = window.poll(10)
        for event in window.take_events():
            if event.kind != "move":
                print(event.kind, event.x, event.y, event.steps, flush=True)
        if key == "n":
            return None
        if key == "q":
            return "quit"
        if key is not None:
            print(repr(key), flush=True)
    window.show(image)
    assert not window.is_open, "opened again"
    return "closed"


def main() -> None:
    with Window(TITLE) as window:
        assert window.is_open, "closed before the first image"
        assert window.poll() is None
        for size in sys.argv[1:]:
            width, height = map(int, size.split("x"))
            reason = show(window, gradient(width, height))
            if reason is not None:
                print(reason, flush=True)
                break
    assert not window.is_open


if __name__ == "__main__":
    main()
