"""ViT-Mini, the transformer among the reference architectures."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from ...arguments import whole
from ...errors import ParameterError
from .attention import PatchEmbedding, TransformerBlock
from .network import ResidualNetwork, divisors, per_input


class ViTMini(ResidualNetwork):
    """Small vision transformer: patches and a class token, pre-LayerNorm blocks, LN and head on the class token.

    A row of h_l holds all tokens, (tokens * width). The paper says d = 128, L = 4, a class token and a terminal
    normalisation; patch, heads and hidden units are our reading.

    Parameters
    ----------
    n_inputs : int, default 3072
        Of square images, channel after channel.
    n_outputs : int, default 10
    width : int, default 128
    depth : int, default 4
    patch : int, default 8
        Side of a patch; it divides that of the image. 8 gives 16 patches of CIFAR-10, 4 gives 64 and four times the
        work.
    heads : int, default 4
    hidden : int, optional
        Units of the perceptrons; 2 d by default.
    channels : int, default 3
    center, scale, seed, dtype
        As for `ResMLP`.
    """

    kind = "vit_mini"

    def __init__(
        self,
        n_inputs: int = 3072,
        n_outputs: int = 10,
        width: int = 128,
        depth: int = 4,
        *,
        patch: int = 8,
        heads: int = 4,
        hidden: int | None = None,
        channels: int = 3,
        center: ArrayLike = 0.0,
        scale: ArrayLike = 1.0,
        seed: int = 0,
        dtype: str | type = "float32",
    ) -> None:
        inputs, outputs = whole("n_inputs", n_inputs, 1), whole("n_outputs", n_outputs, 2)
        d, blocks_ = whole("width", width, 2), whole("depth", depth, 1)
        self.patch, self.heads = whole("patch", patch, 1), whole("heads", heads, 1)
        self.channels = whole("channels", channels, 1)
        self.hidden = 2 * d if hidden is None else whole("hidden", hidden, 1)
        side = round(float(np.sqrt(inputs / self.channels)))
        if self.channels * side * side != inputs or side % self.patch:
            raise ParameterError(
                f"n_inputs={inputs} must be {self.channels} channels of a square image that patches of {self.patch} x "
                f"{self.patch} fill, such as 3072 with 3 channels and a patch of 8"
            )
        if d % self.heads:
            raise ParameterError(f"width={d} is not a multiple of heads={self.heads}")
        tokens = (side // self.patch) ** 2 + 1
        constants = (per_input("center", center, inputs), divisors(scale, inputs))
        super().__init__(
            inputs,
            outputs,
            d,
            blocks_,
            [TransformerBlock(tokens, d, self.heads, self.hidden) for _ in range(blocks_)],
            True,
            center,
            scale,
            seed,
            dtype,
            tokens=tokens,
            embedding=PatchEmbedding(self.channels, side, self.patch, d, *constants),
        )
