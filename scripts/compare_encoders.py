"""What encoders make of segmented pictures: size, time, and how near their colours stay.

    python scripts/compare_encoders.py [CLIP] [--frames 60] [-k 8] [--only h264 vp9]

Sizes are in kilobytes a second of clip, times in milliseconds of processor a frame. An error is the
largest of the three channels' differences between a pixel's decoded and painted colour; half of
the pixels are below the first, all but one in a hundred below the second.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from dataclasses import replace
from itertools import islice
from pathlib import Path

import av
import numpy as np

from livekm import Segmenter, open_source
from livekm.frame import Frame, VideoInfo
from livekm.outputs import CODECS, ClipSink, EncoderOptions

SETTINGS = {
    "h264": [(18, "ultrafast"), (18, "superfast"), (18, "veryfast"), (23, "veryfast"),
             (12, "veryfast"), (18, "faster"), (18, "medium")],
    "hevc": [(20, "ultrafast"), (20, "superfast"), (24, "ultrafast")],
    "av1": [(30, "12"), (30, "10"), (30, "8"), (20, "10")],
    "vp9": [(24, "8"), (24, "6"), (32, "8")],
    "ffv1": [(None, None)],
    "gif": [(None, None)],
}  # fmt: skip


def compare(frames: list[Frame], info: VideoInfo, codec: str, crf: int | None, preset: str | None):
    """Encode the frames; return kilobytes a second, ms a frame and the two errors."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, f"out{CODECS[codec].containers[0]}")
        before = sum(os.times()[:2])
        with ClipSink(path, info, encoder=EncoderOptions(codec, crf, preset), verify=False) as sink:
            for frame in frames:
                sink.write(frame.image, frame.time)
        used = 1e3 * (sum(os.times()[:2]) - before) / len(frames)
        seconds = frames[-1].time - frames[0].time
        size = path.stat().st_size / seconds / 1e3
        counts = np.zeros(256, np.int64)
        with av.open(str(path)) as clip:
            for frame, decoded in zip(frames, clip.decode(video=0), strict=True):
                height, width = frame.image.shape[:2]
                image = decoded.to_ndarray(format="bgr24")[:height, :width]
                errors = np.abs(image.astype(np.int16) - frame.image).max(axis=2)
                counts += np.bincount(errors.ravel(), minlength=256)
    below = np.cumsum(counts) / counts.sum()
    return size, used, *(int(np.searchsorted(below, share)) for share in (0.5, 0.99))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("clip", nargs="?", default="demo", help="default: the built-in scene")
    parser.add_argument("--frames", type=int, default=60)
    parser.add_argument("-k", type=int, default=8)
    parser.add_argument("--only", nargs="+", choices=SETTINGS, default=list(SETTINGS))
    options = parser.parse_args()
    segmenter = Segmenter(options.k, random_state=0)
    with open_source(options.clip) as source:
        info = replace(source.info, path=None)  # without its sound
        painted = [
            Frame(segmenter.update(frame.image).paint(), frame.index, frame.time)
            for frame in islice(source, options.frames)
        ]
    print("codec   crf     preset     kB/s      ms  median  99 %")
    for codec in options.only:
        for crf, preset in SETTINGS[codec]:
            size, used, middle, most = compare(painted, info, codec, crf, preset)
            print(
                f"{codec:6s} {crf or '':>4} {preset or '':>10s} {size:8.0f} {used:7.1f} "
                f"{middle:7d} {most:5d}",
                flush=True,
            )


if __name__ == "__main__":
    main()
