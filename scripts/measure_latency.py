"""Print how old a frame is when a browser shows it, from the capture to the painted page.

    python scripts/measure_latency.py [--size 1280x720] [--fps 30] [--seconds 10] [--viewers 1]

A source stands in for a camera and paints each frame's number into it, as a row of black and white
blocks. The page of ``--serve`` is opened in chromium, whose canvas reads the number back once the
picture is painted; both ends take the time from the clock of this machine. A number that cannot be
read is not counted, and told. Needs chromium with its driver, and selenium, as the tests do.
"""

from __future__ import annotations

import argparse
import itertools
import shutil
import threading
import time
from collections.abc import Iterator
from fractions import Fraction

import numpy as np
from selenium import webdriver

from livekm import Segmenter, open_source
from livekm.frame import Frame, Image, VideoInfo
from livekm.live import run
from livekm.live.web import Address
from livekm.live.web.server import Server
from livekm.sources.base import Source

N_FRAMES = 60  # of the street, there and back
N_BITS = 12
WARM_UP = 3.0  # seconds, in which it comes to its pace

READ_BACK = """
const [bits] = arguments, picture = document.getElementById("picture");
const canvas = document.createElement("canvas"), context = canvas.getContext(
    "2d", {willReadFrequently: true});
window.seen = [];
picture.addEventListener("load", () => requestAnimationFrame(() => setTimeout(() => {
  const at = performance.timeOrigin + performance.now();  // it is painted
  canvas.width = 2 * bits; canvas.height = 1;
  const side = picture.naturalWidth / (2 * bits);
  context.drawImage(picture, 0, 0, picture.naturalWidth, side / 2, 0, 0, 2 * bits, 1);
  const pixels = context.getImageData(0, 0, 2 * bits, 1).data;
  window.seen.push([at, Array.from({length: 2 * bits}, (_, i) => pixels[4 * i + 1])]);
})));
"""


class NumberedFrames(Source):
    """Frames as a camera sends them, which carry their number, and when each was captured."""

    def __init__(self, width: int, height: int, fps: float) -> None:
        with open_source("demo", width=width, height=height) as demo:
            images = [frame.image.copy() for frame in itertools.islice(demo, N_FRAMES)]
        self.info = VideoInfo("numbered", width, height, fps=Fraction(fps), is_live=True)
        self._images, self._period, self._is_open = images, 1 / fps, True
        self.captured: dict[int, float] = {}

    def __iter__(self) -> Iterator[Frame]:
        start = time.perf_counter()
        there_and_back = [*self._images, *self._images[-2:0:-1]]
        for index, image in enumerate(itertools.cycle(there_and_back)):
            if not self._is_open:
                return
            time.sleep(max(0.0, start + index * self._period - time.perf_counter()))
            self.captured[index % 2**N_BITS] = 1e3 * time.time()
            yield Frame(numbered(image, index), index, index * self._period)

    def close(self) -> None:
        self._is_open = False


def numbered(image: Image, number: int) -> Image:
    """Return (H, W, 3) uint8 BGR, on top the number's bits and then their opposites."""
    side = image.shape[1] / (2 * N_BITS)
    bits = [number >> place & 1 for place in range(N_BITS)]
    marked = image.copy()
    for block, bit in enumerate([*bits, *(1 - bit for bit in bits)]):
        marked[: round(side), round(block * side) : round((block + 1) * side)] = 255 * bit
    return marked


def number_of(levels: list[int]) -> int | None:
    """Return the number that the levels of the blocks stand for; None where they contradict."""
    bits = [level > 127 for level in levels]
    if any(bit == opposite for bit, opposite in zip(bits[:N_BITS], bits[N_BITS:], strict=True)):
        return None
    return sum(bit << place for place, bit in enumerate(bits[:N_BITS]))


def chromium() -> webdriver.Chrome:
    """Start chromium without a window."""
    options = webdriver.ChromeOptions()
    for argument in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"):
        options.add_argument(argument)
    return webdriver.Chrome(options, webdriver.ChromeService(shutil.which("chromedriver")))


def main() -> None:
    """Serve the frames, watch the page, and tell the ages of what it shows."""
    parser = argparse.ArgumentParser(description="Measure the time from capture to browser.")
    parser.add_argument("--size", default="1280x720")
    parser.add_argument("--fps", type=float, default=30.0)
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--viewers", type=int, default=1, help="pages; the first is measured")
    parser.add_argument("--view", default="segments")
    options = parser.parse_args()
    width, height = map(int, options.size.split("x"))
    ends = threading.Event()
    with Server(Address(0)) as server, NumberedFrames(width, height, options.fps) as source:
        live = threading.Thread(
            target=run,
            args=(source, Segmenter(8, random_state=0)),
            kwargs={
                "view": options.view,
                "scale": 1.0,
                "server": server,
                "opens_window": False,
                "should_stop": ends.is_set,
            },
        )
        live.start()
        pages = [chromium() for _ in range(options.viewers)]
        try:
            for page in pages:
                page.get(server.url)
            while not pages[0].find_elements("css selector", "#strip button"):
                time.sleep(0.1)  # kernels are compiled
            time.sleep(WARM_UP)
            pages[0].execute_script(READ_BACK, N_BITS)
            time.sleep(options.seconds)
            seen = pages[0].execute_script("return window.seen")
        finally:
            ends.set()
            live.join()
            for page in pages:
                page.quit()
        report(options, seen, source.captured)


def report(
    options: argparse.Namespace, seen: list[tuple[float, list[int]]], captured: dict[int, float]
) -> None:
    """Print the ages of what was seen."""
    numbers = [(at, number_of(levels)) for at, levels in seen]
    ages = [at - captured[number] for at, number in numbers if number in captured]
    if not ages:
        raise SystemExit(f"no number was read of {len(seen)} pictures")
    median, high = np.percentile(ages, (50, 95))
    print(
        f"{options.size} at {options.fps:g} a second, {options.view}, {options.viewers} viewers: "
        f"{len(seen) / options.seconds:.1f} pictures a second painted, "
        f"{median:.0f} ms after the capture in the median, {high:.0f} ms in 95 of 100, "
        f"{max(ages):.0f} ms at most; {len(seen) - len(ages)} numbers not read"
    )


if __name__ == "__main__":
    main()
