"""ResMLP and StudentNet, the reference architectures of the evaluation protocol."""

from __future__ import annotations

from numpy.typing import ArrayLike

from ...arguments import whole
from ...errors import ParameterError, choose
from .blocks import LINEARS, PerceptronBlock
from .network import ResidualNetwork


class ResMLP(ResidualNetwork):
    """Pre-LayerNorm residual perceptron: ``f_l(h) = block_l(LN_l(h))``, a layer normalisation before the head.

    Weights and biases are uniform within 1 / sqrt(fan-in), as PyTorch draws them; gains 1. The paper leaves the inside
    of a block open. "2lin" comes close to its numbers of feedback alignment, "3lin" to those of direct feedback
    alignment; we know of no block that gives both.

    Parameters
    ----------
    n_inputs, n_outputs : int
    width : int, default 256
        d of the residual stream.
    depth : int, default 4
        L, the number of blocks.
    hidden : int, optional
        Units inside a block; 2 d by default.
    block : {"2lin", "3lin"}, default "2lin"
        ``GELU(u W_0 + b_0) W_1 + b_1``, or one hidden layer more.
    terminal_norm : bool, default True
        Whether a layer normalisation precedes the head.
    center, scale : float or array of shape (n_inputs,), default 0 and 1
        Inputs are standardised, (x - center) / scale; `dendrosim.tasks.standardisation` gives those of a task.
    seed : int, default 0
        Of the initial weights.
    dtype : {"float32", "float64"}, default "float32"

    Examples
    --------
    >>> ResMLP(3072, 10)
    <ResMLP: 3072 inputs, width 256, 4 blocks, 10 outputs; 1843466 parameters, float32>
    """

    kind = "resmlp"

    def __init__(
        self,
        n_inputs: int,
        n_outputs: int,
        width: int = 256,
        depth: int = 4,
        *,
        hidden: int | None = None,
        block: str = "2lin",
        terminal_norm: bool = True,
        center: ArrayLike = 0.0,
        scale: ArrayLike = 1.0,
        seed: int = 0,
        dtype: str | type = "float32",
    ) -> None:
        sizes = _sizes(n_inputs, n_outputs, width, depth)
        self.block = choose("block", block, LINEARS)
        self.hidden = 2 * sizes[2] if hidden is None else whole("hidden", hidden, 1)
        blocks = [PerceptronBlock(sizes[2], self.hidden, block, True, True) for _ in range(sizes[3])]
        super().__init__(*sizes, blocks, _truth("terminal_norm", terminal_norm), center, scale, seed, dtype)


class StudentNet(ResidualNetwork):
    """Residual network without any normalisation: ``f_l(h) = GELU(h W_0) W_1``, for the task "student".

    The paper says no more than d = 128, L = 4, no LN; blocks without biases are our reading.

    Parameters
    ----------
    n_inputs, n_outputs : int, default 64 and 10
    width : int, default 128
    depth : int, default 4
    hidden : int, optional
        Units inside a block; 2 d by default.
    center, scale, seed, dtype
        As for `ResMLP`.
    """

    kind = "student"

    def __init__(
        self,
        n_inputs: int = 64,
        n_outputs: int = 10,
        width: int = 128,
        depth: int = 4,
        *,
        hidden: int | None = None,
        center: ArrayLike = 0.0,
        scale: ArrayLike = 1.0,
        seed: int = 0,
        dtype: str | type = "float32",
    ) -> None:
        sizes = _sizes(n_inputs, n_outputs, width, depth)
        self.hidden = 2 * sizes[2] if hidden is None else whole("hidden", hidden, 1)
        blocks = [PerceptronBlock(sizes[2], self.hidden, "2lin", False, False) for _ in range(sizes[3])]
        super().__init__(*sizes, blocks, False, center, scale, seed, dtype)


def _sizes(n_inputs: int, n_outputs: int, width: int, depth: int) -> tuple[int, int, int, int]:
    return (
        whole("n_inputs", n_inputs, 1),
        whole("n_outputs", n_outputs, 2),
        whole("width", width, 2),
        whole("depth", depth, 1),
    )


def _truth(name: str, value: object) -> bool:
    if not isinstance(value, bool):
        raise ParameterError(f"{name}={value!r} must be True or False")
    return value
