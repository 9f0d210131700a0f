"""Many clips at once: which inputs become which outputs."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import takewhile
from pathlib import Path

from livekm.batch.job import Job
from livekm.outputs import (
    CODECS,
    CONTAINERS,
    DEFAULT_ENCODER,
    FILE_SINKS,
    EncoderOptions,
    check_distinct,
    choose_encoding,
)
from livekm.outputs.tables import SIDECARS
from livekm.sources.files import find_matches, is_wild

CLIP_SUFFIXES = frozenset(
    ".3gp .avi .flv .m2ts .m4v .mkv .mov .mp4 .mpeg .mpg .mts .ogv .ts .webm .wmv".split()  # noqa: SIM905
)
PLACE = "{}"
"""Stands for a clip's path below the input, without its suffix, in the names of sidecars."""


def is_batch(
    inputs: Sequence[str], output: str | None = None, sidecars: Iterable[str] = ()
) -> bool:
    """Tell whether there are many clips: several names, or a folder or pattern of clips.

    One clip is a batch as well where `output` is a folder: one that exists, or ``out/``; or
    where the name of a sidecar holds `PLACE`.
    """
    if len(inputs) > 1:
        return True
    path = Path(inputs[0])
    if path.is_file():
        is_for_many = _is_folder(output or "") or any(PLACE in name for name in sidecars)
        return is_for_many and _is_clip(path)
    return any(True for _ in _clips(inputs[0]))


def _is_clip(path: Path) -> bool:
    return path.suffix.lower() in CLIP_SUFFIXES and path.is_file()


def _is_folder(name: str) -> bool:
    if not name or Path(name).suffix.lower() in FILE_SINKS:
        return False
    return name.endswith(("/", os.sep)) or Path(name).is_dir()


def plan_jobs(
    inputs: Sequence[str],
    folder: Path | None,
    *,
    suffix: str = "",
    encoder: EncoderOptions = DEFAULT_ENCODER,
    sidecars: Mapping[str, str] | None = None,
) -> list[Job]:
    """Return what is to be done, in the order of the inputs.

    Parameters
    ----------
    inputs : sequence of str
        Clips; folders, in which all clips are found, however deep; patterns (``night/**/*.mp4``),
        of which only ``*`` and ``?`` are wild.
    folder : Path or None
        Of the segmented clips. The folders below an input folder, or below what a pattern begins
        with, are made below it again. What lies in it is no input.
    suffix : str
        Is added to the names of the clips.
    encoder : EncoderOptions
        How clips are encoded. Outputs have the format of the inputs where livekm writes it and it
        holds the codec, else MP4, or that of the codec where MP4 does not hold it either.
    sidecars : mapping, optional
        Key of `SIDECARS` -> a folder, below which the folders of the clips are made again, or a
        name with `PLACE` in it, such as ``tables/{}.jsonl``, which tells the format too.

    Raises
    ------
    ValueError
        If there is no clip, if two would have the same output or one become itself, if an output
        would replace another (see `livekm.outputs.check_distinct`), if nothing is to be written, or
        all to one file, or if a format does not go with what is asked for.
    """
    if folder is None and not sidecars:
        raise ValueError("many clips: add -o FOLDER, or name one clip")
    if folder and (folder.is_file() or folder.suffix.lower() in FILE_SINKS):
        raise ValueError(f"many clips: {folder} is a name of one; name a folder")
    endings = CODECS[encoder.codec].containers if encoder.codec else tuple(CONTAINERS)
    usual = ".mp4" if ".mp4" in endings else endings[0]
    patterns = {option: _pattern(option, name) for option, name in (sidecars or {}).items()}
    jobs: list[Job] = []
    for name in inputs:
        before = len(jobs)
        for source, below in _expand(name, folder):
            place = below.with_name(f"{below.stem}{suffix}")
            ending = source.suffix if source.suffix.lower() in endings else usual
            output = None if folder is None else folder / place.with_name(f"{place.name}{ending}")
            files = {
                option: Path(pattern.replace(PLACE, place.as_posix()))
                for option, pattern in patterns.items()
            }
            if output:
                _check_encoding(output, encoder)
            job = Job(source, output, files)
            if _place(source) in map(_place, job.outputs.values()):
                raise ValueError(
                    f"{source} would become itself; name another folder, or a --suffix"
                )
            jobs.append(job)
        if len(jobs) == before:
            raise ValueError(_why_none(name, folder))
    # An earlier run's videos of labels are clips as well, but no inputs.
    written = {_place(path) for job in jobs for path in job.outputs.values()}
    jobs = _without_repeats([job for job in jobs if _place(job.source) not in written])
    check_distinct(path for job in jobs for path in job.outputs.values())
    return jobs


def _why_none(name: str, folder: Path | None) -> str:
    if folder is not None and any(True for _ in _clips(name)):
        return f"{name} lies in the output folder {folder}; name another one, which may be in it"
    return f"{name}: there is no clip; check its name and folder"


def _place(path: Path) -> Path:
    """Return where a file lies in truth; the file itself may be a link to another place."""
    return path.parent.resolve() / path.name


def _check_encoding(output: Path, encoder: EncoderOptions) -> None:
    try:
        choose_encoding(output, encoder)
    except ValueError as error:
        raise ValueError(f"{output}: {error}") from None


def _pattern(option: str, name: str) -> str:
    if PLACE in name:
        SIDECARS[option].check(name)
        return name
    if Path(name).suffix and not Path(name).is_dir():
        raise ValueError(
            f"--{option} {name} is one file: for many clips name a folder, or "
            f"one for each by {PLACE}: {option}/{PLACE}{Path(name).suffix}"
        )
    return f"{name}/{SIDECARS[option].in_folder}"


def _without_repeats(jobs: Sequence[Job]) -> list[Job]:
    """Leave out clips that were named twice; raise if different ones have the same output."""
    takers: dict[Path, Job] = {}
    kept = []
    for job in jobs:
        rivals = [takers.get(path) for path in job.outputs.values()]
        rival = next((other for other in rivals if other is not None), None)
        if rival is not None and rival.source.resolve() == job.source.resolve():
            continue
        for path, other in zip(job.outputs.values(), rivals, strict=True):
            if other is not None:
                raise ValueError(
                    f"{other.source} and {job.source} would both become {path}; name the folder "
                    "above them, which is made again, or rename one"
                )
        takers.update(dict.fromkeys(job.outputs.values(), job))
        kept.append(job)
    return kept


def _expand(name: str, folder: Path | None) -> list[tuple[Path, Path]]:
    """Return each clip that `name` stands for, and its place below the `folder` of the outputs."""
    own = None if folder is None or Path(name).is_file() else folder.resolve()
    return sorted(pair for pair in _clips(name) if own not in _place(pair[0]).parents)


def _clips(name: str) -> Iterator[tuple[Path, Path]]:
    """Yield each clip that `name` stands for as soon as it is found, and its place below `name`."""
    path = Path(name)
    if path.is_file():
        yield path, Path(path.name)
        return
    is_folder = path.is_dir()
    base = path if is_folder else _fixed_part(path)
    for clip in path.rglob("*") if is_folder else find_matches(name, recursive=True):
        # A name with ".part" or ".partial" is not complete: livekm's own, of an earlier run.
        if _is_clip(clip) and not clip.name.startswith(".") and not _is_partial(clip):
            yield clip, clip.relative_to(base)


def _fixed_part(pattern: Path) -> Path:
    """Return the folders before the first one that a pattern leaves open."""
    return Path(*takewhile(lambda part: not is_wild(part), pattern.parts[:-1]))


def _is_partial(clip: Path) -> bool:
    """Tell whether a name is ``a.partial.mp4`` or ``a.partial-2.mp4``."""
    return any(part == ".partial" or part.startswith(".partial-") for part in clip.suffixes)
