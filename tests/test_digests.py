"""What livekm gives stays what it was: labels, centers, tables, the frames of every view."""

from __future__ import annotations

import json

import digests
import pytest


@pytest.fixture(scope="module")
def known() -> dict[str, str]:
    return json.loads(digests.PATH.read_text())


def differing(found: dict[str, str], known: dict[str, str], kinds: tuple[str, ...]) -> list[str]:
    names = {name for name in known if name.split("/")[0] in kinds} | set(found)
    return sorted(name for name in names if found.get(name) != known.get(name))


def test_labels_and_centers_are_what_they_were(known) -> None:
    assert not differing(dict(digests.engine()), known, ("update", "fit"))


def test_tables_are_what_they_were(known, tmp_path) -> None:
    assert not differing(dict(digests.tables(tmp_path)), known, ("table",))


def test_the_frames_of_every_view_with_every_selection_are_what_they_were(known, tmp_path) -> None:
    assert not differing(dict(digests.shown(tmp_path)), known, ("view",))


def test_views_of_clicked_segments_are_what_they_were(known) -> None:
    assert not differing(dict(digests.clicked()), known, ("click",))
