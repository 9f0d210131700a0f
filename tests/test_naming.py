"""Names that are typed in the picture, and the part of it that is drawn to count: no window."""

from __future__ import annotations

import shlex

import numpy as np
import pytest
from test_controls import banded_session, draw, ids_of

from livekm.cli.again import command_line
from livekm.cli.checks import check
from livekm.cli.options import Settings, Way
from livekm.cli.parser import parse
from livekm.core.names import Name, Names
from livekm.frame import Frame
from livekm.live.commands import do, press
from livekm.live.events import PointerEvent
from livekm.live.keys import ENTER, ESCAPE
from livekm.live.pointer import Pointer
from livekm.live.session import Session


@pytest.fixture
def session(tmp_path) -> Session:
    return banded_session(tmp_path)


def type_in(session: Session, *keys: str) -> None:
    for key in keys:
        press(session, key)


def names_in(session: Session) -> tuple[str, ...]:
    session.processing.settle()
    return session.processing.segmentation.names


@pytest.fixture
def chosen(session):
    do(session, f"select:+{ids_of(session)[1]}")
    session.hud.hide_note()
    return session


def test_what_is_typed_after_enter_is_the_name_of_the_chosen_segment(chosen):
    type_in(chosen, ENTER, *"qroax", "\b", "d", "\x7f", "d")
    assert chosen.is_running  # q was a letter
    assert chosen.hud.prompt == f"name of {ids_of(chosen)[1]}: qroad_"
    type_in(chosen, ENTER)
    assert chosen.hud.prompt == ""
    assert chosen.hud.note.endswith("is qroad; --names FILE keeps it")
    label = chosen.processing.segmentation.labels[0, 80]
    assert names_in(chosen)[label] == "qroad"
    assert sum(map(bool, names_in(chosen))) == 1
    type_in(chosen, ENTER, ENTER)
    assert names_in(chosen)[label] == ""


def test_escape_drops_what_was_typed_and_keys_are_commands_again(chosen):
    type_in(chosen, ENTER, *"sky", ESCAPE)
    assert chosen.is_running
    assert not any(names_in(chosen))
    type_in(chosen, "q")
    assert not chosen.is_running


@pytest.mark.parametrize("others", [(), (0, 2)])
def test_without_one_segment_it_is_said_what_to_do(session, others):
    for other in others:
        do(session, f"select:+{ids_of(session)[other]}")
    type_in(session, ENTER)
    assert not session.naming.is_typing
    assert session.hud.note == "click the one segment to name first"


def test_what_is_typed_is_drawn_in_the_picture(chosen):
    before = draw(chosen)
    type_in(chosen, ENTER, *"lawn")
    assert (draw(chosen) != before).any()


def test_the_table_of_names_is_kept_up_to_date_and_all_else_in_it_stays(chosen, tmp_path):
    table = tmp_path / "names.csv"
    table.write_text("# mine\nname,color,tolerance\nroad,#5a5a5a,9\nsky,#102030\n")
    chosen.naming._table = table
    chosen.segmenter.read_names(table)
    type_in(chosen, ENTER, *"meadow", ENTER)
    assert "saved" in chosen.hud.note
    lines = table.read_text().splitlines()
    assert lines[:4] == ["# mine", "name,color,tolerance", "road,#5a5a5a,9", "sky,#102030"]
    assert lines[4:] == ["meadow,#3cb428,20"]
    type_in(chosen, ENTER, *"sky", ENTER)
    assert table.read_text().splitlines()[3] == "sky,#102030 #3cb428,20"
    assert [path.name for path in tmp_path.glob("names*")] == ["names.csv"]


def test_what_others_wrote_into_the_table_meanwhile_is_not_lost(chosen, tmp_path):
    table = tmp_path / "names.csv"
    chosen.naming._table = table
    type_in(chosen, ENTER, *"meadow", ENTER)
    chosen.segmenter.read_names(table)
    table.write_text("meadow,#3cb428,7\nlamp,#ffffff,5\n")
    type_in(chosen, ENTER, *"grass", ENTER)
    assert table.read_text() == "meadow,#3cb428,7\nlamp,#ffffff,5\ngrass,#3cb428,20\n"
    table.write_text("lamp,#ffffff,5\n")
    type_in(chosen, ENTER, *"turf", ENTER)
    assert [name.text for name in Names.read(table).names] == ["lamp", "turf"]


def test_a_table_that_cannot_be_written_is_told_and_the_name_is_there(chosen, tmp_path):
    chosen.naming._table = tmp_path / "no" / "names.csv"
    type_in(chosen, ENTER, *"lawn", ENTER)
    assert chosen.hud.note == "names not written: No such file or directory"
    assert "lawn" in names_in(chosen)


def test_a_shade_that_a_name_has_already_is_not_added():
    names = Names([Name("sky", ((230, 180, 120),))])
    assert names.with_shade("sky", (229, 181, 120)) is names
    assert names.with_shade("sky", (20, 20, 20)).of(np.array([(20, 20, 20)], np.uint8)) == ("sky",)


# What counts


def drag(session: Session, begin: tuple[int, int], end: tuple[int, int]) -> None:
    pointer = Pointer(session)
    pointer.obey(PointerEvent("press", *begin))
    pointer.obey(PointerEvent("move", *end))
    draw(session)
    pointer.obey(PointerEvent("release", *end))


def test_a_rectangle_that_is_dragged_is_what_counts_until_the_key_comes_again(session):
    press(session, "#")
    drag(session, (512, 180), (128, 360))  # of a picture that is 640 x 360
    assert session.settings.roi == (32, 45, 96, 45)
    session.processing.settle()
    found = session.processing.segmentation
    expected = np.zeros((90, 160), bool)
    expected[45:, 32:128] = True
    np.testing.assert_array_equal(found.labels != 255, expected)
    assert not session.settings.chosen  # the press was no click
    assert session.choice.roi == (32, 45, 96, 45)
    press(session, "#")
    assert session.settings.roi is None
    session.processing.settle()
    assert (session.processing.segmentation.labels != 255).all()


def test_what_is_being_dragged_is_outlined(session):
    press(session, "#")
    before = draw(session)
    pointer = Pointer(session)
    pointer.obey(PointerEvent("press", 100, 100))
    pointer.obey(PointerEvent("move", 300, 200))
    changed = (draw(session) != before).any(axis=2)
    assert changed[100, 150:250].all()
    assert changed[150, 300]


def test_in_a_mirrored_picture_the_rectangle_is_of_the_source(session):
    do(session, "mirror")
    session.processing.settle()
    draw(session)
    press(session, "#")
    drag(session, (0, 0), (160, 360))
    assert session.settings.roi == (120, 0, 40, 90)


def test_a_click_draws_nothing_and_a_part_must_lie_in_the_frame(session):
    press(session, "#")
    drag(session, (100, 100), (100, 100))
    assert session.settings.roi is None
    with pytest.raises(ValueError, match="200x10 at 0,0 is not in 160x90"):
        do(session, "roi:0,0,200,10")


def test_with_a_part_that_counts_there_are_at_most_255_clusters(session):
    do(session, "clusters:256")
    do(session, "roi:0,0,80,90")
    session.processing.take(Frame(session.processing.source_frame.image, 1, 0.1))
    assert session.processing.segmentation.n_clusters == 255


def test_a_name_that_a_page_sends_is_as_good_as_one_that_is_typed(chosen):
    do(chosen, "name:  lawn " + 50 * "x")
    label = chosen.processing.segmentation.labels[0, 80]
    assert names_in(chosen)[label] == "lawn " + 35 * "x"


@pytest.mark.parametrize("view", ["segments", "regions"])
def test_the_command_line_speaks_of_regions_only_where_it_shows_them(session, view):
    do(session, f"view:{view}")
    settings = Settings(inputs=("clip.mp4",), view="regions", detail=12.0, min_area=50)
    line = command_line(settings, session.choice, is_still=False, is_live=False)
    arguments = shlex.split(line)[1:]
    check(parse(arguments), Way.FILE)
    assert ("--min-area=50" in line, "--detail" in line) == (2 * (view == "regions",))


def test_the_command_line_for_this_names_the_part(session):
    do(session, "roi:0,9,80,70")
    settings = Settings(inputs=("clip.mp4",), names="names.csv")
    line = command_line(settings, session.choice, is_still=False, is_live=False)
    assert "--roi=0,9,80,70" in line
    assert "--names" in line
