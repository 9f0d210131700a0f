"""List the codecs and containers of clips, a row each."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from types import MappingProxyType

from livekm.errors import UsageError
from livekm.validation import check_range


@dataclass(frozen=True, slots=True)
class Codec:
    """Describe a codec and its encoder.

    Attributes
    ----------
    encoder : str
        FFmpeg's name of the encoder.
    pixel_format : str
        Of its pictures: one of `livekm.outputs.video.pixel_formats.CONVERSIONS`.
    alpha_format : str
        The same of pictures that are transparent in parts; empty where it takes none.
    alpha_containers : tuple of str
        Suffixes of the files that hold these.
    containers : tuple of str
        Suffixes of the files in which players read it.
    crf : range
        The qualities on offer, less is better; empty if there is no choice.
    default_crf : int
    presets : sequence of str
        From the fastest to the slowest; empty if there is no choice.
    default_preset : str
    preset_option : str
        The encoder's name of its preset.
    options : mapping
        Further options of the encoder.
    is_even : bool
        Whether its pictures have an even width and height.
    needs_rate : bool
        Whether it takes ticks of the time base for frames if no rate is stated.
    pool : tuple of str, optional
        The option, and the parameter in it, that sets the encoder's own thread pool, which
        FFmpeg's option does not reach.
    tag : str
        Its name in MP4 and MOV, if players do not know the one that FFmpeg chooses.
    """

    encoder: str
    pixel_format: str
    containers: tuple[str, ...]
    crf: range = range(0)
    default_crf: int = 0
    presets: Sequence[str] = ()
    default_preset: str = ""
    preset_option: str = "preset"
    options: Mapping[str, str] = field(default_factory=dict)
    is_even: bool = False
    needs_rate: bool = False
    pool: tuple[str, str] | None = None
    tag: str = ""
    alpha_format: str = ""
    alpha_containers: tuple[str, ...] = ()


_X264_PRESETS = (
    "ultrafast superfast veryfast faster fast medium slow slower veryslow placebo".split()  # noqa: SIM905
)

# No codec has B-frames. MP4 adds up its duration in decoding order, which without them is that of
# the times: a clip of varying rate would otherwise seem shorter than it is. It costs a tenth of
# the size. The defaults were measured, see docs/clips.md.
CODECS: Mapping[str, Codec] = MappingProxyType({
    "h264": Codec(
        "libx264", "yuv420p", (".mp4", ".mov", ".mkv", ".avi"),
        crf=range(52), default_crf=18, presets=_X264_PRESETS, default_preset="veryfast",
        # x264 looks ten frames ahead and more; three take 80 MB less at 1080p, and clips of few
        # colours become 5 % smaller, their edges a level less exact.
        options={"bf": "0", "rc-lookahead": "3"}, is_even=True,
    ),
    "hevc": Codec(
        "libx265", "yuv420p", (".mp4", ".mov", ".mkv"),
        crf=range(52), default_crf=20, presets=_X264_PRESETS, default_preset="ultrafast",
        options={"x265-params": "bframes=0:log-level=error"}, is_even=True,
        pool=("x265-params", "pools"), tag="hvc1",
    ),
    "av1": Codec(
        "libsvtav1", "yuv420p", (".mp4", ".mkv", ".webm"),
        crf=range(1, 64), default_crf=30,
        presets=[str(speed) for speed in range(12, -1, -1)], default_preset="10",
        needs_rate=True, pool=("svtav1-params", "lp"),
    ),
    "vp9": Codec(
        "libvpx-vp9", "yuv420p", (".webm", ".mkv", ".mp4"),
        crf=range(64), default_crf=24,
        presets=[str(speed) for speed in range(8, -1, -1)], default_preset="8",
        preset_option="cpu-used", options={"b": "0", "deadline": "realtime", "row-mt": "1"},
        alpha_format="yuva420p", alpha_containers=(".webm", ".mkv"),
    ),
    "prores": Codec(  # 4444, for editing
        "prores_ks", "yuv444p10le", (".mov", ".mkv"), options={"profile": "4444"},
        alpha_format="yuva444p10le", alpha_containers=(".mov", ".mkv"),
    ),
    "ffv1": Codec(  # lossless; version 3 checks each slice by a checksum
        "ffv1", "bgr0", (".mkv", ".avi"), options={"level": "3", "slicecrc": "1", "g": "1"},
        alpha_format="bgra", alpha_containers=(".mkv",),
    ),
    "gif": Codec("gif", "pal8", (".gif",)),
})  # fmt: skip
"""Every codec by the name that the user gives it."""


@dataclass(frozen=True, slots=True)
class Container:
    """Describe a container and how exact its times are.

    Attributes
    ----------
    format : str
        FFmpeg's name of the format.
    codec : str
        The codec where none is asked for.
    options : mapping
        FFmpeg's options for the file.
    alone : mapping
        Other values of these where the picture is its only track.
    ticks : int
        Frames can be shown at so many moments in a second; 0 where any time base goes.
    has_frame_ticks : bool
        Whether the moments are those of the nominal rate instead, where there is one.
    spacing : int
        Ticks from one frame to the next, at least.
    from_zero : bool
        Whether the first frame is always shown at 0.
    """

    format: str
    codec: str = "h264"
    options: Mapping[str, str] = field(default_factory=dict)
    alone: Mapping[str, str] = field(default_factory=dict)
    ticks: int = 0
    has_frame_ticks: bool = False
    spacing: int = 1
    from_zero: bool = False

    def time_base(self, source: Fraction | None, fps: Fraction | None) -> Fraction:
        """Return the seconds a tick of a clip, whose source counts in `source` seconds.

        Examples
        --------
        >>> CONTAINERS[".avi"].time_base(Fraction(1, 90000), Fraction(30000, 1001))
        Fraction(1001, 30000)
        """
        if self.has_frame_ticks and fps is not None:
            return 1 / fps
        return Fraction(1, self.ticks) if self.ticks else source or FINE_TIME_BASE


# For sources without a time base: exact for the usual rates, 6 microseconds off at worst.
FINE_TIME_BASE = Fraction(1, 90000)

# Write each packet to the disk at once, where it outlives a killed process.
_FLUSHED = {"flush_packets": "1"}
# Fragments of half a second can be played up to the moment at which the process is killed or the
# disk is full. At the end FFmpeg makes of them a file like any other, with one index. Without its
# edit list it would forget when picture and sound begin.
_FRAGMENTED = {
    "movflags": "+hybrid_fragmented",
    "frag_duration": "500000",  # microseconds
    "use_editlist": "1",
    **_FLUSHED,
}
# Matroska and AVI would move all tracks by the few milliseconds that a sound encoder needs ahead.
_UNMOVED = {"avoid_negative_ts": "disabled", **_FLUSHED}
# The first index would have an edit list of no length, for which readers leave out the pictures of
# the first fragment. Beside other tracks, it would wait for the first packet of each.
_ALONE = {"movflags": "+hybrid_fragmented+delay_moov"}
_CLUSTERED = {**_UNMOVED, "cluster_time_limit": "1000"}  # milliseconds that wait in memory

CONTAINERS: Mapping[str, Container] = MappingProxyType({
    ".mp4": Container("mp4", options=_FRAGMENTED, alone=_ALONE),
    ".mov": Container("mov", options=_FRAGMENTED, alone=_ALONE),
    ".mkv": Container("matroska", options=_CLUSTERED),
    ".webm": Container("webm", "vp9", options=_CLUSTERED),
    # AVI counts frames and has no times: one that is shown for longer is followed by empty ones.
    # Its tracks all begin at 0.
    ".avi": Container("avi", options=_UNMOVED, ticks=100, has_frame_ticks=True, from_zero=True),
    # Browsers clamp delays of 10 ms to 100 ms.
    ".gif": Container("gif", "gif", options=_FLUSHED, ticks=100, spacing=2, from_zero=True),
})  # fmt: skip
"""Suffix of a clip's file -> what it is."""


@dataclass(frozen=True, slots=True)
class EncoderOptions:
    """Choose codec, quality, speed and threads of a clip's encoder.

    Attributes
    ----------
    codec : str or None
        One of `CODECS`; None takes the container's own.
    crf : int or None
        The quality, less is better; None takes the codec's default.
    preset : str or None
        The encoder's speed; None takes the codec's default.
    threads : int or None
        How many threads encode; None leaves it to the encoder.
    """

    codec: str | None = None
    crf: int | None = None
    preset: str | None = None
    threads: int | None = None


DEFAULT_ENCODER = EncoderOptions()


@dataclass(frozen=True, slots=True)
class Encoding:
    """Join a container, a codec that goes into it, the encoder's options, and the threads."""

    container: Container
    codec: Codec
    options: Mapping[str, str]
    threads: int | None = None


def choose_encoding(
    path: str | os.PathLike[str], asked: EncoderOptions = DEFAULT_ENCODER
) -> Encoding:
    """Return how a clip is written: by its suffix, and by what is asked for.

    Parameters
    ----------
    path : path
        The clip; its suffix tells the container.
    asked : EncoderOptions, optional

    Raises
    ------
    ValueError
        If the suffix or the codec is unknown, or if they or the options do not go together.

    Examples
    --------
    >>> choose_encoding("out.webm").codec.encoder
    'libvpx-vp9'
    >>> choose_encoding("out.webm", EncoderOptions(codec="hevc"))
    Traceback (most recent call last):
    livekm.errors.UsageError: .webm does not hold hevc; end the name in .mp4, ...
    """
    suffix = Path(path).suffix.lower()
    if suffix not in CONTAINERS:
        raise UsageError(f"expected a name that ends in {', '.join(CONTAINERS)}, got {path}")
    container = CONTAINERS[suffix]
    name = asked.codec or container.codec
    if name not in CODECS:
        raise UsageError(f"there is no codec {name}; choose {_any_of(CODECS)}")
    row = CODECS[name]
    if suffix not in row.containers:
        fitting = [known for known, other in CODECS.items() if suffix in other.containers]
        fitting.sort(key=lambda known: known != container.codec)
        raise UsageError(
            f"{suffix} does not hold {name}; end the name in {_any_of(row.containers)}, "
            f"or choose {_any_of(fitting)}"
        )
    options = dict(row.options)
    if row.crf:
        crf = row.default_crf if asked.crf is None else asked.crf
        if isinstance(crf, bool) or crf not in row.crf:
            raise UsageError(f"the crf of {name} is {row.crf[0]} to {row.crf[-1]}, got {crf}")
        options["crf"] = str(crf)
    elif asked.crf is not None:
        raise UsageError(f"{name} has no crf, {_why_no_choice(name)}; leave it out")
    if row.presets:
        preset = asked.preset or row.default_preset
        if preset not in row.presets:
            raise UsageError(f"{name} has no preset {preset}; choose {_any_of(row.presets)}")
        options[row.preset_option] = preset
    elif asked.preset is not None:
        raise UsageError(f"{name} has no presets, {_why_no_choice(name)}; leave it out")
    if asked.threads is not None:
        check_range("threads", asked.threads, 1, 256)
        options["threads"] = str(asked.threads)
        if row.pool:
            option, name = row.pool
            others = [options[option]] if option in options else []
            options[option] = ":".join([*others, f"{name}={asked.threads}"])
    return Encoding(container, row, options, asked.threads)


def alpha_codec(path: str | os.PathLike[str], codec: str | None = None) -> str:
    """Return the codec of a clip that is transparent in parts: the one asked for, or one that fits.

    Raises
    ------
    UsageError
        If it cannot be transparent.

    Examples
    --------
    >>> alpha_codec("out.webm"), alpha_codec("out.mov"), alpha_codec("out.mkv")
    ('vp9', 'prores', 'ffv1')
    """
    suffix = Path(path).suffix.lower()
    fitting = [name for name, row in CODECS.items() if suffix in row.alpha_containers]
    if codec in fitting:
        return codec
    if codec is None and fitting:
        return _ALPHA_CODECS[suffix]
    raise UsageError(
        f"{path} cannot be transparent{f' in {codec}' if codec else ''}: "
        f"end it in {', '.join(_ALPHA_CODECS)}, take images out/%06d.png, or --rest original"
    )


_ALPHA_CODECS = {".webm": "vp9", ".mov": "prores", ".mkv": "ffv1"}


def _any_of(names: Mapping[str, object] | Sequence[str]) -> str:
    *first, last = names
    return f"{', '.join(first)} or {last}" if first else last


def _why_no_choice(name: str) -> str:
    reasons = {"ffv1": "it is lossless", "prores": "it is for editing"}
    return reasons.get(name, "it has 256 colours")
