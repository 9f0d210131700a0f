"""What recorded clips come with: kinds of pixels and colours, fields, key pictures, containers.

The clips are made by the encoders of PyAV's own FFmpeg.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction
from pathlib import Path

import av
import clips
import cv2
import numpy as np
import pytest
from av.video.reformatter import ColorRange, Colorspace, VideoReformatter
from clips import Sound

from livekm import open_sink, open_source
from livekm.frame import Frame
from livekm.sources import ClipSource, SectionSource
from livekm.sources.decoding import find_key_packet

SQUARE = 16
CENTRES = (slice(SQUARE // 2, None, SQUARE), slice(SQUARE // 2, None, SQUARE))


def card(grey: bool = False, square: int = SQUARE) -> np.ndarray:
    """Squares of 48 colours: (96, 128, 3) uint8 BGR at 16 pixels a square."""
    colours = np.random.default_rng(5).integers(0, 256, (6, 8, 3), np.uint8)
    if grey:
        colours[:] = colours[:, :, :1]
    return np.repeat(np.repeat(colours, square, axis=0), square, axis=1)


def moving(n_frames: int) -> Iterable[np.ndarray]:
    """A square that moves over noise, so that every frame needs those before it."""
    noise = cv2.GaussianBlur(
        np.random.default_rng(1).integers(0, 256, (96, 128, 3), np.uint8), (9, 9), 3
    )
    for i in range(n_frames):
        image = np.roll(noise, i, axis=1)
        image[20:50, 3 * i % 100 :][:, :24] = (0, 2 * i % 256, 250)
        yield image


def encode(
    path: Path,
    images: Iterable[np.ndarray],
    codec: str,
    pixel_format: str,
    *,
    options: dict[str, str] | None = None,
    matrix: int = 6,
    color_range: ColorRange = ColorRange.MPEG,
    is_tagged: bool = True,
    is_interlaced: bool = False,
    aspect: Fraction | None = None,
    times: Sequence[int] | None = None,
    sound: Sound | None = None,
    muxer: dict[str, str] | None = None,
) -> Path:
    """Write a clip of 25 frames a second; `times` are in units of 10 ms."""
    reformatter = VideoReformatter()
    with av.open(str(path), "w", options=muxer or {}) as container:
        stream = container.add_stream(codec, rate=25, options=options or {})
        stream.pix_fmt = pixel_format
        context = stream.codec_context
        context.time_base = Fraction(1, 100) if times else Fraction(1, 25)
        if aspect:
            context.sample_aspect_ratio = aspect
        if is_tagged:
            context.colorspace, context.color_range = matrix, color_range
        if is_interlaced:
            context.flags |= 1 << 18 | 1 << 29  # AV_CODEC_FLAG_INTERLACED_DCT and _ME
        track = container.add_stream("aac", rate=48000) if sound else None
        images = list(images)
        stream.height, stream.width = images[0].shape[:2]
        for i, image in enumerate(images):
            channels = "bgra" if image.shape[2] == 4 else "bgr24"
            frame = reformatter.reformat(
                av.VideoFrame.from_ndarray(np.ascontiguousarray(image), channels),
                format=pixel_format,
                interpolation=0x2 | 0x40000,  # bilinear, accurately rounded
                dst_colorspace={1: Colorspace.ITU709, 6: Colorspace.ITU601}[matrix],
                dst_color_range=color_range,
            )
            frame.pts, frame.time_base = times[i] if times else i, context.time_base
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
        if sound and track:
            for samples in sound.frames(1.0):
                container.mux(track.encode(samples))
            container.mux(track.encode())
    return path


def read(path: Path) -> list[Frame]:
    with ClipSource(path) as source:
        return list(source)


def distance(image: np.ndarray, wanted: np.ndarray) -> int:
    """The largest difference between the squares' centres."""
    return int(cv2.absdiff(image[CENTRES], wanted[CENTRES]).max())


# Pixels and colours


@pytest.mark.parametrize(
    ("name", "codec", "pixel_format", "options"),
    [
        ("h264.mp4", "libx264", "yuv420p10le", {"crf": "1"}),
        ("hevc.mp4", "libx265", "yuv420p10le", {"crf": "1", "x265-params": "log-level=none"}),
        ("hevc12.mp4", "libx265", "yuv422p12le", {"crf": "1", "x265-params": "log-level=none"}),
        ("h264_444.mp4", "libx264", "yuv444p", {"crf": "1"}),
        ("ffv1.mkv", "ffv1", "yuv422p10le", {}),
        ("dashcam.avi", "mjpeg", "yuvj420p", {"qmin": "1", "qmax": "1"}),
        ("dashcam.mov", "mjpeg", "yuvj422p", {"qmin": "1", "qmax": "1"}),
    ],
)
def test_any_depth_and_sampling_decodes_to_its_colours(
    name, codec, pixel_format, options, tmp_path
):
    full = ColorRange.JPEG if "j" in pixel_format else ColorRange.MPEG
    path = encode(
        tmp_path / name, [card()] * 3, codec, pixel_format, options=options, color_range=full
    )
    frames = read(path)
    assert len(frames) == 3
    assert max(distance(frame.image, card()) for frame in frames) <= 4


def limited(luma: np.ndarray) -> np.ndarray:
    """Luma from 16 to 235 of luma from 0 to 255."""
    return np.rint(16 + luma * (219 / 255)).astype(np.uint8)


@pytest.mark.parametrize("pixel_format", ["gray", "gray10le"])
@pytest.mark.parametrize(
    ("codec", "tag", "is_limited"),
    [
        *[(codec, "tv", True) for codec in ("libx264", "libx265", "ffv1")],
        *[(codec, "pc", False) for codec in ("libx264", "libx265", "ffv1")],
        ("libx264", None, True),  # as their standards say
        ("libx265", None, True),
        ("ffv1", None, False),  # as FFmpeg takes grey that says nothing
    ],
)
def test_grey_becomes_three_equal_channels_of_its_range(
    codec, tag, is_limited, pixel_format, tmp_path
):
    wanted = card(grey=True)
    luma = limited(wanted[..., 0]) if is_limited else wanted[..., 0]
    lossless = {"libx264": {"crf": "0"}, "libx265": {"x265-params": "lossless=1:log-level=none"}}
    # Luma is written as it is, which `encode` would convert.
    with av.open(str(tmp_path / "in.mkv"), "w") as container:
        stream = container.add_stream(codec, rate=25, options=lossless.get(codec, {}))
        stream.width, stream.height, stream.pix_fmt = 128, 96, pixel_format
        picture = av.VideoFrame.from_ndarray(
            luma if pixel_format == "gray" else luma.astype(np.uint16) << 2, format=pixel_format
        )
        if tag:
            tagged = ColorRange.MPEG if tag == "tv" else ColorRange.JPEG
            stream.codec_context.color_range = picture.color_range = tagged
        container.mux(stream.encode(picture))
        container.mux(stream.encode())
    (frame,) = read(tmp_path / "in.mkv")
    assert (frame.image[..., :1] == frame.image).all()
    assert distance(frame.image, wanted) <= 1


@pytest.mark.parametrize(
    ("name", "codec", "pixel_format"),
    [
        ("a.webm", "libvpx-vp9", "yuva420p"),
        ("prores.mov", "prores_ks", "yuva444p10le"),
        ("a.mov", "qtrle", "argb"),
        ("png.mov", "png", "rgba"),
        ("a.mkv", "ffv1", "bgra"),
    ],
)
def test_alpha_is_dropped_and_the_colours_below_it_stay(name, codec, pixel_format, tmp_path):
    alpha = np.full((96, 128, 1), 255, np.uint8)
    alpha[:48] = 0
    options = {"crf": "2", "b": "0"} if codec == "libvpx-vp9" else {}
    path = encode(
        tmp_path / name, [np.dstack([card(), alpha])] * 2, codec, pixel_format, options=options
    )
    frames = read(path)
    assert len(frames) == 2
    assert distance(frames[0].image, card()) <= 4
    assert frames[0].mask is None
    with ClipSource(path, alpha=True) as source:
        masks = [frame.mask for frame in source]
    if codec == "libvpx-vp9":  # whose decoder drops it
        assert masks == [None, None]
    else:
        np.testing.assert_array_equal(masks, np.broadcast_to(alpha[..., 0] > 0, (2, 96, 128)))


@pytest.mark.parametrize("color_range", [ColorRange.MPEG, ColorRange.JPEG])
@pytest.mark.parametrize("matrix", [1, 6])
@pytest.mark.parametrize("depth", ["yuv420p", "yuv420p10le"])
def test_colours_are_decoded_by_the_matrix_and_range_of_their_tags(
    depth, matrix, color_range, tmp_path
):
    path = encode(
        tmp_path / "a.mp4",
        [card()] * 2,
        "libx264",
        depth,
        options={"crf": "1"},
        matrix=matrix,
        color_range=color_range,
    )
    assert distance(read(path)[0].image, card()) <= 4


@pytest.mark.parametrize(
    ("width", "height", "matrix"),
    [(128, 96, 6), (1024, 576, 6), (1280, 534, 1), (1278, 576, 6), (720, 578, 1), (1920, 1080, 1)],
)
def test_untagged_colours_are_taken_as_players_take_them(width, height, matrix, tmp_path):
    square = min(width // 8, height // 6)
    image = np.zeros((height, width, 3), np.uint8)
    image[: 6 * square, : 8 * square] = card(square=square)
    path = encode(
        tmp_path / "a.mp4",
        [image] * 2,
        "libx264",
        "yuv420p",
        options={"crf": "1", "preset": "ultrafast"},
        matrix=matrix,
        is_tagged=False,
    )
    rows, columns = (slice(square // 2, n * square, square) for n in (6, 8))
    found, wanted = (picture[rows, columns] for picture in (read(path)[0].image, image))
    assert cv2.absdiff(found, wanted).max() <= 4


# By which (x, y) goes to (a x + c y, b x + d y), and where the upper left corner is seen.
MATRICES = {
    "none": ((1, 0, 0, 1), (0, 0)),
    "hflip": ((-1, 0, 0, 1), (0, -1)),
    "vflip": ((1, 0, 0, -1), (-1, 0)),
    "half a turn": ((-1, 0, 0, -1), (-1, -1)),
    "transpose": ((0, 1, 1, 0), (0, 0)),
    "transverse": ((0, -1, -1, 0), (-1, -1)),
    "left": ((0, -1, 1, 0), (-1, 0)),
    "right": ((0, 1, -1, 0), (0, -1)),
}


@pytest.mark.parametrize("name", MATRICES)
def test_a_clip_is_seen_as_its_display_matrix_says(name, tmp_path):
    matrix, corner = MATRICES[name]
    image = np.full((48, 64, 3), 40, np.uint8)
    image[:16, :16] = 220
    path = clips.make_clip(tmp_path / "a.mp4", images=[image] * 3)
    frames = read(clips.orient(path, matrix))
    assert len(frames) == 3
    found = frames[0].image
    assert found.shape == ((64, 48, 3) if matrix[0] == 0 else (48, 64, 3))
    bright = [at for at in [(0, 0), (0, -1), (-1, 0), (-1, -1)] if found[at].min() > 150]
    assert bright == [corner]


@pytest.mark.parametrize(("rotation", "wanted"), [(0, Fraction(4, 3)), (90, Fraction(3, 4))])
@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv"])
def test_pixels_that_are_not_square_keep_their_shape(rotation, wanted, suffix, tmp_path):
    path = encode(tmp_path / "a.mp4", [card()] * 3, "libx264", "yuv420p", aspect=Fraction(4, 3))
    if rotation:
        clips.orient(path, (0, -1, 1, 0))
    output = tmp_path / f"out{suffix}"
    with open_source(path) as source, open_sink(output, source.info) as sink:
        assert source.info.pixel_aspect == wanted
        for frame in source:
            sink.write(frame.image, frame.time)
    with av.open(str(output)) as clip:
        assert clip.streams.video[0].sample_aspect_ratio == wanted
    with open_source(output) as source:
        assert source.info.pixel_aspect == wanted


# Key pictures


def frames_of(path: Path) -> list[Frame]:
    frames = read(path)
    assert len(frames) == 60
    return frames


X264 = {"crf": "20", "preset": "veryfast"}
VFR = np.cumsum([4, 4, 2, 40, 3, 1] * 10).tolist()


@pytest.mark.parametrize(
    ("name", "codec", "options", "more"),
    [
        ("closed.mp4", "libx264", {**X264, "g": "12", "bf": "2"}, {}),
        ("vfr.mp4", "libx264", {**X264, "g": "12", "bf": "2"}, {"times": VFR}),
        ("vfr.mkv", "libx264", {**X264, "g": "12", "bf": "2"}, {"times": VFR}),
        ("open.mp4", "libx264", {**X264, "g": "12", "x264-params": "open-gop=1:bframes=3"}, {}),
        ("open.ts", "libx264", {**X264, "g": "12", "x264-params": "open-gop=1:bframes=3"}, {}),
        ("open.mkv", "mpeg2video", {"g": "12", "bf": "2"}, {}),
        ("b.avi", "mpeg4", {"g": "12", "bf": "2"}, {}),
        (
            "open_hevc.mp4",
            "libx265",
            {"x265-params": "keyint=12:min-keyint=12:open-gop=1:bframes=3:log-level=none"},
            {},
        ),
        ("vp9.webm", "libvpx-vp9", {"g": "12", "deadline": "realtime", "cpu-used": "8"}, {}),
        ("refresh.mp4", "libx264", {**X264, "x264-params": "intra-refresh=1:keyint=12"}, {}),
        ("one_key.mp4", "libx264", {**X264, "g": "250", "bf": "2"}, {}),
        ("sound.mp4", "libx264", {**X264, "g": "12", "bf": "2"}, {"sound": Sound(start=-0.1)}),
    ],
)
def test_a_section_is_decoded_from_a_key_picture_to_the_very_same_frames(
    name, codec, options, more, tmp_path
):
    path = encode(tmp_path / name, moving(60), codec, "yuv420p", options=options, **more)
    frames = frames_of(path)
    for place in (1, 11, 12, 13, 25, 37, 59):
        start = round(frames[place].time - frames[0].time, 6)
        with SectionSource(ClipSource(path), start) as section:
            found = list(section)
        wanted = frames[place:]
        assert [(f.index, f.time) for f in found] == [(f.index, f.time) for f in wanted]
        assert all((a.image == b.image).all() for a, b in zip(found, wanted, strict=True))


def test_a_section_leaves_what_is_before_its_key_picture_undecoded(tmp_path, monkeypatch):
    options = {**X264, "g": "12", "bf": "2"}
    path = encode(tmp_path / "a.mp4", moving(60), "libx264", "yuv420p", options=options)
    packet = find_key_packet(path, 40 / 25)
    with av.open(str(path)) as clip:
        keys = [i for i, p in enumerate(clip.demux(video=0)) if p.is_keyframe]
    assert packet.number == keys[3]
    with ClipSource(path) as source:
        source.skip(40 / 25)
        indices = [frame.index for frame in source]
    assert indices == [0, *range(36, 60)]


def test_packets_that_only_claim_to_be_keys_are_found_out(tmp_path):
    path = encode(tmp_path / "a.avi", moving(60), "msmpeg4", "yuv420p", options={"g": "250"})
    data = bytearray(path.read_bytes())
    index = data.index(b"idx1") + 8
    for flags in range(index + 4, len(data), 16):
        data[flags] |= 0x10
    path.write_bytes(data)
    assert find_key_packet(path, 1.0).number == 24
    frames = frames_of(path)
    with SectionSource(ClipSource(path), 1.0) as section:
        found = list(section)
    assert [f.index for f in found] == list(range(25, 60))
    assert (found[0].image == frames[25].image).all()


# Containers


@pytest.mark.parametrize("n_early", [1, 13, 20])
def test_frames_before_time_zero_keep_their_distances(n_early, tmp_path):
    times = [4 * (i - n_early) for i in range(30)]
    muxer = {"avoid_negative_ts": "disabled"}
    path = encode(
        tmp_path / "in.mkv", moving(30), "libx264", "yuv420p", times=times, muxer=muxer
    )  # fmt: skip
    with ClipSource(path) as source:
        assert [frame.time for frame in source] == pytest.approx([t / 100 for t in times])


def test_an_edit_list_is_obeyed(tmp_path):
    """As a cut without encoding leaves it: from the key picture on, the first ones hidden."""
    options = {**X264, "g": "12", "bf": "2"}
    whole = encode(tmp_path / "a.mp4", moving(60), "libx264", "yuv420p", options=options)
    cut = tmp_path / "cut.mp4"
    with av.open(str(whole)) as clip, av.open(str(cut), "w") as output:
        stream = output.add_stream_from_template(clip.streams.video[0])
        for packet in clip.demux(video=0):
            if packet.dts is None:
                continue
            shift = round(Fraction(30, 25) / packet.time_base)
            if packet.pts < round(Fraction(24, 25) / packet.time_base):
                continue
            packet.pts, packet.dts, packet.stream = packet.pts - shift, packet.dts - shift, stream
            output.mux(packet)
    frames, wanted = read(cut), read(whole)[30:]
    assert [frame.time for frame in frames] == [i / 25 for i in range(30)]
    assert all((a.image == b.image).all() for a, b in zip(frames, wanted, strict=True))


def test_a_transport_stream_goes_on_where_its_clock_starts_again(tmp_path):
    """33 bits of 90 kHz are used up after 26.5 hours."""
    start = round(100 * ((1 << 33) / 90000 - 1))
    options = {**X264, "g": "12", "bf": "2"}
    times = [start + 4 * i for i in range(60)]
    path = encode(tmp_path / "a.ts", moving(60), "libx264", "yuv420p", options=options, times=times)
    frames = frames_of(path)
    assert np.diff([frame.time for frame in frames]) == pytest.approx(0.04)
    output = tmp_path / "out.mp4"
    with open_source(path) as source, open_sink(output, source.info) as sink:
        for frame in source:
            sink.write(frame.image, frame.time)
    assert len(read(output)) == 60


def test_the_streams_of_camcorders_are_read(tmp_path):
    """.mts and .m2ts: packets of 192 bytes."""
    muxer = {"mpegts_m2ts_mode": "1"}
    for name in ("a.mts", "a.m2ts"):
        path = tmp_path / name
        with av.open(str(path), "w", format="mpegts", options=muxer) as container:
            stream = container.add_stream("libx264", rate=25)
            stream.width, stream.height, stream.pix_fmt = 128, 96, "yuv420p"
            for image in moving(10):
                container.mux(stream.encode(av.VideoFrame.from_ndarray(image, "bgr24")))
            container.mux(stream.encode())
        assert path.read_bytes()[4] == 0x47
        assert [frame.index for frame in read(path)] == list(range(10))
