"""Names of things by their colours, in every place where a segment is told."""

from __future__ import annotations

import csv
import json
from dataclasses import replace

import cv2
import numpy as np
import pytest

from livekm import EncoderOptions, Segmentation, Segmenter, SourceError, open_sink
from livekm.core.names import Name, Names, template
from livekm.figures import clip_figure, segmentation_figure
from livekm.figures.history import History
from livekm.frame import Frame
from livekm.live.status import describe
from livekm.live.strip import Strip

SKY, ROAD, GRASS = (230, 180, 120), (90, 90, 90), (60, 140, 70)  # BGR
TABLE = "name,color,tolerance\nsky,#78b4e6,25\n# grey\nroad,#5a5a5a\ngreen,#2d8f3f #468c3c , 15\n"
SIZE = 60, 90


def scene(sky=SKY, road=ROAD, grass=GRASS):
    image = np.empty((*SIZE, 3), np.uint8)
    image[:30], image[30:45], image[45:] = sky, road, grass
    return image


@pytest.fixture
def table(tmp_path):
    (tmp_path / "names.csv").write_text(TABLE)
    return tmp_path / "names.csv"


def test_a_table_is_read_as_people_write_it(table):
    sky, road, green = Names.read(table).names
    assert sky == Name("sky", (SKY,), 25.0)
    assert road == Name("road", (ROAD,), 20.0)
    assert green == Name("green", ((63, 143, 45), GRASS), 15.0)
    assert repr(Names.read(table)) == "Names(sky, road, green)"
    table.write_text("\ufeffmeer, #0000ff\r\n", encoding="utf-8")  # without a header
    assert [name.text for name in Names.read(table).names] == ["meer"]
    table.write_text("")
    assert Names.read(table).of(np.zeros((3, 3), np.uint8)) == ("", "", "")


def test_what_is_no_table_of_names_is_one_line(table, run_cli, tmp_path):
    cv2.imwrite(str(tmp_path / "in.png"), scene())
    for text, said in (
        ("sky,#78b4e6\nsky,#000000\n", "the name sky is there twice; give it several colours"),
        ("sky,blue\n", "'blue' is not a colour like '#78b4e6'"),
        ("sky\n", "'' is not a colour like"),
        ("sky,#78b4e6,wide\n", "the tolerance 'wide' is not a number from 0 to 200"),
        (",#78b4e6\n", "is not like 'sky,#78b4e6,20'"),
        ("a,#78b4e6,1,2\n", "is not like 'sky,#78b4e6,20'"),
        ("".join(f"n{i},#000000\n" for i in range(257)), "it has 257 names, 256 are enough"),
        ("\x00\x01", "is not like"),
    ):
        table.write_text(text)
        with pytest.raises(SourceError, match="not a table of names"):
            Names.read(table)
        code, out, err = run_cli("in.png", "-o", "o.png", "--names", "names.csv")
        assert (code, out, err.count("\n")) == (1, "", 1), text
        assert f"names.csv: not a table of names ({said}" in err or said in err
    table.write_bytes(b"\xff\xfe\x00")
    assert run_cli("in.png", "-o", "o.png", "--names", "names.csv")[0] == 1
    with pytest.raises(SourceError, match="No such file"):
        Names.read(tmp_path / "gone.csv")


def test_the_nearest_name_within_its_tolerance_is_taken(table):
    names = Names.read(table)
    shades = np.array([SKY, (225, 170, 110), (63, 143, 45), (120, 120, 120), (0, 0, 250)], np.uint8)
    assert names.of(shades) == ("sky", "sky", "green", "road", "")


def test_an_id_keeps_its_name_and_another_does_not_get_it(table):
    segmenter = Segmenter(3, random_state=0, color_space="lab")
    segmenter.read_names(table)
    first = segmenter.update(scene())
    sky = int(first.labels[0, 0])
    assert (first.names[sky], sorted(first.names)) == ("sky", ["green", "road", "sky"])
    for step in range(1, 12):  # the light goes, until nothing is near the colour of its name
        factor = 1 - 0.05 * step
        found = segmenter.update((scene() * factor).astype(np.uint8))
    assert Names.read(table).of(found.palette)[sky] == "road"  # by its colour alone
    assert found.ids[sky] == first.ids[sky]
    assert found.names == first.names
    segmenter.reset()
    assert segmenter.update(scene((0, 0, 250), (0, 0, 200), (0, 0, 150))).names == ("", "", "")
    segmenter.names = None
    assert segmenter.update(scene()).names == ("", "", "")


def test_a_label_without_pixels_is_named_when_it_is_something(tmp_path):
    table = tmp_path / "names.csv"
    table.write_text("night,#000000\n")
    segmenter = Segmenter(3, random_state=0)
    segmenter.read_names(table)
    first = segmenter.update(np.zeros_like(scene()))
    assert sorted(first.names) == ["", "", "night"]
    assert segmenter.update(scene()).names == ("", "", "")


def test_an_image_is_named_by_its_colours_alone(table):
    segmenter = Segmenter(3, random_state=0)
    segmenter.names = Names.read(table)
    assert segmenter.fit(scene()).names[0] == "sky"
    assert segmenter.fit(scene(sky=(0, 0, 250))).names[0] == ""
    with pytest.raises(ValueError, match="there must be 3 names, got 2"):
        Segmentation(np.zeros((2, 2), np.uint8), np.zeros((3, 3), np.uint8), names=("a", "b"))


def test_a_table_to_fill_in_has_the_colours_of_an_image(run_cli, tmp_path):
    cv2.imwrite(str(tmp_path / "in.png"), scene())
    code, out, err = run_cli("in.png", "-k", 3, "-o", "out.png", "--names", "new.csv")
    assert (code, err) == (0, "")
    assert out.endswith("; new.csv: colours to name\n")
    text = (tmp_path / "new.csv").read_text()
    assert text.splitlines()[:2] == ["name,color,tolerance", "segment 0,#78b4e6,20"]
    (tmp_path / "new.csv").write_text(text.replace("segment 0", "Himmel"))
    assert run_cli("in.png", "-k", 3, "--names", "new.csv", "--stats", "s.jsonl")[0] == 0
    rows = [json.loads(line) for line in (tmp_path / "s.jsonl").read_text().splitlines()]
    assert [row["name"] for row in rows] == ["Himmel", "segment 1", "segment 2"]
    assert (tmp_path / "new.csv").read_text().count("Himmel") == 1  # it is not written again
    found = Segmenter(3, random_state=0).fit(scene())
    assert template(found).count("\n") == 4
    code, _, err = run_cli("in.png", "-o", "x.csv", "--names", "x.csv")
    assert (code, err.count("\n")) == (2, 1)


def test_tables_of_many_clips_have_the_same_names(run_cli, table, tmp_path):
    for number, light in enumerate((1.0, 0.95)):
        image = (scene() * light).astype(np.uint8)
        with open_sink(tmp_path / f"{number}.mkv", fps=10, encoder=EncoderOptions("ffv1")) as sink:
            for index in range(2):
                sink.write(image, index / 10)
    code, _, err = run_cli("0.mkv", "1.mkv", "-k", 3, "--names", "names.csv", "--stats", "stats",
                           "--regions", "regions/{}.jsonl", "-q")  # fmt: skip
    assert (code, err) == (0, "")
    for number in range(2):
        with (tmp_path / "stats" / f"{number}.csv").open() as file:
            rows = list(csv.DictReader(file))
        shares = {row["name"]: row["share"] for row in rows if row["frame"] == "1"}
        assert shares == {"sky": "0.5", "road": "0.25", "green": "0.25"}
        lines = (tmp_path / "regions" / f"{number}.jsonl").read_text().splitlines()
        assert {json.loads(line)["name"] for line in lines} == {"sky", "road", "green"}
    code, _, err = run_cli("0.mkv", "1.mkv", "--names", "gone.csv", "--stats", "other")
    assert (code, err.count("\n")) == (1, 1)


def texts_of(figure):
    texts = [text.get_text() for axes in figure.axes for text in axes.texts]
    return [*texts, *(axes.get_title() for axes in figure.axes)]


def test_figures_strip_views_and_notes_call_things_by_their_names(table):
    segmenter = Segmenter(3, random_state=0)
    segmenter.names = Names([Name("sky $x", (SKY,))])
    image = scene()
    still = segmenter.fit(image)
    told = texts_of(segmentation_figure(image, still))
    assert "sky $x (0): 50.0%" in told
    assert "segment 1: 25.0%" in told
    assert any("#78b4e6   50.0%  sky $x" in text for text in told)
    assert "sky $x\n50%" in told
    history = History()
    segmenter.reset()
    for index in range(3):
        found = segmenter.update(image)
        history.append(Frame(image, index, index / 10), found)
    told = texts_of(clip_figure(history, ""))
    assert "sky $x" in told
    label = found.names.index("sky $x")
    assert describe(int(found.ids[label]), found).startswith(f"{found.ids[label]} sky $x · #78b4e6")
    strips = [Strip().image((600, 24), replace(found, names=names)) for names in (found.names, ())]
    assert (strips[0] != strips[1]).any()
