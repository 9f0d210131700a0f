"""Show a camera's segments as another camera, on macOS and Windows too.

python virtual_camera.py [CAMERA]

On Linux, ``livekm --camera 0 --virtual-camera`` does it by itself. Elsewhere this needs
pyvirtualcam (``pip install pyvirtualcam``), whose licence is GPL-2.0, unlike livekm's, and what
that needs: OBS with its virtual camera, or Unity Capture on Windows.
"""

from __future__ import annotations

import sys

import pyvirtualcam

from livekm import Segmenter, live_frames


def main() -> None:
    """Show it until Ctrl-C."""
    frames = live_frames(int(sys.argv[1]) if len(sys.argv) > 1 else 0, Segmenter(6))
    info = frames.info
    rate = float(info.fps or 30)
    bgr = pyvirtualcam.PixelFormat.BGR
    with pyvirtualcam.Camera(info.width, info.height, rate, fmt=bgr) as camera:
        print(f"showing {info.name} as {camera.device}")
        for _, segmentation in frames:
            camera.send(segmentation.paint())


if __name__ == "__main__":
    main()
