"""scripts/benchmark_peers.py measures what is there, and says what is not."""

from __future__ import annotations

import re
import sys
from itertools import islice
from pathlib import Path

import cv2
import forked
import numpy as np
from conftest import without_display

from livekm import open_sink, open_source

SCRIPT = Path(__file__).parents[1] / "scripts" / "benchmark_peers.py"


def test_each_peer_is_a_row_also_one_that_is_missing(tmp_path):
    with (
        open_source("demo", width=160, height=96) as source,
        open_sink(tmp_path / "clip.mp4", fps=30) as sink,
    ):
        for frame in islice(source, 4):
            sink.write(frame.image, frame.time)
    plot = tmp_path / "peers.png"
    words = [tmp_path / "clip.mp4", "--frames", 4, "-k", 3, "--plot", plot]
    environment = {**without_display(), "PYTHONPATH": str(SCRIPT.parents[1])}
    done = forked.run([sys.executable, SCRIPT, *words], env=environment)
    assert done.returncode == 0, done.stderr  # peers may warn
    rows = re.findall(r"^\| ([^|]+) \| ([^|]+) \| ([^|]*) \|", done.stdout, re.MULTILINE)
    found = {name: (first, second) for name, first, second in rows}
    for name in ("livekm", "OpenCV", "Pillow", "ffmpeg elbg"):
        ms, mse = map(float, found[name])
        assert ms >= 0
        assert 0 < mse < 5000
    assert float(found["livekm"][1]) < 1.2 * float(found["OpenCV"][1])
    for name in ("scikit-learn, warm", "faiss", "imagequant", "SLIC"):
        assert found[name][0] == "missing" or float(found[name][0]) > 0
    assert np.ptp(cv2.imread(str(plot))) > 100
