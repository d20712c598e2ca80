"""Point neurons: the baseline without dendrites, and the reference architecture of teaching signals."""

from __future__ import annotations

import copy
import os
import warnings
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..arguments import number, short, whole
from ..errors import FileFormatError, ParameterError, choose
from ..shown import Shown
from .decoders import Decoder, Linear
from .matrices import batch_given, dtype_of, one_thread
from .point import ACTIVATIONS, PointActivity, PointLayout
from .stored import dense, state_of

Floats = NDArray[Any]

INITS = ("uniform", "kaiming")
SCHEMA = 2
"""Of files. Schema 1 had a single hidden layer, ``hidden_weight`` and ``hidden_bias``."""

_OPTIONS: dict[str, Callable[[Any], Any]] = {
    **dict.fromkeys(("n_inputs", "n_outputs", "seed"), int),
    **dict.fromkeys(("dtype", "activation", "init"), str),
    **dict.fromkeys(("gain", "density"), float),
    "hidden": lambda stored: np.asarray(stored).tolist(),
}
"""From what is stored to arguments of the constructor."""

_ROWS = 4096
"""Samples that are evaluated at once."""


class PointMLP(Shown):
    """Hidden layers of point neurons and a linear readout; with one, the baseline of the local-credit paper.

    Parameters
    ----------
    n_inputs, n_outputs : int
    hidden : int or sequence of int
        Hidden units, of each layer where there are several.
    seed : int, default 0
        Of the initial weights.
    dtype : {"float32", "float64"}, default "float32"
    activation : {"relu", "tanh"}, default "relu"
    init : {"uniform", "kaiming"}, default "uniform"
        "uniform": weights and biases uniform within 1 / sqrt(fan-in), as in the paper. "kaiming": weights uniform
        within gain sqrt(3 / fan-in), biases 0 (He et al. 2015), in the decoder too.
    gain : float, optional
        For "kaiming"; by default sqrt(2) with "relu" and 5/3 with "tanh".
    density : float, default 1.0
        Fraction of the weights of each hidden layer that are not zero. Which ones is drawn once; the others stay 0.

    Attributes
    ----------
    parameters : dict of arrays
        ``hidden_weight_0 (hidden[0], n_inputs)``, ``hidden_bias_0``, ``hidden_weight_1`` and so on, ``decoder_weight
        (n_outputs, hidden[-1])``, ``decoder_bias``.
    masks : dict of arrays
        Under the names of ``hidden_weight_i``: 1 where a weight may differ from 0. Empty at density 1.
    widths : tuple of int
        Units of each hidden layer.
    layout : PointLayout
        Hidden units as cells of one compartment each.
    decoder : Linear

    Raises
    ------
    ParameterError
        If a size is not a positive whole number, or an option is not known or has no effect.
    """

    calibrated = True
    """It has nothing to calibrate."""

    def __init__(
        self,
        n_inputs: int,
        n_outputs: int,
        hidden: int | Sequence[int],
        seed: int = 0,
        dtype: str | type = "float32",
        *,
        activation: str = "relu",
        init: str = "uniform",
        gain: float | None = None,
        density: float = 1.0,
    ) -> None:
        self.n_inputs, self.n_outputs = whole("n_inputs", n_inputs, 1), whole("n_outputs", n_outputs, 1)
        self.widths = _widths(hidden)
        self.dtype = dtype_of(dtype)
        choose("dtype", self.dtype.name, ["float32", "float64"])
        self.seed = whole("seed", seed, 0)
        self.activation = choose("activation", activation, ACTIVATIONS)
        self.function = ACTIVATIONS[activation]
        self.init = choose("init", init, INITS)
        if gain is not None and init != "kaiming":
            raise ParameterError(f"gain={short(gain)} has no effect with init={init!r}; use init='kaiming'")
        self.gain = None if gain is None else number("gain", gain, above=0.0)
        self.density = number("density", density, above=0.0, most=1.0)
        self.decoder: Decoder = Linear()
        self.layout = PointLayout(self.n_inputs, self.widths)
        self.parameters: dict[str, Floats] = {}
        self.masks: dict[str, Floats] = {}
        self._draw(np.random.default_rng(self.seed))

    def _draw(self, rng: np.random.Generator) -> None:
        """Initial weights, and which of them stay 0."""
        names = [(f"hidden_weight_{i}", f"hidden_bias_{i}") for i in range(len(self.widths))]
        names.append(("decoder_weight", "decoder_bias"))
        gain = self.function.gain if self.gain is None else self.gain
        for (weight, bias), (fan_in, fan_out) in zip(
            names, pairwise([self.n_inputs, *self.widths, self.n_outputs]), strict=True
        ):
            kaiming = self.init == "kaiming"
            bound = gain * np.sqrt(3.0 / fan_in) if kaiming else 1.0 / np.sqrt(fan_in)
            self.parameters[weight] = rng.uniform(-bound, bound, (fan_out, fan_in)).astype(self.dtype)
            drawn = np.zeros(fan_out) if kaiming else rng.uniform(-bound, bound, fan_out)
            self.parameters[bias] = drawn.astype(self.dtype)
        if self.density < 1.0:
            for weight, _ in names[:-1]:
                value = self.parameters[weight]
                kept = rng.permutation(value.size) < max(1, round(self.density * value.size))
                self.masks[weight] = kept.reshape(value.shape).astype(self.dtype)
                value *= self.masks[weight]

    @classmethod
    def matching(
        cls,
        n_parameters: int,
        n_inputs: int,
        n_outputs: int,
        seed: int = 0,
        dtype: str | type = "float32",
        *,
        activation: str = "relu",
        init: str = "uniform",
        gain: float | None = None,
    ) -> PointMLP:
        """The narrowest network with one hidden layer that has at least `n_parameters` parameters.

        Parameters
        ----------
        n_parameters : int
            Parameters in use of the dendritic network that it is compared with (`Network.n_parameters`).
        n_inputs, n_outputs, seed, dtype, activation, init, gain
            As for the constructor.

        Examples
        --------
        >>> PointMLP.matching(98_314, 784, 10).hidden
        124
        """
        inputs, outputs = whole("n_inputs", n_inputs, 1), whole("n_outputs", n_outputs, 1)
        missing = whole("n_parameters", n_parameters, 1) - outputs
        width = max(1, -(-missing // (inputs + 1 + outputs)))
        return cls(inputs, outputs, width, seed, dtype, activation=activation, init=init, gain=gain)

    @property
    def hidden(self) -> int | tuple[int, ...]:
        """Hidden units; of every layer where there are several."""
        return self.widths[0] if len(self.widths) == 1 else self.widths

    @property
    def n_parameters(self) -> int:
        """Weights that may differ from 0, and biases."""
        masked = sum(mask.size - int(mask.sum(dtype=np.float64)) for mask in self.masks.values())
        return sum(array.size for array in self.parameters.values()) - masked

    def checked(self, x: ArrayLike) -> Floats:
        """`x` as a C-ordered array of the network's dtype, or an error that says what is wrong."""
        return batch_given(x, self.n_inputs, self.dtype)

    def threads_for(self, n_samples: int, threads: int | None) -> int:
        """1, whatever `n_samples` and `threads`: products are numpy's, whose threads OPENBLAS_NUM_THREADS sets."""
        return one_thread(threads)

    def forward(self, x: ArrayLike, *, threads: int | None = None, out: PointActivity | None = None) -> PointActivity:
        """Voltages and outputs of all hidden units, and logits.

        Parameters
        ----------
        x : array of shape (B, n_inputs)
        threads : int, optional
            Without effect (see `threads_for`).
        out : PointActivity, optional
            Of an earlier batch of the same size, to be overwritten.

        Returns
        -------
        PointActivity

        Raises
        ------
        ParameterError
            If the shape is another, or a value is not finite.
        """
        return self.run(self.checked(x), threads, out)

    def run(self, x: Floats, threads: int | None = None, out: PointActivity | None = None) -> PointActivity:
        """`forward` of an `x` known to be good (C-ordered, of this dtype) into `out`; `threads` has no effect."""
        a = out
        if a is None or a.n_samples != len(x):
            a = PointActivity(self.layout, len(x), self.dtype)
        a.x, below = x, x.T
        for i, (first, last) in enumerate(self.layout.cells_of):
            voltage, output = a.voltage[0, first:last], a.output[0, first:last]
            np.matmul(self.parameters[f"hidden_weight_{i}"], below, out=voltage)
            voltage += self.parameters[f"hidden_bias_{i}"][:, None]
            self.function.apply(voltage, output)
            below = output
        self.function.derivative(a.voltage, a.output, a.derivative)
        a.logits = self.decoder.forward(self.parameters, a.soma)
        return a

    def predict(self, x: ArrayLike, *, threads: int | None = None) -> Floats:
        """Logits of shape (B, n_outputs) of `x`; `threads` is without effect (see `threads_for`)."""
        x = self.checked(x)
        return np.concatenate([self._logits(x[i : i + _ROWS]) for i in range(0, len(x), _ROWS)])

    def _logits(self, h: Floats) -> Floats:
        for i in range(len(self.widths)):
            h = h @ self.parameters[f"hidden_weight_{i}"].T
            h += self.parameters[f"hidden_bias_{i}"]
            self.function.apply(h, h)
        return self.decoder.forward(self.parameters, h)

    def state(self) -> dict[str, Floats]:
        """Parameters, as copies."""
        return {name: array.copy() for name, array in self.parameters.items()}

    def restore(self, state: Mapping[str, Floats]) -> None:
        """Go back to what `state` returned.

        Raises
        ------
        ParameterError
            If the state is that of another network.
        """
        for name, array in self.parameters.items():
            if name not in state or state[name].shape != array.shape:
                raise ParameterError(f"the state does not fit this network: {name} is missing or has another shape")
            array[...] = state[name]

    def copy(self) -> PointMLP:
        """An independent copy."""
        return copy.deepcopy(self)

    def options(self) -> dict[str, Any]:
        """Arguments of the constructor."""
        given = {
            "n_inputs": self.n_inputs,
            "n_outputs": self.n_outputs,
            "hidden": self.hidden if isinstance(self.hidden, int) else list(self.hidden),
            "seed": self.seed,
            "dtype": self.dtype.name,
            "activation": self.activation,
            "init": self.init,
            "density": self.density,
        }
        return given if self.gain is None else {**given, "gain": self.gain}

    def content(self) -> dict[str, Any]:
        """All there is to store, for `from_content`."""
        return {"kind": "point_mlp", "schema": SCHEMA, "options": self.options(), "state": self.state()}

    @classmethod
    def from_content(cls, content: Mapping[str, Any]) -> PointMLP:
        """The network that `content` describes; warns where it is in the words of an earlier version.

        Raises
        ------
        FileFormatError
            If it describes none, or is of a later schema.
        """
        schema = content.get("schema", 1)
        schema = schema.item() if isinstance(schema, np.ndarray) and schema.size == 1 else schema
        if not isinstance(schema, int) or schema not in range(1, SCHEMA + 1):
            raise FileFormatError(f"this point MLP is of schema {short(schema)}; this version reads 1 to {SCHEMA}")
        try:
            state = state_of(content, "this point MLP")
            if schema == 1:
                warnings.warn(
                    "this point MLP was stored by an earlier version (schema 1): its only hidden layer is read as "
                    f"hidden_weight_0, hidden_bias_0; saved again it is of schema {SCHEMA}",
                    stacklevel=2,
                )
                state |= {f"hidden_{part}_0": state.pop(f"hidden_{part}") for part in ("weight", "bias")}
            given = {name: _OPTIONS[name](value) for name, value in content["options"].items()}
            hidden = given["hidden"]
            widths = list(hidden) if isinstance(hidden, list | tuple) else [hidden]
            dense([given["n_inputs"], *widths, given["n_outputs"]], state, "this point MLP")
            made = cls(**given)
            made.restore(state)
        except FileFormatError:
            raise
        except (AttributeError, KeyError, OverflowError, TypeError, ValueError) as error:
            raise FileFormatError(f"this is no stored point MLP: {short(error, 300)}") from error
        if any((made.parameters[name][mask == 0] != 0).any() for name, mask in made.masks.items()):
            raise FileFormatError("weights that the density of this point MLP keeps at 0 are not; the file is damaged")
        return made

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the network to the HDF5 file `path`; `load` reads it."""
        from ..about import __version__
        from ..hdf5 import write_hdf5

        attributes = {"program": f"dendrosim {__version__}", "kind": "point_mlp", "schema": SCHEMA}
        write_hdf5(path, self.content(), attributes)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> PointMLP:
        """Read a network that `save` wrote to `path`, in this version or, with a warning, an earlier one.

        Raises
        ------
        FileFormatError
            If the file holds something else, or is damaged.
        """
        from ..hdf5 import read_hdf5

        content, attributes = read_hdf5(path)
        if attributes.get("kind") != "point_mlp":
            raise FileFormatError(f"{path} holds {short(attributes.get('kind', 'something'))}, not a point MLP")
        return cls.from_content(content)

    def __repr__(self) -> str:
        hidden = "-".join(map(str, self.widths))
        return (
            f"<PointMLP: {self.n_inputs} inputs, {hidden} hidden, {self.n_outputs} outputs; "
            f"{self.n_parameters} parameters, {self.dtype.name}>"
        )


def _widths(hidden: object) -> tuple[int, ...]:
    if isinstance(hidden, list | tuple):
        if not hidden:
            raise ParameterError("hidden=[] has no layer; give the units of one layer, or of each, such as [1024, 512]")
        return tuple(whole(f"hidden[{i}]", width, 1) for i, width in enumerate(hidden))
    return (whole("hidden", hidden, 1),)
