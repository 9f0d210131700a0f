"""Turn an object of the algorithm into arrays and text, and back, without pickle.

A graph of objects becomes a list of nodes in JSON, which refer to each other by their numbers, and
an array for each that they hold. Only classes and functions of livekm's algorithm are made again:
a file from elsewhere can do no more than a wrong start.
"""

from __future__ import annotations

import itertools
import json
import os
import re
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from types import FunctionType, MethodType
from typing import Any

import numpy as np
import numpy.typing as npt

from livekm.errors import SinkError, SourceError

_ROOM = "livekm.core."
_LISTS: dict[str, Callable[[Iterable[Any]], Any]] = {
    "list": list, "tuple": tuple, "set": set, "frozenset": frozenset,
}  # fmt: skip


def to_arrays(root: object) -> dict[str, npt.NDArray[Any]]:
    """Return arrays that `from_arrays` makes the same object of.

    Raises
    ------
    TypeError
        If it holds what is not of the algorithm, such as a function of the caller's.

    Examples
    --------
    >>> from_arrays(to_arrays([1.5, (np.arange(3), None)]))
    [1.5, (array([0, 1, 2]), None)]
    """
    writer = _Writer()
    writer.refer(root)
    return {"nodes": np.array(json.dumps(writer.nodes)), **writer.arrays}


def from_arrays(arrays: Mapping[str, npt.NDArray[Any]]) -> Any:
    """Return the object; raise ValueError, KeyError or TypeError if the arrays hold none."""
    return _Reader(arrays).made(0)


def write_state(path: str | os.PathLike[str], root: object) -> None:
    """Write an object to an .npz file, which gets its name once it is complete."""
    arrays: Any = to_arrays(root)
    part = Path(f"{os.fspath(path)}.part")
    try:
        try:
            with part.open("wb") as file:
                np.savez_compressed(file, version=np.array(version("livekm")), **arrays)
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)
    except OSError as error:
        raise SinkError(f"cannot write {path}: {error.strerror}; choose another folder") from error


def read_state(path: str | os.PathLike[str]) -> Any:
    """Return what `write_state` wrote; raise `SourceError`."""
    try:
        with Path(path).open("rb") as opened, np.load(opened, allow_pickle=False) as file:
            arrays = dict(file)
        written = str(arrays["version"])
        if written == version("livekm"):
            return from_arrays(arrays)
    except OSError as error:
        reason = error.strerror or "damaged"
        raise SourceError(f"{path}: cannot be read ({reason}); check its name") from error
    except Exception as error:  # whatever damage does
        raise SourceError(f"{path}: not a state that livekm saved, or damaged") from error
    raise SourceError(f"{path}: saved by livekm {written}, not {version('livekm')}; start anew")


class _Writer:
    """Number objects, and describe each once."""

    def __init__(self) -> None:
        self.nodes: list[Any] = []
        self.arrays: dict[str, npt.NDArray[Any]] = {}
        self._numbers: dict[int, int] = {}
        self._kept: list[object] = []  # what has a number must live on, or another takes its id

    def refer(self, item: object) -> int:
        """Return the number of an object's node."""
        if id(item) not in self._numbers:
            self._numbers[id(item)] = len(self.nodes)
            self._kept.append(item)
            self.nodes.append(None)
            self.nodes[self._numbers[id(item)]] = self._described(item)
        return self._numbers[id(item)]

    def _described(self, item: Any) -> Any:
        if item is None or type(item) in (bool, int, float, str):
            return item
        if isinstance(item, np.ndarray | np.generic):
            name = f"array_{len(self.arrays)}"
            self.arrays[name] = np.asarray(item)
            return {"array": name, "is_scalar": isinstance(item, np.generic)}
        if isinstance(item, np.random.Generator):
            return {"random": item.bit_generator.state}
        if isinstance(item, itertools.count):  # whose next number only its text tells
            return {"count": int(re.findall(r"\d+", repr(item))[0])}
        if isinstance(item, MethodType):
            return {"method": item.__name__, "of": self.refer(item.__self__)}
        if isinstance(item, FunctionType | type):
            return {"name": _name_of(item)}
        if isinstance(item, dict):
            return {"dict": [[self.refer(key), self.refer(item[key])] for key in item]}
        if isinstance(item, deque):
            return {"deque": [self.refer(part) for part in item], "most": item.maxlen}
        if type(item).__name__ in _LISTS and type(item).__module__ == "builtins":
            return {type(item).__name__: [self.refer(part) for part in item]}
        if isinstance(item, tuple):
            parts = [self.refer(part) for part in item]
            return {"class": _name_of(type(item)), "parts": parts}
        state = {name: self.refer(value) for name, value in _attributes(item).items()}
        return {"class": _name_of(type(item)), "state": state}


class _Reader:
    """Make each object once."""

    def __init__(self, arrays: Mapping[str, npt.NDArray[Any]]) -> None:
        self._arrays = arrays
        self._nodes: list[Any] = json.loads(str(arrays["nodes"]))
        self._made: dict[int, Any] = {}

    def made(self, number: int) -> Any:
        """Return the object of a node."""
        if number not in self._made:
            self._make(number, self._nodes[number])
        return self._made[number]

    def _make(self, number: int, node: Any) -> None:
        if isinstance(node, dict) and "state" in node:  # what refers to itself finds it
            made = self._made[number] = object.__new__(_class(node["class"]))
            _fill(made, {name: self.made(part) for name, part in node["state"].items()})
        else:
            self._made[number] = self._value(node)

    def _value(self, node: Any) -> Any:
        if not isinstance(node, dict):
            return node
        kind = next(iter(node))
        if kind == "array":
            array = self._arrays[node["array"]]
            return array[()] if node["is_scalar"] else array
        if kind == "random":
            generator = np.random.default_rng()
            generator.bit_generator.state = node["random"]
            return generator
        if kind == "count":
            return itertools.count(node["count"])
        if kind == "method":
            return getattr(self.made(node["of"]), node["method"])
        if kind == "name":
            return _named(node["name"])
        if kind == "dict":
            return {self.made(key): self.made(value) for key, value in node["dict"]}
        if kind == "deque":
            return deque(map(self.made, node["deque"]), node["most"])
        if kind == "class":
            return _class(node["class"])(*map(self.made, node["parts"]))
        return _LISTS[kind](map(self.made, node[kind]))


def _attributes(item: Any) -> dict[str, Any]:
    """Return what an object holds, in its dict and its slots."""
    if "__getstate__" in vars(type(item)):
        found: dict[str, Any] = item.__getstate__()
        if isinstance(found, dict):
            return found
    slots = [name for kind in type(item).__mro__ for name in getattr(kind, "__slots__", ())]
    held = {name: getattr(item, name) for name in slots if hasattr(item, name)}
    return {**held, **getattr(item, "__dict__", {})}


def _fill(item: Any, state: dict[str, Any]) -> None:
    if "__setstate__" in vars(type(item)) and hasattr(item, "__dict__"):
        item.__setstate__(state)
        return
    for name, value in state.items():
        object.__setattr__(item, name, value)  # of a frozen class too


def _name_of(item: Any) -> str:
    if not item.__module__.startswith(_ROOM) or "<" in item.__qualname__:
        raise TypeError(f"{item.__qualname__} is no part of livekm's algorithm")
    return f"{item.__module__}:{item.__qualname__}"


def _named(name: str) -> Any:
    module, _, path = name.partition(":")
    if not module.startswith(_ROOM):
        raise ValueError(f"{name} is no part of livekm's algorithm")
    found: Any = import_module(module)
    for part in path.split("."):
        found = getattr(found, part)
    if not isinstance(found, FunctionType | type) or _name_of(found) != name:
        raise ValueError(f"{name} is no part of livekm's algorithm")
    return found


def _class(name: str) -> Any:
    found = _named(name)
    if not isinstance(found, type):
        raise TypeError(f"{name} is no class")
    return found
