"""What a live session shows beside the picture, and what a pointing device does: no window."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from clips import make_clip

from livekm import Segmentation
from livekm.core.contrast import is_dark
from livekm.core.segmenter import Segmenter
from livekm.core.selection import Selection
from livekm.frame import Frame
from livekm.live.commands import do
from livekm.live.controls import Timeline
from livekm.live.events import PointerEvent, PointerKind
from livekm.live.feeds import RecordedFeed
from livekm.live.hud import help_pages
from livekm.live.keys import COMMAND_OF, key_groups
from livekm.live.layout import layout_in
from livekm.live.letterbox import Place
from livekm.live.pointer import Pointer
from livekm.live.session import Session
from livekm.live.strip import Strip
from livekm.live.text import SMALLEST, table_size
from livekm.sources import SectionSource, open_source
from livekm.timing import StageTimer

BANDS = [(30, 30, 200), (40, 180, 60), (220, 210, 30), (90, 90, 90)]
ROOM = (640, 394)  # of which 34 rows are the bar's


def bands(shares: tuple[int, ...] = (40, 30, 20, 10)) -> np.ndarray:
    """Colours side by side, as wide as their shares: (90, 160, 3)."""
    columns = np.repeat(np.array(BANDS, np.uint8), np.array(shares) * 160 // 100, axis=0)
    return np.broadcast_to(columns, (90, 160, 3)).copy()


@pytest.fixture
def session(tmp_path) -> Session:
    return banded_session(tmp_path)


def banded_session(folder: Path) -> Session:
    session = Session(Segmenter(4, random_state=0), "segments", 1.0, folder, key_groups())
    session.processing.take(Frame(bands(), 0, 0.0))
    session.timeline = Timeline(10.0, 100.0)
    session.hud.hide_note()
    draw(session)
    return session


def draw(session: Session, room: tuple[int, int] = ROOM) -> np.ndarray:
    return session.draw(session.look(), room)


def point(session: Session, *kinds: PointerKind, at: tuple[int, int], steps: int = 0) -> None:
    pointer = Pointer(session)
    for kind in kinds:
        pointer.obey(PointerEvent(kind, *at, steps))


def ids_of(session: Session) -> list[int]:
    """The ids of the four colours, from left to right."""
    found = session.processing.segmentation
    return [int(found.ids[found.labels[0, column]]) for column in (5, 80, 130, 155)]


# The layout


@pytest.mark.parametrize("room", [ROOM, (1280, 754), (320, 240), (1920, 60)])
def test_the_parts_lie_below_the_picture_and_fill_the_room_without_overlap(room):
    layout = layout_in(room, has_bar=True, has_line=True)
    cover = np.zeros(room[::-1], int)
    for place in (layout.picture, layout.line, layout.strip, layout.slider):
        if place is not None:
            rows, columns = slice(place.top, place.top + place.height), slice(place.left, None)
            cover[rows, columns][:, : place.width] += 1
    assert (cover == 1).all()
    assert layout.picture.height >= 0.8 * room[1]


def test_where_the_hud_is_hidden_the_picture_has_all_of_the_room(session):
    do(session, "hud:hidden")
    assert session.rows_below == 0
    assert draw(session, (640, 360))[-1].any(axis=1).all()
    assert session.layout.picture == Place(0, 0, 640, 360)


def test_the_picture_is_not_covered_by_the_strip(session):
    shown = draw(session)
    picture = shown[: session.layout.picture.height]
    expected = session.look().image((640, 360))
    np.testing.assert_array_equal(picture[40:], expected[40:])


# The strip


def segmentation_of(*shares: float) -> Segmentation:
    n_pixels = np.rint(np.array(shares) * 1000).astype(int)
    labels = np.repeat(np.arange(len(shares)), n_pixels).astype(np.uint8)
    palette = np.array([(10 * n % 256, 20 * n % 256, 200) for n in range(len(shares))], np.uint8)
    return Segmentation(labels[np.newaxis], palette)


def test_the_strip_shows_each_colour_as_wide_as_its_share_the_largest_first():
    found = segmentation_of(0.2, 0.5, 0.3)
    image = Strip().image((600, 24), found)
    for start, end, label in [(0, 300, 1), (300, 480, 2), (480, 600, 0)]:
        assert (image[[0, -1], start:end] == found.palette[label]).all()


def test_small_colours_are_folded_into_the_last_part_and_what_is_chosen_is_not():
    found = segmentation_of(0.6, 0.32, *[0.02] * 4)
    strip = Strip()
    strip.image((600, 24), found)
    last = strip.part_at(599)
    assert last.ids == (2, 3, 4, 5)
    assert strip.part_at(last.start - 1).ids == (1,)
    strip.image((600, 24), found, selection=Selection([4]))
    assert strip.part_at(599).ids == (2, 3, 5)
    assert strip.part_at(600) is None


def test_a_chosen_colour_of_the_strip_is_framed_and_the_others_fade():
    found = segmentation_of(0.5, 0.3, 0.2)
    image = Strip().image((600, 24), found, selection=Selection([1])).astype(int)
    assert (image[8:-8, 308:312] == found.palette[1]).all()
    assert (image[1:-1, [301, 478]] == 255).all()  # its frame, white within black
    assert not image[[0, -1], 300:480].any()
    faded = np.abs(image[0, 2:100] - 200).mean()
    assert faded < np.abs(found.palette[0].astype(int) - 200).mean() / 3


def test_colours_change_places_in_the_strip_only_when_one_is_clearly_larger(monkeypatch):
    monkeypatch.setattr("livekm.live.strip._FRESH", 0.0)
    strip = Strip()

    def first(*shares: float) -> int:
        strip.image((600, 24), segmentation_of(*shares))
        return strip.part_at(0).ids[0]

    assert first(0.5, 0.4, 0.1) == 0
    assert first(0.44, 0.46, 0.1) == 0
    assert first(0.3, 0.6, 0.1) == 1


def test_the_strip_is_drawn_anew_a_few_times_a_second_and_at_once_where_it_is_asked_for_another():
    strip, found = Strip(), segmentation_of(0.6, 0.4)
    image = strip.image((600, 24), found)
    assert strip.image((600, 24), segmentation_of(0.5, 0.5)) is image
    assert strip.image((600, 24), found, selection=Selection([1])) is not image


@pytest.mark.parametrize("color", [(0, 0, 0), (255, 255, 255), (120, 120, 120), (0, 255, 0)])
def test_label_and_share_stand_in_the_strip_where_there_is_room_and_in_contrast(color):
    found = replace(segmentation_of(0.99, 0.01), palette=np.array([color, color], np.uint8))
    image = Strip().image((960, 24), found).astype(int)
    difference = np.abs(image[:, 400:560] - color).max(axis=2)
    assert 20 < (difference > 100).sum() < 0.3 * difference.size
    ink = 255 if is_dark(np.array(color, np.uint8)) else 0
    assert (image[:, 400:560] == ink).all(axis=2).any()
    assert (image[:, 955:] == color).all()


# The pointer


def test_a_click_adds_a_segment_and_a_right_click_drops_it(session):
    red, green, _, grey = ids_of(session)
    point(session, "press", at=(20, 100))
    assert session.look().selection == Selection([red], rest="pale", ignored="original")
    point(session, "press", at=(20, 100))  # it stays
    point(session, "press", at=(320, 100))
    assert session.settings.chosen == {red, green}
    assert session.hud.note.startswith(f"{green} · #")
    point(session, "drop", at=(20, 100))
    assert session.look().selection == Selection([green], rest="pale", ignored="original")
    point(session, "drop", at=(320, 100))
    assert session.look().selection.is_everything
    point(session, "drop", at=(635, 100))
    grey_only = Selection([grey], drop=True, rest="pale", ignored="original")
    assert session.look().selection == grey_only
    assert session.hud.note.startswith(f"without {grey} · #")
    point(session, "press", at=(635, 100))
    assert session.look().selection.is_everything


def test_a_click_into_the_strip_chooses_its_colour(session):
    point(session, "press", at=(3, ROOM[1] - 3))
    assert session.settings.chosen == {ids_of(session)[0]}  # the largest


def test_side_by_side_a_click_counts_on_either_side(session):
    do(session, "view:side-by-side")
    draw(session, (1280, 394))
    point(session, "press", at=(640 + 320, 100))
    assert session.settings.chosen == {ids_of(session)[1]}


def test_the_wheel_and_the_slider_change_k(session):
    point(session, "wheel", at=(100, 100), steps=2)
    assert session.segmenter.n_clusters == 6
    slider = session.layout.slider
    y = slider.top + 3
    point(session, "press", at=(slider.left, y))
    assert session.segmenter.n_clusters == 1
    pointer = Pointer(session)
    for kind, x in [("press", slider.left), ("move", ROOM[0] - 1), ("release", 0), ("move", 0)]:
        pointer.obey(PointerEvent(kind, x, y))
    assert session.segmenter.n_clusters == 256


def test_the_progress_line_is_as_long_as_what_was_shown_and_a_click_on_it_seeks(session):
    line = session.layout.line
    row = draw(session)[line.top + line.height // 2]
    assert len(np.unique(row[:62], axis=0)) == 1
    assert len(np.unique(row[66:], axis=0)) == 1
    assert (row[60] != row[70]).any()
    point(session, "press", at=(320, line.top + 2))
    assert session.settings.seek_to == pytest.approx(50, abs=0.2)
    assert session.settings.wants_frame


def test_the_wipe_follows_the_pointer(session):
    do(session, "view:wipe")
    draw(session)
    point(session, "move", at=(160, 50))
    shown = draw(session)[100]
    assert (shown[160] == 255).all()
    np.testing.assert_array_equal(shown[5:159:4], bands()[0, 1:40])


def test_the_wipe_has_captions_and_side_by_side_a_divider_too(session):
    for view, room in [("wipe", ROOM), ("side-by-side", (1280, 394))]:
        do(session, f"view:{view}")
        session.hud.hide_note()
        shown = draw(session, room)[330:358]
        assert (shown[:, :80] == 255).all(axis=2).any()
        assert (shown[:, -80:] == 255).all(axis=2).any()
    assert (draw(session, (1280, 394))[:360, 639:641] == 255).all()


@pytest.mark.parametrize(
    ("at", "text"),
    [
        ((320, 100), "{1} · #3cb428 · 30 %"),
        ((3, 390), "{0} · #c81e1e · 40 %"),
        ((535, 390), "k 4"),
        ((320, 364), "0:50 of 1:40"),
    ],
)
def test_hovering_tells_what_is_there(at, text, session, monkeypatch):
    told = []
    monkeypatch.setattr("livekm.live.session.draw_tip", lambda image, text, at: told.append(text))
    point(session, "move", at=at)
    draw(session)
    point(session, "leave", at=(0, 0))
    draw(session)
    assert told == [text.format(*ids_of(session))]


# The help


def test_the_help_tells_current_values_and_every_key(session, monkeypatch):
    tables = []
    monkeypatch.setattr("livekm.live.hud.draw_table", lambda i, rows, *_: tables.append(rows))
    do(session, "color-space:lab")
    do(session, "help")
    draw(session, (1280, 720))
    cells = [row[n : n + 3] for row in tables[-1] for n in (0, 3)]
    assert ("c", "next colour space", "lab") in cells
    assert ("+ -", "one cluster more, or fewer", "4") in cells
    keys = {row[0] for rows in key_groups().values() for row in rows}
    assert keys <= {cell[0] for cell in cells}


def test_in_a_small_window_the_help_has_pages_that_are_legible_and_the_key_goes_through_them(
    session,
):
    image = np.zeros((240 - 24, 320, 3), np.uint8)
    groups = {g: [(a, b, "auto") for a, b, _ in rows] for g, rows in key_groups().items()}
    pages = help_pages(groups, image)
    assert len(pages) > 1
    assert all(table_size(page, SMALLEST - 2)[0] <= 320 for page in pages)
    assert all(table_size(page, SMALLEST - 1)[1] <= 216 for page in pages)
    assert sum(map(len, pages)) == sum(1 + len(rows) for rows in groups.values())
    shown = []
    for _ in range(len(pages) + 2):
        do(session, "help")
        shown.append(session.settings.help_page)
        draw(session, (320, 240))
    assert shown[-2:] in ([0, 1], [len(pages) + 1, 0])


# Pixels of the screen, whatever is processed


def test_the_original_is_whole_and_lines_are_thin_whatever_the_scale(tmp_path):
    image = cv2.resize(bands(), (640, 360), interpolation=cv2.INTER_NEAREST)
    image[::2, ::2] += 9
    session = Session(Segmenter(4, random_state=0), "original", 0.25, tmp_path, {})
    session.processing.take(Frame(image, 0, 0.0))
    np.testing.assert_array_equal(session.look().image(), image)
    do(session, "view:boundaries")
    yellow = (session.look().image()[180] == (0, 255, 255)).all(axis=1)
    assert yellow.sum() == 3  # one column at each border
    do(session, "snapshot")
    for end in ("", "-frame", "-labels"):
        assert cv2.imread(str(tmp_path / f"livekm-1{end}.png")).shape == image.shape


def test_p_writes_the_palette_and_frozen_colours_make_a_command_that_runs_again(session):
    before = session.choice
    assert session.choice == before
    do(session, "lock")
    do(session, "palette")
    do(session, "select:+" + str(ids_of(session)[1]))
    found = session.processing.segmentation
    assert session.choice.palette.read_text().startswith("GIMP Palette")
    assert session.choice.is_frozen
    (place,) = session.choice.chosen
    assert found.ids[place] == ids_of(session)[1]
    told = []
    session.on_choice = told.append
    do(session, COMMAND_OF["t"])
    assert told == [session.choice]


# A clip's time


@pytest.fixture(scope="module")
def clip(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("clip") / "clip.mp4"
    make_clip(path, 30, fps=10)
    return path


@pytest.fixture
def feed(clip) -> Iterator[RecordedFeed]:
    with open_source(clip) as source, RecordedFeed(source, StageTimer(), None) as feed:
        yield feed


def test_a_clip_seeks_to_the_frame_at_a_time_back_and_on(feed):
    whole = []
    while (frame := feed.take()) is not None:
        whole.append(frame)
    assert len(whole) == 30
    assert feed.timeline == Timeline(2.9, 2.9, is_at_end=True)
    assert not feed.is_over
    for seconds, index in [(1.2, 12), (0.0, 0), (2.0, 20), (2.9, 29), (99.0, 29)]:
        feed.seek(seconds)
        frame = feed.take()
        assert frame.index == index
        np.testing.assert_array_equal(frame.image, whole[index].image)
        assert feed.timeline.position == pytest.approx(index / 10)
    assert feed.take() is None


def test_a_loop_begins_again_at_the_end(feed):
    feed.loops = True
    assert [feed.take().index for _ in range(32)] == [*range(30), 0, 1]


def test_a_section_seeks_within_itself(clip):
    with (
        SectionSource(open_source(clip), 1.0, 2.0) as section,
        RecordedFeed(section, StageTimer(), None) as feed,
    ):
        assert feed.take().index == 10
        feed.seek(0.5)
        assert feed.take().index == 15
        feed.seek(0.0)
        assert [feed.take().index for _ in range(10)] == [*range(10, 20)]
        assert feed.take() is None


def test_what_has_no_file_is_over_at_its_end():
    with open_source("demo", width=64, height=48) as demo:
        feed = RecordedFeed(demo, StageTimer(), 2)
        feed.take(), feed.take()
        assert feed.timeline is None
        assert feed.take() is None
        assert feed.is_over
