"""The examples do what they say."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
import threading
from pathlib import Path

import cv2
import forked
import numpy as np
import pytest
import virtual_camera
from clips import make_clip
from xvfb import requires_xvfb, virtual_display

from livekm.sources import open_source

ROOT = Path(__file__).parents[1]
EXAMPLES = sorted((ROOT / "examples").glob("*.py"))


def run_example(name: str, *arguments: object, env: dict[str, str] | None = None) -> str:
    environment = {**(env or os.environ), "PYTHONPATH": str(ROOT)}
    command = [sys.executable, ROOT / "examples" / name, *arguments]
    done = forked.run(command, env=environment)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_examples_are_short(path):
    assert len(path.read_text(encoding="utf-8").splitlines()) < 60


@pytest.mark.parametrize("name", ["clip_to_file.py", "own_view.py"])
def test_a_clip_becomes_a_clip(name, tmp_path):
    make_clip(tmp_path / "in.mp4", 5)
    run_example(name, tmp_path / "in.mp4", tmp_path / "out.mp4")
    with open_source(tmp_path / "in.mp4") as before, open_source(tmp_path / "out.mp4") as after:
        assert [frame.time for frame in before] == [frame.time for frame in after]


def test_the_largest_segment_of_the_middle_is_cut_out(tmp_path):
    image = np.full((80, 80, 3), (0, 0, 255), np.uint8)
    image[20:60, 20:70], image[60:, :] = (0, 200, 0), (255, 0, 0)
    cv2.imwrite(str(tmp_path / "in.png"), image)
    assert run_example("cut_out.py", tmp_path / "in.png", tmp_path / "out.png") == (
        "3 colours, clear\n"
    )
    found = cv2.imread(str(tmp_path / "out.png"), cv2.IMREAD_UNCHANGED)
    assert (found[:, :, :3] == image).all()
    expected = (image == (0, 200, 0)).all(axis=2)
    assert np.array_equal(found[:, :, 3] > 0, expected)


@requires_xvfb
def test_a_camera_in_the_window(camera_library, tmp_path):
    image = np.full((120, 160, 3), (30, 60, 200), np.uint8)
    image[:40] = 250
    frames = virtual_camera.write_frames(tmp_path / "frames.yuyv", [image])
    camera = virtual_camera.environment(camera_library, frames, size=(160, 120), fps=30)
    names = [name for name in camera if name.startswith(("LIVEKM_", "LD_PRELOAD"))]
    with virtual_display() as display:
        env = display.environment(**{name: camera[name] for name in names})
        lines = run_example("webcam.py", 0, 100, env=env).splitlines()
    assert "segment" in lines[0]
    assert lines[-1].startswith("100 frames")


def test_segments_are_published_to_zeromq(tmp_path):
    zmq = pytest.importorskip("zmq")
    rows = [{"frame": frame, "label": label} for frame in (0, 1) for label in (0, 1, 2)]
    with zmq.Context() as context, context.socket(zmq.SUB) as socket:
        socket.subscribe("livekm")
        socket.connect(f"ipc://{tmp_path}/socket")
        socket.rcvtimeo = 20_000
        with subprocess.Popen(
            [sys.executable, ROOT / "examples" / "publish_zeromq.py", f"ipc://{tmp_path}/socket"],
            stdin=subprocess.PIPE,
            text=True,
        ) as process:
            # Until the subscriber is known, messages are dropped, as a radio's.
            while not socket.poll(100):
                for row in rows:
                    process.stdin.write(json.dumps(row) + "\n")
                process.stdin.flush()
            topic, message = socket.recv_multipart()
            process.stdin.close()
    assert (topic, process.returncode) == (b"livekm", 0)
    assert json.loads(message) in (rows[:3], rows[3:])


def test_a_light_follows_the_dominant_colour(tmp_path):
    """The broker of the test says CONNACK, and reads what is published."""
    pytest.importorskip("paho.mqtt")
    image = np.full((48, 64, 3), (30, 60, 200), np.uint8)
    image[:9] = 250
    make_clip(tmp_path / "in.mkv", images=[image] * 3, codec="ffv1")
    received = []

    def serve(server: socket.socket) -> None:
        connection, _ = server.accept()
        with connection:
            connection.recv(1024)
            connection.sendall(b"\x20\x02\0\0")  # CONNACK: accepted
            while data := connection.recv(1024):
                received.append(data)

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=serve, args=(server,))
        thread.start()
        address = f"127.0.0.1:{server.getsockname()[1]}"
        run_example("mqtt_light.py", address, "lamp/set", tmp_path / "in.mkv", 3)
        thread.join()
    published = b"".join(received)
    assert published.startswith(b"\x30")  # PUBLISH
    topic, message = re.search(rb"(lamp/set)({.*}})", published).groups()
    light = json.loads(message)
    assert (topic, light["state"]) == (b"lamp/set", "ON")
    assert list(light["color"].values()) == pytest.approx([200, 60, 30], abs=4)
