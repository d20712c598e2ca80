"""Single neurons of any morphology as a model that learns."""

from __future__ import annotations

import copy
import os
from json import dumps
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..arguments import flag, instance, number, numbers, short, whole
from ..biophysics.gates import Gate
from ..biophysics.steady import State, steady_state
from ..biophysics.synapses import Synapses
from ..errors import FileFormatError, ParameterError, choose
from ..hdf5_reader import table_of
from ..morphology.compartments import Compartments, compartments_given
from ..shown import Shown
from .decoders import Decoder, Linear, Parameters
from .initial import raw_of, softplus
from .network import POSITIVE
from .neuron_activity import NeuronActivity, NeuronLayout
from .stored import dense, state_of

Floats = NDArray[Any]

SCALE = 10.0
"""mV of a physical cell that make an output of 1, unless told otherwise."""
_AT_ONCE = 2_000_000
"""Compartments times samples of one call of the solver where voltages are not kept."""
SCHEMA = 1


class Somas(Decoder):
    """The outputs of the somas themselves: nothing to learn."""

    name: ClassVar[str] = "soma"
    local: ClassVar[bool] = True

    def initial(self, n_in: int, n_out: int, rng: np.random.Generator) -> Parameters:
        return {}

    def forward(self, parameters: Parameters, h: Floats) -> Floats:
        return h.copy()

    def backward(self, parameters: Parameters, h: Floats, error: Floats) -> tuple[Parameters, Floats]:
        return {}, error.copy()

    def options(self) -> dict[str, Any]:
        return {}


READOUTS: dict[str, type[Linear] | type[Somas]] = {"linear": Linear, "soma": Somas}


class Neurons(Shown):
    """One or several single neurons of any morphology, whose synapses (and couplings) learn.

    The somas' steady states are the answer to a stimulus: read by a linear decoder, or as they are. Directions,
    integrations and units are those of `steady_state`; everything is float64.

    Parameters
    ----------
    compartments : Compartments
        One cell, or a forest of cells, in physical or normalised units.
    synapses : Synapses
        On these compartments; their conductances, which must be positive, are where learning begins.
    n_outputs : int, optional
        Outputs of the linear readout; with ``readout="soma"`` there is one per cell.
    readout : {"linear", "soma"}, default "linear"
        "linear": ``W a + b`` of the somas' outputs a, with learned W and b. "soma": the outputs a themselves.
    integration : {"shunting", "additive"}, default "shunting"
    direction : {"reciprocal", "directed"}, default "reciprocal"
    gate : Gate, optional
        Nonlinearity f between compartments and at the soma, fixed; directed trees only.
    reference, scale : float, optional
        What is read is a = (f(V) - reference) / scale, so that losses of voltages are well conditioned. By default the
        leak's reversal potential and 10 mV, with physical units and no gate; 0 and 1 behind a gate; the leak's
        reversal potential and 1 in normalised units.
    positive : {"softplus", "exp"}, default "softplus"
        How conductances (nS) come from their raw parameters.
    learn_couplings : bool, optional
        Whether couplings between compartments learn. By default those of normalised trees do, and those of cells in
        physical units, which follow from geometry, do not.
    seed : int, default 0
        Of the decoder's weights.

    Attributes
    ----------
    parameters : dict of arrays
        Raw parameters: ``synapses`` (S,), ``couplings`` (N,) if they learn, ``decoder_weight`` (n_outputs, C) and
        ``decoder_bias`` of the linear readout. After changing them call `refresh`.
    compartments, synapses : Compartments, Synapses
        The cells as they are now, with learned conductances.
    conductance_factor, coupling_factor : arrays of shape (S,) and (N,)
        d conductance / d raw.
    layout : NeuronLayout
    decoder : Decoder

    Raises
    ------
    ParameterError
        If a part is impossible; the message says what would work.

    Examples
    --------
    >>> import numpy as np, dendrosim as ds
    >>> cell = ds.Morphology.load("stellate").compartments(ds.Passive(E_leak=-70.0), d_lambda=0.1)
    >>> neuron = ds.Neurons(cell, ds.Synapses.scatter(cell, 40, 10), n_outputs=3)
    >>> neuron.predict(np.ones((2, 50))).shape
    (2, 3)
    """

    calibrated = True
    """It has nothing to calibrate."""
    dtype = np.dtype(np.float64)

    def __init__(
        self,
        compartments: Compartments,
        synapses: Synapses,
        n_outputs: int | None = None,
        *,
        readout: str = "linear",
        integration: str = "shunting",
        direction: str = "reciprocal",
        gate: Gate | None = None,
        reference: float | None = None,
        scale: float | None = None,
        positive: str = "softplus",
        learn_couplings: bool | None = None,
        seed: int = 0,
    ) -> None:
        self.compartments = compartments_given("compartments", compartments)
        self.synapses = instance("synapses", synapses, Synapses, "such as ds.Synapses.scatter(compartments)")
        self.readout = choose("readout", readout, READOUTS)
        self.positive = choose("positive", positive, POSITIVE)
        self.n_inputs, self.seed = synapses.n_inputs, whole("seed", seed, 0)
        self.n_outputs = _outputs(n_outputs, readout, compartments.n_cells)
        self.integration, self.direction, self.gate = integration, direction, gate
        plain = gate is None
        self.reference = (
            number("reference", reference, unit="mV")
            if reference is not None
            else (compartments.leak_reversal if plain else 0.0)
        )
        usual = SCALE if plain and compartments.physical else 1.0
        self.scale = usual if scale is None else number("scale", scale, above=0.0, unit="mV")
        self.learn_couplings = (
            not compartments.physical if learn_couplings is None else flag("learn_couplings", learn_couplings)
        )
        self.layout = NeuronLayout(compartments, self.n_inputs)
        self.decoder: Decoder = READOUTS[readout]()
        silent = np.flatnonzero(synapses.conductance <= 0)
        if silent.size:
            raise ParameterError(
                f"synapse {silent[0]} has conductance 0, from which a positive parameter cannot learn; begin with a "
                "small one, such as synapses.with_(conductance=np.maximum(synapses.conductance, 1e-3))"
            )
        self.parameters: dict[str, Floats] = {"synapses": raw_of(synapses.conductance, positive)}
        if self.learn_couplings:
            self.parameters["couplings"] = raw_of(
                np.where(compartments.coupling > 0, compartments.coupling, 1.0), positive
            )
        rng = np.random.default_rng(self.seed)
        self.parameters |= self.decoder.initial(compartments.n_cells, self.n_outputs, rng)
        self.refresh()
        self.run(np.zeros((1, self.n_inputs)))  # raises here what cannot be solved

    @property
    def decoder_weight(self) -> Floats:
        """Weights from somas to outputs, shape (n_outputs, C); the identity where somas are the outputs."""
        found: Floats = self.parameters.get("decoder_weight", np.eye(self.n_outputs))
        return found

    @property
    def coupling(self) -> Floats:
        """Conductance of each compartment to its parent, nS, shape (N,); 0 at roots."""
        return self.compartments.coupling

    @property
    def n_parameters(self) -> int:
        """Parameters in use: synapses, couplings if they learn, and decoder."""
        unused = self.layout.n_cells if self.learn_couplings else 0
        return sum(a.size for a in self.parameters.values()) - unused

    def refresh(self) -> None:
        """Let the cells follow changed parameters."""
        conductance, self.conductance_factor = self._positive(self.parameters["synapses"])
        self.synapses = self.synapses.with_(conductance=conductance)
        if self.learn_couplings:
            coupling, factor = self._positive(self.parameters["couplings"])
            root = self.layout.parent < 0
            self.coupling_factor: Floats = np.where(root, 0.0, factor)
            self.compartments = self.compartments.with_(coupling=np.where(root, 0.0, coupling))

    def _positive(self, raw: Floats) -> tuple[Floats, Floats]:
        """Conductances and their derivatives by the raw parameters."""
        if self.positive == "exp":
            value = np.exp(raw)
            return value, value
        value = softplus(raw)
        return value, -np.expm1(-value)

    def checked(self, x: ArrayLike) -> Floats:
        """`x` as a C-ordered float64 array, or an error that says what is wrong.

        Raises
        ------
        ParameterError
            If the shape or a value does not fit.
        """
        array = numbers("x", x)
        if array.ndim != 2 or array.shape[1] != self.n_inputs or array.shape[0] < 1:
            hint = ": for one sample use x[None]" if array.shape == (self.n_inputs,) else ""
            raise ParameterError(f"x has shape {array.shape}; expected (B, {self.n_inputs}), one row per sample{hint}")
        if not (array.min() >= 0 and np.isfinite(array.max())):
            raise ParameterError(
                "x must be finite and not negative: synapses have no negative activity; encode signed input as ON and "
                "OFF channels with ds.tasks.on_off(x), which doubles its width"
            )
        return np.ascontiguousarray(array, np.float64)

    def forward(self, x: ArrayLike, *, threads: int | None = None) -> NeuronActivity:
        """Steady state of every compartment for a batch.

        Parameters
        ----------
        x : array of shape (B, n_inputs)
            Presynaptic activity, not negative.
        threads : int, optional

        Returns
        -------
        NeuronActivity

        Raises
        ------
        ParameterError
            If the shape is another, or a value is negative or not finite.
        """
        return self.run(self.checked(x), threads)

    def run(self, x: Floats, threads: int | None = None, current: Floats | None = None) -> NeuronActivity:
        """`forward` of an `x` known to be good on `threads` threads, perhaps with `current` (B, N) injected, pA."""
        return self.read(self.solve(x, threads, current))

    def read(self, state: State, x: Floats | None = None) -> NeuronActivity:
        """Outputs and logits of a `state`, perhaps with presynaptic activities `x` (B, P) other than its own."""
        slope: Floats = np.ones_like(state.solved) if self.gate is None else self.gate.derivative(state.solved)
        activity = NeuronActivity(state, self.layout, self._output(state.activity), slope / self.scale, x)
        activity.logits = self.decoder.forward(self.parameters, activity.soma)
        return activity

    def answers(
        self, x: Floats, threads: int | None = None, current: Floats | None = None, shift: Floats | None = None
    ) -> Floats:
        """Logits (B, n_outputs) alone, in as many calls of the solver as keep its memory small.

        Parameters
        ----------
        x : array of shape (B, n_inputs)
            Known to be good.
        threads : int, optional
        current : array of shape (B, N), optional
            Injected, pA.
        shift : array of shape (B, C), optional
            Added to the outputs of the somas.

        Returns
        -------
        float array of shape (B, n_outputs)
        """
        rows = max(1, _AT_ONCE // self.layout.size)
        made = []
        for i in range(0, len(x), rows):
            here = slice(i, i + rows)
            state = self.solve(x[here], threads, None if current is None else current[here])
            soma = self._output(state.activity[:, self.layout.roots])
            made.append(self.decoder.forward(self.parameters, soma if shift is None else soma + shift[here]))
        return np.concatenate(made)

    def solve(self, x: Floats, threads: int | None = None, current: Floats | None = None) -> State:
        """The steady state for a good `x` on `threads` threads, perhaps with `current` (B, N) injected, pA."""
        return steady_state(
            self.compartments,
            self.synapses,
            x,
            integration=self.integration,
            direction=self.direction,
            current=current,
            gate=self.gate,
            threads=threads,
        )

    def _output(self, activity: Floats) -> Floats:
        found: Floats = (activity - self.reference) / self.scale
        return found

    def predict(self, x: ArrayLike, *, threads: int | None = None) -> Floats:
        """Logits of shape (B, n_outputs) of `x`, on `threads` threads."""
        return self.answers(self.checked(x), threads)

    def state(self) -> dict[str, Floats]:
        """Parameters, as copies."""
        return {name: array.copy() for name, array in self.parameters.items()}

    def restore(self, state: dict[str, Floats]) -> None:
        """Go back to what `state` returned.

        Raises
        ------
        ParameterError
            If the state is that of other neurons.
        """
        for name, array in self.parameters.items():
            if name not in state or state[name].shape != array.shape:
                raise ParameterError(f"the state does not fit these neurons: {name} is missing or has another shape")
            array[...] = state[name]
        self.refresh()

    def copy(self) -> Neurons:
        """An independent copy; what never changes is shared."""
        other = copy.copy(self)
        other.parameters = self.state()
        return other

    def content(self) -> dict[str, Any]:
        """All there is to store, for `from_content`."""
        from .files import tree_content

        cells, fields = self.compartments, ("compartment", "source", "sign", "reversal", "driving_force", "conductance")
        settings = {
            **{name: getattr(self, name) for name in ("n_outputs", "readout", "integration", "direction", "positive")},
            **{name: getattr(self, name) for name in ("reference", "scale", "learn_couplings", "seed", "n_inputs")},
            "gate": None
            if self.gate is None
            else [np.asarray(v).tolist() for v in (self.gate.slope, self.gate.midpoint)],
        }
        return {
            "settings": dumps(settings),
            "trees": {str(i): tree_content(cell) for i, cell in enumerate(cells._cells or (cells,))},
            "now": {name: getattr(cells, name) for name in ("leak", "coupling", "capacitance")},
            "synapses": {name: getattr(self.synapses, name) for name in fields},
            "state": self.state(),
        }

    @classmethod
    def from_content(cls, content: dict[str, Any]) -> Neurons:
        """The neurons that `content` describes.

        Raises
        ------
        FileFormatError
            If it describes none.
        """
        from .files import tree_of

        try:
            settings = table_of(content["settings"], "the text of settings of these neurons")
            state = state_of(content, "these neurons")
            trees = [tree_of(content["trees"][str(i)]) for i in range(len(content["trees"]))]
            cells = (trees[0] if len(trees) == 1 else Compartments.forest(trees)).with_(**content["now"])
            if settings["readout"] == "linear":
                dense([cells.n_cells, settings["n_outputs"]], state, "these neurons")
            if whole("n_inputs", settings["n_inputs"], 0) > _MOST_INPUTS:
                raise FileFormatError(
                    f"these neurons have {settings['n_inputs']} inputs; {_MOST_INPUTS:.0e} is the most"
                )
            synapses = Synapses(cells, n_inputs=settings.pop("n_inputs"), **content["synapses"])
            gate = settings.pop("gate")
            gate = None if gate is None else Gate(*(np.array(v) for v in gate))
            made = cls(cells, synapses, gate=gate, **settings)
            made.restore(state)
        except FileFormatError:
            raise
        except (ArithmeticError, AttributeError, KeyError, TypeError, ValueError, IndexError) as error:
            raise FileFormatError(f"these are no stored neurons: {short(error, 300)}") from error
        return made

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the neurons to the HDF5 file `path`; `load` reads it."""
        from ..about import __version__
        from ..hdf5 import write_hdf5

        attributes = {"program": f"dendrosim {__version__}", "kind": "neurons", "schema": SCHEMA}
        write_hdf5(path, self.content(), attributes)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Neurons:
        """Read neurons that `save` wrote to `path`.

        Raises
        ------
        FileFormatError
            If the file holds something else, or is damaged.
        """
        from ..hdf5 import read_hdf5

        content, attributes = read_hdf5(path)
        if attributes.get("kind") != "neurons":
            raise FileFormatError(f"{path} holds {short(attributes.get('kind', 'something'))}, not neurons")
        return cls.from_content(content)

    def __repr__(self) -> str:
        layout = self.layout
        return (
            f"<Neurons: {layout.n_cells} cells, {layout.size} compartments, {self.synapses.size} synapses, "
            f"{self.n_inputs} inputs, {self.n_outputs} outputs ({self.readout}); {self.integration}, {self.direction}>"
        )


_MOST_OUTPUTS = 1_000_000
_MOST_INPUTS = 10_000_000
"""Of neurons from a file: what drives no synapse is stored nowhere, so that a damaged number would go unnoticed."""


def _outputs(given: int | None, readout: str, n_cells: int) -> int:
    """Number of outputs."""
    if readout == "soma":
        if given is not None and (not isinstance(given, int | np.integer) or given != n_cells):
            raise ParameterError(
                f"n_outputs={short(given)}: readout='soma' has one output per cell, {n_cells} here; leave n_outputs "
                "out, or use readout='linear'"
            )
        return n_cells
    if isinstance(given, bool) or not isinstance(given, int | np.integer) or not 1 <= given <= _MOST_OUTPUTS:
        raise ParameterError(
            f"n_outputs={short(given)}: the linear readout needs a positive whole number of outputs, or use "
            "readout='soma', one output per cell"
        )
    return int(given)
