"""Make small mutations of the engine, one at a time, and tell which ones its tests let live.

    python scripts/mutate_engine.py [WORD]

Each number of the `TrainingPolicy` is changed, and each rule of docs/engine.md is switched off. The
engine's fast tests run against each mutant in a process of its own, forked where the kernels are
loaded already. With a WORD, only mutations whose name has it are made.
"""

# ruff: noqa: E501

from __future__ import annotations

import contextlib
import importlib.abc
import importlib.machinery
import importlib.util
import io
import os
import signal
import sys
from multiprocessing.pool import ThreadPool
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parent.parent
TESTS = ["tests/test_training.py", "tests/test_core.py"]
LEFT_OUT = "buffer or threads_work or threads_that or ranges or exception or strides or a_seeding"
PATIENCE = 1200  # seconds; a mutant that hangs is killed, too

# What each number becomes: far enough off to matter, near enough to go unnoticed.
NUMBERS = {
    "steps": "2", "tolerance": "0.05", "start_tolerance": "0.02",
    "fine_bits": "3", "stillness": "0.0", "starts": "1", "cut_starts": "1",
    "start_points": "64", "judged_points": "64", "start_saving": "0.5",
    "light_points": "64", "calm": "255", "calm_points": "1", "saving": "0.04", "relabel_price": "0.0",
    "identity_price": "0.0", "distinct": "120.0", "age": "0.01", "debt": "0.6", "at_once": "0.4",
    "credit": "1.0", "first_steps": "8", "hope": "1.0", "tried": "1", "checked": "1",
    "checking_steps": "3", "moves": "1", "longest_wait": "100", "news": "0.5", "jump": "9.0",
    "rivals": "1", "strange": "100.0", "few": "0.5", "period": "500", "drift": "0.5", "rounds": "1", "challenge_saving": "0.2",
    "challenge_price": "0.0", "usual": "255.0", "slide": "250.0", "forget": "0.5", "same": "60.0",
    "shots": "1",
}  # fmt: skip

# Rules: a name, the module, what stands there, and what stands there without the rule.
RULES = [
    ("light is followed", "trainer", "expected = old.centers if both is None else", "expected = old.centers if True else"),
    ("light, by older labels", "trainer", "groups = old.labels if has_same_places else None", "groups = None"),
    ("light of the whole frame", "light", "if 2 * total >= groups.size", "if False"),
    ("light of calm clusters alone", "light", "& (2 * counts >= all_counts)", ""),
    ("stillness of the start", "trainer", "self._hold(old, old.centers, expected)", "expected"),
    ("stillness of the end", "trainer", "self._hold(fit, start.centers, fit.centers)", "fit.centers"),
    ("stillness saves steps", "trainer", "if jumped or not self._are_still(", "if True or not ("),
    ("revival", "moves", "while (dead := np.flatnonzero(fit.counts == 0)).size", "while (dead := np.zeros(0)).size"),
    ("moves", "trainer", "fit, has_failed = self._ledger.improve(", "_, has_failed = self._ledger.improve("),
    ("debts are added up", "moves", "self._debt += move.profit", "self._debt = move.profit"),
    ("no offer clears the debt", "moves", "self._debt, self._backoff = 0.0, min(", "self._backoff = min("),
    ("waiting after failures", "moves", "self._wait <= 0 or", "True or"),
    ("price of the young", "moves", "* np.minimum(1, ages / policy.age)", ""),
    ("price of the distinct", "moves", "policy.identity_price * distinct", "policy.identity_price"),
    ("the cheaper label goes", "moves", "np.argsort(losses + prices.identities * total, kind", "np.argsort(losses, kind"),
    ("challenges after a jump", "trainer", "is_challenged or jumped:\n                self", "is_challenged:\n                self"),
    ("challenges by drift", "trainer", "is_challenged or jumped:\n                self", "jumped:\n                self"),
    ("challengers pay for identities", "challenges", " + prices.identities[lost].sum()", ""),
    ("challengers pay for labels", "challenges", " + prices.relabelling * share", ""),
    ("labels by overlap", "trainer", "return match(gain - 1e-9 * ways)", "return match(-ways)"),
    ("nearest where none overlaps", "trainer", "return match(gain - 1e-9 * ways)", "return match(gain)"),
    ("the best pair first", "identity", "int(left.argmax())", "int(left.argmin() * 0 + left[left > -np.inf].argmin())"),
    ("jumps end ids", "identity", "(jumped > policy.distinct) | ", ""),
    ("ids go with the light", "identity", "jumped = color_ways(colors, expected)", "jumped = color_ways(colors, self._colors)"),
    ("ids jump with the light", "identity", "jumped[is_usual] = np.maximum(jumped, color_ways(colors, self._colors))[is_usual]", "jumped = np.maximum(jumped, color_ways(colors, self._colors))"),
    ("the whole of a shot is compared", "identity", "color_ways(pair[0].colors, colors[pair[1]]).mean()", "color_ways(pair[0].colors, colors[pair[1]]).min()"),
    ("unseen ids are kept", "identity", "is_other & (self.ages > 0)", "is_other"),
    ("unseen ids are kept at cuts", "identity", "ids = np.where(self.ages > 0, -1, self.ids)", "pass"),
    ("what was unseen does not come back", "identity", "near & (back.ids >= 0)", "near"),
    ("what came back was seen", "identity", "self.ages[is_back] = 1", "pass"),
    ("flashes are light", "light", "if curved is not None:", "if False:"),
    ("something else is no flash", "light", "return curved if 4 * left < np.square(new - new.mean(axis=0)).sum() else None", "return curved"),
    ("no cut where the picture goes on", "scene_change", "and _going_on(*both) < _GOES_ON", ""),
    ("a little that is new waits", "trainer", "self._is_waiting = jumped and", "self._is_waiting = False and"),
    ("it waits for one frame", "trainer", "jumped and not self._is_waiting and", "jumped and"),
    ("much does not wait", "trainer", "few and rest <= policy.jump * old.mse + 1", "True"),
    ("what returns is what it was", "trainer", "if back is not None:", "if False:"),
    ("own colours go with the light", "identity", "self._own[1] += expected - self._colors", "pass"),
    ("errors of the light end nothing", "identity", "color_ways(colors, self._own).min(axis=0)", "color_ways(colors, self._own)[1]"),
    ("slides end ids", "identity", " | (slid > policy.slide)", ""),
    ("shots come back", "identity", "ids[is_back] = back.ids[is_back]", "pass"),
    ("ids are new for ever", "identity", "fresh = [next(self._next) for", "fresh = [len(self.ids) for"),
    ("a cut starts a shot", "trainer", "if self._last is None or cut:", "if self._last is None:"),
    ("the usual change", "scene_change", "max(_LEVELS, _TIMES * self._usual)", "_LEVELS"),
    ("flips must pay", "labeler", "np.minimum(hysteresis * _distances(rounded), most / 2)", "hysteresis * _distances(rounded)"),
    ("larger halves keep labels", "resizing", "np.argsort(-parted.counts", "np.argsort(parted.counts"),
    ("steadiness", "trainer", "self.steadiness / (1 - self.steadiness) if", "1.0 if"),
]  # fmt: skip


class Mutation(importlib.abc.MetaPathFinder, importlib.machinery.SourceFileLoader):
    """Imports one module of the core with one text in it replaced."""

    def __init__(self, module: str, old: str, new: str) -> None:
        path = ROOT / "livekm" / "core" / f"{module}.py"
        super().__init__(f"livekm.core.{module}", str(path))
        self._source = path.read_text()
        if self._source.count(old) != 1:
            raise ValueError(f"{module}.py has {self._source.count(old)} times: {old}")
        self._source = self._source.replace(old, new)

    def find_spec(self, name: str, *_: object) -> importlib.machinery.ModuleSpec | None:
        if name != self.name:
            return None
        return importlib.util.spec_from_loader(name, self)

    def get_code(self, name: str) -> object:
        return compile(self._source, self.path, "exec")


def mutations() -> dict[str, Mutation]:
    """Return every mutation by its name."""
    policy = (ROOT / "livekm" / "core" / "policy.py").read_text()
    found = {}
    for number, value in NUMBERS.items():
        (line,) = (x for x in policy.splitlines() if x.startswith(f"    {number}: "))
        start = line[: line.index("=") + 1]
        found[f"{number} = {value}"] = Mutation("policy", line, f"{start} {value}")
    for name, module, old, new in RULES:
        found[f"without: {name}"] = Mutation(module, old, new)
    return found


def survives(mutation: Mutation | None) -> bool:
    """Tell whether the tests pass with a mutation, in a process of their own."""
    child = os.fork()
    if child == 0:
        signal.alarm(PATIENCE)
        for name in [name for name in sys.modules if name.startswith("livekm")]:
            if not name.startswith("livekm.core.kernels"):
                del sys.modules[name]
        if mutation is not None:
            sys.meta_path.insert(0, mutation)
        with contextlib.redirect_stdout(io.StringIO()):
            options = ["-x", "-q", "-p", "no:cacheprovider", "-k", f"not ({LEFT_OUT})"]
            failed = pytest.main([*options, *TESTS])
        os._exit(int(failed != 0))
    return os.waitpid(child, 0)[1] == 0


def main() -> None:
    os.chdir(ROOT)
    sys.path[:0] = [str(ROOT), str(ROOT / "tests")]
    from livekm import Segmenter

    Segmenter(2, threads=1).update(np.zeros((9, 9, 3), np.uint8))  # loads the kernels
    word = sys.argv[1] if len(sys.argv) > 1 else ""
    if not survives(None):
        sys.exit("the tests fail without any mutation")
    chosen = {name: mutation for name, mutation in mutations().items() if word in name}
    lived = []
    with ThreadPool(os.cpu_count()) as pool:
        for name, lives in pool.imap(lambda pair: (pair[0], survives(pair[1])), chosen.items()):
            if lives:
                lived.append(name)
            print("LIVES " if lives else "killed", name, flush=True)
    print(f"{len(chosen) - len(lived)} of {len(chosen)} killed")


if __name__ == "__main__":
    main()
