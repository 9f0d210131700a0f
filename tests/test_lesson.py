"""The lesson: the textbook's algorithm step by step, its pages, and the files it comes in."""

from __future__ import annotations

import itertools
import re
from pathlib import Path

import cv2
import numpy as np
import pytest
from test_cli import assert_one_line, listing

from livekm import open_source
from livekm.core.lesson import Lesson, Step, assign, make_lesson, move
from livekm.core.seeding import SEEDINGS
from livekm.figures.lesson import choose_steps, lesson_figure, lesson_html, lesson_pages


def blobs(*colors: tuple[int, int, int], size: int = 24) -> np.ndarray:
    """Return stripes of noisy colours, (size, size * n, 3)."""
    rng = np.random.default_rng(0)
    image = np.concatenate([np.full((size, size, 3), color) for color in colors], axis=1)
    return (image + rng.integers(-9, 10, image.shape)).clip(0, 255).astype(np.uint8)


PICTURE = blobs((30, 30, 30), (200, 60, 40), (60, 190, 90), (70, 220, 120), (240, 240, 235))

TWO = blobs((10, 10, 10), (250, 240, 200), size=12)


@pytest.fixture(scope="module")
def lesson() -> Lesson:
    return make_lesson(PICTURE, k=4, seeding="random", seed=1)


def test_assigning_and_moving_are_the_textbooks():
    points = PICTURE.reshape(-1, 3)[::37].astype(np.float64)
    centers = np.array([[0, 0, 0], [200, 200, 200], [255, 0, 0], [-900, 0, 0]], np.float64)
    labels, mse = assign(points, centers)
    distances = [[float(((p - c) ** 2).sum()) for c in centers] for p in points]
    assert labels.tolist() == [row.index(min(row)) for row in distances]
    assert mse == pytest.approx(np.mean([min(row) for row in distances]))
    moved = move(points, labels, centers)
    for label in range(3):
        assert moved[label] == pytest.approx(points[labels == label].mean(axis=0))
    assert moved[3].tolist() == [-900, 0, 0]  # it has no points


@pytest.mark.parametrize("seeding", SEEDINGS)
def test_the_error_only_falls_until_nothing_changes(seeding):
    steps = make_lesson(PICTURE, 4, seeding).steps
    assert (steps[0].kind, steps[0].labels, steps[0].mse) == ("start", None, None)
    assert steps[-1].kind == "end"
    for before, step in itertools.pairwise(steps[1:-1]):
        assert step.kind == {"assign": "move", "move": "assign", "jump": "assign"}.get(
            before.kind, ""
        ) or (before.kind, step.kind) == ("assign", "jump")
        if step.kind != "jump":
            assert step.mse <= before.mse + 1e-9


def test_the_lesson_ends_where_each_center_is_the_mean_of_the_pixels_nearest_to_it(lesson):
    last, points = lesson.steps[-1], lesson.picture.reshape(-1, 3).astype(np.float64)
    labels, mse = assign(points, last.centers)
    assert np.array_equal(labels, last.labels)
    assert last.mse == pytest.approx(mse)
    assert move(points, labels, last.centers) == pytest.approx(last.centers)


def test_a_stuck_start_is_freed_by_a_jump_that_pays(lesson):
    kinds = [step.kind for step in lesson.steps]
    assert "jump" in kinds
    stuck = lesson.steps[kinds.index("jump") - 1]
    assert "No pixel changes" in stuck.text
    assert lesson.steps[-1].mse < 0.9 * stuck.mse
    assert lesson.steps[-1].mse == pytest.approx(lesson.best_mse, rel=0.02)


def test_where_no_jump_helps_there_is_none():
    lesson = make_lesson(TWO, 2)
    assert "jump" not in [step.kind for step in lesson.steps]


def test_a_large_picture_is_made_smaller_for_the_lesson():
    assert make_lesson(np.zeros((480, 640, 3), np.uint8), 2).picture.shape == (180, 240, 3)


def test_a_long_run_has_few_pages_with_its_start_its_jumps_and_its_ends():
    centers = np.zeros((2, 3))
    run = [Step("start", 0, centers, None, None, "")]
    for iteration in range(200):
        run.append(Step("assign", iteration, centers, None, 1.0, ""))
        run.append(Step("move", iteration + 1, centers, None, 1.0, ""))
    jump, end = (Step(kind, 200, centers, None, 1.0, "") for kind in ("jump", "end"))
    steps = [*run, jump, *run[1:9], end]
    chosen = choose_steps(Lesson(PICTURE, tuple(steps), 1.0, "random"))
    at = len(run)
    assert {0, 1, 2, 3, at - 1, at, at + 1, len(steps) - 2, len(steps) - 1} <= set(chosen)
    assert len(chosen) < 30
    assert chosen == sorted(set(chosen))


def test_a_page_shows_the_picture_in_the_colours_of_its_centers(lesson):
    index = len(lesson.steps) - 1
    step = lesson.steps[index]
    palette = np.rint(step.centers).astype(np.uint8)
    painted = lesson.painted(step).reshape(-1, 3)
    assert np.array_equal(painted, palette[step.labels])
    figure = lesson_figure(lesson, index)
    assert figure.get_suptitle() == step.text
    shown = figure.axes[0].images[0].get_array()
    assert np.array_equal(shown[:, :, ::-1].reshape(-1, 3), painted)


@pytest.fixture(scope="module")
def short_lesson() -> Lesson:
    return make_lesson(TWO, k=2)


def test_the_page_for_a_browser_is_whole_in_itself(short_lesson):
    page = lesson_html(short_lesson)
    chosen = choose_steps(short_lesson)
    assert page.count("<figure") == page.count("data:image/webp;base64,") == len(chosen)
    assert page.count(" hidden>") == len(chosen) - 1
    assert "http" not in page
    assert f'max="{len(chosen) - 1}"' in page
    assert short_lesson.steps[0].text in page


@pytest.fixture
def picture(tmp_path: Path) -> str:
    cv2.imwrite(str(tmp_path / "in.png"), TWO)
    return "in.png"


def test_a_lesson_comes_as_a_clip_whose_pages_can_be_read(picture, run_cli, short_lesson):
    assert run_cli(picture, "-k", 2, "--seeding", "random", "--explain", "a.mp4")[0] == 0
    with open_source("a.mp4") as clip:
        frames = list(clip)
    n_pages = len(choose_steps(short_lesson))
    assert len(frames) == 4 * n_pages + 8
    assert frames[4].time == 2.0
    first = next(lesson_pages(short_lesson))
    assert np.abs(frames[0].image.astype(int) - first).mean() < 2


def test_a_lesson_comes_as_pages_as_a_sheet_and_for_a_browser(picture, run_cli, short_lesson):
    options = (picture, "-k", 2, "--seeding", "random", "-q", "--explain")
    for name in ("p/%02d.png", "a.png", "a.html"):
        assert run_cli(*options, name) == (0, "", "")
    pages = [name for name in listing(Path("p")) if name.endswith(".png")]
    assert len(pages) == len(choose_steps(short_lesson))
    assert cv2.imread("p/00.png").shape == (540, 960, 3)
    assert cv2.imread("a.png").shape[1] == 1080
    assert Path("a.html").read_text(encoding="utf-8") == lesson_html(short_lesson)


@pytest.mark.parametrize(
    ("more", "problem"),
    [
        (("--explain", "a.mp4", "-k", 1), "at least 2 clusters"),
        (("--explain", "a.xyz"), "a figure cannot be a .xyz"),
        (("--explain", "a.mp4", "-o", "b.png"), "-o is not for --explain"),
        (("--explain", "a.mp4", "--stats", "b.csv"), "--stats is not for --explain"),
        (("--explain", "a.mp4", "--benchmark"), "exclude each other"),
        (("--explain", "a.mp4", "--roi", "0,0,9,9"), "--explain and --roi exclude each other"),
        (("--explain", "a.mp4", "--ignore", "border"), "--explain and --ignore exclude each other"),
    ],
)
def test_what_a_lesson_cannot_be_is_one_line(more, problem, picture, run_cli, tmp_path):
    code, out, err = run_cli(picture, *more)
    assert (code, out) == (2, "")
    assert_one_line(err, problem)
    assert listing(tmp_path) == ["in.png"]


def test_an_existing_file_is_not_replaced_by_a_lesson(picture, run_cli):
    Path("a.html").write_text("mine")
    code, _, err = run_cli(picture, "--explain", "a.html", "-k", 2)
    assert code == 1
    assert re.search(r"a\.html.*exists", err)
    assert Path("a.html").read_text() == "mine"
