"""Pictures whose regions are known, and how well others cover them."""

from __future__ import annotations

import cv2
import numpy as np


def _clouds(rng, height, width, sigma):
    noise = cv2.GaussianBlur(rng.normal(size=(height, width)), (0, 0), sigma)
    return noise / noise.std()


def _texture(rng, kind, y, x):
    """(H, W) levels: none, clouds, stripes or a slope."""
    strength = rng.uniform(4, 30)
    if kind == 1:
        return strength * _clouds(rng, *y.shape, rng.uniform(1, 6))
    if kind == 2:
        angle, period = rng.uniform(0, np.pi), rng.uniform(4, 20)
        return strength * np.sin(2 * np.pi * (x * np.cos(angle) + y * np.sin(angle)) / period)
    if kind == 3:
        a, b = rng.normal(size=2)
        return 2 * strength * (a * (x / x.max() - 0.5) + b * (y / y.max() - 0.5))
    return np.zeros(y.shape)


def make_picture(seed, height=321, width=481):
    """An (H, W, 3) image of 3 to 15 textured areas in uneven light, blurred and with noise,
    and (H, W) int32, which connected piece of them each pixel belongs to."""
    rng = np.random.default_rng(seed)
    n = int(rng.integers(3, 16))
    y, x = np.mgrid[:height, :width].astype(np.float64)
    bent = [v + 25 * _clouds(rng, height, width, 25) for v in (y, x)]
    centers = rng.uniform((0, 0, 0), (height, width, 90), (n, 3))
    areas = np.stack([np.hypot(bent[0] - a, bent[1] - b) - r for a, b, r in centers]).argmin(axis=0)
    image = np.zeros((height, width, 3))
    truth, pieces = np.zeros((height, width), np.int32), 0
    for i, color in enumerate(rng.uniform(30, 225, (n, 3))):
        texture = _texture(rng, rng.integers(4), y, x)[..., np.newaxis] * rng.uniform(0.5, 1, 3)
        image[areas == i] = (color + texture)[areas == i]
        count, pieces_of = cv2.connectedComponents((areas == i).view(np.uint8), connectivity=4)
        truth[areas == i] = pieces + pieces_of[areas == i] - 1
        pieces += count - 1
    image = cv2.GaussianBlur(image, (0, 0), rng.uniform(0.5, 1.5))
    a, b = rng.normal(size=2)
    image *= (1 + 0.25 * (a * (x / width - 0.5) + b * (y / height - 0.5)))[..., np.newaxis]
    image += rng.normal(size=image.shape) * rng.uniform(0, 8)
    return image.clip(0, 255).astype(np.uint8), truth


def covering(truth, labels):
    """How well regions cover the true ones, each by the best, weighted by its size.

    Arbelaez et al. 2011, "Contour detection and hierarchical image segmentation", section 2.3.
    """
    n = int(labels.max()) + 1
    keys = truth.astype(np.int64) * n + labels
    table = np.bincount(keys.ravel(), minlength=(truth.max() + 1) * n).reshape(-1, n)
    true, found = table.sum(axis=1, keepdims=True), table.sum(axis=0, keepdims=True)
    best = (table / (true + found - table)).max(axis=1)
    return float((true[:, 0] * best).sum() / truth.size)
