"""The page in a real browser: what moves, what obeys, and what happens when the server is away."""

from __future__ import annotations

import re
import shutil
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import cv2
import numpy as np
import pytest
from clips import make_clip
from conftest import COMMAND, without_display
from selenium import webdriver
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.select import Select
from tools import needs_tools
from xvfb import requires_xvfb, virtual_display

from livekm import Segmenter, open_source
from livekm.live import run
from livekm.live.web import Address
from livekm.live.web.server import Server
from livekm.sources import Source

pytestmark = needs_tools("chromium", "chromedriver")

_PATIENCE = 20.0


class Live:
    """A session in a thread, shown by a server, without a window; by default of the demo."""

    def __init__(
        self, folder: Path, port: int = 0, source: Source | None = None, k: int = 6
    ) -> None:
        self._ends = threading.Event()
        self._source = source
        self.server = Server(Address(port))
        self.segmenter = Segmenter(k, random_state=0)
        self._thread = threading.Thread(target=self._run, args=(folder,), daemon=True)
        self._thread.start()

    def _run(self, folder: Path) -> None:
        with self._source or open_source("demo", width=160, height=90, fps=15) as source:
            run(
                source,
                self.segmenter,
                scale=1.0,
                folder=folder,
                server=self.server,
                opens_window=False,
                should_stop=self._ends.is_set,
            )

    @property
    def port(self) -> int:
        return urlsplit(self.server.url).port or 0

    def close(self) -> None:
        self._ends.set()
        self._thread.join()
        self.server.close()


@pytest.fixture
def live(tmp_path: Path) -> Iterator[Live]:
    live = Live(tmp_path)
    yield live
    live.close()


@pytest.fixture(scope="module")
def browser() -> Iterator[webdriver.Chrome]:
    options = webdriver.ChromeOptions()
    for argument in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"):
        options.add_argument(argument)
    options.add_argument("--window-size=1000,900")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options, webdriver.ChromeService(shutil.which("chromedriver")))
    yield driver
    driver.quit()


@pytest.fixture
def page(browser: webdriver.Chrome, live: Live) -> webdriver.Chrome:
    return opened(browser, live)


def opened(browser: webdriver.Chrome, live: Live) -> webdriver.Chrome:
    browser.get(live.server.url)
    wait_for(lambda: browser.find_elements(By.CSS_SELECTOR, "#strip button"))
    return browser


@pytest.fixture
def halves(browser: webdriver.Chrome, tmp_path: Path) -> Iterator[webdriver.Chrome]:
    """The page of a still image that is blue on the left and red on the right."""
    cv2.imwrite(str(tmp_path / "halves.png"), blue_and_red())
    live = Live(tmp_path, source=open_source(tmp_path / "halves.png"), k=2)
    yield opened(browser, live)
    live.close()


def blue_and_red() -> np.ndarray:
    image = np.full((48, 64, 3), (200, 40, 40), np.uint8)
    image[:, 32:] = 40, 40, 200
    return image


def at(page: webdriver.Chrome, x: float, y: float) -> ActionChains:
    """Begin with the pointer at parts of the picture's width and height, from its middle."""
    picture = page.find_element(By.ID, "picture")
    height = picture.size["height"]
    width = height * 64 / 48  # of the picture between its borders
    return ActionChains(page).move_to_element_with_offset(
        picture, round((x - 0.5) * width), round((y - 0.5) * height)
    )


def wait_for(condition: Callable[[], object]) -> object:
    end = time.monotonic() + _PATIENCE
    while time.monotonic() < end:
        if found := condition():
            return found
        time.sleep(0.05)
    raise AssertionError("it did not come")


def shot(page: webdriver.Chrome) -> np.ndarray:
    content = page.find_element(By.ID, "picture").screenshot_as_png
    return cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)


def stands_still(page: webdriver.Chrome) -> bool:
    """Tell whether the picture, without what lies over it, is the same for half a second."""
    first = pixels(page)
    time.sleep(0.5)
    return pixels(page) == first


def pixels(page: webdriver.Chrome) -> str:
    return page.execute_script(
        """const canvas = document.createElement("canvas");
           canvas.getContext("2d").drawImage(picture, 0, 0, 300, 150);
           return canvas.toDataURL()"""
    )


def text(page: webdriver.Chrome, name: str) -> str:
    return page.find_element(By.ID, name).text


def pressed(page: webdriver.Chrome) -> list[str]:
    buttons = page.find_elements(By.CSS_SELECTOR, "#strip button[aria-pressed=true]")
    return [button.get_attribute("data-id") for button in buttons]


def test_the_picture_moves_and_nothing_is_complained_of(page):
    first = shot(page)
    assert len(np.unique(first.reshape(-1, 3), axis=0)) > 4
    wait_for(lambda: not np.array_equal(shot(page), first))
    assert page.get_log("browser") == []
    assert "6 colours" in text(page, "rate")


def test_keys_do_what_they_do_in_the_window(page, live):
    body = page.find_element(By.TAG_NAME, "body")
    body.send_keys("+")
    wait_for(lambda: text(page, "k-value") == "7")
    assert live.segmenter.n_clusters == 7
    body.send_keys("o")
    wait_for(lambda: "overlay" in text(page, "note"))  # which is there for a moment only
    wait_for(
        lambda: Select(page.find_element(By.ID, "view")).first_selected_option.text == "overlay"
    )
    body.send_keys(" ")
    wait_for(lambda: text(page, "pause") == "go on")
    wait_for(lambda: stands_still(page))


def test_a_click_isolates_a_segment_and_another_button_shows_all(page):
    ActionChains(page).click(page.find_element(By.ID, "picture")).perform()
    wait_for(lambda: len(pressed(page)) == 1)
    page.find_element(By.CSS_SELECTOR, "[data-do='select:all']").click()
    wait_for(lambda: not pressed(page))
    page.find_elements(By.CSS_SELECTOR, "#strip button")[0].click()
    wait_for(lambda: len(pressed(page)) == 1)


def test_the_controls_change_what_they_name(page, live):
    slider = page.find_element(By.ID, "k")
    slider.send_keys(Keys.ARROW_RIGHT)
    wait_for(lambda: live.segmenter.n_clusters == 7)
    slider.click()  # in its middle: each doubling is as far as the next, as in the window
    wait_for(lambda: live.segmenter.n_clusters == 16)
    wait_for(lambda: text(page, "k-value") == "16")
    Select(page.find_element(By.ID, "view")).select_by_visible_text("boundaries")
    wait_for(lambda: "boundaries" in text(page, "note"))


@pytest.mark.parametrize(("seconds", "drops"), [(0.05, False), (1.0, True)])
def test_a_tap_isolates_a_segment_and_a_long_press_leaves_it_out(seconds, drops, halves):
    box = halves.find_element(By.ID, "picture").rect
    place = {"x": box["x"] + box["width"] / 2 - 50, "y": box["y"] + box["height"] / 2}
    halves.execute_cdp_cmd("Emulation.setTouchEmulationEnabled", {"enabled": True})
    try:
        for kind, points in (("touchStart", [place]), ("touchEnd", [])):
            touch = {"type": kind, "touchPoints": points}
            halves.execute_cdp_cmd("Input.dispatchTouchEvent", touch)
            time.sleep(seconds)
        wait_for(lambda: len(pressed(halves)) == 1)
        assert halves.execute_script("return state.drops") is drops
    finally:
        halves.execute_cdp_cmd("Emulation.setTouchEmulationEnabled", {"enabled": False})


def test_hovering_tells_what_is_there(halves):
    at(halves, 0.2, 0.5).perform()
    wait_for(lambda: "#2828c8 · 50 %" in text(halves, "tip"))
    at(halves, 0.8, 0.5).perform()
    wait_for(lambda: "#c82828 · 50 %" in text(halves, "tip"))
    ActionChains(halves).move_to_element(halves.find_element(By.ID, "strip")).perform()
    wait_for(lambda: text(halves, "tip") == "")


def test_a_segment_gets_the_name_that_is_typed_and_loses_it(halves):
    button = halves.find_element(By.ID, "name")
    button.click()
    wait_for(lambda: text(halves, "note") == "choose the one segment to name first")
    at(halves, 0.2, 0.5).click().perform()
    wait_for(lambda: len(pressed(halves)) == 1)
    [identity] = pressed(halves)

    def label() -> str:
        [button] = halves.find_elements(By.CSS_SELECTOR, "#strip button[aria-pressed=true]")
        return button.get_attribute("aria-label")

    button.click()
    assert text(halves, "named") == f"name of {identity}"
    field = halves.find_element(By.ID, "text")
    field.send_keys("sea q")  # q is a letter here
    field.send_keys(Keys.ENTER)
    wait_for(lambda: label().startswith(f"segment {identity} sea q,"))
    halves.find_element(By.TAG_NAME, "body").send_keys(Keys.ENTER)
    assert field.get_attribute("value") == "sea q"
    field.send_keys("!", Keys.ESCAPE)
    button.click()
    field.clear()
    field.send_keys(Keys.ENTER)
    wait_for(lambda: label().startswith(f"segment {identity},"))


def test_a_part_that_is_dragged_is_what_counts_until_the_button_comes_again(halves):
    button = halves.find_element(By.ID, "roi")
    button.click()
    at(halves, 0.25, 0.25).click_and_hold().perform()
    at(halves, 0.75, 0.5).release().perform()
    wait_for(lambda: text(halves, "note").endswith("counts"))
    width, height, left, top = map(int, re.findall(r"\d+", text(halves, "note")))
    assert np.abs(np.subtract([width, height, left, top], [32, 12, 16, 12])).max() <= 1
    assert not pressed(halves)  # the end of the drag is no click
    wait_for(lambda: button.text == "whole picture")
    button.click()
    wait_for(lambda: text(halves, "note") == "all of it counts")


def test_the_part_that_counts_is_set_by_keys_alone(halves):
    body = halves.find_element(By.TAG_NAME, "body")
    body.send_keys("#", Keys.ARROW_LEFT, Keys.SHIFT + Keys.ARROW_DOWN, Keys.NULL, Keys.ENTER)
    wait_for(lambda: text(halves, "note") == "32x25 at 15,12 counts")
    body.send_keys("#")
    wait_for(lambda: text(halves, "note") == "all of it counts")
    body.send_keys("#", Keys.ESCAPE, "o")
    wait_for(lambda: text(halves, "note") == "overlay")


def test_a_clip_tells_where_it_is_and_goes_where_it_is_clicked_and_by_arrow_keys(browser, tmp_path):
    make_clip(tmp_path / "in.mkv", images=[blue_and_red()] * 30, codec="ffv1", fps=10)
    live = Live(tmp_path, source=open_source(tmp_path / "in.mkv"), k=2)
    page = opened(browser, live)
    try:
        wait_for(lambda: text(page, "rate").startswith("end"))
        assert text(page, "clock") == "0:02 of 0:02"
        body = page.find_element(By.TAG_NAME, "body")
        body.send_keys(" ")
        wait_for(lambda: text(page, "pause") == "go on")
        line = page.find_element(By.ID, "time")
        line.click()  # in its middle
        wait_for(lambda: text(page, "clock") == "0:01 of 0:02")
        assert line.get_attribute("aria-valuetext") == "0:01 of 0:02"
        line.send_keys(Keys.ARROW_LEFT)
        wait_for(lambda: text(page, "clock") == "0:00 of 0:02")
        body.send_keys(Keys.ARROW_RIGHT)
        wait_for(lambda: text(page, "clock") == "0:02 of 0:02")
    finally:
        live.close()


def test_a_viewer_neither_ends_livekm_nor_types_into_the_window(page, live):
    body = page.find_element(By.TAG_NAME, "body")
    body.send_keys("q")
    wait_for(lambda: text(page, "note").startswith("q ends livekm where it runs"))
    page.execute_script("send({do: 'name'})")
    wait_for(lambda: text(page, "note") == "choose the one segment to name first")
    body.send_keys("+")
    wait_for(lambda: live.segmenter.n_clusters == 7)


def test_in_the_view_of_regions_strip_and_clicks_are_of_regions(halves):
    halves.find_element(By.TAG_NAME, "body").send_keys("e")
    wait_for(lambda: "region" in text(halves, "rate"))
    at(halves, 0.8, 0.5).click().perform()
    [region] = wait_for(lambda: pressed(halves))
    wait_for(lambda: text(halves, "note").startswith(f"{region} · #c82828"))


def test_recording_from_the_page_leaves_a_clip(page, tmp_path):
    button = page.find_element(By.ID, "record")
    button.click()
    wait_for(lambda: text(page, "record") == "stop recording")
    time.sleep(0.5)
    button.click()
    wait_for(lambda: text(page, "record") == "record")
    [clip] = wait_for(lambda: list(tmp_path.glob("*.mp4")))
    with open_source(clip) as source:
        assert source.info.width == 160 * (source.info.height // 90)
        assert next(iter(source), None) is not None


def test_two_viewers_see_the_same(page, live):
    first = page.current_window_handle
    page.switch_to.new_window("tab")
    page.get(live.server.url)
    wait_for(lambda: page.find_elements(By.CSS_SELECTOR, "#strip button"))
    page.find_element(By.TAG_NAME, "body").send_keys("-")
    wait_for(lambda: text(page, "k-value") == "5")
    page.close()
    page.switch_to.window(first)
    wait_for(lambda: text(page, "k-value") == "5")


def test_a_page_comes_back_when_the_server_does(page, live, tmp_path):
    port = live.port
    live.close()
    wait_for(lambda: text(page, "note") in ("livekm has ended", "connecting"))
    again = Live(tmp_path, port)
    try:
        before = shot(page)
        wait_for(lambda: text(page, "note") == "" and not np.array_equal(shot(page), before))
    finally:
        again.close()


@contextmanager
def served(folder: Path, environment: dict[str, str], *arguments: str) -> Iterator[str]:
    """Run livekm with a page; yield its address."""
    process = subprocess.Popen(
        [*COMMAND, *arguments, "--serve", "0"],
        cwd=folder,
        env=environment,
        text=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    try:
        yield process.stderr.readline().removeprefix("livekm: open ").strip()
    finally:
        process.terminate()
        process.communicate(timeout=20)
    assert process.returncode == 130


@requires_xvfb
def test_beside_the_window_both_obey_and_show_the_same(browser, tmp_path):
    with virtual_display() as display:
        arguments = ("--demo", "--size", "160x90")
        with served(tmp_path, display.environment(), *arguments) as address:
            window = wait_for(lambda: display._xdotool("search", "--name", "livekm", check=False))
            browser.get(address)
            wait_for(lambda: browser.find_elements(By.CSS_SELECTOR, "#strip button"))
            browser.find_element(By.TAG_NAME, "body").send_keys("-")
            wait_for(lambda: text(browser, "k-value") == "7")
            display.press(int(window.split()[0]), "minus")
            wait_for(lambda: text(browser, "k-value") == "6")


def test_beside_a_file_the_page_only_shows(browser, tmp_path):
    arguments = ("--demo", "--size", "160x90", "--frames", "100000", "-o", "out.mp4")
    with served(tmp_path, without_display(), *arguments) as address:
        browser.get(address)
        buttons = wait_for(lambda: browser.find_elements(By.CSS_SELECTOR, "#strip button"))
        assert not any(button.is_enabled() for button in buttons)
        first = pixels(browser)
        wait_for(lambda: pixels(browser) != first)
        assert not browser.find_element(By.ID, "controls").is_displayed()
    [kept] = tmp_path.glob("out*.mp4")  # what was written until then
    with open_source(kept) as source:
        assert next(iter(source), None) is not None


def test_every_control_has_a_name_for_a_screen_reader(page):
    names = page.execute_script(
        """return [...document.querySelectorAll("button, select, input, a, img")].map(
             e => e.getAttribute("aria-label") || e.alt || e.textContent.trim() ||
                  (e.labels && e.labels.length ? e.labels[0].textContent.trim() : ""))"""
    )
    assert all(names)


@pytest.mark.parametrize("width", [360, 1400])
def test_it_fits_phones_and_desktops(page, width):
    page.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride",
        {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": width < 500},
    )
    try:
        wait_for(lambda: page.execute_script("return innerWidth") == width)
        assert page.execute_script("return document.documentElement.scrollWidth") <= width
    finally:
        page.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
