"""The textbook's k-means, step by step and in plain numpy, to be shown in a lesson."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from livekm.core.seeding import SEEDINGS
from livekm.errors import UsageError
from livekm.frame import Image
from livekm.thumbnail import thumbnail

Array = npt.NDArray[np.float64]
Labels = npt.NDArray[np.intp]

_LONGEST_SIDE = 240  # pixels of the picture that is clustered
_SAMPLE = 4000  # of these, to find out where a start ends and which jump helps
_STARTS = 8  # the worst of so many is shown: one that gets stuck is what there is to learn from
_MOST_JUMPS = 3
_TRIED_JUMPS = 6
_LEAST_GAIN = 0.005  # of the error, for a center to be moved
_LONGEST_RUN = 300  # iterations


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the algorithm.

    Attributes
    ----------
    kind : str
        ``start``, ``assign``, ``move``, ``jump`` (a center goes elsewhere) or ``end``.
    iteration : int
        How often centers were moved to the mean of their pixels until now.
    centers : (k, 3) float64
        BGR levels.
    labels : (n,) intp or None
        The cluster of each pixel; None before the first assignment.
    mse : float or None
        The mean squared distance of a pixel to its center; None where no pixel has one yet.
    text : str
        What happens, in words.
    """

    kind: str
    iteration: int
    centers: Array
    labels: Labels | None
    mse: float | None
    text: str


@dataclass(frozen=True, slots=True)
class Lesson:
    """The steps of the algorithm on a picture.

    Attributes
    ----------
    picture : (h, w, 3) uint8, BGR
        What is clustered: the image, made smaller where it is large.
    steps : tuple of Step
    best_mse : float
        The least error that any of the starts reached without a jump.
    seeding : str
    """

    picture: Image
    steps: tuple[Step, ...]
    best_mse: float
    seeding: str

    def painted(self, step: Step) -> Image:
        """Return (h, w, 3): each pixel in its center's colour; the picture before the first."""
        if step.labels is None:
            return self.picture
        palette = np.rint(step.centers).clip(0, 255).astype(np.uint8)
        return palette[step.labels].reshape(self.picture.shape)


def make_lesson(image: Image, k: int, seeding: str = "random", seed: int = 0) -> Lesson:
    """Record k-means on an image: start, assign, move, ..., and what frees it where it is stuck.

    Of eight starts the worst is shown. Once nothing changes (Lloyd, "Least squares quantization in
    PCM", 1982), the center that is missed least jumps to where another one helps most, if that
    makes the error smaller, and the algorithm goes on from there.

    Parameters
    ----------
    image : (H, W, 3) uint8, BGR
    k : int
        At least 2.
    seeding : str
        One of `livekm.core.seeding.SEEDINGS`.
    seed : int

    Raises
    ------
    ValueError
        If `k` is below 2.

    Examples
    --------
    >>> image = np.zeros((8, 8, 3), np.uint8)
    >>> image[:, 4:] = 200
    >>> lesson = make_lesson(image, k=2)
    >>> [step.kind for step in lesson.steps][:3]
    ['start', 'assign', 'move']
    >>> lesson.steps[-1].mse
    0.0
    """
    if k < 2:
        raise UsageError(f"a lesson needs at least 2 clusters, got {k}")
    picture = thumbnail(image, _LONGEST_SIDE)
    points = picture.reshape(-1, 3).astype(np.float64)
    sample = points[:: max(1, len(points) // _SAMPLE)]
    rng = np.random.default_rng(seed)
    starts = [
        np.asarray(SEEDINGS[seeding](points.astype(np.float32), k, rng), np.float64)
        for _ in range(_STARTS)
    ]
    ends = [_last_mse(sample, start) for start in starts]
    steps = list(_start(starts[int(np.argmax(ends))], seeding))
    steps.extend(_lloyd(points, steps[-1]))
    for _ in range(_MOST_JUMPS):
        jump = _jump(points, sample, steps[-1])
        if jump is None:
            break
        steps.append(jump)
        steps.extend(_lloyd(points, jump))
    last = steps[-1]
    assert last.labels is not None
    found = len(np.unique(last.labels))
    text = f"The end: {found} colours, each pixel has the nearest, each is the mean of its pixels."
    steps.append(Step("end", last.iteration, last.centers, last.labels, last.mse, text))
    best_mse = _last_mse(points, starts[int(np.argmin(ends))])
    return Lesson(picture, tuple(steps), best_mse, seeding)


def assign(points: Array, centers: Array) -> tuple[Labels, float]:
    """Return the nearest center of each point, and the mean squared distance to it."""
    distances = _squared_distances(points, centers)
    labels = distances.argmin(axis=1)
    return labels, float(distances.min(axis=1).mean())


def move(points: Array, labels: Labels, centers: Array) -> Array:
    """Return the mean of each cluster's points; a cluster without points stays where it is."""
    counts = np.bincount(labels, minlength=len(centers))
    sums = np.stack([np.bincount(labels, column, len(centers)) for column in points.T], axis=1)
    means = sums / np.maximum(counts, 1)[:, np.newaxis]
    return np.where(counts[:, np.newaxis] > 0, means, centers)


def _start(centers: Array, seeding: str) -> Iterator[Step]:
    how = {
        "k-means++": "colours of the picture that lie far from each other (k-means++)",
        "random": "the colours of random pixels",
        "random-partition": "the means of pixels that are put into clusters at random",
    }.get(seeding, f"by {seeding}")
    yield Step("start", 0, centers, None, None, f"Start: the {len(centers)} centers are {how}.")


def _lloyd(points: Array, first: Step) -> Iterator[Step]:
    """Yield the steps from centers on until no pixel changes its cluster."""
    centers, iteration, labels = first.centers, first.iteration, first.labels
    for _ in range(_LONGEST_RUN):
        before, (labels, mse) = labels, assign(points, centers)
        changed = len(points) if before is None else int(np.count_nonzero(labels != before))
        if changed == 0:
            text = "No pixel changes its cluster: the algorithm ends here."
            yield Step("assign", iteration, centers, labels, mse, text)
            return
        share = "" if before is None else f"; {changed / len(points):.1%} of the pixels change"
        text = f"Assign: each pixel goes to the nearest center{share}."
        yield Step("assign", iteration, centers, labels, mse, text)
        moved = move(points, labels, centers)
        way = float(np.sqrt(((moved - centers) ** 2).sum(axis=1)).max())
        centers, iteration = moved, iteration + 1
        error = float(((points - centers[labels]) ** 2).sum(axis=1).mean())
        text = f"Move: each center goes to the mean of its pixels, the farthest {way:.1f} levels."
        yield Step("move", iteration, centers, labels, error, text)


def _jump(points: Array, sample: Array, last: Step) -> Step | None:
    """Return the step that takes a center that is missed little to where one helps much.

    None where no such jump makes the error smaller at the end.
    """
    k = len(last.centers)
    distances = np.sort(_squared_distances(sample, last.centers), axis=1)[:, :2]
    labels, _ = assign(sample, last.centers)
    missed = np.bincount(labels, distances[:, 1] - distances[:, 0], k)
    splits = [_split(sample[labels == label]) for label in range(k)]
    gains = np.array([gain for gain, _ in splits]) - missed[:, np.newaxis]
    np.fill_diagonal(gains, -np.inf)
    tries = []
    for pair in np.argsort(-gains, axis=None)[:_TRIED_JUMPS]:
        goes, where = divmod(int(pair), k)
        centers = last.centers.copy()
        centers[where], centers[goes] = splits[where][1]
        tries.append((_last_mse(sample, centers), goes, where, centers))
    _, goes, where, centers = min(tries, key=lambda tried: tried[0])
    if _last_mse(points, centers) > (1 - _LEAST_GAIN) * _last_mse(points, last.centers):
        return None
    text = (
        f"Stuck: nothing changes, but the error can be less. Center {goes} jumps to where "
        f"center {where} has too much to do."
    )
    return Step("jump", last.iteration, centers, None, assign(points, centers)[1], text)


def _split(points: Array) -> tuple[float, Array]:
    """Return how much less the squared distances are with two centers, and these."""
    if len(points) < 2:
        return 0.0, np.zeros((2, 3))
    mean = points.mean(axis=0)
    _, values, axes = np.linalg.svd(points - mean, full_matrices=False)
    offset = axes[0] * values[0] / np.sqrt(len(points))
    centers = np.stack([mean - offset, mean + offset])
    for _ in range(5):
        centers = move(points, assign(points, centers)[0], centers)
    before = float(((points - mean) ** 2).sum())
    return before - assign(points, centers)[1] * len(points), centers


def _last_mse(points: Array, centers: Array) -> float:
    labels, mse = assign(points, centers)
    for _ in range(_LONGEST_RUN):
        centers = move(points, labels, centers)
        before, (labels, mse) = labels, assign(points, centers)
        if np.array_equal(labels, before):
            break
    return mse


def _squared_distances(points: Array, centers: Array) -> Array:
    """Return (n, k)."""
    total = np.zeros((len(points), len(centers)))
    for column, values in zip(points.T, centers.T, strict=True):
        total += (column[:, np.newaxis] - values) ** 2
    return total
