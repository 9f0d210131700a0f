"""Plan many clips: which inputs become which outputs."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import takewhile
from pathlib import Path

from livekm.batch.job import Job
from livekm.errors import UsageError
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
"""Stands for a clip's path below the input, without its suffix, in the names of outputs."""


def is_batch(
    inputs: Sequence[str], output: str | None = None, sidecars: Iterable[str] = ()
) -> bool:
    """Tell whether there are many clips: several names, or a folder or pattern of clips.

    One clip is a batch as well if `output` is a folder: one that exists, or ``out/``; or if the
    name of an output holds `PLACE`.
    """
    if len(inputs) > 1:
        return True
    path = Path(inputs[0])
    if path.is_file():
        has_place = any(PLACE in name for name in (output or "", *sidecars))
        return (has_place or _is_folder(output or "")) and _is_clip(path)
    return any(True for _ in _clips(inputs[0]))


def _is_clip(path: Path) -> bool:
    return path.suffix.lower() in CLIP_SUFFIXES and path.is_file()


def _is_folder(name: str) -> bool:
    if not name or Path(name).suffix.lower() in FILE_SINKS:
        return False
    return name.endswith(("/", os.sep)) or Path(name).is_dir()


def plan_jobs(
    inputs: Sequence[str],
    output: str | None,
    *,
    encoder: EncoderOptions = DEFAULT_ENCODER,
    sidecars: Mapping[str, str] | None = None,
) -> list[Job]:
    """Return a job for each clip, in the order of the inputs.

    Parameters
    ----------
    inputs : sequence of str
        Clips; folders, in which all clips are found, however deep; patterns (``night/**/*.mp4``),
        of which only ``*`` and ``?`` are wild. A clip that is named twice, or by a link too, is
        taken once.
    output : str or None
        The folder of the segmented clips. The folders below an input folder, or below the fixed
        start of a pattern, are made below it again. Clips in it are not inputs. Or a name with
        `PLACE` in it, such as ``out/{}-k8`` or ``out/{}.mkv``.
    encoder : EncoderOptions
        How clips are encoded. If the output's name has no suffix of a clip, it gets the input's
        suffix if livekm writes that format and it holds the codec, else ``.mp4``, else the first
        of the codec's own.
    sidecars : mapping, optional
        Key of `SIDECARS` -> a folder, below which the folders of the clips are made again, or a
        name with `PLACE` in it, such as ``tables/{}.jsonl``, which tells the format too.

    Raises
    ------
    UsageError
        If there is no clip, if two would have the same output or one become itself, if an output
        would replace another (see `livekm.outputs.check_distinct`), if there is no output or one
        file for all, or if a format does not go with what is asked for.
    """
    if output is None and not sidecars:
        raise UsageError("many clips: add -o FOLDER, or name one clip")
    clips = None if output is None else _clip_pattern(output)
    folder = None if clips is None else Path(clips.partition(PLACE)[0] + PLACE).parent
    patterns = {option: _pattern(option, name) for option, name in (sidecars or {}).items()}
    jobs: list[Job] = []
    for name in inputs:
        before = len(jobs)
        for source, below in _expand(name, folder):
            place = below.with_suffix("").as_posix()
            written = None
            if clips is not None:
                written = Path(clips.replace(PLACE, place) + _ending(clips, source, encoder))
                _check_encoding(written, encoder)
            files = {
                option: Path(pattern.replace(PLACE, place)) for option, pattern in patterns.items()
            }
            job = Job(source, written, files)
            if _place(source) in map(_place, job.outputs.values()):
                raise UsageError(
                    f"{source} would become itself; name another folder, or -o FOLDER/{PLACE}-new"
                )
            jobs.append(job)
        if len(jobs) == before:
            raise UsageError(_why_none(name, folder))
    # An earlier run's videos of labels are clips as well, but no inputs.
    outputs = {_place(path) for job in jobs for path in job.outputs.values()}
    jobs = _without_repeats([job for job in jobs if _place(job.source) not in outputs])
    _check_outputs(jobs)
    return jobs


def _clip_pattern(output: str) -> str:
    suffix = Path(output).suffix.lower()
    if PLACE not in output:
        if Path(output).is_file() or suffix in FILE_SINKS:
            raise UsageError(f"many clips: {output} is the name of one; name a folder")
        return f"{output}/{PLACE}"
    if suffix in FILE_SINKS and suffix not in CONTAINERS:
        raise UsageError(f"many clips: {output} is no clip; end it in {', '.join(CONTAINERS)}")
    return output


def _ending(pattern: str, source: Path, encoder: EncoderOptions) -> str:
    """Return the suffix that the output's name still lacks."""
    if Path(pattern).suffix.lower() in CONTAINERS:
        return ""
    endings = CODECS[encoder.codec].containers if encoder.codec else tuple(CONTAINERS)
    if source.suffix.lower() in endings:
        return source.suffix
    return ".mp4" if ".mp4" in endings else endings[0]


def _why_none(name: str, folder: Path | None) -> str:
    if folder is not None and any(True for _ in _clips(name)):
        return f"{name} lies in the output folder {folder}; name another one, which may be in it"
    return f"{name}: there is no clip; check its name and folder"


def _place(path: Path) -> Path:
    """Return the path with the links of its folders resolved; the file itself may be a link."""
    return path.parent.resolve() / path.name


def _check_encoding(output: Path, encoder: EncoderOptions) -> None:
    try:
        choose_encoding(output, encoder)
    except ValueError as error:
        raise UsageError(f"{output}: {error}") from None


def _pattern(option: str, name: str) -> str:
    if PLACE in name:
        SIDECARS[option].check(name)
        return name
    if Path(name).suffix and not Path(name).is_dir():
        raise UsageError(
            f"--{option} {name} is one file: for many clips name a folder, or "
            f"one for each by {PLACE}: {option}/{PLACE}{Path(name).suffix}"
        )
    return f"{name}/{SIDECARS[option].in_folder}"


def _without_repeats(jobs: Sequence[Job]) -> list[Job]:
    """Drop clips that were found again: named twice, or through a link. Keep the shortest path."""
    first: dict[Path, Job] = {}
    for job in jobs:
        other = first.setdefault(job.source.resolve(), job)
        if len(job.source.parts) < len(other.source.parts):
            first[job.source.resolve()] = job
    return [job for job in jobs if first[job.source.resolve()] is job]


def _check_outputs(jobs: Sequence[Job]) -> None:
    takers: dict[Path, Job] = {}
    for job in jobs:
        for path in job.outputs.values():
            other = takers.setdefault(path, job)
            if other is not job:
                raise UsageError(
                    f"{other.source} and {job.source} would both become {path}; name the folder "
                    "above them, which is made again, or rename one"
                )
    check_distinct(path for job in jobs for path in job.outputs.values())


def _expand(name: str, folder: Path | None) -> list[tuple[Path, Path]]:
    """Return each clip that `name` stands for, but those in `folder`, and its path below `name`."""
    own = None if folder is None or Path(name).is_file() else folder.resolve()
    return sorted(pair for pair in _clips(name) if own not in _place(pair[0]).parents)


def _clips(name: str) -> Iterator[tuple[Path, Path]]:
    """Yield each clip that `name` stands for as soon as it is found, and its path below `name`."""
    path = Path(name)
    if path.is_file():
        yield path, Path(path.name)
        return
    is_folder = path.is_dir()
    base = path if is_folder else _fixed_part(path)
    for clip in path.rglob("*") if is_folder else find_matches(name, recursive=True):
        # Skip incomplete outputs of an earlier run.
        if _is_clip(clip) and not clip.name.startswith(".") and not _is_partial(clip):
            yield clip, clip.relative_to(base)


def _fixed_part(pattern: Path) -> Path:
    """Return the folders before the first wild one of a pattern."""
    return Path(*takewhile(lambda part: not is_wild(part), pattern.parts[:-1]))


def _is_partial(clip: Path) -> bool:
    """Tell whether a name is ``a.partial.mp4`` or ``a.partial-2.mp4``."""
    return any(part == ".partial" or part.startswith(".partial-") for part in clip.suffixes)
