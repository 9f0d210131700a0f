"""What the command line leaves out: transparent parts, colours, borders, masks, a rectangle."""

from __future__ import annotations

import csv

import av
import cv2
import numpy as np
import PIL.Image
import pytest
from clips import make_clip

from livekm import EncoderOptions, open_sink, open_source
from livekm.core.segmenter import Segmenter
from livekm.errors import SourceError, UsageError
from livekm.frame import Frame, VideoInfo
from livekm.live.commands import do
from livekm.live.session import Session
from livekm.sources.masked import MaskedSource
from livekm.sources.still import read_still
from livekm.sources.stream import FrameStream

RED, BLUE, GREEN = (0, 0, 255), (255, 0, 0), (0, 255, 0)
SIZE = 30, 40


def halves(left=RED, right=BLUE):
    image = np.empty((*SIZE, 3), np.uint8)
    image[:, :20], image[:, 20:] = left, right
    return image


def frames_of(images, name="made"):
    height, width = images[0].shape[:2]
    info = VideoInfo(name, width, height, n_frames=len(images))
    return FrameStream(info, (Frame(image, i, i / 10) for i, image in enumerate(images)))


def masks_of(images, *ignore, roi=None):
    with MaskedSource(frames_of(images), ignore, roi) as source:
        return [frame.mask for frame in source]


def saved(path, image):
    assert cv2.imwrite(str(path), image)
    return path


def cut_out(path, transparent=slice(0, 10)):
    """An image whose first rows are transparent, with green below."""
    image = halves()
    image[transparent] = GREEN
    alpha = np.full(SIZE, 255, np.uint8)
    alpha[transparent] = 0
    return saved(path, np.dstack([image, alpha]))


def written(path, images):
    with open_sink(path, fps=10, encoder=EncoderOptions("ffv1")) as sink:
        for index, image in enumerate(images):
            sink.write(image, index / 10)


def rows_of(path):
    with path.open() as file:
        return list(csv.DictReader(file))


def test_what_is_transparent_in_a_still_is_no_segment_and_stays_transparent(run_cli, tmp_path):
    cut_out(tmp_path / "in.png")
    code, out, err = run_cli("in.png", "-k", 2, "-o", "out.png", "--stats", "s.csv", "--figure",
                             "f.png", "--labels", "l.png")  # fmt: skip
    assert (code, err) == (0, "")
    assert "2 segments" in out
    written = cv2.imread("out.png", cv2.IMREAD_UNCHANGED)
    assert written.shape == (*SIZE, 4)
    assert not written[:10, :, 3].any()
    assert (written[10:, :, 3] == 255).all()
    assert (written[10:, :, :3] == halves()[10:]).all()
    assert sorted((row["color"], row["share"]) for row in rows_of(tmp_path / "s.csv")) == [
        ("#0000ff", "0.5"), ("#ff0000", "0.5"),
    ]  # fmt: skip
    with av.open("l.png") as container:
        labels = next(container.decode(video=0)).to_ndarray(format="pal8")
    labels = labels[0] if isinstance(labels, tuple) else labels
    assert (labels[:10] == 255).all()
    assert set(np.unique(labels[10:])) == {0, 1}


def test_what_is_transparent_shows_the_colours_below_where_the_format_has_no_alpha(
    run_cli, tmp_path
):
    cut_out(tmp_path / "in.png")
    assert run_cli("in.png", "-k", 2, "-o", "out.bmp")[0] == 0
    written = cv2.imread("out.bmp", cv2.IMREAD_UNCHANGED)
    assert (written[:10] == GREEN).all()


def test_a_selection_of_a_cut_out_is_black_beside_and_transparent_where_it_was(run_cli, tmp_path):
    cut_out(tmp_path / "in.png")
    assert run_cli("in.png", "-k", 2, "--keep", 0, "-o", "out.png")[0] == 0
    written = cv2.imread("out.png", cv2.IMREAD_UNCHANGED)
    assert not written[:10, :, 3].any()
    assert (written[10:, :, 3] == 255).all()
    assert (written[10:, :, :3].any(axis=2).sum(axis=1) == 20).all()  # half of them is black


def test_none_counts_what_is_transparent(run_cli, tmp_path):
    cut_out(tmp_path / "in.png")
    code, out, _ = run_cli("in.png", "-k", 3, "--ignore", "none", "-o", "out.png")
    assert code == 0
    assert "3 segments" in out
    assert cv2.imread("out.png", cv2.IMREAD_UNCHANGED).shape[2] == 3


@pytest.mark.parametrize("kind", ["palette", "grey", "16 bits", "turned"])
def test_alpha_is_read_of_every_kind_of_still(kind, tmp_path):

    alpha = np.full((6, 8), 255, np.uint8)
    alpha[:2] = 0
    path = tmp_path / "in.png"
    if kind == "16 bits":
        image = np.full((6, 8, 4), 40000, np.uint16)
        image[:, :, 3] = alpha.astype(np.uint16) * 257
        saved(path, image)
    elif kind == "palette":
        picture = PIL.Image.fromarray((alpha > 0).astype(np.uint8), "P")
        picture.putpalette([0, 0, 0, 9, 99, 200])
        picture.save(path, transparency=0)
    elif kind == "grey":
        PIL.Image.merge("LA", [PIL.Image.fromarray(alpha)] * 2).save(path)
    else:
        picture = PIL.Image.fromarray(np.dstack([alpha] * 4), "RGBA")
        exif = PIL.Image.Exif()
        exif[0x112] = 6  # a quarter turn to the right
        picture.save(path, exif=exif)
    still = read_still(path)
    expected = np.rot90(alpha > 0, -1) if kind == "turned" else alpha > 0
    assert still.image.shape == (*expected.shape, 3)
    assert np.array_equal(still.opaque, expected)


def test_an_opaque_still_has_no_mask(tmp_path):
    path = saved(tmp_path / "in.png", np.dstack([halves(), np.full(SIZE, 255, np.uint8)]))
    assert read_still(path).opaque is None


def test_images_of_a_folder_are_transparent_each_by_itself(run_cli, tmp_path):
    (tmp_path / "in").mkdir()
    for number in range(3):
        cut_out(tmp_path / "in" / f"{number}.png", slice(0, 5 * number + 5))
    assert run_cli("in", "-k", 2, "-o", "out/%06d.png")[0] == 0
    for number in range(3):
        written = cv2.imread(f"out/{number:06d}.png", cv2.IMREAD_UNCHANGED)
        assert (written[:, :, 3] == 0).all(axis=1).sum() == 5 * number + 5


def test_a_colour_is_ignored_within_its_tolerance():
    image = halves((10, 200, 12), (30, 180, 12))
    (mask,) = masks_of([image], "#0cc80a")
    assert not mask[:, :20].any()
    assert mask[:, 20:].all()
    assert masks_of([image], "#0cc80a~19")[0][:, 20:].all()
    assert not masks_of([image], "#0cc80a~20")[0].any()


def test_bars_are_ignored_and_a_dark_frame_does_not_widen_them():
    image = np.random.default_rng(0).integers(60, 256, (*SIZE, 3), np.uint8)
    image[:4] = image[-6:] = 8
    image[:, :3] = 9
    dark = np.full_like(image, 7)
    before, found, after = masks_of([dark, image, dark], "border")
    assert not before.any()
    expected = np.zeros(SIZE, bool)
    expected[4:-6, 3:] = True
    assert np.array_equal(found, expected)
    assert np.array_equal(after, expected)


def test_what_is_left_out_adds_up(tmp_path):
    mask = np.zeros(SIZE, np.uint8)
    mask[:20] = 200
    path = saved(tmp_path / "mask.png", mask)
    (found,) = masks_of([halves()], "#ff0000", str(path), roi=(0, 5, 40, 25))
    expected = np.zeros(SIZE, bool)
    expected[5:20, 20:] = True
    assert np.array_equal(found, expected)


def test_of_a_cut_out_as_a_mask_its_alpha_counts(tmp_path):
    path = cut_out(tmp_path / "mask.png")
    (found,) = masks_of([halves()], str(path))
    assert np.flatnonzero(found.all(axis=1)).tolist() == list(range(10, 30))


def test_masks_that_move_belong_to_the_frame_of_their_index(tmp_path):
    folder = tmp_path / "masks"
    folder.mkdir()
    for index in range(4):
        mask = np.zeros(SIZE, np.uint8)
        mask[:, : 10 * index + 10] = 255
        saved(folder / f"{index}.png", mask)
    images = [halves()] * 4
    assert [mask.sum() for mask in masks_of(images, str(folder))] == [300, 600, 900, 1200]
    source = frames_of(images)
    next(iter(source))
    next(iter(source))  # the section begins at the third
    with MaskedSource(source, [str(folder)]) as section:
        assert next(iter(section)).mask.sum() == 900
    with pytest.raises(SourceError, match="masks: there is no mask for frame 4"):
        masks_of([halves()] * 5, str(folder))


def test_a_clip_of_masks_is_one(tmp_path, run_cli):
    written(tmp_path / "in.mkv", [halves()] * 3)
    black, white = np.zeros((*SIZE, 3), np.uint8), np.full((*SIZE, 3), 255, np.uint8)
    half = halves((0, 0, 0), (255, 255, 255))
    written(tmp_path / "masks.mkv", [white, half, black])
    code, _, err = run_cli("in.mkv", "-k", 2, "--ignore", "masks.mkv", "--stats", "s.csv",
                           "--labels", "labels", "-o", "out.mkv", "--codec", "ffv1")  # fmt: skip
    assert (code, err) == (0, "")
    pixels = [int(row["pixels"]) for row in rows_of(tmp_path / "s.csv")]
    assert sum(pixels[:2]) == 1200
    assert sorted(pixels[2:4]) == [0, 600]
    assert pixels[4:] == [0, 0]
    with open_source(tmp_path / "out.mkv") as source:
        last = list(source)[-1].image.astype(int)
    assert np.abs(last - halves()).mean() < 20  # as it was


def test_what_cannot_be_ignored_is_one_line(run_cli, tmp_path):
    saved(tmp_path / "in.png", halves())
    saved(tmp_path / "small.png", np.full((5, 6), 255, np.uint8))
    saved(tmp_path / "black.png", np.zeros(SIZE, np.uint8))
    for arguments, expected, said in (
        (("--ignore", "small.png"), 1, "small.png: the mask is 6x5, the frame 40x30"),
        (("--ignore", "black.png"), 1, "black.png: nothing would count"),
        (("--ignore", "gone.png"), 1, "gone.png"),
        (("--ignore", "#12345"), 2, "a colour is like '#00ff00'"),
        (("--ignore", "#123456~300"), 2, "a colour is like '#00ff00'"),
        (("--ignore", "border,"), 2, "--ignore: must be alpha, border, none"),
        (
            ("--roi", "0,0,41,30"),
            2,
            "0,0,41,30 does not lie in the 40x30 pixels of in.png",
        ),
        (("--roi", "0,0,4"), 2, "--roi: must be left,top,width,height"),
        (("--roi", "0,0,0,4"), 2, "--roi: must be left,top,width,height"),
        (("--rest", "black"), 2, "--rest needs --keep or --drop or --ignore or --roi"),
        (("--roi", "0,0,9,9", "-k", "256"), 2, "at most 255 clusters"),
    ):
        code, out, err = run_cli("in.png", "-o", "out.png", *arguments)
        assert (code, out) == (expected, ""), arguments
        assert said in err
        assert err.count("\n") == 1
        assert not (tmp_path / "out.png").exists()


def test_a_part_that_counts_is_scaled_with_the_frame(run_cli, tmp_path):
    saved(tmp_path / "in.png", halves())
    assert run_cli("in.png", "-k", 2, "--scale", 0.5, "--roi", "10,0,20,30", "--rest", "black",
                   "-o", "out.png")[0] == 0  # fmt: skip
    written = cv2.imread("out.png")
    assert written.shape == (15, 20, 3)
    assert not written[:, :5].any()
    assert not written[:, 15:].any()
    assert written[:, 5:15].any(axis=2).all()


def test_keys_leave_the_label_of_what_is_ignored_alone(tmp_path):
    with Session(Segmenter(200, random_state=0), "segments", 1.0, tmp_path, {}) as session:
        (mask,) = masks_of([halves()], roi=(0, 0, 20, 30))
        session.processing.take(Frame(halves(), 0, 0.0, mask))
        do(session, "clusters:+100")
        assert session.segmenter.n_clusters == 255
        assert session.hud.note == "k is 1 to 255"
        session.processing.settle()
        picture = session.draw(session.look(), (400, 300 + session.rows_below))
        assert session.id_at(300, 200) is None  # which does not count
        assert session.id_at(50, 200) in session.segmenter.ids
        assert (picture[100:180, 210:] == BLUE).all()
        nothing = np.zeros(SIZE, bool)
        session.processing.take(Frame(halves(), 1, 0.1, nothing))
        picture = session.draw(session.look(), (400, 300 + session.rows_below))
        assert (picture[100:180, 210:] == BLUE).all()


def test_masks_are_closed_with_the_source(tmp_path):
    make_clip(tmp_path / "masks.mp4", 2, width=40, height=30)
    source = MaskedSource(frames_of([halves()]), [str(tmp_path / "masks.mp4")])
    source.close()
    source.close()
    with pytest.raises(ValueError, match="closed"):
        next(iter(source))
    with pytest.raises(UsageError, match="does not lie in"):
        MaskedSource(frames_of([halves()]), roi=(-1, 0, 5, 5))
