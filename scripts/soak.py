"""Run livekm for long, change everything meanwhile, and tell whether it holds on to anything.

    python scripts/soak.py [--frames 30000] [--minutes 5] [--seed 0]

First a live session without a window takes frames: random keys are pressed and random places
clicked, and the picture changes with cuts. Then the command runs with its window on a virtual X
server and a virtual camera that is unplugged every ten seconds and comes back; random keys are
pressed there too. Recordings and snapshots are made and deleted.

The memory is that of one malloc arena (MALLOC_ARENA_MAX=1): else glibc keeps what each of many
threads has freed, up to eight times as many arenas as there are processors.

Behind a warm-up of a fifth, the last two fifths must need as much as the two before: memory within
2 % in the median, no more open files and no more threads at the least. The exit code is 1 if they
do not. Linux only; the window needs Xvfb, xdotool and a C compiler.
"""

from __future__ import annotations

import argparse
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from livekm import Segmenter
from livekm.frame import Frame
from livekm.live.commands import press
from livekm.live.events import PointerEvent
from livekm.live.keys import COMMAND_OF, key_groups
from livekm.live.pointer import Pointer
from livekm.live.session import Session
from livekm.sources.demo.source import DemoSource

TESTS = Path(__file__).resolve().parents[1] / "tests"
WIDTH, HEIGHT = 160, 120
ONE_ARENA = {"MALLOC_ARENA_MAX": "1"}
MOST_GROWTH = 0.02
PAGES_PER_MB = (1 << 20) / os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True)
class Needs:
    """What a process holds: megabytes of memory, open files, threads."""

    memory: float
    handles: int
    threads: int

    @classmethod
    def of(cls, process: int | str = "self") -> Needs:
        """Ask the system."""
        folder = Path("/proc", str(process))
        pages = int((folder / "statm").read_text().split()[1])
        handles, threads = (len(list((folder / name).iterdir())) for name in ("fd", "task"))
        return cls(pages / PAGES_PER_MB, handles, threads)


def grown(samples: list[Needs], what: str) -> list[str]:
    """Print the needs before and after; return what grew."""
    fifth = len(samples) // 5
    before, after = samples[fifth : 3 * fifth], samples[3 * fifth :]
    found = []
    memory = [statistics.median(needs.memory for needs in part) for part in (before, after)]
    growth = memory[1] / memory[0] - 1
    if growth > MOST_GROWTH:
        found.append("memory")
    text = f"memory {memory[0]:.1f} -> {memory[1]:.1f} MB ({100 * growth:+.2f} %)"
    for name in ("handles", "threads"):
        # A recording has files and threads of its own, but never lasts for a whole part.
        least = [min(getattr(needs, name) for needs in part) for part in (before, after)]
        if least[1] > least[0]:
            found.append(name)
        text += f", {name} {least[0]} -> {least[1]}"
    print(f"{what}: {text}; grown: {', '.join(found) or 'nothing'}", flush=True)
    return found


def clear(folder: Path) -> None:
    """Delete the snapshots and complete recordings."""
    for path in folder.glob("livekm-*"):
        path.unlink()


def soak_session(n_frames: int, chance: random.Random) -> list[str]:
    """Press keys and click in a session of so many frames; return what grew."""
    keys = [key for key, command in COMMAND_OF.items() if command != "quit"]
    samples: list[Needs] = []
    room: tuple[int, int] | None = None
    every = max(20, n_frames // 300)
    with (
        tempfile.TemporaryDirectory() as folder,
        DemoSource(width=WIDTH, height=HEIGHT) as scene,
        Session(
            Segmenter(8, random_state=0), "segments", 1.0, Path(folder), key_groups()
        ) as session,
    ):
        pointer = Pointer(session)
        for number, frame in zip(range(n_frames), scene, strict=False):
            image = frame.image
            if number // 500 % 2:  # a cut now and then
                image = np.ascontiguousarray(255 - image[::-1])
            if session.settings.wants_frame:
                session.processing.take(Frame(image, number, frame.time))
            else:
                session.processing.settle()
            look = session.look()
            if number % 150 == 0:
                room = chance.choice([None, (640, 360), (90, 200)])
            if look is not None:
                session.draw(look, room or look.wanted_size)
            if number % 5 == 0:
                press(session, chance.choice(keys))
            if number % 40 == 0:
                place = chance.randrange(640), chance.randrange(360)
                pointer.obey(PointerEvent(chance.choice(("press", "drop", "move")), *place))
            if number % every == every - 1:
                session.saving.stop_recording()
                clear(Path(folder))
                samples.append(Needs.of())
    return grown(samples, f"session, {n_frames} frames")


def soak_window(minutes: float, chance: random.Random) -> list[str]:
    """Press keys in the live window while its camera comes and goes; return what grew."""
    sys.path.insert(0, str(TESTS))
    import virtual_camera
    from xvfb import virtual_display

    keys = [*"gobedkivaclrmnshftxw123456789", "plus", "minus", "bracketleft", "bracketright",
            "less", "greater", "question", "space"]  # fmt: skip
    samples: list[Needs] = []
    with tempfile.TemporaryDirectory() as place, virtual_display() as display:
        folder = Path(place)
        library = virtual_camera.build_library(folder)
        images = [frame.image for frame, _ in zip(
            DemoSource(width=320, height=240), range(60), strict=False
        )]  # fmt: skip
        frames = virtual_camera.write_frames(folder / "frames.yuyv", images)
        camera = virtual_camera.environment(
            library, frames, size=(320, 240), unplug_after=300, return_after_ms=1500
        )
        names = [name for name in camera if name.startswith(("LIVEKM_", "LD_PRELOAD"))]
        process = subprocess.Popen(
            [sys.executable, "-m", "livekm", "--camera", "0", "-q"],
            cwd=folder,
            env=display.environment(**{name: camera[name] for name in names}),
            text=True,
            stderr=subprocess.PIPE,
        )
        window = display.wait_for_window("livekm - camera 0", process, 60)
        until = time.monotonic() + 60 * minutes
        while time.monotonic() < until and process.poll() is None:
            display.press(window, *chance.choices(keys, k=5), every_ms=60)
            clear(folder)
            samples.append(Needs.of(process.pid))
            time.sleep(0.2)
        if process.poll() is None:
            display.press(window, "Escape")
        code = process.wait(30)
        if code:
            print(f"window: ended with {code}: {process.stderr.read().strip()}")
    return [*(["exit code"] if code else []), *grown(samples, f"window, {minutes:g} minutes")]


def main() -> int:
    """Run both; return the exit code."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--frames", type=int, default=30_000, help="0 leaves the session out")
    parser.add_argument("--minutes", type=float, default=5, help="0 leaves the window out")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    if "MALLOC_ARENA_MAX" not in os.environ:
        os.execve(sys.executable, [sys.executable, *sys.argv], {**os.environ, **ONE_ARENA})
    cv2.setNumThreads(1)
    found: list[str] = []
    if options.frames:
        found += soak_session(options.frames, random.Random(options.seed))
    if options.minutes:
        found += soak_window(options.minutes, random.Random(options.seed))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
