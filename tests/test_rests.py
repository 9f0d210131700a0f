"""What becomes of the rest, and segments in other colours."""

from __future__ import annotations

from dataclasses import replace

import av
import cv2
import matplotlib
import numpy as np
import pytest

from livekm import EncoderOptions, Segmentation, Selection, UsageError, open_sink
from livekm.core.rests import Backdrop, over_rest
from livekm.core.segmenter import Segmenter
from livekm.frame import Frame
from livekm.live.commands import do
from livekm.live.keys import COMMAND_OF
from livekm.live.session import Session
from livekm.outputs.checks import as_image
from livekm.outputs.palettes import read_recoloring
from livekm.outputs.video.formats import CODECS, alpha_codec
from livekm.views import VIEWS, legend, recolored

RED, BLUE, WHITE = (0, 0, 255), (255, 0, 0), (255, 255, 255)
SIZE = 32, 48


@pytest.fixture
def pair():
    """A red and a blue half with a white line in the blue one: labels 0 and 1, and 2."""
    image = np.empty((*SIZE, 3), np.uint8)
    image[:, :24], image[:, 24:], image[10] = RED, BLUE, WHITE
    labels = np.zeros(SIZE, np.uint8)
    labels[:, 24:], labels[10] = 1, 2
    return Frame(image, 0, 0.0), Segmentation(labels, np.array([RED, BLUE, WHITE], np.uint8))


def shown(name, pair, rest, *ids):
    return as_image(VIEWS[name](*pair, Selection(ids, rest=rest)), alpha=True)


@pytest.mark.parametrize("name", ["segments", "original", "side-by-side"])
def test_a_colour_takes_the_place_of_the_rest(name, pair):
    picture = shown(name, pair, "#0cf001", 0)
    for part in np.split(picture, picture.shape[1] // 48, axis=1):
        assert (part[pair[1].labels != 0] == (1, 240, 12)).all()
        assert (part[pair[1].labels == 0] == RED).all()


def test_the_rest_is_blurred_and_the_segment_sharp(pair):
    picture = shown("segments", pair, "blur", 0)
    assert (picture[pair[1].labels == 0] == RED).all()
    line = picture[10, 40].astype(int)
    assert (np.abs(line - WHITE) > 40).any()  # it is spread
    assert (np.abs(line - BLUE) > 5).any()
    large = np.random.default_rng(0).integers(0, 256, (90, 160, 3), np.uint8)
    soft = over_rest(large, np.zeros((90, 160), np.uint8), large, "blur")
    assert soft.std() < large.std() / 4
    assert abs(soft.mean() - large.mean()) < 3


def test_a_picture_fills_the_frame_behind_a_segment(pair):
    photo = np.zeros((60, 30, 3), np.uint8)
    photo[:] = np.arange(60)[:, np.newaxis, np.newaxis] * 4
    backdrop = Backdrop(photo)
    fitted = backdrop.fitted(*SIZE)
    assert fitted.shape == (*SIZE, 3)
    rows = fitted[:, 0, 0].astype(int)
    assert (np.diff(rows) > 0).all()  # its middle, as large as the frame is wide
    assert abs(rows.mean() - photo.mean()) < 3
    assert backdrop.fitted(*SIZE) is fitted
    picture = shown("side-by-side", pair, backdrop, 0)
    for part in np.split(picture, 2, axis=1):
        assert (part[pair[1].labels != 0] == fitted[pair[1].labels != 0]).all()


def test_what_no_rest_is_is_told():
    for rest in ("grey", "#12345", "#1234567"):
        with pytest.raises(UsageError, match=r"rest must be one of black, original, .* got"):
            Selection([0], rest=rest)


@pytest.mark.parametrize(("name", "suffix"), [("vp9", ".webm"), ("prores", ".mov"),
                                              ("ffv1", ".mkv")])  # fmt: skip
def test_clips_are_transparent_where_a_codec_can(name, suffix, tmp_path):
    assert alpha_codec(f"out{suffix}") == name
    path = tmp_path / f"out{suffix}"
    image = np.zeros((*SIZE, 4), np.uint8)
    image[:, :, :3], image[8:20, 8:30, 3] = (40, 160, 90), 255
    with open_sink(path, fps=10, encoder=EncoderOptions(name)) as sink:
        for index in range(4):
            sink.write(np.roll(image, index, axis=1), index / 10)
    with av.open(str(path)) as clip:
        stream = clip.streams.video[0]
        decoder = stream.codec_context
        if name == "vp9":  # FFmpeg's own decoder leaves the alpha out
            decoder = av.CodecContext.create("libvpx-vp9", "r")
            assert stream.metadata["ALPHA_MODE"] == "1"
        pictures = [picture for packet in clip.demux(stream) for picture in decoder.decode(packet)]
    assert len(pictures) == 4
    for index, picture in enumerate(pictures):
        found = picture.to_ndarray(format="bgra")
        expected = np.roll(image, index, axis=1)
        assert np.abs(found[:, :, 3].astype(int) - expected[:, :, 3]).mean() < 3
        inside = expected[:, :, 3] > 0
        assert np.abs(found[inside].astype(int) - expected[inside]).mean() < 4


def test_what_cannot_be_transparent_is_one_line(run_cli, tmp_path):
    cv2.imwrite(str(tmp_path / "in.png"), np.zeros((8, 8, 3), np.uint8))
    for arguments, said in (
        (("-o", "o.mp4"), "o.mp4 cannot be transparent: end it in .webm, .mov, .mkv, take images"),
        (("-o", "o.webm", "--codec", "av1"), "o.webm cannot be transparent in av1: end it in"),
        (("-o", "o.jpg"), "o.jpg cannot be transparent: end it in .png, .tif, .tiff, .webp, or"),
    ):
        code, out, err = run_cli("in.png", "--keep", 0, "--rest", "transparent", *arguments)
        assert (code, out, err.count("\n")) == (2, "", 1)
        assert said in err
    with pytest.raises(UsageError, match="cannot be transparent in h264"):
        alpha_codec("out.mkv", "h264")
    assert all(row.alpha_format or not row.alpha_containers for row in CODECS.values())


def test_a_clip_before_another_ground_and_transparent_from_the_command_line(run_cli, tmp_path):
    image = np.empty((*SIZE, 3), np.uint8)
    image[:], image[8:20, 8:30] = (0, 255, 0), RED
    with open_sink(tmp_path / "in.mkv", fps=10, encoder=EncoderOptions("ffv1")) as sink:
        for index in range(3):
            sink.write(image, index / 10)
    cv2.imwrite(str(tmp_path / "photo.png"), np.full((20, 20, 3), (200, 90, 40), np.uint8))
    for rest, output in (("photo.png", "a.mkv"), ("transparent", "b.mkv")):
        codec = () if rest == "transparent" else ("--codec", "ffv1")  # which it has without asking
        code, _, err = run_cli("in.mkv", "-k", 2, "--view", "original", "--ignore", "#00ff00",
                               "--rest", rest, "-o", output, *codec)  # fmt: skip
        assert (code, err) == (0, "")
        with av.open(output) as clip:
            pictures = [p.to_ndarray(format="bgra") for p in clip.decode(video=0)]
        assert len(pictures) == 3
        ground = (200, 90, 40, 255) if rest == "photo.png" else (0, 0, 0, 0)
        assert (pictures[2][8:20, 8:30] == (*RED, 255)).all()
        assert (pictures[2][:8] == ground).all()
    code, _, err = run_cli("in.mkv", "--keep", 0, "--rest", "gone.jpg", "-o", "c.mkv")
    assert (code, err.count("\n")) == (1, 1)
    assert "gone.jpg" in err


def test_a_key_cycles_what_becomes_of_the_rest(pair, tmp_path):
    frame = pair[0]
    with Session(Segmenter(3, random_state=0), "original", 1.0, tmp_path, {}) as session:
        session.processing.take(frame)
        session.draw(session.look(), (480, 320 + session.rows_below))
        session.select(session.id_at(20, 100))
        found = []
        for _ in range(4):
            found.append(session.look().image()[30, 40].tolist())
            do(session, COMMAND_OF["z"])
        assert session.hud.note == "the rest: pale"
        pale, black, same, blurred = found
        assert black == [0, 0, 0]
        assert same == list(BLUE)
        assert pale not in (black, same)
        assert blurred != pale
        do(session, "rest:#0000ff")
        assert session.look().image()[30, 40].tolist() == [255, 0, 0]


def test_ids_keep_their_colours_whatever_their_labels(pair):
    frame, segmentation = pair
    colors = read_recoloring("okabe-ito")
    before = as_image(recolored("segments", colors)(frame, segmentation))
    moved = Segmentation(
        (segmentation.labels + 1) % 3, segmentation.palette, ids=np.array([2, 0, 1])
    )
    assert np.array_equal(as_image(recolored("segments", colors)(frame, moved)), before)
    assert (before[segmentation.labels == 1] == colors[1]).all()
    late = replace(segmentation, ids=np.array([8, 17, -1]))
    assert np.array_equal(legend("segments", late, colors), colors[[0, 1, 7]])
    tinted = as_image(recolored("overlay", colors)(frame, segmentation)).astype(int)
    expected = 0.6 * frame.image + 0.4 * colors[segmentation.labels]
    assert np.abs(tinted - expected)[2:8, 2:20].max() <= 1
    kept = as_image(recolored("segments", colors)(frame, segmentation, Selection([0])))
    assert (kept[segmentation.labels == 0] == colors[0]).all()
    assert not kept[segmentation.labels == 1].any()


@pytest.mark.parametrize("name", VIEWS)
def test_every_view_can_be_recoloured(name, pair):
    picture = as_image(recolored(name, read_recoloring("tab10"))(*pair))
    assert picture.shape == as_image(VIEWS[name](*pair)).shape


def test_colours_have_names(tmp_path):
    okabe = read_recoloring("okabe-ito")
    assert len({tuple(color) for color in okabe.tolist()}) == 8
    assert okabe[0].tolist() == [0x00, 0x9F, 0xE6]  # orange
    tab10 = read_recoloring("tab10")
    first = np.rint(255 * np.array(matplotlib.colormaps["tab10"](0)[:3])).astype(int)
    assert (tab10.shape, tab10[0].tolist()) == ((10, 3), first[::-1].tolist())
    viridis = read_recoloring("viridis").astype(int)
    ways = np.abs(viridis[:4, np.newaxis] - viridis[:4]).max(axis=2)[np.triu_indices(4, 1)]
    assert len(viridis) == 256
    assert ways.min() > 40  # the first ones lie far apart
    (tmp_path / "own.json").write_text('["#ff0000"]')
    assert read_recoloring(str(tmp_path / "own.json")).tolist() == [[0, 0, 255]]


def test_recolouring_changes_the_picture_and_no_label(run_cli, tmp_path):
    image = np.empty((*SIZE, 3), np.uint8)
    image[:, :30], image[:, 30:] = RED, BLUE
    cv2.imwrite(str(tmp_path / "in.png"), image)
    arguments = ("in.png", "-k", 2, "-o", "out.png", "--stats", "s.csv", "--overwrite")
    assert run_cli(*arguments)[0] == 0
    before = (tmp_path / "s.csv").read_bytes()
    assert run_cli(*arguments, "--recolor", "okabe-ito")[0] == 0
    assert (tmp_path / "s.csv").read_bytes() == before
    colors = read_recoloring("okabe-ito")
    expected = np.where(np.arange(48)[:, np.newaxis] < 30, colors[0], colors[1])
    assert (cv2.imread("out.png") == expected).all()
    code, _, err = run_cli("in.png", "-o", "o.png", "--recolor", "viridi")
    assert (code, err.count("\n")) == (2, 1)
    assert "there are no colours viridi (did you mean viridis?)" in err
