"""Cut the largest segment out of the middle of a picture, as a PNG with alpha.

Usage: python cut_out.py IMAGE OUTPUT.png
"""

from __future__ import annotations

import sys

import cv2
import numpy as np

import livekm


def cut_out(image: livekm.Image) -> tuple[np.ndarray, livekm.Suggestion]:
    """Return (H, W, 4) uint8 BGR with alpha, and how many colours the middle has."""
    height, width = image.shape[:2]
    middle = np.zeros((height, width), bool)  # what counts
    middle[height // 8 : -height // 8, width // 8 : -width // 8] = True
    suggestion = livekm.suggest_n_clusters(image, middle)
    found = livekm.segment(image, k=suggestion.n_clusters, mask=middle, random_state=0)
    return np.dstack([image, found.mask(0) * np.uint8(255)]), suggestion


if __name__ == "__main__":
    with livekm.open_source(sys.argv[1]) as source:
        picture, suggestion = cut_out(next(iter(source)).image)
    cv2.imwrite(sys.argv[2], picture)
    print(suggestion)
