"""The page about a clip: what is remembered of any length, and what is drawn of it."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest
from clips import make_clip

from livekm import Segmentation, Segmenter, figures
from livekm.errors import SinkError
from livekm.figures import clip_figure, render
from livekm.figures.history import History
from livekm.frame import Frame, VideoInfo
from livekm.outputs.tables import FigureFile

RED, BLUE, GREY, WHITE = (30, 20, 220), (200, 60, 10), (90, 90, 90), (250, 250, 250)


def halves(left: tuple[int, ...], right: tuple[int, ...], share: float = 0.5) -> np.ndarray:
    image = np.empty((40, 60, 3), np.uint8)
    image[:] = right
    image[:, : round(60 * share)] = left
    return image


def history_of(images, times=None, k: int = 2) -> History:
    history, segmenter = History(), Segmenter(k, random_state=0)
    for index, image in enumerate(images):
        time = index / 25 if times is None else times[index]
        history.append(Frame(image, index, time), segmenter.update(image))
    return history


def two_scenes() -> History:
    """Two seconds, half each, that a cut divides; the second has other shares."""
    return history_of([halves(RED, BLUE)] * 25 + [halves(GREY, WHITE, 0.25)] * 25)


def texts(figure) -> str:
    said = [text.get_text() for axes in figure.axes for text in axes.texts]
    titles = [axes.get_title() for axes in figure.axes]
    labels = [label for axes in figure.axes for label in (axes.get_xlabel(), axes.get_ylabel())]
    return "\n".join([figure.get_suptitle(), *titles, *said, *labels])


def colors_at(history: History, number: int) -> dict[tuple[int, ...], float]:
    """The colours of a bin and their shares."""
    course = history.course()
    shares = course.shares[number]
    return {tuple(course.colors[i].tolist()): shares[i] for i in np.flatnonzero(shares)}


def test_a_short_clip_is_remembered_frame_by_frame():
    history = two_scenes()
    assert history.times == pytest.approx(np.arange(50) / 25)
    assert history.cuts == [1.0]
    assert history.end == pytest.approx(2)
    assert colors_at(history, 0) == pytest.approx({RED: 0.5, BLUE: 0.5})
    assert colors_at(history, -1) == pytest.approx({GREY: 0.25, WHITE: 0.75})
    assert [sample.time for sample in history.samples if sample.is_cut] == [1.0]
    course = history.course()
    assert sorted(zip(course.first, course.last, strict=True)) == 2 * [(0, 0.96)] + 2 * [(1, 1.96)]


def flat(level: int, label_id: int) -> Segmentation:
    """A frame of one segment."""
    segmentation = Segmenter(1, random_state=0).update(np.full((2, 3, 3), level, np.uint8))
    return replace(segmentation, ids=np.array([label_id]))


def test_a_long_clip_takes_no_more_memory_and_keeps_its_means():
    history = History()
    segmentations = flat(20, 0), flat(200, 5)
    for index in range(9001):
        late = index >= 6000
        image = np.full((2, 3, 3), 200 if late else 20, np.uint8)
        history.append(Frame(image, index, index / 10), segmentations[late])
    assert 1024 <= len(history.times) <= 2048
    assert len(history.samples) <= 32
    assert history.end == pytest.approx(900.1)
    assert np.diff(history.times) == pytest.approx(0.8)
    course = history.course()
    assert course.ids.tolist() == [0, 5]
    assert course.colors[:, 0].tolist() == [20, 200]
    late = (history.times >= 600).astype(float)
    assert course.shares == pytest.approx(np.stack([1 - late, late], axis=1))
    times = [sample.time for sample in history.samples]
    assert np.diff(times).max() <= 110


def test_an_area_keeps_the_colour_of_its_id_where_a_label_is_given_to_something_else():
    history = History()
    for index in range(40):
        image = np.full((2, 3, 3), 200, np.uint8)
        history.append(Frame(image, index, index / 10), flat(20, 0) if index < 30 else flat(200, 1))
    (axes,) = (a for a in clip_figure(history, "").axes if "share of what" in a.get_ylabel())
    raster = axes.images[0].get_array()
    assert set(np.unique(raster)) == {20, 200}  # never a mean of both
    marks = {text.get_text(): text.get_position() for text in axes.texts}
    assert marks["0"][0] < 3 < marks["1"][0]
    assert marks["\u25c1"] == marks["\u25b7"] == pytest.approx((3, 0.5))


def test_the_page_has_samples_areas_error_and_palette_and_says_what_they_are():
    figure = clip_figure(two_scenes(), "drive.mp4")
    said = texts(figure)
    for part in ("drive.mp4", "50 frames of 60x40", "2.0 s", "2 segments, 1 cut",
                 "cut at 1.0 s", "share of what counts", "mse", "seconds"):  # fmt: skip
        assert part in said, part
    assert len(figure.axes) == 2 + 2 * 5 + 1


def test_the_areas_have_the_colours_of_their_time_and_the_heights_of_their_shares():
    figure = clip_figure(two_scenes(), "")
    (areas,) = [axes for axes in figure.axes if axes.get_ylabel() == "share of what counts"]
    raster = areas.images[0].get_array()[..., ::-1]  # RGB
    first, last = raster[:, 10], raster[:, -10]
    assert (first[:230] != first[250:480][0]).any()
    for column, colors in ((first, {RED: 0.5, BLUE: 0.5}), (last, {GREY: 0.25, WHITE: 0.75})):
        for color, share in colors.items():
            assert (column == color).all(axis=1).mean() == pytest.approx(share, abs=0.01)
    assert list(areas.images[0].get_extent()) == [0, 2, 0, 1]


def test_the_marks_of_cuts_leave_the_title_readable():
    figure = clip_figure(two_scenes(), "clip.mp4")
    figure.draw_without_rendering()
    areas = next(axes for axes in figure.axes if "number" in axes.get_title())
    title = areas.title.get_window_extent()
    marks = [line.get_window_extent() for line in areas.lines if line.get_marker() == "v"]
    assert marks
    assert not any(title.y0 < mark.y1 + 3 for mark in marks)


@pytest.mark.parametrize(
    ("seconds", "unit", "tick"),
    [(50, "seconds", "10"), (600, "minutes:seconds", "2:00"), (7300, "hours:minutes:", "0:30:00")],
)
def test_times_are_written_as_people_write_them(seconds, unit, tick):
    history = history_of([halves(RED, BLUE)] * 11, np.linspace(0, seconds, 11))
    figure = clip_figure(history, "")
    figure.canvas.draw()
    axes = next(axes for axes in figure.axes if axes.get_xlabel())
    assert unit in axes.get_xlabel()
    assert tick in [label.get_text() for label in axes.get_xticklabels()]


@pytest.mark.parametrize("n", [1, 2, 6])
def test_a_very_short_clip_has_a_page_whose_frames_fill_their_row(n):
    figure = clip_figure(history_of([halves(RED, BLUE)] * n), "short")
    columns = figure.axes[0].get_subplotspec().get_gridspec().ncols
    assert columns == min(n, 5)
    assert f"{n} frame" in figure.get_suptitle()
    assert render(figure, ".png")[1:4] == b"PNG"


def test_a_page_of_256_segments_and_of_a_changing_k():
    image = np.arange(256, dtype=np.uint8).repeat(3 * 8).reshape(32, 64, 3)
    history = history_of([image] * 3, k=256)
    segmenter = Segmenter(3, random_state=0)
    history.append(Frame(image, 3, 0.2), segmenter.update(image))
    assert history.course().shares.sum(axis=1) == pytest.approx(np.ones(4), abs=1e-4)
    assert "256 segments" in clip_figure(history, "").get_suptitle()


def test_a_clips_figure_is_a_sidecar(run_cli, tmp_path):
    make_clip(tmp_path / "in.mp4", 12)
    code, out, errors = run_cli("in.mp4", "-o", "out.mp4", "--figure", "page.png", "-q")
    assert (code, out, errors) == (0, "", "")
    page = cv2.imread(str(tmp_path / "page.png"))
    assert page.shape[1] == 1440
    code, _, errors = run_cli("in.mp4", "--figure", "page.png", "-q")
    assert (code, "page.png exists; add --overwrite" in errors) == (1, True)
    # On stderr there may be a progress bar, where it takes long.
    assert run_cli("in.mp4", "--figure", "page.pdf")[:2] == (0, "page.pdf: 12 frames\n")


def test_a_figure_is_whole_and_without_frames_there_is_none(tmp_path):
    info = VideoInfo("test", 60, 40)
    with FigureFile(tmp_path / "a.png", info) as file:
        file.write(Frame(halves(RED, BLUE), 0, 0.0), Segmenter(2).fit(halves(RED, BLUE)))
        file.keep()
        assert not (tmp_path / "a.png").exists()
    assert [path.name for path in tmp_path.iterdir()] == ["a.partial.png"]
    file.path.unlink()
    with pytest.raises(SinkError, match=r"no frame was written to .*b\.png"):
        FigureFile(tmp_path / "b.png", info).close()
    assert list(tmp_path.iterdir()) == []


# The benchmark's page


def benchmark_page(n: int = 200, read: float = 5.0, segment: float = 4.0, hiccup: float = 40.0):
    times = {
        "read": [read] * n,
        "segment": [segment] * n,
        "frame": [read + segment + (hiccup if i == n // 2 else 0.5) for i in range(n - 1)],
    }
    return figures.benchmark_figure(times, "a headline", "a machine")


def test_the_benchmarks_page_tells_the_rates_that_are_near():
    slow, fast = benchmark_page(read=20), benchmark_page(read=0.5, segment=0.5, hiccup=1)
    assert {"30 frames/s", "60 frames/s"} <= {text.strip() for text in texts(slow).split("\n")}
    assert "30 frames/s" not in texts(fast)


def test_one_hiccup_shows_neither_in_the_median_nor_in_the_height_of_the_page():
    course = benchmark_page().axes[0]
    median = next(line for line in course.lines if line.get_label() == "frame, median")
    assert max(median.get_ydata()) == 9.5
    assert course.get_ylim()[1] < 45


@pytest.mark.parametrize("n", [2, 3, 300])
def test_nothing_of_the_benchmarks_page_lies_under_its_legend(n):
    page = benchmark_page(n)
    page.draw_without_rendering()
    course = page.axes[0]
    assert course.get_legend().get_window_extent().y0 >= course.bbox.y1
