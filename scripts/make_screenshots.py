"""Make the pictures of docs/gallery.md: the program itself, on a private display, and its page.

    python scripts/make_screenshots.py [docs/media]

The sources are the built-in demo, and a clip and a dark still that are made of it. Needs Xvfb,
xdotool, and chromium with its driver, as the tests of window and page do.
"""

from __future__ import annotations

import argparse
import itertools
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import cv2
import numpy as np
from PIL import Image as Pillow
from selenium import webdriver
from selenium.webdriver.common.action_chains import ActionChains

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from xvfb import VirtualDisplay, virtual_display

from livekm import open_sink, open_source

QUALITY = 78
DARK = 0.22  # of the light
CLIP_FRAMES = 90

Act = Callable[[VirtualDisplay, int], None]


def keys(*names: str) -> Act:
    """Press keys, one by one."""
    return lambda display, window: display.press(window, *names, every_ms=200)


def mouse(x: int, y: int, *actions: str) -> Act:
    """Move the pointer to a pixel, and do what xdotool's words say."""

    def act(display: VirtualDisplay, window: int) -> None:
        display.point(window, x, y, *actions)

    return act


def wait(seconds: float) -> Act:
    """Wait."""
    return lambda display, window: time.sleep(seconds)


def resize(width: int, height: int) -> Act:
    """Give the window a size."""
    return lambda display, window: display.resize(window, width, height)


def away(display: VirtualDisplay, window: int) -> None:
    """Move the pointer out of the picture."""
    display.put_pointer_away()
    time.sleep(2.5)  # until what it was on is told no more


GONE = wait(1.5)  # until the note has gone

RUNS: Sequence[tuple[Sequence[str], str, Mapping[str, Sequence[Act]]]] = (
    (
        ("--demo",),
        "livekm - demo",
        {
            "window": [wait(7)],
            "window-all": [keys("space", "h"), GONE],
            "window-hidden": [keys("h"), GONE],
            "window-overlay": [keys("h", "o"), GONE],
            "window-boundaries": [keys("b"), GONE],
            "window-regions": [keys("e"), GONE],
            "window-mask": [keys("k"), GONE],
            "window-original": [keys("i"), GONE],
            "window-isolated": [keys("g"), mouse(300, 480, "click", "1"), away],
            "window-side-by-side": [keys("a", "d"), GONE],
            "window-wipe": [keys("j"), mouse(560, 300), away],
            "window-help": [keys("g", "question"), GONE],
            "window-strip": [keys("question", *["plus"] * 16), mouse(770, 552), wait(2)],
        },
    ),
    (
        ("clip.mp4",),
        "livekm - clip.mp4",
        {"window-clip": [wait(7), keys("a"), GONE, mouse(480, 545), wait(1)]},
    ),
    (("dark.png",), "livekm - dark.png", {"window-dark": [wait(5), keys("o"), GONE]}),
    (
        ("--demo",),
        "livekm - demo",
        {
            "window-naming": [
                wait(7),
                keys("space"),
                mouse(480, 60, "click", "1"),
                away,
                keys("Return", *"sky"),
            ],
            "window-part": [
                keys("Return", "a", "z", "numbersign"),
                GONE,
                mouse(120, 160, "mousedown", "1", "mousemove_relative", "620", "300"),
                wait(0.5),
                mouse(740, 460, "mouseup", "1"),
                away,
                GONE,
            ],
        },
    ),
    (
        ("--demo", "--size", "320x240"),
        "livekm - demo",
        {
            "window-small": [wait(3), resize(320, 264), wait(3)],
            "window-small-help": [keys("question"), GONE],
        },
    ),
)
"""Arguments, the window's title, and for each picture what is done after those before it."""


View = Callable[[webdriver.Chrome], None]


def on_page(*chars: str) -> View:
    """Press keys, one by one."""

    def act(page: webdriver.Chrome) -> None:
        for char in chars:
            page.find_element("css selector", "body").send_keys(char)
            time.sleep(0.3)

    return act


def pointer_at(x: int, y: int, *, clicks: bool = False) -> View:
    """Move the pointer to a pixel of the page."""

    def act(page: webdriver.Chrome) -> None:
        action = ActionChains(page)
        action.w3c_actions.pointer_action.move_to_location(x, y)
        (action.click() if clicks else action).perform()
        time.sleep(1)

    return act


def pressed(name: str) -> View:
    """Press the button of an id."""
    return lambda page: page.find_element("id", name).click()


def rest(page: webdriver.Chrome) -> None:
    """Wait until the note has gone."""
    time.sleep(4)


PAGES: Mapping[str, tuple[str, tuple[int, int], str, Sequence[View]]] = {
    "page": ("--demo", (1100, 840), "light", [pointer_at(300, 300), rest]),
    "page-dark": ("clip.mp4", (1100, 620), "dark", [on_page("d"), rest]),
    "page-phone": (
        "clip.mp4",
        (390, 620),
        "light",
        [rest, pointer_at(220, 70, clicks=True), rest],
    ),
    "page-phone-name": (
        "clip.mp4",
        (390, 620),
        "dark",
        [rest, pointer_at(200, 220, clicks=True), rest, pressed("name"), rest],
    ),
    "page-phone-dark": ("clip.mp4", (390, 620), "dark", [on_page("o"), rest]),
    "page-part": ("clip.mp4", (800, 740), "light", [rest, on_page(" ", "#"), rest]),
}
"""Source, size, scheme, and what is done, for each picture of the page."""


def main() -> None:
    """Run livekm, act, and write what is seen."""
    default = Path(__file__).parents[1] / "docs" / "media"
    parser = argparse.ArgumentParser(description="Make the pictures of the window and the page.")
    parser.add_argument("folder", nargs="?", type=Path, default=default)
    folder: Path = parser.parse_args().folder
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch, virtual_display() as display:
        make_sources(Path(scratch))
        for arguments, title, pictures in RUNS:
            process = subprocess.Popen(
                [sys.executable, "-m", "livekm", *arguments, "-q"],
                cwd=scratch,
                env=display.environment(),
                text=True,
            )
            try:
                window = display.wait_for_window(title, process)
                for name, acts in pictures.items():
                    for act in acts:
                        act(display, window)
                    save(display.screenshot(window), folder / f"{name}.webp")
                keys("q")(display, window)
                process.wait(10)
            finally:
                process.kill()
                process.wait()
        for name, (source, size, scheme, views) in PAGES.items():
            save(page_shot(source, Path(scratch), size, scheme, views), folder / f"{name}.webp")


def page_shot(
    source: str, folder: Path, size: tuple[int, int], scheme: str, views: Sequence[View]
) -> np.ndarray:
    """Serve a source, open its page, act, and return what is seen, (H, W, 3) uint8 BGR."""
    command = [sys.executable, "-m", "livekm", source, "--serve", "0"]
    environment = {name: value for name, value in os.environ.items() if name != "DISPLAY"}
    options = webdriver.ChromeOptions()
    for argument in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"):
        options.add_argument(argument)
    process = subprocess.Popen(
        command, cwd=folder, env=environment, text=True, stderr=subprocess.PIPE
    )
    page = webdriver.Chrome(options, webdriver.ChromeService(shutil.which("chromedriver")))
    try:
        width, height = size
        metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500}
        page.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
        wanted = [{"name": "prefers-color-scheme", "value": scheme}]
        page.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": wanted})
        assert process.stderr is not None
        page.get(process.stderr.readline().split()[-1])
        while not page.find_elements("css selector", "#strip button"):
            time.sleep(0.1)
        for view in views:
            view(page)
        content = np.frombuffer(page.get_screenshot_as_png(), np.uint8)
        return cv2.imdecode(content, cv2.IMREAD_COLOR)
    finally:
        page.quit()
        process.kill()
        process.wait()


def make_sources(folder: Path) -> None:
    """Write a clip and a dark picture of the demo."""
    with open_source("demo") as demo, open_sink(folder / "clip.mp4", demo.info) as sink:
        for frame in itertools.islice(demo, CLIP_FRAMES):
            sink.write(frame.image, frame.time)
    dark = cv2.convertScaleAbs(frame.image, alpha=DARK)
    cv2.imwrite(str(folder / "dark.png"), dark)


def save(image: np.ndarray, path: Path) -> None:
    """Write (H, W, 3) uint8 BGR as WebP."""
    Pillow.fromarray(image[:, :, ::-1]).save(path, quality=QUALITY, method=6)
    print(f"{path}: {image.shape[1]}x{image.shape[0]}, {path.stat().st_size / 1e3:.0f} kB")


if __name__ == "__main__":
    main()
