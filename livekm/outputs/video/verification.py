"""Look at a written clip again: whether it holds what was written, and what can be saved."""

from __future__ import annotations

import contextlib
from fractions import Fraction
from pathlib import Path

import av

from livekm.outputs.video.mp4_boxes import cut_last_fragment

_TOLERANCE = Fraction(2, 1000)  # Matroska rounds times to milliseconds


def find_fault(path: Path, n_frames: int, seconds: Fraction) -> str | None:
    """Read a clip's packets, without decoding them, and return what is wrong with it.

    Parameters
    ----------
    path : Path
    n_frames : int
        The number of frames that were written.
    seconds : Fraction
        From the first frame's time to the last one's.

    Returns
    -------
    fault : str or None
        What is wrong; None for a clip that is whole.
    """
    try:
        with av.open(str(path)) as clip:
            stream = clip.streams.video[0]
            packets = [packet for packet in clip.demux(stream) if packet.size]
            # AVI numbers frames in decoding order, and repeats the number of a long one.
            is_avi = clip.format.name == "avi"
            stamps = [(packet.dts if is_avi else packet.pts) or 0 for packet in packets]
            stated = 0 if is_avi else stream.frames
            stated = stated or len(stamps)  # Matroska states no number
            time_base = Fraction(stream.time_base or 1)
    except (av.FFmpegError, IndexError) as error:
        return f"it cannot be read again: {error}"
    if not len(stamps) == stated == n_frames:
        return f"it holds {min(len(stamps), stated)} of {n_frames} frames"
    found = (stamps[-1] - stamps[0]) * time_base
    if abs(found - seconds) > _TOLERANCE:
        return f"its frames take {float(found):.3f} s, not {float(seconds):.3f} s"
    return None


def rescue_clip(path: Path) -> bool:
    """Leave of a clip that could not be completed what can be read; tell whether that has pictures.

    MP4 and MOV are written in fragments: one that is not whole is cut off. Readers of the other
    containers stop by themselves where the file does.
    """
    with contextlib.suppress(OSError):  # of a disk that takes nothing any more
        cut_last_fragment(path)
    try:
        with av.open(str(path)) as clip:
            return any(p.size and not p.is_discard for p in clip.demux(video=0))
    except (av.FFmpegError, IndexError):
        return False
