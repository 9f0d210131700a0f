"""What the tutorial says and shows holds for the picture that it is about."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import cv2
import numpy as np
import pytest

from livekm.core.lesson import make_lesson

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "docs" / "tutorial.md").read_text(encoding="utf-8")
CODE = re.findall(r"^```python\n(.*?)^```$", TEXT, re.DOTALL | re.MULTILINE)
COMMANDS = [
    line
    for block in re.findall(r"^```sh\n(.*?)^```$", TEXT, re.DOTALL | re.MULTILINE)
    for line in block.splitlines()
]


@pytest.fixture
def image(monkeypatch: pytest.MonkeyPatch) -> np.ndarray:
    monkeypatch.chdir(ROOT)
    return cv2.imread("docs/media/butterfly.jpg")


def test_the_naive_version_ends_at_a_fixed_point(image):
    names: dict[str, np.ndarray] = {}
    exec(CODE[0], names)
    pixels, labels, centers = names["pixels"], names["labels"], names["centers"]
    for label in range(5):
        assert centers[label] == pytest.approx(pixels[labels == label].mean(axis=0))


def test_the_butterfly_is_what_is_not_green(image):
    names: dict[str, np.ndarray] = {}
    exec(CODE[1], names)
    assert names["is_green"].tolist() == [True, True, False, False, False]  # --drop 0,1
    butterfly = names["butterfly"]
    assert 0.15 < butterfly.mean() < 0.25
    assert np.array_equal(names["cut_out"][butterfly], image[butterfly])
    assert (names["cut_out"][~butterfly] == 235).all()


def test_the_lesson_is_stuck_with_three_greens_and_ends_at_three_quarters_of_the_error(image):
    steps = make_lesson(image, 5, "random", seed=2).steps
    jump = [step.kind for step in steps].index("jump")
    stuck = steps[jump - 1]
    assert (stuck.centers.argmax(axis=1) == 1).sum() == 3
    assert steps[-1].mse / stuck.mse == pytest.approx(0.75, abs=0.02)


@pytest.mark.parametrize("line", [line for line in COMMANDS if " -o " in line])
def test_the_commands_write_what_they_name(line, image, run_cli, tmp_path):
    words = [word if "docs/" not in word else str(ROOT / word) for word in shlex.split(line)[1:]]
    assert run_cli(*words, "-q") == (0, "", "")
    assert all(
        (tmp_path / word).stat().st_size for word in words if re.match(r"[a-z-]+\.png$", word)
    )
