"""How many colours a picture has."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from livekm.core.features import contiguous, counting
from livekm.core.inline import curve_html
from livekm.core.sampling import sample_positions
from livekm.frame import Image

__all__ = ["Suggestion", "suggest_n_clusters"]

MOST_SUGGESTED = 16
"""The largest number of colours that is looked for."""

_PRICE = 20.0  # of a further cluster in the mean squared error, in Lab
_CLEAR = 1  # clusters by which the criteria may differ where the number is clear
_SAMPLE = 40_000  # pixels
_BIN = 4.0  # width of a histogram's cell in L*, a* and b*
_MOST_CELLS = 2500
_STEPS = 20  # of Lloyd's algorithm for each k, at the most
_TINY = 1e-3  # a mean squared error that is none

_Points = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Criterion:
    """What one criterion makes of each number of clusters.

    Attributes
    ----------
    text : str
        What it looks for.
    n_clusters : int
        Its answer.
    first : int
        The number of clusters of the first value.
    values : tuple of float
        The curve.
    """

    text: str
    n_clusters: int
    first: int
    values: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Suggestion:
    """How many clusters suit a picture.

    Attributes
    ----------
    n_clusters : int
        The median of three criteria.
    is_clear : bool
        Whether they agree within one.
    low, high : int
        The least and the largest number that one of them gives.
    errors : tuple of float
        The mean squared error in Lab for k = 1, 2, ..., from which they tell: the curve.
    criteria : tuple of Criterion
        Each criterion's own curve and answer; of one colour there is but the first.
    """

    n_clusters: int
    is_clear: bool
    low: int
    high: int
    errors: tuple[float, ...] = ()
    criteria: tuple[Criterion, ...] = field(default=(), repr=False)

    def __str__(self) -> str:
        """Tell it in a phrase.

        Examples
        --------
        >>> print(Suggestion(5, True, 5, 6))
        5 colours, clear
        >>> print(Suggestion(5, False, 3, 9))
        no clear number, 3 to 9: took 5
        """
        if self.is_clear:
            return f"{self.n_clusters} colour{'' if self.n_clusters == 1 else 's'}, clear"
        return f"no clear number, {self.low} to {self.high}: took {self.n_clusters}"

    def _repr_html_(self) -> str:
        """Return what a notebook shows: the phrase and the curve of the errors."""
        return curve_html(self.errors, self.n_clusters, str(self))


def suggest_n_clusters(
    image: npt.NDArray[np.uint8], mask: npt.NDArray[Any] | None = None
) -> Suggestion:
    """Suggest how many clusters suit an image, from 1 to 16.

    k-means runs on a histogram of the colours in Lab for each k, each time from the last centers
    and the halves of the cluster with the largest error, so that there is no chance in it. Three
    criteria look at the mean squared errors, and the median of their answers is taken:

    - the least sum of the error and 20 k, so that a further colour must be worth it (Kulis and
      Jordan, "Revisiting k-means: new algorithms via Bayesian nonparametrics", ICML 2012);
    - the largest ratio of the variance between clusters to that within (Calinski and Harabasz, "A
      dendrite method for cluster analysis", Communications in Statistics 1974);
    - the largest drop: the k that lowers the error most, compared with what the next one does, as
      in the "elbow", which by itself is a poor rule (Schubert, "Stop using the elbow criterion for
      k-means", SIGKDD Explorations 2023).

    Where they differ by more than one there is no clear number, as in most photographs.

    Parameters
    ----------
    image : (H, W, 3) uint8, BGR
    mask : (H, W) bool or integers, optional
        Pixels where it is 0 do not count.

    Returns
    -------
    suggestion : Suggestion

    Raises
    ------
    ValueError, TypeError
        If `image` or `mask` is not such an array.

    Examples
    --------
    >>> import numpy as np
    >>> image = np.zeros((30, 40, 3), np.uint8)
    >>> image[:10], image[20:] = (200, 40, 40), (30, 220, 220)
    >>> print(suggest_n_clusters(image))
    3 colours, clear
    """
    pixels = contiguous(image)
    counted = None if mask is None else counting(mask, pixels)
    points, weights, scatter = _histogram(_sampled(pixels, counted))
    errors = _errors(points, weights) + scatter if len(points) else np.zeros(1)
    return _judge(errors, float(weights.sum()))


def _sampled(image: Image, mask: npt.NDArray[np.uint8] | None) -> npt.NDArray[np.uint8]:
    """Return (n, 3) pixels that stand for those that count."""
    height, width = image.shape[:2]
    if mask is None:
        rows, columns = sample_positions(
            height, width, max(1, math.isqrt(height * width // _SAMPLE))
        )
        return image[rows, columns].reshape(-1, 3)
    where = np.flatnonzero(mask)
    return image.reshape(-1, 3)[where[:: 1 + len(where) // _SAMPLE]]


def _histogram(pixels: npt.NDArray[np.uint8]) -> tuple[_Points, npt.NDArray[np.float64], float]:
    """Return the means (n, 3) and weights (n,) of the cells, and the mean scatter within them."""
    if not len(pixels):
        return np.zeros((0, 3)), np.zeros(0), 0.0
    levels = pixels[np.newaxis].astype(np.float32) / 255
    lab = cv2.cvtColor(levels, cv2.COLOR_BGR2Lab)[0].astype(np.float64)
    cells = np.floor(lab / _BIN).astype(np.int64) + 64  # a* and b* reach from -128 to 127
    _, cell = np.unique((cells[:, 0] << 16) + (cells[:, 1] << 8) + cells[:, 2], return_inverse=True)
    weights = np.bincount(cell).astype(np.float64)
    means = np.stack([np.bincount(cell, plane) for plane in lab.T], axis=1) / weights[:, np.newaxis]
    scatter = ((lab - means[cell]) ** 2).sum() / len(lab)
    heaviest = np.argsort(-weights, kind="stable")[:_MOST_CELLS]
    return means[heaviest], weights[heaviest], float(scatter)


def _errors(points: _Points, weights: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return the mean squared errors of k-means for k = 1, 2, ..., while they fall."""
    total = weights.sum()
    centers = (weights @ points)[np.newaxis] / total
    labels = np.zeros(len(points), np.intp)
    errors = []
    while True:
        squares = weights * ((points - centers[labels]) ** 2).sum(axis=1)
        errors.append(float(squares.sum() / total))
        worst = int(np.bincount(labels, squares, len(centers)).argmax())
        if len(centers) == min(MOST_SUGGESTED, len(points)) or errors[-1] < _TINY:
            return np.array(errors)
        centers = _split(points, weights, centers, labels == worst, worst)
        centers, labels = _converged(points, weights, centers)


def _split(
    points: _Points,
    weights: npt.NDArray[np.float64],
    centers: _Points,
    members: npt.NDArray[np.bool_],
    worst: int,
) -> _Points:
    """Return the centers with that of some points replaced by those of its two halves."""
    inner, mass = points[members] - centers[worst], weights[members]
    axis = np.linalg.eigh((mass[:, np.newaxis] * inner).T @ inner)[1][:, -1]
    is_ahead = inner @ axis > 0
    halves = [
        (mass[side] @ points[members][side]) / max(mass[side].sum(), _TINY)
        for side in (is_ahead, ~is_ahead)
    ]
    grown = np.vstack([centers, halves[1]])
    grown[worst] = halves[0]
    return grown


def _converged(
    points: _Points, weights: npt.NDArray[np.float64], centers: _Points
) -> tuple[_Points, npt.NDArray[np.intp]]:
    """Run Lloyd's algorithm; return the centers and the label of each point."""
    k, before = len(centers), None
    weighted = points * weights[:, np.newaxis]
    for _ in range(_STEPS):
        scores = points @ (-2 * centers.T) + (centers**2).sum(axis=1)
        labels = scores.argmin(axis=1)
        if before is not None and (labels == before).all():
            return centers, labels
        mass = np.bincount(labels, weights, k)
        sums = np.stack([np.bincount(labels, plane, k) for plane in weighted.T], axis=1)
        is_there = mass[:, np.newaxis] > 0
        centers = np.where(is_there, sums / np.maximum(mass, _TINY)[:, np.newaxis], centers)
        before = labels
    return centers, labels


def _judge(errors: npt.NDArray[np.float64], n: float) -> Suggestion:
    """Return what the three criteria make of the errors for k = 1, 2, ... of n pixels."""
    ks = np.arange(1, len(errors) + 1)
    price = _best("least error + 20 k", 1, errors + _PRICE * ks, np.argmin)
    criteria = [price]
    if len(errors) > 1:
        within, inner = np.maximum(errors[1:], _TINY), ks[1:]
        ratios = (errors[0] - errors[1:]) / (inner - 1) / within * np.maximum(n - inner, 1)
        criteria.append(_best("largest variance ratio", 2, ratios, np.argmax))
        drops = errors[:-1] - errors[1:]
        if errors[-1] < _TINY or len(drops) == 1:  # there are no more colours
            drops = np.append(drops, 0.0)
        falls = drops[:-1] / np.maximum(drops[1:], _TINY)
        criteria.append(_best("largest drop by the next", 2, falls, np.argmax))
    answers = [criterion.n_clusters for criterion in criteria]
    low, high = min(answers), max(answers)
    n_clusters = 1 if price.n_clusters == 1 else int(np.median(answers))
    curve = tuple(float(error) for error in errors)
    return Suggestion(n_clusters, high - low <= _CLEAR, low, high, curve, tuple(criteria))


def _best(
    text: str,
    first: int,
    values: npt.NDArray[np.float64],
    choose: Callable[[npt.NDArray[np.float64]], np.intp],
) -> Criterion:
    return Criterion(text, first + int(choose(values)), first, tuple(values.tolist()))
