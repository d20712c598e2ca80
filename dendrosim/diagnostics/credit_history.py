"""Fidelity of credits over the course of training, from what training recorded."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..arguments import numbers
from ..errors import ParameterError, choose

Floats = NDArray[np.float64]


class CreditHistory:
    """Rows of layers at several times of one training.

    Parameters
    ----------
    columns : mapping of str to arrays
        ``run.records["credit"]`` of `dendrosim.training.RecordCredit`.

    Attributes
    ----------
    quantities : tuple of str
        What was measured: ``cosine``, ``norm_ratio`` and others, besides what the teaching signal said of itself.
    layers : tuple of str
        Layers from the soma outwards, and ``all``.
    epochs, passes : float arrays of shape (T,)
        Epochs, and forward passes of minibatches, until each time.

    Raises
    ------
    ParameterError
        If a column is missing, or they differ in length.
    """

    def __init__(self, columns: Mapping[str, ArrayLike]) -> None:
        missing = [name for name in ("epoch", "layer", "passes", "cosine") if name not in columns]
        if missing:
            raise ParameterError(f"the column {missing[0]!r} is missing; there are {', '.join(columns) or 'none'}")
        layer = np.asarray(columns["layer"])
        self._layer = np.char.decode(layer, "utf-8") if layer.dtype.kind == "S" else layer
        self._values = {name: numbers(name, column) for name, column in columns.items() if name != "layer"}
        lengths = {name: column.size for name, column in self._values.items()} | {"layer": self._layer.size}
        if len(set(lengths.values())) > 1:
            raise ParameterError(f"the columns differ in length: {lengths}")
        self.quantities = tuple(name for name in self._values if name not in ("epoch", "passes", "n"))
        self.layers: tuple[str, ...] = tuple(dict.fromkeys(self._layer.tolist()))
        self.epochs, self.passes = (self._column("all", name) for name in ("epoch", "passes"))

    def series(self, layer: str = "all", quantity: str = "cosine") -> Floats:
        """One `quantity` of one `layer` over time, shape (T,).

        Raises
        ------
        ParameterError
            If the layer or the quantity is not known.
        """
        return self._column(choose("layer", layer, self.layers), choose("quantity", quantity, self.quantities))

    def _column(self, layer: str, name: str) -> Floats:
        found: Floats = self._values[name][self._layer == layer].astype(np.float64)
        return found

    def __len__(self) -> int:
        return int(self.epochs.size)

    def __str__(self) -> str:
        width = max([7, *map(len, self.layers)])
        heads = "  ".join(f"{name:>{width}}" for name in self.layers)
        lines = ["Cosine of credits to exact ones over training", "", f"{'epoch':>7}  {heads}"]
        series = [self.series(layer) for layer in self.layers]
        for i, epoch in enumerate(self.epochs):
            lines.append(f"{epoch:7g}  " + "  ".join(f"{values[i]:{width}.3f}" for values in series))
        return "\n".join(lines)

    def __repr__(self) -> str:
        return f"<CreditHistory: {len(self)} times, {len(self.layers) - 1} layers>"
