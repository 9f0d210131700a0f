"""The pages of a lesson: the picture beside the cloud of its colours, and the error below."""

from __future__ import annotations

import base64
import html
import io
import math
from collections.abc import Iterator, Sequence

import cv2
import numpy as np
import numpy.typing as npt
import PIL.Image
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from livekm.core.lesson import Lesson, Step
from livekm.figures.page import new_page, render, show_image, to_rgb
from livekm.frame import Image

_SIZE = (8.0, 4.5)  # inches: 960x540 pixels
_DOTS = 1500  # of the cloud
_SHOWN_WHOLE = 2  # iterations whose two steps are shown; then some of the moves
_GROWTH = 1.5


def choose_steps(lesson: Lesson) -> list[int]:
    """Return the indices of the steps that get a page.

    The first iterations behind a start or a jump whole, then ever fewer, and each run's last.
    """
    chosen: list[int] = []
    since = due = 0
    for index, step in enumerate(lesson.steps):
        following = lesson.steps[index + 1].kind if index + 1 < len(lesson.steps) else "end"
        if step.kind in ("start", "jump"):
            since, due = step.iteration, _SHOWN_WHOLE
        passed = step.iteration - since
        is_early = passed <= _SHOWN_WHOLE
        if step.kind == "move" and passed > due:
            due = math.ceil(due * _GROWTH)
            is_early = True
        if is_early or following in ("jump", "end") or step.kind in ("jump", "end"):
            chosen.append(index)
    return chosen


def lesson_figure(lesson: Lesson, index: int) -> Figure:
    """Draw one step: the picture in its centers' colours, the cloud of colours, the error."""
    step = lesson.steps[index]
    figure = new_page(*_SIZE, step.text)
    grid = figure.add_gridspec(2, 2, height_ratios=[4, 1])
    title = "the picture" if step.labels is None else "each pixel in its center's colour"
    show_image(figure.add_subplot(grid[0, 0]), lesson.painted(step), title)
    cloud = figure.add_subplot(grid[0, 1])
    _draw_cloud(cloud, lesson, index)
    cloud.set_title("the colours, and the ways of the centers", fontsize=10)
    _draw_errors(figure.add_subplot(grid[1, :]), lesson, index)
    return figure


def lesson_pages(lesson: Lesson) -> Iterator[Image]:
    """Yield the pages of the chosen steps as (540, 960, 3) BGR."""
    for index in choose_steps(lesson):
        yield rasterise(lesson_figure(lesson, index))


def lesson_sheet(lesson: Lesson) -> Figure:
    """Draw one page for print: the first steps, where it is stuck, and the end."""
    jumps = [index for index, step in enumerate(lesson.steps) if step.kind == "jump"]
    picks = [0, 1, 2, 4, *([jumps[0] - 1, jumps[0] + 1] if jumps else []), len(lesson.steps) - 1]
    picks = sorted({index for index in picks if index < len(lesson.steps)})
    figure = new_page(9.0, 2.8 * len(picks), "k-means, step by step")
    grid = figure.add_gridspec(len(picks), 2)
    for row, index in enumerate(picks):
        step = lesson.steps[index]
        error = "" if step.mse is None else f"  mse {step.mse:.4g}"
        axes = figure.add_subplot(grid[row, 0])
        show_image(axes, lesson.painted(step), "")
        axes.set_title(f"{step.text}{error}", loc="left", fontsize=9)
        _draw_cloud(figure.add_subplot(grid[row, 1]), lesson, index)
    return figure


def lesson_html(lesson: Lesson) -> str:
    """Return a page for a browser, whole in itself: buttons, a slider and arrow keys."""
    steps = [lesson.steps[index] for index in choose_steps(lesson)]
    pages = [_to_webp(page) for page in lesson_pages(lesson)]
    figures = "\n".join(
        f"<figure{'' if number == 0 else ' hidden'}>"
        f'<img alt="{html.escape(step.text)}" src="data:image/webp;base64,{page}">'
        f"<figcaption>Step {number + 1} of {len(pages)}</figcaption></figure>"
        for number, (step, page) in enumerate(zip(steps, pages, strict=True))
    )
    return _HTML.replace("FIGURES", figures).replace("LAST", str(len(pages) - 1))


def rasterise(figure: Figure) -> Image:
    """Return the pixels of a figure, (H, W, 3) BGR."""
    content = np.frombuffer(render(figure, ".png"), np.uint8)
    return np.asarray(cv2.imdecode(content, cv2.IMREAD_COLOR), np.uint8)


def _draw_cloud(axes: Axes, lesson: Lesson, index: int) -> None:
    """Draw the pixels' colours in the plane in which they differ most, and the centers' ways."""
    step = lesson.steps[index]
    points = lesson.picture.reshape(-1, 3).astype(np.float64)
    mean, plane = _plane(points)
    some = slice(None, None, max(1, len(points) // _DOTS))
    colors = lesson.painted(step).reshape(-1, 3)[some, ::-1] / 255
    x, y = ((points[some] - mean) @ plane).T
    axes.scatter(x, y, s=5, c=colors, edgecolors="0.75", linewidths=0.2)
    for label, trail in enumerate(_trails(lesson.steps[: index + 1])):
        u, v = ((trail - mean) @ plane).T
        color = to_rgb(np.rint(trail[-1]).clip(0, 255).astype(np.uint8))
        axes.plot(u, v, color="black", linewidth=2.0)
        axes.plot(u, v, color="white", linewidth=1.0)
        axes.plot(u[-1], v[-1], "o", ms=10, mfc=color, mec="black", mew=1.2)
        axes.annotate(
            str(label), (u[-1], v[-1]), xytext=(7, 5), textcoords="offset points", fontsize=8,
            bbox={"boxstyle": "round,pad=0.15", "fc": "white", "ec": "0.6", "lw": 0.5},
        )  # fmt: skip
    axes.set_xticks([])
    axes.set_yticks([])
    axes.set_aspect("equal", adjustable="datalim")


def _draw_errors(axes: Axes, lesson: Lesson, index: int) -> None:
    errors = [math.nan if step.mse is None else step.mse for step in lesson.steps]
    numbers = range(len(errors))
    axes.plot(numbers, errors, color="0.8")
    axes.plot(numbers[: index + 1], errors[: index + 1], color="tab:blue")
    axes.plot(index, errors[index], "o", color="tab:blue")
    axes.axhline(lesson.best_mse, color="0.4", linestyle=":", linewidth=1)
    axes.text(
        1, lesson.best_mse, "the best of eight starts", ha="right", va="bottom", fontsize=8,
        color="0.4", transform=axes.get_yaxis_transform(),
    )  # fmt: skip
    axes.set_ylabel("mse", fontsize=9)
    axes.set_xlabel("step", fontsize=9)
    axes.set_yscale("log")
    axes.minorticks_off()
    ticks = np.geomspace(*_limits(errors, lesson.best_mse), 3)
    axes.set_yticks(ticks, [f"{tick:.4g}" if tick < 1e4 else f"{tick:.0f}" for tick in ticks])
    axes.tick_params(labelsize=8)


def _limits(errors: Sequence[float], best: float) -> tuple[float, float]:
    known = [max(error, 1e-3) for error in (*errors, best) if not math.isnan(error)]
    return min(known), max(*known, 1.01 * min(known))


def _trails(steps: Sequence[Step]) -> Iterator[npt.NDArray[np.float64]]:
    """Yield (m, 3) for each center: where it was since the start, or since it jumped."""
    first = max(index for index, step in enumerate(steps) if step.kind in ("start", "jump"))
    ways = np.stack([step.centers for step in steps[first:]])
    yield from ways.transpose(1, 0, 2)


def _plane(
    points: npt.NDArray[np.float64],
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Return the mean and the (3, 2) axes of the two directions in which points differ most."""
    mean = points.mean(axis=0)
    _, axes = np.linalg.eigh(np.cov((points - mean).T))
    plane = axes[:, :0:-1]
    # Light colours to the right and a fixed side up, whatever the solver's signs are.
    return mean, plane * np.where(plane.sum(axis=0) < 0, -1, 1)


def _to_webp(image: Image) -> str:
    content = io.BytesIO()
    PIL.Image.fromarray(image[:, :, ::-1]).save(content, "webp", quality=80)
    return base64.b64encode(content.getvalue()).decode()


_HTML = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>k-means, step by step</title>
<style>
  body { margin: 1rem auto; max-width: 60rem; padding: 0 1rem; font: 1rem system-ui, sans-serif; }
  img { width: 100%; border: 1px solid #ddd; background: white; }
  figure { margin: 0; }
  nav { display: flex; gap: .5rem; align-items: center; }
  input { flex: 1; }
  button { font: inherit; padding: .3rem .8rem; }
</style>
FIGURES
<nav>
  <button id="back">Back</button>
  <input id="step" type="range" min="0" max="LAST" value="0" aria-label="Step">
  <button id="next">Next</button>
</nav>
<script>
  const figures = [...document.querySelectorAll("figure")];
  const slider = document.getElementById("step");
  const show = () => figures.forEach((figure, index) => { figure.hidden = index != slider.value; });
  const go = by => { slider.value = Number(slider.value) + by; show(); };
  slider.oninput = show;
  document.getElementById("back").onclick = () => go(-1);
  document.getElementById("next").onclick = () => go(1);
  document.onkeydown = event => {
    if (event.target === slider) return;
    if (event.key === "ArrowLeft") go(-1);
    if (event.key === "ArrowRight") go(1);
  };
</script>
</html>
"""
