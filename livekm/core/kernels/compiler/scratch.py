"""Memory that a kernel has for itself while it runs."""

from __future__ import annotations

from typing import Any

from numba import types
from numba.core import cgutils
from numba.extending import intrinsic


@intrinsic(prefer_literal=True)
def scratch(typing_context: Any, count: Any, dtype: Any) -> Any:
    """Return an array of `count` elements, a constant, on the stack; their content is arbitrary.

    It must not leave the kernel. `numpy.empty` would take 50 ms to compile for each type, and need
    numba's runtime.
    """
    kind = types.Array(dtype.dtype, 1, "C")

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        from numba.np.arrayobj import populate_array  # 25 ms, for compilations alone

        element = context.get_data_type(kind.dtype)
        size = context.get_constant(types.intp, count.literal_value)
        width = context.get_constant(types.intp, context.get_abi_sizeof(element))
        array = context.make_array(kind)(context, builder)
        populate_array(
            array,
            data=cgutils.alloca_once(builder, element, size),
            shape=cgutils.pack_array(builder, [size]),
            strides=cgutils.pack_array(builder, [width]),
            itemsize=width,
            meminfo=None,
        )
        return array._getvalue()

    return kind(count, dtype), generate
