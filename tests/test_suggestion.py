"""How many colours a picture has: the number, how clear it is, and who asks."""

from __future__ import annotations

import functools
import time

import cv2
import numpy as np
import pytest

from livekm import Segmenter, convert, figures, segment, suggest_n_clusters
from livekm.core.suggestion import MOST_SUGGESTED, Suggestion
from livekm.frame import Frame
from livekm.live.commands import do
from livekm.live.keys import COMMAND_OF
from livekm.live.session import Session

APART = 22.0  # of the colours of a made picture, in Lab


def lab(colors):
    return cv2.cvtColor(np.float32(colors)[np.newaxis] / 255, cv2.COLOR_BGR2Lab)[0]


def apart(rng, k):
    """k colours that are told apart."""
    colors = []
    while len(colors) < k:
        color = rng.integers(10, 246, 3)
        ways = np.linalg.norm(lab([*colors, color]) - lab([color]), axis=1)[:-1]
        if (ways >= APART).all():
            colors.append(color)
    return np.array(colors)


def made(rng, k, size=(150, 200)):
    """Cells in k colours of uneven shares, with a gradient, blur and noise in most of them."""
    height, width = size
    y, x = np.mgrid[:height, :width]
    shares = np.zeros(k)
    while shares.min() < 0.01:
        n = int(rng.integers(3 * k, 8 * k))
        colors = rng.permutation([*range(k), *rng.choice(k, n - k, p=rng.dirichlet([2.0] * k))])
        points = rng.random((n, 2)) * size
        ways = (y[..., np.newaxis] - points[:, 0]) ** 2 + (x[..., np.newaxis] - points[:, 1]) ** 2
        cells = colors[ways.argmin(axis=2)]
        shares = np.bincount(cells.ravel(), minlength=k) / cells.size
    image = apart(rng, k)[cells].astype(float)
    slope, angle = rng.choice([0, rng.uniform(5, 25)]), rng.uniform(0, 2 * np.pi)
    light = (x / width - 0.5) * np.cos(angle) + (y / height - 0.5) * np.sin(angle)
    image += slope * light[..., np.newaxis]
    if rng.random() < 0.6:
        image = cv2.GaussianBlur(image, (0, 0), rng.uniform(0.3, 2))
    image += rng.normal(0, rng.choice([0, 2, 5, 10]), image.shape)
    return np.rint(image).clip(0, 255).astype(np.uint8)


@functools.cache
def made_pictures():
    rng = np.random.default_rng(11)
    return [(k, made(rng, k)) for k in range(2, 13) for _ in range(6)]


def test_the_number_is_within_one_in_most_made_pictures_and_in_nearly_all_that_are_clear():
    found = [(suggest_n_clusters(image), k) for k, image in made_pictures()]
    errors = np.array([abs(suggestion.n_clusters - k) for suggestion, k in found])
    is_clear = np.array([suggestion.is_clear for suggestion, _ in found])
    assert (errors <= 1).mean() >= 0.8
    assert is_clear.mean() >= 0.3
    assert (errors[is_clear] <= 1).mean() >= 0.93


@pytest.mark.timed
def test_a_suggestion_takes_at_most_100_ms():
    rng = np.random.default_rng(0)
    noise = rng.integers(0, 256, (1080, 1920, 3), np.uint8)
    suggest_n_clusters(noise)
    times = []
    for _ in range(5):
        start = time.perf_counter()
        suggest_n_clusters(noise)
        times.append(time.perf_counter() - start)
    assert np.median(times) < 0.1


def stripes(*colors):
    return np.repeat(np.array(colors, np.uint8)[np.newaxis], 12, axis=0).repeat(9, axis=1)


RED, GREEN, BLUE = (0, 0, 255), (0, 255, 0), (255, 0, 0)


def test_the_colours_of_a_drawing_are_counted():
    for n in range(1, 6):
        colors = [(0, 0, 0), (255, 255, 255), RED, GREEN, BLUE][:n]
        suggestion = suggest_n_clusters(stripes(*colors))
        assert suggestion.n_clusters == n
        assert suggestion.is_clear
        assert len(suggestion.errors) == n
        assert suggestion.errors[-1] == pytest.approx(0, abs=1e-3)


def test_the_answers_are_told_with_their_range():
    noise = np.random.default_rng(0).integers(0, 256, (60, 80, 3), np.uint8)
    suggestion = suggest_n_clusters(noise)
    assert not suggestion.is_clear
    assert suggestion.low <= suggestion.n_clusters <= suggestion.high <= MOST_SUGGESTED
    assert list(suggestion.errors) == sorted(suggestion.errors, reverse=True)
    assert str(suggestion).startswith(f"no clear number, {suggestion.low} to {suggestion.high}: ")
    assert str(Suggestion(1, True, 1, 2)) == "1 colour, clear"


def test_what_is_ignored_is_not_counted():
    image = stripes(RED, GREEN, BLUE)
    mask = image[:, :, 1] == 0
    assert suggest_n_clusters(image, mask).n_clusters == 2
    assert suggest_n_clusters(image, np.zeros(mask.shape, bool)).n_clusters == 1
    assert segment(image, k="auto", mask=mask).n_clusters == 2


def test_auto_asks_the_first_frame_and_each_new_start_until_k_is_set():
    segmenter = Segmenter("auto", random_state=0)
    assert segmenter.suggestion is None
    assert segmenter.update(stripes(RED, GREEN, BLUE)).n_clusters == 3
    assert str(segmenter.suggestion) == "3 colours, clear"
    assert segmenter.update(stripes(RED, BLUE)).n_clusters == 3
    segmenter.reset()
    assert segmenter.update(stripes(RED, BLUE)).n_clusters == 2
    segmenter.n_clusters = 5
    segmenter.reset()
    assert not segmenter.is_auto
    assert segmenter.update(stripes(RED, BLUE)).n_clusters == 5
    segmenter.palette = np.array([RED, BLUE], np.uint8)
    with pytest.raises(ValueError, match="the palette fixes"):
        segmenter.suggest(stripes(RED))
    with pytest.raises(TypeError, match="must be an integer, got 'many'"):
        Segmenter("many")


def test_the_window_asks_at_the_start_after_a_cut_and_by_key(tmp_path):
    with Session(Segmenter("auto", random_state=0), "segments", 1.0, tmp_path, {}) as session:

        def show(image, index):
            session.processing.take(Frame(image, index, index / 10))
            session.draw(session.look(), (80, 60))
            return session.processing.segmentation.n_clusters

        first, second = stripes(RED, GREEN, BLUE), stripes((90, 90, 0), (250, 250, 250), RED)
        other = stripes((0, 200, 200), (20, 20, 20), (20, 20, 20))
        assert show(first, 0) == 3
        assert session.hud.note == "3 colours, clear"
        found = [show(other, 1 + index) for index in range(2)]
        assert found == [3, 2]  # from the frame after the cut on
        assert session.hud.note == "2 colours, clear"
        do(session, "clusters:7")
        assert [show(second, 3 + i) for i in range(3)][-1] == 7  # it was set
        do(session, COMMAND_OF["u"])
        assert show(second, 6) == 3
        assert session.hud.note == "3 colours, clear"


def test_each_criterion_has_its_curve_whose_best_is_its_answer():
    noise = np.random.default_rng(0).integers(0, 256, (60, 80, 3), np.uint8)
    for image in (noise, stripes(RED, GREEN, BLUE), stripes(RED, GREEN)):
        suggestion = suggest_n_clusters(image)
        least, *largest = suggestion.criteria
        assert least.n_clusters == 1 + np.argmin(least.values)
        assert len(largest) == 2
        for criterion in largest:
            assert criterion.n_clusters == 2 + np.argmax(criterion.values)
        answers = [criterion.n_clusters for criterion in suggestion.criteria]
        assert (min(answers), max(answers)) == (suggestion.low, suggestion.high)
        assert np.median(answers) == suggestion.n_clusters
    assert len(suggest_n_clusters(stripes(RED)).criteria) == 1


def test_the_curves_are_drawn_with_the_answers_and_what_was_taken():
    suggestion = suggest_n_clusters(stripes(RED, GREEN, BLUE))
    figure = figures.suggestion_figure(suggestion, "in.png")
    assert figure.get_suptitle() == "in.png: 3 colours, clear"
    for axes, criterion in zip(figure.axes, suggestion.criteria, strict=True):
        curve, answer, taken = axes.lines
        assert tuple(curve.get_ydata()) == criterion.values
        assert list(answer.get_xdata()) == [criterion.n_clusters]
        assert set(taken.get_xdata()) == {3}
        assert axes.get_title() == f"{criterion.text}: {criterion.n_clusters}"


def test_the_page_of_an_image_shows_why_so_many_were_taken_where_livekm_chose(run_cli, tmp_path):
    cv2.imwrite(str(tmp_path / "in.png"), stripes(RED, GREEN, BLUE))
    for k, name in (("auto", "chosen.png"), (3, "given.png")):
        assert run_cli("in.png", "-k", k, "--figure", name, "-q")[0] == 0
    chosen, given = (cv2.imread(str(tmp_path / n)) for n in ("chosen.png", "given.png"))
    assert chosen.shape[0] > given.shape[0] + 200  # rows of curves, below the same page
    marks = (np.abs(chosen.astype(int) - (0x28, 0x27, 0xD6)).sum(axis=2) < 9).any(axis=1)
    assert marks[given.shape[0] - 150 :].any()


def test_the_command_line_says_what_it_took(run_cli, tmp_path):
    cv2.imwrite(str(tmp_path / "in.png"), stripes(RED, GREEN, BLUE))
    code, out, err = run_cli("in.png", "-k", "auto", "-o", "out.png")
    assert (code, err) == (0, "")
    assert out == "out.png: 3 segments, mse 0; 3 colours, clear\n"
    assert run_cli("in.png", "-k", "many", "-o", "o.png")[2].startswith(
        "livekm: -k/--clusters: must be a whole number from 1 to 256 or auto, got many"
    )
    convert(tmp_path / "in.png", tmp_path / "again.png", k="auto")
    assert (tmp_path / "again.png").read_bytes() == (tmp_path / "out.png").read_bytes()
