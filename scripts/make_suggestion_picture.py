"""Draw the picture of docs/segments.md: the three criteria of `-k auto` on the butterfly."""

from __future__ import annotations

from pathlib import Path

import cv2

from livekm import suggest_n_clusters
from livekm.figures import render, suggestion_figure

MEDIA = Path(__file__).parent.parent / "docs" / "media"


def main() -> None:
    """Write docs/media/suggestion.png."""
    name = "butterfly.jpg"
    image = cv2.imread(str(MEDIA / name))
    page = suggestion_figure(suggest_n_clusters(image), name)
    (MEDIA / "suggestion.png").write_bytes(render(page, ".png"))


if __name__ == "__main__":
    main()
