"""Many neighbours moved or compared at once, where a loop would not become vectors."""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from livekm.core.kernels.compiler.plain import LOOKED_UP, MOVED, WORD


def _pointer(context: Any, builder: Any, kind: Any, array: Any, start: Any, count: int) -> Any:
    """Return the address of `count` elements of an array from `start` on, as one vector's."""
    elements = context.make_array(kind)(context, builder, array)
    vector = ir.VectorType(context.get_data_type(kind.dtype), count)
    return builder.bitcast(builder.gep(elements.data, [start]), vector.as_pointer())


@intrinsic
def move(typing_context: Any, source: Any, start: Any, target: Any, offset: Any) -> Any:
    """Copy ``source[start : start + MOVED]`` to ``target[offset : offset + MOVED]``.

    Both are one-dimensional arrays of one type. A loop over so few elements stays a loop, since for
    all that the compiler knows the arrays may overlap, and costs ten times as much.
    """

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        kinds = signature.args
        taken = _pointer(context, builder, kinds[0], arguments[0], arguments[1], MOVED)
        written = _pointer(context, builder, kinds[2], arguments[2], arguments[3], MOVED)
        builder.store(builder.load(taken, align=1), written, align=1)
        return context.get_dummy_value()

    return types.void(source, start, target, offset), generate


@intrinsic
def part(typing_context: Any, source: Any, start: Any, target: Any, offset: Any, apart: Any) -> Any:
    """Write every third byte of ``source[start : start + 3 * MOVED]`` to ``target[offset:]``.

    Those behind them go `apart` farther, and the last ones twice as far.
    """

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        kinds = signature.args
        taken = _pointer(context, builder, kinds[0], arguments[0], arguments[1], 3 * MOVED)
        together = builder.load(taken, align=1)
        index, at = ir.IntType(32), arguments[3]
        for f in range(3):
            mine = [ir.Constant(index, 3 * i + f) for i in range(MOVED)]
            mask = ir.Constant(ir.VectorType(index, MOVED), mine)
            third = builder.shuffle_vector(together, together, mask)
            written = _pointer(context, builder, kinds[2], arguments[2], at, MOVED)
            builder.store(third, written, align=1)
            at = builder.add(at, arguments[4])
        return context.get_dummy_value()

    return types.void(source, start, target, offset, apart), generate


@intrinsic
def fetch(typing_context: Any, source: Any, at: Any) -> Any:
    """Ask for the memory of ``source[at]``, which need not be inside, to be there soon."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        wanted = _pointer(context, builder, signature.args[0], arguments[0], arguments[1], 1)
        number, byte = ir.IntType(32), ir.IntType(8).as_pointer()
        kind = ir.FunctionType(ir.VoidType(), [byte, number, number, number])
        prefetch = cgutils.get_or_insert_function(builder.module, kind, "llvm.prefetch.p0")
        options = [ir.Constant(number, value) for value in (0, 3, 1)]  # read, keep, data
        builder.call(prefetch, [builder.bitcast(wanted, byte), *options])
        return context.get_dummy_value()

    return types.void(source, at), generate


@intrinsic
def look_up(
    typing_context: Any, table: Any, bytes_: Any, start: Any, target: Any, offset: Any
) -> Any:
    """Write what `table` says of every third byte from `start` on, `LOOKED_UP` of them.

    They go to ``target[offset : offset + LOOKED_UP]``, in one store: a loop stores each by itself,
    and takes half as long again. All are one-dimensional arrays; `table` has 256 elements.
    """

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        kinds = signature.args
        values = context.make_array(kinds[0])(context, builder, arguments[0]).data
        levels = context.make_array(kinds[1])(context, builder, arguments[1]).data
        element = context.get_data_type(kinds[0].dtype)
        found = ir.Constant(ir.VectorType(element, LOOKED_UP), ir.Undefined)
        for i in range(LOOKED_UP):
            at = builder.add(arguments[2], ir.Constant(ir.IntType(WORD), 3 * i))
            level = builder.zext(builder.load(builder.gep(levels, [at])), ir.IntType(WORD))
            value = builder.load(builder.gep(values, [level]))
            found = builder.insert_element(found, value, ir.Constant(ir.IntType(32), i))
        written = _pointer(context, builder, kinds[3], arguments[3], arguments[4], LOOKED_UP)
        builder.store(found, written, align=1)
        return context.get_dummy_value()

    return types.void(table, bytes_, start, target, offset), generate


@intrinsic
def differences(typing_context: Any, a: Any, b: Any, start: Any) -> Any:
    """Return a uint64 whose bit i tells whether ``a[start + i]`` and ``b[start + i]`` differ.

    Both are one-dimensional arrays of uint8 that have `WORD` elements from `start` on.
    """

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        bytes_a, bytes_b = (
            builder.load(_pointer(context, builder, kind, array, arguments[2], WORD), align=1)
            for kind, array in zip(signature.args[:2], arguments[:2], strict=True)
        )
        bits = builder.icmp_unsigned("!=", bytes_a, bytes_b)
        return builder.bitcast(bits, ir.IntType(WORD))

    return types.uint64(a, b, start), generate


@intrinsic
def trailing_zeros(typing_context: Any, word: Any) -> Any:
    """Return the place of the lowest bit that is set in a uint64 other than 0."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.cttz(arguments[0], ir.Constant(ir.IntType(1), 1))

    return types.uint64(types.uint64), generate
