from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from livekm.core.categorical import categorical_palette
from livekm.core.contrast import is_dark
from livekm.core.segmenter import Segmenter
from livekm.core.selection import RESTS, Selection
from livekm.frame import Frame
from livekm.live.hud import draw_captions, draw_note, draw_tip, help_pages
from livekm.live.presentation import enlarged
from livekm.live.text import draw_table
from livekm.outputs.checks import as_image
from livekm.views import VIEWS, legend, selective, wipe

DARK, LIGHT = (10, 20, 30), (200, 150, 100)
YELLOW = (0, 255, 255)
NOISE = 4


@pytest.fixture
def pair():
    """A frame of two halves with some noise, and its segmentation into the two."""
    image = np.empty((40, 60, 3), np.uint8)
    image[:, :30], image[:, 30:] = DARK, LIGHT
    image += np.random.default_rng(0).integers(0, NOISE, image.shape, dtype=np.uint8)
    return Frame(image, 0, 0.0), Segmenter(2, random_state=0).update(image)


def view(name, pair, *selection):
    return as_image(VIEWS[name](*pair, *selection), alpha=True).astype(int)


@pytest.mark.parametrize("name", VIEWS)
def test_every_view_gives_an_image_and_leaves_the_frame_as_it_is(name, pair):
    frame, segmentation = pair
    before, labels = frame.image.copy(), segmentation.labels.copy()
    image = as_image(VIEWS[name](frame, segmentation))
    assert image.dtype == np.uint8
    assert image.shape[0] == 40
    assert image.shape[2] == 3
    assert np.array_equal(frame.image, before)
    assert np.array_equal(segmentation.labels, labels)


@pytest.mark.parametrize("name", VIEWS)
def test_every_view_can_show_an_image_of_one_pixel(name):
    image = np.full((1, 1, 3), 9, np.uint8)
    shown = view(name, (Frame(image, 0, 0.0), Segmenter(3, random_state=0).update(image)))
    white = {key: [255] for key in ("mask", "wipe")}
    expected = {**white, "overlay": [15, 35, 97]}.get(name, [9])
    assert np.unique(shown).tolist() == expected


def test_segments_have_the_colours_of_their_clusters(pair):
    left, right = pair[1].palette[pair[1].labels[0, [0, -1]]].astype(int)
    assert np.abs(left - DARK).max() <= NOISE
    assert np.abs(right - LIGHT).max() <= NOISE
    shown = view("segments", pair)
    assert (shown[:, :30] == left).all()
    assert (shown[:, 30:] == right).all()


def test_the_overlay_tints_each_segment_in_its_own_colour_and_draws_its_outline_in_it(pair):
    colors = categorical_palette(2)[pair[1].labels].astype(int)
    shown = view("overlay", pair)
    assert np.array_equal(shown[:, 29], colors[:, 29])
    rest = np.arange(60) != 29
    expected = 0.6 * view("original", pair) + 0.4 * colors
    assert np.abs(shown - expected)[:, rest].max() <= 0.5


def test_the_strip_has_the_colours_of_the_view(pair):
    assert np.array_equal(legend("overlay", pair[1]), categorical_palette(2))
    assert np.array_equal(legend("segments", pair[1]), pair[1].palette)


def test_categorical_colours_differ_from_each_other_and_stay_whatever_their_number_is():
    colors = categorical_palette(256)
    assert np.array_equal(categorical_palette(24), colors[:24])
    lab = cv2.cvtColor(colors[np.newaxis].astype(np.float32) / 255, cv2.COLOR_BGR2Lab)[0]
    distances = np.linalg.norm(lab[:, np.newaxis] - lab, axis=2) + 1e3 * np.eye(256)
    assert distances[:16, :16].min() > 25
    assert distances.min() > 12


def test_boundaries_are_yellow_between_black_and_the_rest_is_the_picture(pair):
    shown = view("boundaries", pair)
    assert (shown[:, 29] == YELLOW).all()
    assert not shown[:, [28, 30]].any()
    rest = (np.arange(60) < 28) | (np.arange(60) > 30)
    assert np.array_equal(shown[:, rest], pair[0].image[:, rest])


def test_side_by_side_is_picture_and_segments(pair):
    shown = view("side-by-side", pair)
    assert np.array_equal(shown[:, :60], pair[0].image)
    assert np.array_equal(shown[:, 60:], view("segments", pair))


@pytest.mark.parametrize("at", [0.0, 0.25, 1.0])
def test_a_wipe_is_the_picture_left_of_a_line_and_the_segments_right_of_it(at, pair):
    shown = wipe(*pair, at=at)
    column = min(round(60 * at), 59)
    assert np.array_equal(shown[:, :column], pair[0].image[:, :column])
    assert (shown[:, column] == 255).all()
    assert np.array_equal(shown[:, column + 1 :], view("segments", pair)[:, column + 1 :])


def test_original_is_the_picture(pair):
    assert np.array_equal(view("original", pair), pair[0].image)


# What is written over the picture


def lines_at_the_top(image, *lines):
    draw_table(image, [(line,) for line in lines], (0.0, 0.0))


def luminance(color) -> float:
    """As the Web Content Accessibility Guidelines define it."""
    r, g, b = ((c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4)
               for c in np.asarray(color)[::-1] / 255)  # fmt: skip
    return 0.2126 * r + 0.7152 * g + 0.0722 * b


@given(st.tuples(*[st.integers(0, 255)] * 3))
def test_text_has_a_contrast_of_4_5_on_every_colour(color):
    text = 1.0 if is_dark(np.array(color, np.uint8)) else 0.0
    light, dark = sorted((luminance(color), text), reverse=True)
    assert (light + 0.05) / (dark + 0.05) >= 4.5


def test_text_is_white_on_a_darkened_box_and_the_rest_is_untouched():
    image = np.full((400, 600, 3), 90, np.uint8)
    lines_at_the_top(image, "k 3", "segments")
    changed = (image != 90).any(axis=2)
    rows, columns = changed.any(axis=1), changed.any(axis=0)
    assert rows[0]
    assert columns[0]
    assert rows.sum() < 60
    assert columns.sum() < 150
    assert image.max() == 255
    assert image.min() in (22, 23)  # a quarter is left


@pytest.mark.parametrize("size", [(270, 480), (360, 1280), (960, 540), (850, 1500)])
def test_the_longest_line_is_whole_in_a_window_of_any_size(size):
    line = "29.9 fps   age 12 ms   1234 dropped   and many other things"
    for draw in (lines_at_the_top, draw_note):
        image = np.full((*size, 3), 200, np.uint8)
        draw(image, line)
        assert image.max() > 240  # text
        columns = np.flatnonzero((image == 50).all(axis=2).any(axis=0))
        bright = np.flatnonzero((image > 240).any(axis=(0, 2)))
        assert columns[0] < bright[0] < bright[-1] < columns[-1]


@pytest.mark.parametrize("size", [(1, 1), (2, 400), (400, 2)])
def test_nothing_is_too_small_to_be_written_on(size):
    image = np.full((*size, 3), 200, np.uint8)
    for page in help_pages({"Window": [("q", "quit", "")]}, image):
        draw_table(image, page, (0.5, 0.5))
    draw_note(image, "a note")
    draw_captions(image, ("left", "right"))
    draw_tip(image, "a tip", (0, 0))
    lines_at_the_top(image, "some text")
    assert image.shape == (*size, 3)


@pytest.mark.parametrize(
    ("size", "large"),
    [
        ((240, 320), (480, 640)),
        ((360, 640), (360, 640)),
        ((1080, 1920), (1080, 1920)),
        ((4, 1000), (4, 1000)),  # to 360 rows it would take 100 megabytes
        ((1, 1), (360, 360)),
    ],
)
def test_small_pictures_are_enlarged_for_the_text_and_wide_ones_stay_within_bounds(size, large):
    assert enlarged(size[1], size[0]) == (large[1], large[0])


# Selections


def test_only_the_kept_segments_are_left(pair):
    frame, segmentation = pair
    inside = segmentation.labels == 1
    kept = view("original", pair, Selection([1]))
    np.testing.assert_array_equal(kept, np.where(inside[..., None], frame.image, 0))
    dropped = view("side-by-side", pair, Selection([1], drop=True))
    width = frame.image.shape[1]
    np.testing.assert_array_equal(
        dropped[:, width:], np.where(inside[..., None], 0, segmentation.paint())
    )


@pytest.mark.parametrize("name", ["original", "segments", "boundaries", "overlay"])
def test_selected_segments_are_as_they_were_and_the_rest_is_pale_and_grey(name, pair):
    """Also what is dark is seen: the outline is white within black."""
    dark = int(pair[1].labels[0, 0])
    shown = view(name, pair, Selection([dark], rest="pale"))
    whole = view("original" if name == "segments" else name, pair)
    np.testing.assert_array_equal(shown[:, :29], whole[:, :29])
    assert (shown[:, 29] == 255).all()
    assert (shown[:, 30] == 0).all()
    rest = shown[:, 31:]
    assert rest.min() > 140
    assert (rest == rest[..., :1]).all()


def test_the_mask_is_white_where_a_segment_is_selected_else_in_the_largest(pair):
    _, segmentation = pair
    inside = segmentation.labels == 1
    for rest in ("black", "pale"):
        white = view("mask", pair, Selection([1], rest=rest))
        np.testing.assert_array_equal(white[..., 0], np.where(inside, 255, 0))
    largest = segmentation.labels == segmentation.counts.argmax()
    np.testing.assert_array_equal(view("mask", pair)[..., 0] == 255, largest)


@pytest.mark.parametrize("rest", RESTS)
@pytest.mark.parametrize("name", VIEWS)
def test_every_view_takes_every_selection(name, rest, pair):
    inside = pair[1].labels == 0
    shown = view(name, pair, Selection([0], rest=rest))
    channels = 4 if rest == "transparent" else 3
    assert shown.shape == (*view(name, pair).shape[:2], channels)
    if rest == "original" and name not in ("regions", "wipe"):
        np.testing.assert_array_equal(shown[:, :60][~inside], pair[0].image[~inside])
    if rest == "transparent" and name not in ("regions", "wipe"):
        np.testing.assert_array_equal(shown[:, :60, 3], np.where(inside, 255, 0))


@pytest.mark.parametrize("name", VIEWS)
def test_a_segment_that_a_still_image_lacks_cannot_be_selected(name, pair):
    still = pair[0], Segmenter(2, random_state=0).fit(pair[0].image)
    noun = "region" if name == "regions" else "segment"
    with pytest.raises(ValueError, match=rf"^there is no {noun} 2: the image has 0 to 1$"):
        view(name, still, Selection([0, 2, 3]))


@pytest.mark.parametrize("name", sorted({*VIEWS} - {"mask", "regions"}))
def test_a_selection_follows_its_thing_to_another_label_and_shows_nothing_when_it_has_ended(
    name, pair
):
    frame, before = pair
    moved = replace(before, ids=np.array([5, 0]))  # label 1 is now what label 0 was
    kept = view(name, (frame, moved), Selection([0]))
    expected = view(name, pair, Selection([1]))
    if name != "overlay":  # whose colours are those of the ids
        np.testing.assert_array_equal(kept, expected)
    gone = view(name, (frame, replace(before, ids=np.array([5, 6]))), Selection([0]))
    assert not gone.any() or name == "wipe"  # which has its line


def test_the_colours_of_the_overlay_go_with_the_ids(pair):
    swapped = replace(pair[1], ids=np.array([1, 0]))
    assert np.array_equal(legend("overlay", swapped), categorical_palette(2)[::-1])


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        ({"ids": [-1]}, "^a segment's id must be from 0 to 2147483648, got -1$"),
        ({"ids": [0], "rest": "pink"}, "^rest must be one of black, original, .*, got 'pink'$"),
    ],
)
def test_a_selection_that_makes_no_sense_is_refused(arguments, why):
    with pytest.raises(ValueError, match=why):
        Selection(**arguments)


def test_selections_are_values_that_tell_whether_they_leave_something_out():
    assert Selection([2, 0]) == Selection({0, 2})
    assert not Selection(()).is_everything
    assert Selection((), drop=True).is_everything


def test_a_view_of_ones_own_takes_a_selection_too(pair):
    grey = selective(lambda frame, segmentation: np.full_like(frame.image, 77))
    shown = grey(*pair, Selection([1]))
    np.testing.assert_array_equal(shown[..., 0], np.where(pair[1].labels == 1, 77, 0))
