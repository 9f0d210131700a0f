"""Print what the live window takes of a processor, and which stage takes it.

    python scripts/profile_window.py [CLIP] [--size 1280x720] [--view segments]

A real window on a private display shows frames that are held in memory, as a camera would send
them. What counts is the processor's time of all threads, not the clock's, so that a busy machine
measures the same. Without a clip, the built-in street is used. Needs Xvfb and xdotool, as the tests
of the window do.
"""

from __future__ import annotations

import argparse
import itertools
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path

import cv2

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from xvfb import virtual_display

from livekm import Segmenter, open_source
from livekm.frame import Frame, Image, VideoInfo
from livekm.live import loop
from livekm.live.processing import Processing
from livekm.live.session import Session
from livekm.live.window import Window
from livekm.sources.base import Source

WARM_UP = 30  # frames, in which the window appears and kernels are loaded
N_FRAMES = 60

STAGES: dict[str, tuple[type, str]] = {
    "resize, mirror, segment": (Processing, "take"),
    "view": (Session, "look"),
    "lay out, draw": (Session, "draw"),
    "hand to the window": (Window, "show"),
    "events and painting": (Window, "poll"),
    "ask the window's size": (Window, "fit"),
}


class Stopwatch:
    """Adds up the processor's time of methods that it wraps, without that of inner ones."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = defaultdict(float)
        self._inner: list[float] = []

    def wrap(self, name: str, owner: type, method: str) -> None:
        function: Callable[..., object] = getattr(owner, method)

        def timed(*arguments: object, **options: object) -> object:
            stack = self._inner if name not in _IN_A_THREAD else [0.0]
            stack.append(0.0)
            start = time.thread_time()
            try:
                return function(*arguments, **options)
            finally:
                total = time.thread_time() - start
                self.seconds[name] += total - stack.pop()
                if stack:
                    stack[-1] += total

        setattr(owner, method, timed)


_IN_A_THREAD = {"resize, mirror, segment"}


class Memory(Source):
    """Frames in memory, sent again and again at a rate, as a camera sends them."""

    def __init__(self, images: list[Image], fps: float) -> None:
        height, width = images[0].shape[:2]
        self.info = VideoInfo("memory", width, height, fps=Fraction(fps), is_live=True)
        self._images, self._period = images, 1 / fps
        self._is_open = True

    def __iter__(self) -> Iterator[Frame]:
        start = time.perf_counter()
        there_and_back = [*self._images, *self._images[-2:0:-1]]
        for index, image in enumerate(itertools.cycle(there_and_back)):
            if not self._is_open:
                return
            time.sleep(max(0.0, start + index * self._period - time.perf_counter()))
            yield Frame(image, index, index * self._period)

    def close(self) -> None:
        self._is_open = False


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("clip", nargs="?", default="demo")
    parser.add_argument("--size", default="1280x720")
    parser.add_argument("--fps", type=float, default=30.0)
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--view", default="segments")
    parser.add_argument("--within-a-display", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.within_a_display:
        measure(options)
        return
    with virtual_display() as display:
        command = [sys.executable, __file__, "--within-a-display", *sys.argv[1:]]
        subprocess.run(command, env=display.environment(), check=True)


def measure(options: argparse.Namespace) -> None:
    width, height = map(int, options.size.split("x"))
    with open_source(options.clip) as source:
        images = [
            cv2.resize(frame.image, (width, height), interpolation=cv2.INTER_CUBIC)
            for frame in itertools.islice(source, N_FRAMES)
        ]
    watch = Stopwatch()
    for name, (owner, method) in STAGES.items():
        watch.wrap(name, owner, method)
    marks: list[tuple[float, float, int, dict[str, float]]] = []
    shown = 0

    def count(*_: object) -> None:
        nonlocal shown
        shown += 1

    def should_stop() -> bool:
        now = time.monotonic()
        is_due = now > marks[0][0] + options.seconds if marks else shown >= WARM_UP
        if is_due and len(marks) < 2:
            marks.append((now, time.process_time(), shown, dict(watch.seconds)))
        return len(marks) == 2

    with Memory(images, options.fps) as memory:
        segmenter = Segmenter(8, random_state=0, threads=1)
        loop.run(
            memory, segmenter, view=options.view, scale=1.0, on_frame=count, should_stop=should_stop
        )
    (start, cpu_before, n_before, before), (end, cpu_after, n_after, after) = marks
    n = n_after - n_before
    total = 1e3 * (cpu_after - cpu_before) / n
    print(
        f"{options.size}, {options.view}: {n / (end - start):.1f} frames a second shown, "
        f"{total:.2f} ms of a processor each: {total * options.fps / 10:.0f} % of one core at "
        f"{options.fps:g} a second"
    )
    rows = {name: 1e3 * (after[name] - before.get(name, 0.0)) / n for name in STAGES}
    rows["the rest: threads, the loop"] = total - sum(rows.values())
    for name, ms in rows.items():
        print(f"  {name:<28}{ms:6.2f} ms {ms / total:5.0%}")


if __name__ == "__main__":
    main()
