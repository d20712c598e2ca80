"""The baseline without dendrites: point neurons, one hidden layer, as many parameters as the dendritic network uses."""

from __future__ import annotations

import copy
import os
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..arguments import numbers, short
from ..errors import FileFormatError, ParameterError, choose

Floats = NDArray[Any]

_ROWS = 4096
"""Samples that are evaluated at once."""


class PointMLP:
    """Rectified linear hidden units and a linear readout; the point-neuron baseline of the local-credit paper.

    Parameters
    ----------
    n_inputs, n_outputs : int
    hidden : int
        Hidden units.
    seed : int, default 0
        Weights and biases are uniform within 1 / sqrt(fan-in).
    dtype : {"float32", "float64"}, default "float32"

    Attributes
    ----------
    parameters : dict of arrays
        ``hidden_weight (hidden, n_inputs)``, ``hidden_bias``, ``decoder_weight (n_outputs, hidden)``, ``decoder_bias``.

    Raises
    ------
    ParameterError
        If a size is not a positive whole number.
    """

    calibrated = True
    """It has nothing to calibrate."""

    def __init__(
        self, n_inputs: int, n_outputs: int, hidden: int, seed: int = 0, dtype: str | type = "float32"
    ) -> None:
        self.n_inputs, self.n_outputs = _count("n_inputs", n_inputs), _count("n_outputs", n_outputs)
        self.hidden = _count("hidden", hidden)
        self.dtype = np.dtype(dtype)
        choose("dtype", self.dtype.name, ["float32", "float64"])
        self.seed = _count("seed", seed, least=0)
        rng = np.random.default_rng(self.seed)
        self.parameters: dict[str, Floats] = {}
        for layer, fan_in, fan_out in (
            ("hidden", self.n_inputs, self.hidden),
            ("decoder", self.hidden, self.n_outputs),
        ):
            bound = 1.0 / np.sqrt(fan_in)
            self.parameters[f"{layer}_weight"] = rng.uniform(-bound, bound, (fan_out, fan_in)).astype(self.dtype)
            self.parameters[f"{layer}_bias"] = rng.uniform(-bound, bound, fan_out).astype(self.dtype)

    @classmethod
    def matching(
        cls, n_parameters: int, n_inputs: int, n_outputs: int, seed: int = 0, dtype: str | type = "float32"
    ) -> PointMLP:
        """The narrowest network that has at least `n_parameters` parameters.

        Parameters
        ----------
        n_parameters : int
            Parameters in use of the dendritic network that it is compared with (`Network.n_parameters`).
        n_inputs, n_outputs, seed, dtype
            As for the constructor.

        Examples
        --------
        >>> PointMLP.matching(98_314, 784, 10).hidden
        124
        """
        inputs, outputs = _count("n_inputs", n_inputs), _count("n_outputs", n_outputs)
        missing = _count("n_parameters", n_parameters) - outputs
        return cls(inputs, outputs, max(1, -(-missing // (inputs + 1 + outputs))), seed, dtype)

    @property
    def n_parameters(self) -> int:
        """Weights and biases."""
        return sum(array.size for array in self.parameters.values())

    def checked(self, x: ArrayLike) -> Floats:
        """`x` as a C-ordered array of the network's dtype, or an error that says what is wrong."""
        array = numbers("x", x)
        if array.ndim != 2 or array.shape[1] != self.n_inputs or array.shape[0] < 1:
            raise ParameterError(f"x has shape {array.shape}; expected (B, {self.n_inputs}), one row per sample")
        if not np.isfinite(array.min()) or not np.isfinite(array.max()):
            raise ParameterError("x has values that are NaN or infinite; inputs must be finite")
        return np.ascontiguousarray(array, self.dtype)

    def run(self, x: Floats) -> tuple[Floats, Floats]:
        """Hidden activities (B, hidden) and logits (B, n_outputs) for inputs that are known to be good."""
        p = self.parameters
        h = x @ p["hidden_weight"].T
        h += p["hidden_bias"]
        np.maximum(h, 0, out=h)
        return h, h @ p["decoder_weight"].T + p["decoder_bias"]

    def predict(self, x: ArrayLike, *, threads: int | None = None) -> Floats:
        """Logits of shape (B, n_outputs); `threads` is numpy's own affair here (see `Backprop`)."""
        x = self.checked(x)
        return np.concatenate([self.run(x[i : i + _ROWS])[1] for i in range(0, len(x), _ROWS)])

    def state(self) -> dict[str, Floats]:
        """Parameters, as copies."""
        return {name: array.copy() for name, array in self.parameters.items()}

    def restore(self, state: Mapping[str, Floats]) -> None:
        """Go back to what `state` returned."""
        for name, array in self.parameters.items():
            if name not in state or state[name].shape != array.shape:
                raise ParameterError(f"the state does not fit this network: {name} is missing or has another shape")
            array[...] = state[name]

    def copy(self) -> PointMLP:
        """An independent copy."""
        return copy.deepcopy(self)

    def options(self) -> dict[str, Any]:
        """Arguments of the constructor."""
        return {
            "n_inputs": self.n_inputs,
            "n_outputs": self.n_outputs,
            "hidden": self.hidden,
            "seed": self.seed,
            "dtype": self.dtype.name,
        }

    def content(self) -> dict[str, Any]:
        """All there is to store, for `from_content`."""
        return {"kind": "point_mlp", "options": self.options(), "state": self.state()}

    @classmethod
    def from_content(cls, content: Mapping[str, Any]) -> PointMLP:
        """The network that `content` describes.

        Raises
        ------
        FileFormatError
            If it describes none.
        """
        try:
            given = content["options"]
            n_inputs, n_outputs, hidden, seed = (int(given[k]) for k in ("n_inputs", "n_outputs", "hidden", "seed"))
            made = cls(n_inputs, n_outputs, hidden, seed, str(given["dtype"]))
            made.restore(content["state"])
        except (KeyError, TypeError, ValueError) as error:
            raise FileFormatError(f"this is no stored point MLP: {error!r}") from error
        return made

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the network to an HDF5 file; `load` reads it."""
        from ..about import __version__
        from ..hdf5 import write_hdf5

        attributes = {"program": f"dendrosim {__version__}", "kind": "point_mlp", "schema": 1}
        write_hdf5(os.fspath(path), self.content(), attributes)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> PointMLP:
        """Read a network that `save` wrote.

        Raises
        ------
        FileFormatError
            If the file holds something else, or is damaged.
        """
        from ..hdf5 import read_hdf5

        content, attributes = read_hdf5(os.fspath(path))
        if attributes.get("kind") != "point_mlp":
            raise FileFormatError(f"{path} holds {attributes.get('kind', 'something')!r}, not a point MLP")
        return cls.from_content(content)

    def __repr__(self) -> str:
        return (
            f"<PointMLP: {self.n_inputs} inputs, {self.hidden} hidden, {self.n_outputs} outputs; "
            f"{self.n_parameters} parameters, {self.dtype.name}>"
        )


def _count(name: str, value: object, least: int = 1) -> int:
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < least:
        raise ParameterError(f"{name}={short(value)} must be a whole number of at least {least}")
    return int(value)
