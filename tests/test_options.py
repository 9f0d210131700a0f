"""The table of options: what it reads, what it gives back, and what goes together."""

from __future__ import annotations

import re
from dataclasses import fields, replace

import cv2
import numpy as np
import pytest
import shtab

from livekm.batch import plan_jobs
from livekm.cli.checks import check
from livekm.cli.options import OPTIONS, Option, Settings, Way
from livekm.cli.parser import EVERYDAY, EXAMPLES, make_parser, parse
from livekm.errors import UsageError
from livekm.outputs.tables import SIDECARS

MOST_OPTIONS = 56

FLAGGED = [option for option in OPTIONS.values() if option.flags]
NAMES = [option.kind.metavar[1:-1].split(",") for option in OPTIONS.values() if option.kind]
TEXTS = [
    "a b.png",
    "-x.mp4",
    "0,3",
    "64x48",
    "7",
    "0.1",
    "1:02:03.25",
    "tcp://10.0.0.1:8786",
    "k=4,8 size=540",
]
TEXTS += ["1,2,30,40", "border,#00ff00~9,m.png"]
TEXTS += ["mkv", "640x480@30000/1001:bgr24,raw"]
TEXTS += [name for names in NAMES for name in names]


def readable(option: Option) -> list[object]:
    """Give every value that the option's kind reads of `TEXTS`, but its default."""
    if option.kind is None:
        return [True]
    values = []
    for text in TEXTS:
        try:
            value = option.kind.read(text)
        except ValueError:
            continue
        if value not in (option.default, *values):
            values.append(value)
    return values


def with_value(option: Option, value: object, settings: Settings) -> Settings:
    if option.name in SIDECARS:
        return replace(settings, sidecars={**settings.sidecars, option.name: value})
    return replace(settings, **{option.name: value})


@pytest.mark.parametrize("option", FLAGGED, ids=lambda option: option.name)
def test_settings_become_a_command_line_and_the_same_settings_again(option):
    values = readable(option)
    assert values
    for value in values:
        settings = with_value(option, value, Settings(inputs=("-a.mp4", "b c.mp4")))
        assert settings != Settings(inputs=settings.inputs)
        assert parse(settings.arguments()) == settings


def test_all_options_at_once_become_a_command_line_and_the_same_settings_again():
    settings = Settings(inputs=("-a.mp4",))
    for option in FLAGGED:
        settings = with_value(option, readable(option)[-1], settings)
    assert parse(settings.arguments()) == settings


@pytest.mark.parametrize("option", FLAGGED, ids=lambda option: option.name)
def test_each_clip_of_many_gets_the_options_of_the_algorithm_and_none_of_the_run(option):
    value = readable(option)[-1]
    settings = with_value(option, value, Settings(inputs=("a.mp4", "b.mp4")))
    arguments = settings.arguments_of_each()
    of_the_run = {
        "camera", "demo", "output", *SIDECARS, "benchmark", "json", "plot",
        "sweep", "compare", "fail_above", "explain", "serve",
        "jobs", "skip_existing", "size", "fps",
        "quiet", "report", "format", "warm_up", "virtual_camera",
    }  # fmt: skip
    if option.name in of_the_run:
        assert arguments == []
    else:
        assert len(arguments) == 1
        assert parse(arguments)[option.name] == value or option.kind.absolute


def test_a_file_to_read_is_found_in_whatever_folder_a_clip_is_done(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    settings = Settings(inputs=("a.mp4", "b.mp4"), palette="colours.gpl")
    assert settings.arguments_of_each() == [f"--palette={tmp_path / 'colours.gpl'}"]
    settings = Settings(inputs=("a.mp4",), ignore=("border", "#00ff00", "masks"))
    assert settings.arguments_of_each() == [f"--ignore=border,#00ff00,{tmp_path / 'masks'}"]


def test_every_field_and_every_sidecar_is_an_option_and_there_are_not_too_many():
    names = {field.name for field in fields(Settings)} - {"sidecars"} | set(SIDECARS)
    assert set(OPTIONS) == names
    flags = [flag for option in FLAGGED for flag in option.flags]
    assert len(flags) == len(set(flags))
    shown = [option for option in FLAGGED if option.help]
    assert len(shown) + len(["--version", "--help"]) <= MOST_OPTIONS


@pytest.mark.parametrize("option", OPTIONS.values(), ids=lambda option: option.name)
def test_the_help_tells_each_option_and_its_default(option, run_cli, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    out = run_cli("--help")[1]
    for flag in option.flags:
        assert (f" {flag}" in out) == bool(option.help)
    assert option.help in out
    if option.kind and isinstance(option.default, (int, float)):
        assert f"(default: {option.default:g})" in out


@pytest.mark.parametrize(
    ("option", "other"),
    [(option, other) for option in FLAGGED for other in option.excludes],
    ids=lambda part: getattr(part, "name", part),
)
def test_options_that_exclude_each_other_are_told_by_name(option, other):
    settings = Settings(inputs=() if other == "camera" else ("in.mp4",), output="out.mp4")
    for row in (option, OPTIONS[other]):
        settings = with_value(row, readable(row)[-1], settings)
    with pytest.raises(UsageError) as caught:
        check(settings, Way.FILE)
    if "benchmark" not in (option.name, other):
        assert f"{option.flags[0]} and {OPTIONS[other].flags[0]} exclude each other" in str(
            caught.value
        )


@pytest.mark.parametrize(
    "option", [option for option in FLAGGED if option.needs], ids=lambda option: option.name
)
def test_an_option_that_needs_another_says_which(option):
    settings = with_value(option, readable(option)[-1], Settings(inputs=("in.mp4",)))
    with pytest.raises(UsageError) as caught:
        check(settings, Way.WINDOW)
    flags = " or ".join(OPTIONS[name].flags[0] for name in option.needs)
    assert f"{option.flags[0]} needs {flags}" in str(caught.value)


@pytest.mark.parametrize(
    ("option", "way"),
    [
        (option, way)
        for option in FLAGGED
        for way in (Way.WINDOW, Way.FILE, Way.BENCHMARK, Way.BATCH)
        if way not in option.ways and not option.needs
    ],
    ids=lambda part: part.name,
)
def test_an_option_that_does_nothing_in_a_way_of_running_is_refused(option, way):
    is_source = option.name in ("camera", "demo")
    settings = Settings(inputs=() if is_source else ("in.mp4",))
    with pytest.raises(UsageError, match="leave it out"):
        check(with_value(option, readable(option)[-1], settings), way)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--keep", "1", "--drop", "2", "-o", "o.mp4"), "--keep and --drop exclude each other\n"),
        (
            ("--keep", "1"),
            "--keep needs -o or --regions or --masks or --virtual-camera; in the window, "
            "click on segments\n",
        ),
        (("--jobs", "0"), "--jobs: must be a number from 1 to 1000, or the address of"),
        (("--frames", "0"), "--frames: must be a whole number from 1 to 1000000000, got 0;"),
        (("--seed", "-1"), "--seed: must be a whole number of 0 or more, got -1;"),
        (("--view", "x"), "--view: must be one of segments, overlay,"),
        (("--keep", "a"), "--keep: must be ids of segments or regions, like 0,3, got a;"),
        (("--start", "1:60"), "--start: must be seconds or [hh:]mm:ss, got 1:60;"),
        (("--benchmark", "-o", "o.mp4"), "--benchmark and -o exclude each other\n"),
        (
            ("--palette", "p.gpl", "--spatial-weight", "1", "-o", "o.mp4"),
            "--palette and --spatial-weight exclude each other; the colours",
        ),
        (("--rest", "black"), "--rest needs --keep or --drop or --ignore or --roi\n"),
        (("--min-area", "3"), "--min-area needs --regions or --view regions\n"),
    ],
)
def test_messages_name_the_option_and_say_what_to_do(arguments, said, run_cli):
    code, out, err = run_cli("in.mp4", *arguments)
    assert (code, out, len(err.splitlines())) == (2, "", 1)
    assert err.startswith(f"livekm: {said}")


@pytest.mark.parametrize("name", SIDECARS)
def test_each_kind_of_sidecar_checks_its_names_and_has_one_for_each_of_many_clips(
    name, run_cli, tmp_path
):
    (tmp_path / "2024.11.mp4").write_bytes(b"x")
    code, _, err = run_cli("2024.11.mp4", f"--{name}", "a.wrong")
    assert (code, len(err.splitlines())) == (2, 1)
    (job,) = plan_jobs([str(tmp_path / "2024.11.mp4")], None, sidecars={name: "t"})
    kind = SIDECARS[name]
    kind.check(kind.to_text(job.sidecars[name]))
    assert str(job.sidecars[name]) == f"t/{kind.in_folder}".replace("{}", "2024.11")
    assert set(kind.settings) <= {*OPTIONS, "selection", "chosen", "of_regions"}


def test_a_still_image_has_no_times(run_cli, tmp_path):
    cv2.imwrite(str(tmp_path / "p.png"), np.zeros((8, 8, 3), np.uint8))
    for more in (("-o", "out.png"), ("--benchmark",)):
        code, _, err = run_cli("p.png", "--start", "1", *more)
        assert (code, err) == (2, "livekm: --start is not for still images; leave it out\n")


def test_the_first_page_is_one_screen_with_the_everyday_options(run_cli):
    code, out, err = run_cli("-h")
    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert len(lines) <= 24
    assert max(map(len, lines)) < 80
    for name, about in EVERYDAY.items():
        flags = ", ".join(OPTIONS[name].flags)
        assert re.search(rf"^  {flags}.* {re.escape(about)}$", out, re.MULTILINE)


def test_livekm_alone_shows_the_first_page(run_cli):
    assert run_cli() == (2, "", run_cli("-h")[1])


@pytest.mark.parametrize("line", EXAMPLES)
def test_the_examples_of_the_first_page_are_command_lines(line):
    program, *words = line.split()
    settings = parse(words)
    assert program == "livekm"
    assert (settings.inputs, settings.camera, settings.demo) != ((), None, False)


def test_a_number_is_a_camera_unless_a_file_has_that_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert parse(["0"]) == Settings(camera="0")
    assert parse(["0", "1"]) == Settings(inputs=("0", "1"))
    (tmp_path / "0").touch()
    assert parse(["0"]) == Settings(inputs=("0",))


@pytest.mark.parametrize("flag", ["-i", "--source"])
def test_other_tools_words_for_the_source_are_understood(flag):
    assert parse([flag, "a.mp4", "-f"]) == Settings(inputs=("a.mp4",), overwrite=True)
    assert parse(["a.mp4", flag, "b.mp4"]) == Settings(inputs=("a.mp4", "b.mp4"))


@pytest.mark.parametrize(
    ("wrong", "meant"),
    [
        (["--demo", "--veiw", "mask"], "there is no option --veiw (did you mean --view?)"),
        (["--demo", "--outptu=a.mp4"], "(did you mean --output?)"),
        (["--demo", "--view", "segmnts"], "got 'segmnts' (did you mean segments?)"),
    ],
)
def test_a_misspelt_word_is_told_with_the_one_that_was_meant(wrong, meant):
    with pytest.raises(UsageError, match=re.escape(meant)):
        parse(wrong)


def test_a_word_like_none_is_told_alone():
    with pytest.raises(UsageError, match=r"there is no option --xyzzy; see livekm --help"):
        parse(["--demo", "--xyzzy"])


@pytest.mark.parametrize("shell", ["bash", "zsh", "tcsh"])
def test_shell_completions_are_made_of_the_parser(shell):
    script = shtab.complete(make_parser(), shell)
    assert all(option.flags[-1].lstrip("-") in script for option in FLAGGED if option.help)
    assert "side-by-side" in script
