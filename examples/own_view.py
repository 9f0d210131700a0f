"""A view of one's own: everything grey, except the most colourful segment.

python own_view.py IN.mp4 OUT.mp4
"""

import sys

import cv2
import numpy as np

from livekm import Frame, Image, Segmentation, convert


def spot_color(frame: Frame, segmentation: Segmentation) -> Image:
    """Keep the colours of the segment whose palette entry has the largest chroma."""
    palette = segmentation.palette.astype(int)
    label = int((palette.max(axis=1) - palette.min(axis=1)).argmax())
    grey = cv2.cvtColor(cv2.cvtColor(frame.image, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR)
    return np.where(segmentation.mask(label)[:, :, np.newaxis], frame.image, grey)


def main() -> None:
    """Write the clip."""
    source_name, target = sys.argv[1:]
    result = convert(source_name, target, k=8, view=spot_color, random_state=0)
    print(f"{result.paths[0]}: {result.n_frames} frames")


if __name__ == "__main__":
    main()
