"""Values show themselves in a notebook, and `livekm.show` a moving picture."""

from __future__ import annotations

import base64
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from queue import Empty
from typing import Any

import cv2
import nbformat
import numpy as np
import pytest
from jupyter_client import KernelManager
from nbclient import NotebookClient

import livekm
from livekm import Frame, Segmentation, UsageError, suggest_n_clusters

ROOT = Path(__file__).parents[1]


def decoded(data: bytes) -> np.ndarray:
    return cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)


def two_colours(height: int, width: int) -> Segmentation:
    labels = np.zeros((height, width), np.uint8)
    labels[:, : width // 4] = 1
    palette = np.array([(200, 90, 10), (20, 180, 250)], np.uint8)
    return Segmentation(labels, palette, names=("sky", "<sand>"))


def test_a_segmentation_shows_its_picture_scaled_down():
    small = two_colours(30, 40)
    np.testing.assert_array_equal(decoded(small._repr_png_()), small.paint())
    large = decoded(two_colours(3000, 1500)._repr_png_())
    assert large.shape == (640, 320, 3)


def test_a_segmentation_lists_its_colours_with_their_shares_the_largest_first():
    page = two_colours(30, 40)._repr_html_()
    assert page.index("#0a5ac8</td><td>75.0%") < page.index("#fab414</td><td>25.0%")
    assert "&lt;sand&gt;" in page
    picture = page.split("base64,")[1].split('"')[0]
    np.testing.assert_array_equal(decoded(base64.b64decode(picture)), two_colours(30, 40).paint())


def test_of_many_colours_the_small_ones_are_summed_up():
    labels = np.arange(200, dtype=np.uint8).reshape(10, 20)
    page = Segmentation(labels, np.zeros((200, 3), np.uint8))._repr_html_()
    assert "184 more</td><td>92.0%" in page
    assert page.count("<tr>") == 17


def test_a_frame_shows_its_picture_and_a_suggestion_its_curve():
    image = np.random.default_rng(0).integers(0, 256, (20, 30, 3), dtype=np.uint8)
    np.testing.assert_array_equal(decoded(Frame(image, 0, 0.0)._repr_png_()), image)
    image[:] = 0
    image[:, 15:] = 200
    page = suggest_n_clusters(image)._repr_html_()
    assert "2 colours, clear" in page
    assert page.count("<circle") == 1


def test_outside_of_a_notebook_one_line_says_so():
    with pytest.raises(UsageError, match="no notebook here: run_live"):
        livekm.show("demo")
    with pytest.raises(UsageError, match="no view 'pony'; choose from"):
        livekm.show("demo", view="pony")


class Notebook:
    """A kernel as Jupyter starts it, and cells that run in it."""

    def __init__(self, manager: KernelManager) -> None:
        self.manager = manager
        self.client = manager.blocking_client()
        self.client.start_channels()
        self.client.wait_for_ready(timeout=60)

    def begin(self, code: str, cell: str = "") -> str:
        """Forget what earlier cells have put out, and let one run; return its message's number."""
        with suppress(Empty):
            while True:
                self.client.get_iopub_msg(timeout=0)
        content = {"code": code, "silent": False, "store_history": True, "user_expressions": {}}
        content |= {"allow_stdin": False, "stop_on_error": False}
        message = self.client.session.msg("execute_request", content, metadata={"cellId": cell})
        self.client.shell_channel.send(message)
        return message["header"]["msg_id"]

    def end(self, number: str) -> dict[str, Any]:
        """Wait until a cell has run; return the reply."""
        while True:
            reply = self.client.get_shell_msg(timeout=30)
            if reply["parent_header"]["msg_id"] == number:
                return reply["content"]

    def run(self, code: str, cell: str = "") -> dict[str, Any]:
        """Run a cell to its end."""
        return self.end(self.begin(code, cell))

    def wait_for_picture(self) -> None:
        """Wait until a cell has shown one."""
        while True:
            message = self.client.get_iopub_msg(timeout=30)
            if "image/jpeg" in message["content"].get("data", {}):
                return


@pytest.fixture(scope="module")
def notebook() -> Iterator[Notebook]:
    manager = KernelManager()
    manager.start_kernel(cwd=str(ROOT / "examples"), stderr=subprocess.DEVNULL)
    notebook = Notebook(manager)
    yield notebook
    notebook.client.stop_channels()
    manager.shutdown_kernel(now=True)


def test_the_example_runs_and_shows_pictures():
    example = nbformat.read(ROOT / "examples" / "notebook.ipynb", 4)
    place = {"metadata": {"path": str(ROOT / "examples")}}
    NotebookClient(example, timeout=60, resources=place).execute()
    shown = [output.get("data", {}) for cell in example.cells for output in cell.get("outputs", [])]
    assert [sorted(set(data) - {"text/plain"}) for data in shown] == [
        ["image/png", "text/html"],
        ["text/html"],
        ["image/png"],
        ["image/jpeg"],
        ["application/vnd.jupyter.widget-view+json"],
        ["image/png", "text/html"],
    ]
    assert "in 3 clusters" in shown[-1]["text/plain"]


def test_interrupting_the_kernel_ends_the_picture_without_an_error(notebook):
    notebook.run("import livekm")
    number = notebook.begin("shown = livekm.show('demo')\nshown.wait()")
    notebook.wait_for_picture()
    notebook.manager.interrupt_kernel()
    assert notebook.end(number)["status"] == "ok"
    assert notebook.run("assert not shown.is_playing")["status"] == "ok"


def test_a_cell_that_runs_again_ends_what_it_showed_and_no_other_does(notebook):
    notebook.run("import livekm\nshown = []")
    again = "shown.append(livekm.show('demo', view='overlay'))"
    notebook.run(again, "cell of the picture")
    notebook.wait_for_picture()
    assert notebook.run("assert shown[0].is_playing", "another")["status"] == "ok"
    notebook.run(again, "cell of the picture")
    check = "assert [each.is_playing for each in shown] == [False, True]\nshown[1].stop()"
    assert notebook.run(check)["status"] == "ok"


def test_what_goes_wrong_while_it_plays_is_told_below_the_picture_and_by_wait(notebook):
    code = "def view(frame, segmentation): raise livekm.SourceError('gone')\n"
    number = notebook.begin(f"import livekm\n{code}livekm.show('demo', view=view).wait()")
    reply = notebook.end(number)
    assert (reply["status"], reply["ename"], reply["evalue"]) == ("error", "SourceError", "gone")
    while True:
        message = notebook.client.get_iopub_msg(timeout=30)
        if "text/html" in message["content"].get("data", {}):
            break
    assert message["content"]["data"]["text/html"] == "<b>livekm: gone</b>"


def test_a_still_image_is_shown_once_and_fitted(notebook):
    code = "import livekm\nshown = livekm.show('../docs/media/butterfly.jpg')\nshown.wait()\n"
    reply = notebook.run(f"{code}assert shown.segmentation.n_iter and not shown.is_playing")
    assert reply["status"] == "ok"
