"""Slow, obvious numpy references that the fast code is tested against.

Points are rows here, (n, d), and so are centers, (k, d); arithmetic is float64.
"""

from __future__ import annotations

import cv2
import numpy as np


def squared_distances(points, centers):
    """(n, k) squared distances."""
    points, centers = np.asarray(points, np.float64), np.asarray(centers, np.float64)
    return ((points[:, np.newaxis] - centers[np.newaxis]) ** 2).sum(axis=2)


def nearest(points, centers):
    """(n,) index of the nearest center; ties go to the lower index."""
    return squared_distances(points, centers).argmin(axis=1)


def assign(points, centers):
    """Labels, and the scores |c|^2 / 2 - x.c of the nearest and the second nearest center."""
    points, centers = np.asarray(points, np.float64), np.asarray(centers, np.float64)
    scores = (centers**2).sum(axis=1) / 2 - points @ centers.T
    ranked = np.sort(scores, axis=1)
    second = ranked[:, 1] if len(centers) > 1 else np.full(len(points), np.inf)
    return scores.argmin(axis=1), ranked[:, 0], second


def accumulate(points, centers, labels):
    """Each cluster's number, sum and squared error, and what its removal would cost."""
    points = np.asarray(points, np.float64)
    distances = squared_distances(points, centers)
    counts, sums, errors, losses = [], [], [], []
    for j in range(len(centers)):
        mine = labels == j
        counts.append(mine.sum())
        sums.append(points[mine].sum(axis=0))
        errors.append(distances[mine, j].sum())
        others = np.delete(distances[mine], j, axis=1)
        if not mine.any():
            losses.append(0.0)
        elif others.shape[1] == 0:
            losses.append(np.inf)
        else:
            losses.append(others.min(axis=1).sum() - errors[-1])
    return np.array(counts), np.array(sums), np.array(errors), np.array(losses)


def lloyd(points, centers, steps, tolerance=0.0, grid=None):
    """Centers after up to `steps` Lloyd steps, and their sum of squared errors.

    With a `grid`, centers are whole multiples of its inverse.
    """
    centers = np.array(centers, np.float64)
    before = np.inf
    for _ in range(steps):
        labels = nearest(points, centers)
        counts, sums, errors, _ = accumulate(points, centers, labels)
        if errors.sum() >= before * (1 - tolerance):
            break
        before = errors.sum()
        for j in np.flatnonzero(counts):
            centers[j] = sums[j] / counts[j]
        if grid:
            centers = np.rint(centers * grid) / grid
    return centers, squared_distances(points, centers).min(axis=1).sum()


def best_mse(points, k, starts=5):
    """The mean squared distance that OpenCV's k-means is left with, the best of some starts."""
    points = np.ascontiguousarray(points, np.float32)
    until = (cv2.TERM_CRITERIA_MAX_ITER + cv2.TERM_CRITERIA_EPS, 100, 1e-3)
    cv2.setRNGSeed(0)
    return cv2.kmeans(points, k, None, until, starts, cv2.KMEANS_PP_CENTERS)[0] / len(points)


def smooth(labels, k=256):
    """One pass of the majority filter over (H, W) labels; those from k on keep theirs, unheard."""
    height, width = labels.shape
    padded = np.pad(labels, 1, mode="edge")
    result = labels.copy()
    for r in range(height):
        for c in range(width):
            block = padded[r : r + 3, c : c + 3].ravel()
            neighbours = np.delete(block, 4)
            values, votes = np.unique(neighbours, return_counts=True)
            if votes.max() >= 5 and labels[r, c] < k and values[votes.argmax()] < k:
                result[r, c] = values[votes.argmax()]
    return result


def spatial_features(height, width, step):
    """(height * width, 2) x and y of each pixel, in whole steps of the feature space."""
    y, x = np.mgrid[:height, :width].astype(np.float32)
    return np.rint(np.stack([x.ravel(), y.ravel()], axis=1) * np.float32(step))


def label_frame(planes, step, centers, slack=None, previous=None):
    """Labels (H, W), counts (k,) and half the sum of squared distances of (3, H, W) planes.

    A pixel whose nearest center is new keeps its previous label while the new one's score is
    better by no more than the slack of that pair.
    """
    _, height, width = planes.shape
    points = planes.reshape(3, -1).T.astype(np.float64)
    if centers.shape[1] == 5:
        points = np.hstack([points, spatial_features(height, width, step)])
    distances = squared_distances(points, centers)
    labels = distances.argmin(axis=1)
    if slack is not None:
        for i, old in enumerate(previous.ravel()):
            new = labels[i]
            if (distances[i, old] - distances[i, new]) / 2 <= slack[old, new]:
                labels[i] = old
    error = distances[np.arange(len(points)), labels].sum() / 2
    counts = np.bincount(labels, minlength=len(centers))
    return labels.reshape(height, width), counts, error


def paint(labels, palette):
    return palette[labels]


def yuv(image, red, blue):
    """Y (H, W), U and V (H / 2, W / 2) of a BGR image in limited range, as floats."""
    b, g, r = image.astype(float).transpose(2, 0, 1) / 255
    y = red * r + (1 - red - blue) * g + blue * b
    u, v = (b - y) / (2 * (1 - blue)), (r - y) / (2 * (1 - red))
    means = [c.reshape(c.shape[0] // 2, 2, -1, 2).mean(axis=(1, 3)) for c in (u, v)]
    return 16 + 219 * y, *(128 + 224 * mean for mean in means)


def regions(labels, k):
    """Number, sum of x and sum of y of each label's pixels, and their box: (k, 3) and (k, 4)."""
    height, width = labels.shape
    sums, boxes = [], []
    for j in range(k):
        y, x = np.nonzero(labels == j)
        sums.append((x.size, x.sum(), y.sum()))
        box = (x.min(), y.min(), x.max() + 1, y.max() + 1) if x.size else (width, height, 0, 0)
        boxes.append(box)
    return np.array(sums), np.array(boxes)


def lab(image):
    """(H, W, 3) CIE L*a*b* of an sRGB image in BGR order, for D65 white."""
    level = image[..., ::-1] / 255.0
    light = np.where(level > 0.04045, ((level + 0.055) / 1.055) ** 2.4, level / 12.92)
    to_xyz = np.array(
        [
            [0.4124564, 0.3575761, 0.1804375],
            [0.2126729, 0.7151522, 0.0721750],
            [0.0193339, 0.1191920, 0.9503041],
        ]
    )
    xyz = light @ (to_xyz / to_xyz.sum(axis=1, keepdims=True)).T
    f = np.where(xyz > 216 / 24389, np.cbrt(xyz), 841 / 108 * xyz + 4 / 29)
    x, y, z = np.moveaxis(f, -1, 0)
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=-1)


def hsv(image):
    """(H, W, 3) hexagon's x and y of red, green and blue at 0, 120 and 240 degrees, and value."""
    blue, green, red = np.moveaxis(image.astype(np.float64), -1, 0)
    x = red + np.cos(2 * np.pi / 3) * (green + blue)
    y = np.sin(2 * np.pi / 3) * (green - blue)
    return np.stack([x, y, image.max(axis=-1)], axis=-1)
