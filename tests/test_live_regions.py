"""Regions in the live window: found when they are shown, isolated by a click, and followed."""

from __future__ import annotations

import re

import numpy as np
import pytest

from livekm import Segmenter
from livekm.frame import Frame
from livekm.live.commands import do
from livekm.live.session import Session
from livekm.regions import RegionSegmenter

GREY, RED, BLUE = (120, 120, 120), (40, 40, 220), (220, 60, 30)


def scene(step: int) -> np.ndarray:
    """A red and a blue box on grey; the red one moves to the right."""
    image = np.full((360, 480, 3), GREY, np.uint8)
    image[60:160, 40 + 12 * step : 140 + 12 * step] = RED
    image[220:300, 300:420] = BLUE
    return image


@pytest.fixture
def session(tmp_path):
    made = Session(Segmenter(3, random_state=0), "segments", 1.0, tmp_path, {})
    made.settings.hud = "hidden"
    made.processing.take(Frame(scene(0), 0, 0.0))
    made.hud.hide_note()
    return made


def shown(session) -> np.ndarray:
    look = session.look()
    return session.draw(look, look.wanted_size)


def test_regions_are_found_only_where_they_are_shown(session):
    assert session.processing.segmentation.regions is None
    do(session, "view:regions")
    assert session.processing.shown is None
    session.processing.hold()
    assert not session.processing.is_settled()
    session.processing.settle()
    assert session.processing.shown.n_regions == 3
    assert session.processing.is_settled()
    do(session, "view:segments")
    session.processing.take(Frame(scene(1), 1, 0.04))
    assert session.processing.segmentation.regions is None


def test_a_region_at_a_place_is_isolated_and_followed(session):
    do(session, "view:regions")
    session.processing.take(Frame(scene(1), 1, 0.04))
    shown(session)
    identity = session.id_at(100, 100)
    do(session, f"select:{identity}")
    assert re.fullmatch(rf"{identity} · #d[bc]2[89]2[89] · 6 %", session.hud.note)
    (red,) = session.settings.chosen
    for step in range(2, 12):
        session.processing.take(Frame(scene(step), step, 0.04 * step))
        image = scene(step)
        drawn = shown(session)
        is_red = (image == RED).all(axis=2)
        inside = (drawn == image).all(axis=2) & is_red
        assert session.processing.shown.n_regions == 3
        assert inside.sum() > 0.9 * is_red.sum()  # all but its outline
        assert not (drawn == image).all(axis=2)[220:300, 300:420].any()
    assert session.settings.chosen == {red}
    do(session, "view:segments")
    assert session.settings.chosen == set()  # ids of segments are others
    do(session, "view:regions")
    session.processing.settle()
    do(session, "select:all")
    assert session.hud.note == "all regions"
    with pytest.raises(ValueError, match="no region 99 in this frame"):
        do(session, "select:99")


def test_regions_below_the_least_area_have_no_borders_whatever_size_is_shown(session):
    def has_borders(least: int | None) -> bool:
        session.settings.min_area = least
        look = session.look()
        small = look.full_size[0] // 2, look.full_size[1] // 2
        palette = session.processing.shown.palette

        def in_other_colors(image: np.ndarray) -> int:
            far = np.abs(image[..., np.newaxis, :].astype(int) - palette).sum(axis=-1) > 60
            return int(far.all(axis=-1).sum())

        whole, half = (in_other_colors(look.image(size)) for size in (look.full_size, small))
        assert (whole > 0) == (half > 0)
        return half > 0

    do(session, "view:regions")
    session.processing.settle()
    assert has_borders(None)
    assert has_borders(9000)  # the boxes have 10,000 and 9,600 pixels
    assert not has_borders(200_000)
    session.settings.min_area = 9800
    kept = session.look().image()
    assert (kept == session.processing.shown.palette[2]).all(axis=2)[220:300, 300:420].mean() > 0.95


def test_regions_become_finer_and_coarser(session):
    do(session, "detail:+1")
    assert (session.settings.view, session.regions.detail) == ("regions", 0.1)
    session.processing.settle()
    assert session.processing.shown.n_regions >= 3
    do(session, "detail:2")
    do(session, "detail:-1")
    do(session, "detail:-1")
    assert session.regions.n_regions == 1
    assert session.processing.shown is None  # until the held frame is looked at again
    session.processing.hold()
    session.processing.settle()
    assert session.processing.shown.n_regions == 1


def test_until_their_kernels_are_compiled_the_picture_is_shown(tmp_path):
    ready = {"bgr"}
    made = Session(
        Segmenter(3, random_state=0), "regions", 1.0, tmp_path, {}, are_ready=ready.__contains__
    )
    made.settings.hud = "hidden"
    made.processing.take(Frame(scene(0), 0, 0.0))
    made.hud.hide_note()
    np.testing.assert_array_equal(shown(made), scene(0))
    ready.add("regions")
    made.processing.settle()
    assert made.processing.shown.n_regions == 3


def test_detail_is_a_scale_or_a_number_of_regions():
    segmenter = RegionSegmenter.with_detail(0.2)
    assert (segmenter.scale, segmenter.n_regions, segmenter.detail) == (0.2, None, 0.2)
    segmenter.detail = 7
    assert (segmenter.n_regions, segmenter.detail) == (7, 7)
    segmenter.detail = 0
    assert (segmenter.scale, segmenter.n_regions, segmenter.detail) == (0, None, 0)
    for wrong in (2.5, -0.1):
        with pytest.raises(ValueError, match=r"detail|scale"):
            segmenter.detail = wrong
