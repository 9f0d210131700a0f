"""Measure livekm beside what one would take otherwise, on the same frames, in turns.

    python scripts/benchmark_peers.py CLIP [-k 8] [--frames 60] [--plot peers.png] [--still IMAGE]
    pip install ".[benchmark]"    # the peers

Each frame goes through every peer before the next one comes, so that other work on the machine
slows them alike; ffmpeg, which is a process, gets the whole clip, and what it takes without the
filter is taken off. A peer that is missing is a row that says so. `call` is what is called: where
it takes a sample, every pixel then gets its nearest center by faiss, or by numpy where that is
missing. With `--still` also one image, in 24 megapixels and 256 colours.

ms        median of a frame, its picture in few colours included
mse       of that picture, the squared differences of the channels summed
flicker   per cent of the still pixels (no channel changed by more than 8 levels) whose painted
          colour changed by more than 8 levels
relabel   per cent of them with a new label; - where there are no labels
upset     per cent of the frames in which more than 15 % of them have a new label
"""

from __future__ import annotations

import argparse
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from importlib import import_module
from itertools import islice
from pathlib import Path

import cv2
import numpy as np

from livekm import RegionSegmenter, Segmenter, open_source, segment

_SAMPLE = 20_000  # pixels that peers are trained on, as many as livekm takes
_STILL = (6000, 4000)
_STILL_COLORS = 256

Result = tuple[np.ndarray, np.ndarray | None]
"""The painted image, and the labels where there are some."""


@dataclass
class Peer:
    """Something that paints a frame in few colours."""

    name: str
    call: str
    run: Callable[[np.ndarray], Result] | None
    """None where it is missing."""
    ms: list[float] = field(default_factory=list)
    mse: list[float] = field(default_factory=list)
    flicker: list[float] = field(default_factory=list)
    relabel: list[float] = field(default_factory=list)
    last: tuple[np.ndarray, np.ndarray, np.ndarray | None] | None = None

    def take(self, image: np.ndarray) -> None:
        """Time one frame, and compare its result with the last one."""
        if self.run is None:
            return
        start = time.perf_counter()
        painted, labels = self.run(image)
        self.ms.append(1e3 * (time.perf_counter() - start))
        self.note(image, np.array(painted), None if labels is None else np.array(labels))

    def note(self, image: np.ndarray, painted: np.ndarray, labels: np.ndarray | None) -> None:
        difference = image.astype(np.int32) - painted
        self.mse.append(float((difference**2).sum(axis=2).mean()))
        if self.last is not None:
            before, old_painted, old_labels = self.last
            still = cv2.absdiff(image, before).max(axis=2) <= 8
            if still.any():
                changed = cv2.absdiff(painted, old_painted).max(axis=2) > 8
                self.flicker.append(100 * float(changed[still].mean()))
                if labels is not None and old_labels is not None:
                    self.relabel.append(100 * float((labels != old_labels)[still].mean()))
        self.last = image.copy(), painted, labels

    def row(self) -> str:
        """Return a row of the table."""
        if not self.mse:
            return f"| {self.name} | missing | - | - | - | - | `{self.call}` |"
        relabel = f"{np.mean(self.relabel):.1f}" if self.relabel else "-"
        upset = f"{100 * np.mean(np.array(self.relabel) > 15):.0f}" if self.relabel else "-"
        flicker = f"{np.mean(self.flicker):.1f}" if self.flicker else "-"
        return (
            f"| {self.name} | {np.median(self.ms):.1f} | {np.mean(self.mse):.1f} | {flicker} | "
            f"{relabel} | {upset} | `{self.call}` |"
        )


def found(module: str) -> bool:
    """Tell whether a peer is installed."""
    try:
        import_module(module)
    except ImportError:
        return False
    return True


def sampled(image: np.ndarray) -> np.ndarray:
    """Return (n, 3) float32 pixels of a grid over an image."""
    step = max(1, round((image.shape[0] * image.shape[1] / _SAMPLE) ** 0.5))
    return np.ascontiguousarray(image[::step, ::step].reshape(-1, 3), np.float32)


def painted_by(image: np.ndarray, centers: np.ndarray) -> Result:
    """Give every pixel its nearest center, as fast as OpenCV or faiss does."""
    pixels = image.reshape(-1, 3).astype(np.float32)
    if found("faiss"):
        index = import_module("faiss").IndexFlatL2(3)
        index.add(np.ascontiguousarray(centers, np.float32))
        labels = index.search(pixels, 1)[1].reshape(image.shape[:2])
    else:
        scores = (centers**2).sum(axis=1) / 2 - pixels @ centers.T
        labels = scores.argmin(axis=1).reshape(image.shape[:2])
    return np.rint(centers).clip(0, 255).astype(np.uint8)[labels], labels


def peers_of_clips(k: int) -> Iterator[Peer]:
    """Make each peer; those with a memory are new."""
    for name, options in (
        ("livekm", {}),
        ("livekm, quality alone", {"hysteresis": 0, "steadiness": 0}),
    ):
        segmenter = Segmenter(k, random_state=0, **options)

        def ours(image: np.ndarray, segmenter: Segmenter = segmenter) -> Result:
            found = segmenter.update(image)
            return found.paint(), found.labels

        words = "".join(f", {key}={value}" for key, value in options.items())
        yield Peer(name, f"Segmenter({k}{words}).update(image)", ours)

    def opencv(image: np.ndarray) -> Result:
        stop = (cv2.TERM_CRITERIA_EPS + cv2.TERM_CRITERIA_MAX_ITER, 10, 1.0)
        centers = cv2.kmeans(sampled(image), k, None, stop, 1, cv2.KMEANS_PP_CENTERS)[2]
        return painted_by(image, centers)

    yield Peer(
        "OpenCV", f"cv2.kmeans(sample, {k}, None, (3, 10, 1.0), 1, KMEANS_PP_CENTERS)", opencv
    )
    yield from _learned(k)

    def pillow(image: np.ndarray) -> Result:
        picture = import_module("PIL.Image").fromarray(image[:, :, ::-1])
        few = picture.quantize(k, kmeans=1, dither=0)
        return np.asarray(few.convert("RGB"))[:, :, ::-1], np.asarray(few)

    yield Peer("Pillow", f"image.quantize({k}, kmeans=1, dither=0)", pillow)

    def quantized(image: np.ndarray) -> Result:
        picture = import_module("PIL.Image").fromarray(image[:, :, ::-1])
        few = import_module("imagequant").quantize_pil_image(
            picture, dithering_level=0.0, max_colors=k
        )
        return np.asarray(few.convert("RGB"))[:, :, ::-1], np.asarray(few)

    call = f"imagequant.quantize_pil_image(image, 0.0, {k})"
    yield Peer("imagequant", call, quantized if found("imagequant") else None)


def _learned(k: int) -> Iterator[Peer]:
    """Make the peers whose centers go on from the last frame's."""
    state: dict[str, np.ndarray] = {}

    def anew(image: np.ndarray) -> Result:
        kind = import_module("sklearn.cluster").KMeans
        start = state.get("centers", "k-means++")
        model = kind(k, init=start, n_init=1, max_iter=10, random_state=0).fit(sampled(image))
        state["centers"] = model.cluster_centers_
        return painted_by(image, model.cluster_centers_.astype(np.float32))

    has_sklearn, has_faiss = found("sklearn"), found("faiss")
    yield Peer(
        "scikit-learn, warm",
        f"KMeans({k}, init=last_centers, n_init=1, max_iter=10).fit(sample)",
        anew if has_sklearn else None,
    )
    streaming = (
        import_module("sklearn.cluster").MiniBatchKMeans(k, random_state=0, n_init=1)
        if has_sklearn
        else None
    )

    def partly(image: np.ndarray) -> Result:
        streaming.partial_fit(sampled(image))
        return painted_by(image, streaming.cluster_centers_.astype(np.float32))

    yield Peer(
        "scikit-learn, streaming",
        f"MiniBatchKMeans({k}).partial_fit(sample)",
        partly if has_sklearn else None,
    )

    def faiss(image: np.ndarray) -> Result:
        model = import_module("faiss").Kmeans(3, k, niter=10, seed=1)
        model.train(sampled(image))
        return painted_by(image, model.centroids)

    yield Peer(
        "faiss", f"faiss.Kmeans(3, {k}, niter=10).train(sample)", faiss if has_faiss else None
    )


def by_ffmpeg(name: str, graph: str, clip: Path, images: list[np.ndarray]) -> Peer:
    """Run ffmpeg over the whole clip, and take what the same without the filter takes off."""
    peer = Peer(name, f"ffmpeg -vf '{graph}'", None)
    height, width = images[0].shape[:2]
    raw = ["-frames:v", str(len(images)), "-f", "rawvideo", "-pix_fmt", "bgr24", "-"]

    def run(chain: str) -> tuple[float, bytes]:
        command = ["ffmpeg", "-v", "error", "-i", str(clip), "-vf", chain, *raw]
        start = time.perf_counter()
        done = subprocess.run(command, capture_output=True, check=True)
        return time.perf_counter() - start, done.stdout

    try:
        without, decoded = run("null")
        seconds, data = run(graph)
    except (OSError, subprocess.CalledProcessError):
        return peer
    frame_bytes = 3 * height * width
    for place in range(0, min(len(data), len(decoded)) // frame_bytes * frame_bytes, frame_bytes):
        image, painted = (
            np.frombuffer(taken, np.uint8, frame_bytes, place).reshape(height, width, 3)
            for taken in (decoded, data)
        )
        peer.note(image, painted, None)
    peer.ms = [1e3 * max(0.0, seconds - without) / max(1, len(peer.mse))]
    return peer


def regions(images: list[np.ndarray]) -> Iterator[str]:
    """Yield the rows of what finds regions: milliseconds and the number of regions."""
    mine, many = RegionSegmenter(), RegionSegmenter(n_regions=100)

    def felzenszwalb(image: np.ndarray) -> np.ndarray:
        kind = import_module("skimage.segmentation").felzenszwalb
        return kind(image, scale=300, sigma=0.8, min_size=100)

    def slic(image: np.ndarray) -> np.ndarray:
        return import_module("skimage.segmentation").slic(image, 100, start_label=0)

    for name, call, run in (
        ("livekm", "RegionSegmenter().update(image)", lambda image: mine.update(image).labels),
        (
            "livekm, as many",
            "RegionSegmenter(n_regions=100).update(image)",
            lambda image: many.update(image).labels,
        ),
        ("Felzenszwalb", "felzenszwalb(image, scale=300, sigma=0.8, min_size=100)", felzenszwalb),
        ("SLIC", "slic(image, 100)", slic),
    ):
        if not name.startswith("livekm") and not found("skimage"):
            yield f"| {name} | missing | - | `{call}` |"
            continue
        times, numbers = [], []
        for image in images[:12]:
            start = time.perf_counter()
            labels = run(image)
            times.append(1e3 * (time.perf_counter() - start))
            numbers.append(len(np.unique(labels)))
        ms = np.median(times[2:] or times)
        yield f"| {name} | {ms:.0f} | {np.mean(numbers):.0f} | `{call}` |"


def stills(path: Path) -> Iterator[str]:
    """Yield the rows of one image of 24 megapixels in 256 colours."""
    image = cv2.resize(cv2.imread(str(path)), _STILL, interpolation=cv2.INTER_CUBIC)
    k, small = _STILL_COLORS, np.ascontiguousarray(image[:300, :300])
    Segmenter(k, random_state=0).fit(small)  # compiles
    Segmenter(k, random_state=0).update(image)
    segmenter = Segmenter(k, random_state=0)
    peers = [
        Peer("livekm, to convergence", f"segment(image, {k})", lambda image: (
            segment(image, k, random_state=0).paint(), None)),
        Peer("livekm, of a stream", f"Segmenter({k}).update(image)", lambda image: (
            segmenter.update(image).paint(), None)),
        *(peer for peer in peers_of_clips(k) if not peer.name.startswith("livekm")),
    ]  # fmt: skip
    for peer in peers:
        for _ in range(3 if peer.name == "livekm, of a stream" else 1):
            peer.take(image)
        if peer.mse:
            yield f"| {peer.name} | {peer.ms[-1]:.0f} | {peer.mse[-1]:.1f} | `{peer.call}` |"
        else:
            yield f"| {peer.name} | missing | - | `{peer.call}` |"


def draw(peers: list[Peer], path: str, title: str) -> None:
    """Draw time against error, with flicker as colour."""
    pyplot = import_module("matplotlib.pyplot")
    shown = [peer for peer in peers if peer.mse]
    figure, axes = pyplot.subplots(figsize=(8, 5), layout="constrained")
    points = axes.scatter(
        [np.median(peer.ms) for peer in shown],
        [np.mean(peer.mse) for peer in shown],
        c=[np.mean(peer.flicker or [0]) for peer in shown],
        cmap="YlOrRd", s=190, edgecolors="black", linewidths=0.5,
    )  # fmt: skip
    for number, peer in enumerate(shown, 1):  # names would lie over each other
        place = np.median(peer.ms), np.mean(peer.mse)
        axes.annotate(f"{number}", place, ha="center", va="center", fontsize=7)
        axes.plot([], [], " ", label=f"{number}  {peer.name}")
    axes.legend(fontsize=8, handlelength=0, loc="upper left")
    axes.set(xscale="log", xlabel="ms a frame", ylabel="mean squared error", title=title)
    axes.margins(x=0.2)
    figure.colorbar(points, label="still pixels that flicker, %")
    figure.savefig(path, dpi=150)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("clip", type=Path, metavar="CLIP")
    parser.add_argument("-k", type=int, default=8)
    parser.add_argument("--frames", type=int, default=60)
    parser.add_argument("--plot", metavar="FILE")
    parser.add_argument("--still", type=Path, metavar="IMAGE")
    given = parser.parse_args()
    with open_source(str(given.clip)) as source:
        images = [frame.image for frame in islice(source, given.frames)]
    k = given.k
    for peer in peers_of_clips(k):  # kernels and libraries are loaded
        peer.take(images[0])
    peers = list(peers_of_clips(k))
    for image in images:
        for peer in peers:
            peer.take(image)
    for name, graph in (
        ("ffmpeg elbg", f"elbg=codebook_length={k}:nb_steps=1"),
        ("ffmpeg elbg, 5 steps", f"elbg=codebook_length={k}:nb_steps=5"),
        (
            "ffmpeg palettegen",
            f"split[a][b];[a]palettegen=max_colors={max(4, k)}:stats_mode=single[p];"
            "[b][p]paletteuse=new=1:dither=none",
        ),
    ):
        peers.append(by_ffmpeg(name, graph, given.clip, images))
    height, width = images[0].shape[:2]
    print(f"{given.clip.name}, {width}x{height}, {len(images)} frames, k = {k}\n")
    print("| peer | ms | mse | flicker, % | relabel, % | upset, % | call |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    print("\n".join(peer.row() for peer in peers))
    print("\n| regions | ms | number | call |\n| --- | --- | --- | --- |")
    print("\n".join(regions(images)))
    if given.still is not None:
        print(f"\n{given.still.name} at {_STILL[0]}x{_STILL[1]}, {_STILL_COLORS} colours\n")
        print("| still image | ms | mse | call |\n| --- | --- | --- | --- |")
        for row in stills(given.still):
            print(row, flush=True)
    if given.plot:
        draw(peers, given.plot, f"{given.clip.name}, {width}x{height}, k = {k}")


if __name__ == "__main__":
    main()
