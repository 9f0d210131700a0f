"""Many neighbours moved at once."""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

MOVED = 32
"""The number of elements that one move takes along."""


@intrinsic
def move(typing_context: Any, source: Any, start: Any, target: Any, offset: Any) -> Any:
    """Copy ``source[start : start + MOVED]`` to ``target[offset : offset + MOVED]``.

    Both are one-dimensional arrays of one type. A loop over so few elements stays a loop, since for
    all that the compiler knows the arrays may overlap, and costs ten times as much.
    """

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        pointers = []
        for place in (0, 2):
            kind = signature.args[place]
            array = context.make_array(kind)(context, builder, arguments[place])
            vector = ir.VectorType(context.get_data_type(kind.dtype), MOVED)
            element = builder.gep(array.data, [arguments[place + 1]])
            pointers.append(builder.bitcast(element, vector.as_pointer()))
        builder.store(builder.load(pointers[0], align=1), pointers[1], align=1)
        return context.get_dummy_value()

    return types.void(source, start, target, offset), generate
