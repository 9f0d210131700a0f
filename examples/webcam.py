"""A camera in the window, and a line whenever another segment becomes the largest.

python webcam.py [CAMERA] [FRAMES]
"""

import sys

from livekm import Frame, Segmentation, Segmenter, open_source, run_live


class Teller:
    """Prints the largest segment where it changes."""

    def __init__(self) -> None:
        self.largest = -1

    def __call__(self, frame: Frame, segmentation: Segmentation) -> None:
        """Take the next frame."""
        label = int(segmentation.counts.argmax())
        if label == self.largest:
            return
        self.largest = label
        blue, green, red = segmentation.palette[label]
        share = segmentation.shares[label]
        print(f"{frame.time:6.2f} s: segment {label}, #{red:02x}{green:02x}{blue:02x}, {share:.0%}")


def main() -> None:
    """Show the camera until the window is closed, or for some frames."""
    camera = int(sys.argv[1]) if len(sys.argv) > 1 else 0
    frames = int(sys.argv[2]) if len(sys.argv) > 2 else None
    with open_source(camera) as source:
        summary = run_live(source, Segmenter(n_clusters=6), on_frame=Teller(), max_frames=frames)
    print(f"{summary.n_frames} frames, {summary.n_dropped} dropped")


if __name__ == "__main__":
    main()
