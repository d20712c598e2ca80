"""Explicit vectors for numba: `width` neighbouring stimuli handled as one value.

LLVM's automatic vectoriser gives up on loops over many arrays and needs run-time checks for overlap. Here a kernel says
which values form a vector: ``load(a, i, lanes)`` reads ``a[i:i + width]`` (1-D, contiguous, no bounds check),
arithmetic with other vectors or scalars is elementwise, ``store(a, i, v)`` writes it back. `lanes` is any tuple of
`width` numbers: its length is part of its type, so that one kernel is compiled for each width it is called with. Any
machine works: LLVM splits vectors that are wider than its registers.
"""

from __future__ import annotations

import math
import operator
from typing import Any

from llvmlite import ir
from numba.core import types
from numba.core.typing.templates import AbstractTemplate, infer_global, signature
from numba.extending import intrinsic, lower_builtin, models, register_model

__all__ = [
    "absolute",
    "add_products",
    "choose_least",
    "clamp",
    "collect",
    "exponential",
    "fill",
    "load",
    "load_transposed",
    "multiply_add",
    "pick",
    "square_root",
    "store",
    "store_transposed",
    "total",
]


class Vector(types.Type):
    """`width` values of one floating-point type."""

    def __init__(self, dtype: Any, width: int) -> None:
        self.dtype, self.width = dtype, width
        super().__init__(name=f"Vector({dtype}, {width})")


@register_model(Vector)
class _VectorModel(models.PrimitiveModel):
    def __init__(self, manager: Any, vector: Vector) -> None:
        super().__init__(manager, vector, ir.VectorType(manager.lookup(vector.dtype).get_value_type(), vector.width))


def _splat(builder: Any, scalar: Any, width: int) -> Any:
    kind = ir.VectorType(scalar.type, width)
    one = builder.insert_element(ir.Constant(kind, ir.Undefined), scalar, ir.Constant(ir.IntType(32), 0))
    return builder.shuffle_vector(
        one, ir.Constant(kind, ir.Undefined), ir.Constant(ir.VectorType(ir.IntType(32), width), [0] * width)
    )


def _place(context: Any, builder: Any, array_type: Any, array: Any, index: Any, width: int) -> Any:
    data = context.make_array(array_type)(context, builder, array).data
    at = builder.gep(data, [index])
    return builder.bitcast(at, ir.VectorType(at.type.pointee, width).as_pointer())


def _aligned(context: Any, array_type: Any) -> int:
    return int(context.get_abi_sizeof(context.get_data_type(array_type.dtype)))


@intrinsic
def load(typing_context: Any, array: Any, index: Any, lanes: Any) -> Any:
    """Vector ``array[index:index + width]``, `width` being the length of the tuple `lanes`."""
    vector = Vector(array.dtype, lanes.count)

    def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        pointer = _place(context, builder, sig.args[0], args[0], args[1], vector.width)
        value = builder.load(pointer)
        value.align = _aligned(context, sig.args[0])
        return value

    return vector(array, types.intp, lanes), generate


@intrinsic
def store(typing_context: Any, array: Any, index: Any, vector: Any) -> Any:
    """Write `vector` to ``array[index:index + width]``."""

    def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        pointer = _place(context, builder, sig.args[0], args[0], args[1], sig.args[2].width)
        builder.store(args[2], pointer).align = _aligned(context, sig.args[0])
        return context.get_dummy_value()

    return types.void(array, types.intp, vector), generate


@intrinsic
def fill(typing_context: Any, scalar: Any, lanes: Any) -> Any:
    """Vector of copies of a scalar, one per entry of the tuple `lanes`."""
    vector = Vector(scalar, lanes.count)

    def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        return _splat(builder, args[0], vector.width)

    return vector(scalar, lanes), generate


@intrinsic
def total(typing_context: Any, vector: Any) -> Any:
    """Sum of the values of a vector, pairwise."""

    def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        value, width = args[0], sig.args[0].width
        undefined = ir.Constant(value.type, ir.Undefined)
        while width > 1:
            width //= 2
            half = [i + width if i < width else 0 for i in range(sig.args[0].width)]
            mask = ir.Constant(ir.VectorType(ir.IntType(32), sig.args[0].width), half)
            value = builder.fadd(value, builder.shuffle_vector(value, undefined, mask))
        return builder.extract_element(value, ir.Constant(ir.IntType(32), 0))

    return vector.dtype(vector), generate


@intrinsic
def add_products(
    typing_context: Any, target: Any, at: Any, source: Any, a: Any, b: Any, c: Any, d: Any, vector: Any, less: Any
) -> Any:
    """``target[at + k] += sum(source[i_k:i_k + width] * vector) - less`` for the four offsets i_k = a, b, c, d.

    Four sums at once share the shuffles that adding up across a register takes.
    """

    def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        width, dtype = sig.args[7].width, sig.args[7].dtype
        piece = min(width, 512 // dtype.bitwidth)

        def part(value: Any, start: int, length: int) -> Any:
            mask = ir.Constant(ir.VectorType(ir.IntType(32), length), list(range(start, start + length)))
            return builder.shuffle_vector(value, ir.Constant(value.type, ir.Undefined), mask)

        def both(left: Any, right: Any, start: int, length: int) -> Any:
            lanes = [start % 2 + 2 * (i // 2) + (length if i % 2 else 0) for i in range(length)]
            mask = ir.Constant(ir.VectorType(ir.IntType(32), length), lanes)
            return builder.shuffle_vector(left, right, mask)

        def paired(left: Any, right: Any) -> Any:  # sums of neighbours of left and right, alternating
            return builder.fadd(both(left, right, 0, piece), both(left, right, 1, piece))

        sums = []
        for offset in args[3:7]:
            row = builder.load(_place(context, builder, sig.args[2], args[2], offset, width))
            row.align = _aligned(context, sig.args[2])
            added = None
            for start in range(0, width, piece):
                product = builder.fmul(part(row, start, piece), part(args[7], start, piece), flags=("contract",))
                added = product if added is None else builder.fadd(added, product, flags=("contract",))
            sums.append(added)
        left, right = paired(sums[0], sums[1]), paired(sums[2], sums[3])
        pairs = [[0, 1, piece, piece + 1], [2, 3, piece + 2, piece + 3]]
        halves = [
            ir.Constant(
                ir.VectorType(ir.IntType(32), piece),
                [half[i % 4] + 4 * (i // 4) for i in range(piece)],
            )
            for half in pairs
        ]
        both_halves = [builder.shuffle_vector(left, right, mask) for mask in halves]
        four = builder.fadd(*both_halves)
        length = piece
        while length > 4:
            length //= 2
            four = builder.fadd(part(four, 0, length), part(four, length, length))
        place = _place(context, builder, sig.args[0], args[0], args[1], 4)
        before = builder.load(place)
        before.align = _aligned(context, sig.args[0])
        less_ = _splat(builder, context.cast(builder, args[8], sig.args[8], dtype), 4)
        builder.store(builder.fsub(builder.fadd(before, four), less_), place).align = before.align
        return context.get_dummy_value()

    offsets = (types.intp,) * 4
    return types.void(target, types.intp, source, *offsets, vector, less), generate


def _transpose(builder: Any, rows: list[Any]) -> list[Any]:
    """Transpose a square of vectors by log2(width) rounds that each interleave the two halves of the rows."""
    width = len(rows)
    low = [i // 2 + (i % 2) * width for i in range(width)]
    masks = [ir.Constant(ir.VectorType(ir.IntType(32), width), [v + shift for v in low]) for shift in (0, width // 2)]
    for _ in range(width.bit_length() - 1):
        pairs = zip(rows[: width // 2], rows[width // 2 :], strict=True)
        rows = [builder.shuffle_vector(a, b, mask) for a, b in pairs for mask in masks]
    return rows


def _rows(builder: Any, context: Any, sig: Any, array: Any, at: int, first: Any, stride: Any, width: int) -> list[Any]:
    places = []
    for i in range(width):
        index = builder.add(first, builder.mul(stride, ir.Constant(stride.type, i)))
        places.append(_place(context, builder, sig.args[at], array, index, width))
    return places


@intrinsic
def load_transposed(
    typing_context: Any, target: Any, at: Any, step: Any, source: Any, first: Any, stride: Any, shift: Any, lanes: Any
) -> Any:
    """Copy a square: ``target[at + step * j + i] = source[first + stride * i + j] + shift`` for i, j < width."""
    size = lanes.count

    def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        rows = []
        more = _splat(builder, context.cast(builder, args[6], sig.args[6], sig.args[0].dtype), size)
        for place in _rows(builder, context, sig, args[3], 3, args[4], args[5], size):
            row = builder.load(place)
            row.align = _aligned(context, sig.args[3])
            rows.append(builder.fadd(row, more))
        for place, row in zip(
            _rows(builder, context, sig, args[0], 0, args[1], args[2], size), _transpose(builder, rows), strict=True
        ):
            builder.store(row, place).align = _aligned(context, sig.args[0])
        return context.get_dummy_value()

    return types.void(target, types.intp, types.intp, source, types.intp, types.intp, shift, lanes), generate


@intrinsic
def store_transposed(
    typing_context: Any, target: Any, first: Any, stride: Any, source: Any, at: Any, shift: Any, lanes: Any
) -> Any:
    """Copy a square: ``target[first + stride * i + j] = source[at + width * j + i] + shift`` for i, j < width."""
    size = lanes.count

    def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        rows = []
        more = _splat(builder, context.cast(builder, args[5], sig.args[5], sig.args[0].dtype), size)
        step = ir.Constant(args[4].type, size)
        for place in _rows(builder, context, sig, args[3], 3, args[4], step, size):
            row = builder.load(place)
            row.align = _aligned(context, sig.args[3])
            rows.append(builder.fadd(row, more))
        for place, row in zip(
            _rows(builder, context, sig, args[0], 0, args[1], args[2], size), _transpose(builder, rows), strict=True
        ):
            builder.store(row, place).align = _aligned(context, sig.args[0])
        return context.get_dummy_value()

    return types.void(target, types.intp, types.intp, source, types.intp, shift, lanes), generate


_ARITHMETIC = {operator.add: "fadd", operator.sub: "fsub", operator.mul: "fmul", operator.truediv: "fdiv"}


def _register(function: Any, instruction: str) -> None:
    @infer_global(function)
    class Arithmetic(AbstractTemplate):
        def generic(self, args: Any, keywords: Any) -> Any:
            vectors = [a for a in args if isinstance(a, Vector)]
            if len(args) != 2 or len(set(vectors)) != 1:
                return None
            vector = vectors[0]
            sides = [a if isinstance(a, Vector) else vector.dtype for a in args]
            return signature(vector, *sides)

    def lower(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        vector = sig.return_type
        sides = [
            a
            if isinstance(kind, Vector)
            else _splat(builder, context.cast(builder, a, kind, vector.dtype), vector.width)
            for a, kind in zip(args, sig.args, strict=True)
        ]
        return getattr(builder, instruction)(*sides, flags=("contract",))

    for left, right in ((Vector, Vector), (Vector, types.Float), (types.Float, Vector)):
        lower_builtin(function, left, right)(lower)


for _function, _instruction in _ARITHMETIC.items():
    _register(_function, _instruction)


def _llvm(builder: Any, name: str, arguments: list[Any], width: int) -> Any:
    """Call an LLVM intrinsic on vectors of one type."""
    kind = arguments[0].type
    full = f"llvm.{name}.v{width}f{32 if isinstance(kind.element, ir.FloatType) else 64}"
    function = builder.module.globals.get(full)
    if function is None:
        function = ir.Function(builder.module, ir.FunctionType(kind, [kind] * len(arguments)), full)
    return builder.call(function, arguments)


def _unary(name: str) -> Any:
    """An LLVM intrinsic of one vector as a numba function."""

    @intrinsic
    def function(typing_context: Any, vector: Any) -> Any:
        def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
            return _llvm(builder, name, list(args), sig.args[0].width)

        return vector(vector), generate

    return function


square_root = _unary("sqrt")
absolute = _unary("fabs")


@intrinsic
def clamp(typing_context: Any, vector: Any, low: Any, high: Any) -> Any:
    """Every value moved into [low, high]; NaN stays NaN."""

    def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        value, width, dtype = args[0], sig.args[0].width, sig.args[0].dtype
        for limit, kind, beyond in ((args[1], sig.args[1], "<"), (args[2], sig.args[2], ">")):
            edge = _splat(builder, context.cast(builder, limit, kind, dtype), width)
            value = builder.select(builder.fcmp_ordered(beyond, value, edge), edge, value)
        return value

    return vector(vector, low, high), generate


@intrinsic
def multiply_add(typing_context: Any, a: Any, b: Any, c: Any) -> Any:
    """``a * b + c`` of vectors, fused: c is not waited for by the product, nor the product rounded."""

    def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        return _llvm(builder, "fma", list(args), sig.args[0].width)

    return a(a, b, c), generate


@intrinsic
def collect(typing_context: Any, array: Any, a: Any, b: Any, c: Any, d: Any) -> Any:
    """Vector of the four values of an array at these indices."""
    vector = Vector(array.dtype, 4)

    def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        data = context.make_array(sig.args[0])(context, builder, args[0]).data
        value = ir.Constant(ir.VectorType(data.type.pointee, 4), ir.Undefined)
        for lane, index in enumerate(args[1:]):
            one = builder.load(builder.gep(data, [index]))
            value = builder.insert_element(value, one, ir.Constant(ir.IntType(32), lane))
        return value

    return vector(array, *(types.intp,) * 4), generate


@intrinsic
def pick(typing_context: Any, vector: Any, lane: Any) -> Any:
    """One value of a vector."""

    def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        return builder.extract_element(args[0], args[1])

    return vector.dtype(vector, types.intp), generate


@intrinsic
def choose_least(typing_context: Any, value: Any, limit: Any, yes: Any, no: Any) -> Any:
    """`yes` where ``value >= limit``, else `no`, lane by lane; all four are vectors of one type. NaN chooses `no`."""

    def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        return builder.select(builder.fcmp_ordered(">=", args[0], args[1]), args[2], args[3])

    return yes(value, limit, yes, no), generate


@intrinsic
def exponential(typing_context: Any, vector: Any) -> Any:
    """exp of every value, to about two units in the last place.

    Arguments must lie within +-87 (float32) or +-708 (float64): `clamp` first. exp(x) = 2^k exp(r) with k the nearest
    integer to x / ln 2, found by adding a number so large that its last bits count whole ones, and exp(r) by its
    series, |r| <= ln 2 / 2.
    """
    single = vector.dtype.bitwidth == 32
    bits, mantissa, degree = (32, 23, 7) if single else (64, 52, 13)
    high, low = (0.693359375, -2.12194440e-4) if single else (6.93147180369123816490e-01, 1.90821492927058770002e-10)

    def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        width = sig.args[0].width
        integers = ir.VectorType(ir.IntType(bits), width)

        def constant(value: float) -> Any:
            return ir.Constant(args[0].type, [value] * width)

        def whole(value: int) -> Any:
            return ir.Constant(integers, [value] * width)

        def fma(a: Any, b: Any, c: Any) -> Any:
            return _llvm(builder, "fmuladd", [a, b, c], width)

        magic = constant(1.5 * 2.0**mantissa)
        counted = fma(args[0], constant(1.4426950408889634), magic)
        k = builder.fsub(counted, magic)
        r = fma(k, constant(-low), fma(k, constant(-high), args[0]))
        series = constant(1.0 / math.factorial(degree))
        for n in range(degree - 1, -1, -1):
            series = fma(series, r, constant(1.0 / math.factorial(n)))
        power = builder.shl(builder.bitcast(counted, integers), whole(mantissa))
        one = (1 << (bits - 2)) - (1 << mantissa)  # the bits of 1.0
        return builder.fmul(series, builder.bitcast(builder.add(power, whole(one)), args[0].type))

    return vector(vector), generate
