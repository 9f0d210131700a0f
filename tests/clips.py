"""Real clips for tests, made on the spot with PyAV.

Every frame is a flat grey whose level tells its index, so a test knows which frame it got.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt


@dataclass(frozen=True)
class Sound:
    """Silence with one click, in seconds: where it begins, clicks, and ends (with the picture)."""

    start: float = 0.0
    click: float | None = None
    end: float | None = None
    codec: str = "aac"

    def frames(self, end: float) -> Iterator[av.AudioFrame]:
        """Packets' worth of samples, 48,000 a second."""
        first, last = round(48000 * self.start), round(48000 * (self.end or end))
        n = 1024
        for start in range(first, last, n):
            samples = np.zeros((1, 2 * n), np.int16)
            if self.click is not None and 0 <= round(48000 * self.click) - start < n:
                samples[0, 2 * (round(48000 * self.click) - start) :][:16] = 30000
            frame = av.AudioFrame.from_ndarray(samples, format="s16", layout="stereo")
            frame.sample_rate, frame.pts, frame.time_base = 48000, start, Fraction(1, 48000)
            yield frame


MILLISECOND = Fraction(1, 1000)


def level_of(index: int) -> int:
    """The grey level of frame `index`: far enough apart to survive H.264, 25 before it repeats."""
    return 20 + 9 * (index % 25)


def index_of(image: npt.NDArray[np.uint8]) -> int:
    """Which of the 25 grey levels an image shows: the inverse of `level_of` below 25."""
    return round((float(np.median(image)) - 20) / 9)


def flat_image(index: int, width: int, height: int) -> npt.NDArray[np.uint8]:
    """(H, W, 3) uint8 BGR of one grey."""
    return np.full((height, width, 3), level_of(index), np.uint8)


def make_clip(
    path: str | Path,
    n_frames: int = 10,
    *,
    width: int = 64,
    height: int = 48,
    fps: Fraction | int = 25,
    times: Sequence[Fraction | float] | None = None,
    images: Iterable[npt.NDArray[np.uint8]] | None = None,
    rotation: int = 0,
    audio: bool = False,
    sound: Sound | None = None,
    metadata: Mapping[str, str] | None = None,
    codec: str = "libx264",
    gop: int = 5,
    b_frames: int = 0,
    index_first: bool = False,
    fragmented: bool = False,
) -> Path:
    """Write a clip and give its path; the container follows from the suffix.

    Parameters
    ----------
    path : str or Path
        Where to write.
    n_frames : int
        Number of frames; ignored where `images` or `times` say it.
    width, height : int
        Stored size in pixels, before rotation.
    fps : Fraction or int
        Frame rate; with `times` only the rate that the encoder is told.
    times : sequence of Fraction or float, optional
        Presentation times in seconds, for a variable frame rate or a late start; kept to 1 ms.
    images : iterable of (H, W, 3) uint8 BGR, optional
        The frames; flat greys where it is left out.
    rotation : {0, 90, 180, 270}
        Degrees by which a player turns the picture counter-clockwise (a display matrix).
    audio : bool
        Add a second stream: AAC of silence as long as the picture.
    sound : Sound, optional
        Add this sound.
    metadata : mapping, optional
        The container's: title, creation_time and so on.
    codec : str
        PyAV's name of the video codec.
    gop, b_frames : int
        Distance of key frames, number of consecutive B-frames.
    index_first : bool
        Put an MP4's index (moov) before the pictures, so that a cut-off file can be opened.
    fragmented : bool
        Write an MP4 whose index is in many parts, one from each key frame on.
    """
    path = Path(path)
    if times is not None:
        n_frames = len(times)
    if images is None:
        images = (flat_image(i, width, height) for i in range(n_frames))
    time_base = MILLISECOND if times is not None else 1 / Fraction(fps)
    movflags = {"movflags": "faststart"} if index_first else {}
    if fragmented:
        movflags = {"movflags": "frag_keyframe"}
    with av.open(str(path), "w", options=movflags) as container:
        by_crf = {"libx264": {"preset": "veryfast"}, "libvpx-vp9": {"b": "0", "cpu-used": "8"}}
        qualities = {"crf": "12"} if codec in by_crf else {"qmin": "1", "qmax": "2"}
        options = {**by_crf.get(codec, {}), **qualities}
        stream = container.add_stream(codec, rate=Fraction(fps), options=options)
        stream.width, stream.height = width, height
        stream.pix_fmt = "yuv420p"
        stream.time_base = stream.codec_context.time_base = time_base
        stream.codec_context.gop_size = gop
        stream.codec_context.max_b_frames = b_frames
        container.metadata.update(metadata or {})
        if audio:
            sound = Sound()
        if sound is not None:
            track = container.add_stream(sound.codec, rate=48000)
            track.metadata["language"] = "nor"
        last = 0.0
        for i, image in enumerate(images):
            frame = av.VideoFrame.from_ndarray(image, format="bgr24")
            frame.time_base = time_base
            frame.pts = i if times is None else round(Fraction(times[i]) / time_base)
            last = float(frame.pts * time_base)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
        if sound is not None:
            for frame in sound.frames(last + 1 / float(fps)):
                container.mux(track.encode(frame))
            container.mux(track.encode())
    if rotation:
        _rotate(path, rotation)
    return path


def noise_images(
    n_frames: int, width: int = 128, height: int = 96
) -> Iterator[npt.NDArray[np.uint8]]:
    """Frames that do not compress, so that every stretch of the file is full of picture."""
    rng = np.random.default_rng(0)
    for _ in range(n_frames):
        yield rng.integers(0, 256, (height, width, 3), dtype=np.uint8)


def damage(path: str | Path, start: float, length: int) -> Path:
    """Overwrite `length` bytes with zeros, from the share `start` (0 to 1) of the file on."""
    path = Path(path)
    data = bytearray(path.read_bytes())
    first = int(start * len(data))
    data[first : first + length] = bytes(length)
    path.write_bytes(data)
    return path


def make_sound(path: str | Path, seconds: float = 0.5) -> Path:
    """Write a file that has sound and no picture."""
    path = Path(path)
    with av.open(str(path), "w") as container:
        sound = container.add_stream("aac", rate=48000)
        for frame in Sound().frames(seconds):
            container.mux(sound.encode(frame))
        container.mux(sound.encode())
    return path


def track(path: Path, kind: str) -> list[tuple[float, bytes]]:
    """The packets of the first track of a kind: their times and contents."""
    with av.open(str(path)) as clip:
        stream = next(stream for stream in clip.streams if stream.type == kind)
        return [
            (float(packet.pts * packet.time_base), bytes(packet))
            for packet in clip.demux(stream)
            if packet.pts is not None
        ]


def _rotate(path: Path, degrees: int) -> None:
    a, b = {90: (0, -1), 180: (-1, 0), 270: (0, 1)}[degrees]
    orient(path, (a, b, -b, a))


def orient(path: Path, matrix: tuple[int, int, int, int]) -> Path:
    """Put a display matrix into an MP4's track header: (x, y) goes to (a x + c y, b x + d y)."""
    a, b, c, d = (value << 16 for value in matrix)
    box = np.array([a, b, 0, c, d, 0, 0, 0, 1 << 30], ">i4").tobytes()
    data = bytearray(path.read_bytes())
    # A version 0 track header: the matrix lies 44 bytes behind the name of the box.
    start = data.index(b"tkhd") + 44
    data[start : start + len(box)] = box
    path.write_bytes(data)
    return path
