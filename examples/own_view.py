"""A view of one's own: everything grey, except the most colourful segment.

python own_view.py IN.mp4 OUT.mp4
"""

import sys

import cv2
import numpy as np

from livekm import Segmenter, open_source
from livekm.core.segmentation import Segmentation
from livekm.files import process_clip
from livekm.frame import Frame, Image


def spot_color(frame: Frame, segmentation: Segmentation) -> Image:
    """Keep the colours of the segment whose palette entry has the largest chroma."""
    palette = segmentation.palette.astype(int)
    label = int((palette.max(axis=1) - palette.min(axis=1)).argmax())
    grey = cv2.cvtColor(cv2.cvtColor(frame.image, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR)
    return np.where(segmentation.mask(label)[:, :, np.newaxis], frame.image, grey)


def main() -> None:
    """Write the clip."""
    source_name, target = sys.argv[1:]
    with open_source(source_name) as source:
        result = process_clip(source, Segmenter(8, random_state=0), spot_color, target)
    print(f"{result.paths[0]}: {result.n_frames} frames")


if __name__ == "__main__":
    main()
