"""Networks of dendritic neurons."""

from __future__ import annotations

import copy
import os
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..arguments import flag, number, numbers, whole
from ..errors import ParameterError, choose
from ..kernels import parallel
from ..kernels.memory import aligned
from ..shown import Shown
from .activity import Activity
from .connectivity import Connectivity
from .decoders import DECODERS, Decoder
from .initial import INITIALISATIONS, candidates, raw_of
from .integration import integration as integration_named
from .layout import Layout, Population, Projection
from .matrices import as_dtype, dtype_of

if TYPE_CHECKING:
    from ..biophysics.gates import Gate
    from ..biophysics.synapses import Synapses
    from ..morphology.compartments import Compartments

Floats = NDArray[Any]

POSITIVE = {"softplus": 0, "exp": 1}
SMALL = 2_000_000
"""Synapses times samples below which one thread is faster than two."""


class Network(Shown):
    """Populations of directed dendritic neurons, wired into an acyclic network and read by a decoder.

    `Network.dendritic` builds the usual layers; the constructor takes any populations and projections.

    Parameters
    ----------
    n_inputs, n_outputs : int
        Width of the input, and of the decoder's output.
    populations : sequence of Population
    projections : sequence of Projection
    readout : sequence of str
        Populations that the decoder reads.
    integration : {"shunting", "additive", "normalised_additive"}, default "shunting"
    gates : bool, default True
        Whether compartments pass on f(V) = (tanh(slope (V - midpoint)) + 1) / 2 with learned slope and midpoint, or V.
    positive : {"softplus", "exp"}, default "softplus"
        How synaptic conductances and couplings come from their raw parameters.
    connectivity : {"topk", "fixed"}, default "topk"
        Whether every bank of synapses is, after each update, the K largest of its candidates' raw weights again, or
        stays as drawn.
    decoder : str or Decoder, default "linear"
    initialisation : {"fair", "published"}, default "fair"
    seed : int, default 0
    dtype : {"float32", "float64"}, default "float32"

    Attributes
    ----------
    layout : Layout
        Compartments, cells and banks of synapses as plain arrays.
    parameters : dict of arrays
        Raw parameters: ``synapses`` (S,), ``couplings`` (N,), ``log_slope`` and ``midpoint`` (N,), and the decoder's.
        After changing them call `refresh`.
    conductance, coupling, slope, base : arrays
        What follows from them: (S,) and (N,).
    conductance_factor, coupling_factor : arrays
        d conductance / d raw, (S,) and (N,).
    source, sign : int arrays of shape (S,)
        Presynaptic row, and +1 or -1, of every synapse.
    gated : bool array of shape (N,)
        Compartments with a gate.
    calibrated : bool
        Whether the gates have been fitted to data, by `calibrate` or by training.

    Raises
    ------
    ParameterError
        If a part is impossible; the message says what would work.
    """

    def __init__(
        self,
        n_inputs: int,
        n_outputs: int,
        populations: Sequence[Population],
        projections: Sequence[Projection],
        readout: Sequence[str],
        *,
        integration: str = "shunting",
        gates: bool = True,
        positive: str = "softplus",
        connectivity: str = "topk",
        decoder: str | Decoder = "linear",
        initialisation: str = "fair",
        seed: int = 0,
        dtype: str | type = "float32",
        _state: dict[str, Floats] | None = None,
    ) -> None:
        self.n_inputs, self.n_outputs = whole("n_inputs", n_inputs), whole("n_outputs", n_outputs)
        self.dtype = dtype_of(dtype)
        gates = flag("gates", gates)
        self.kind = integration_named(integration)
        self.integration = self.kind.name
        self.positive = choose("positive", positive, POSITIVE)
        self.initialisation = choose("initialisation", initialisation, INITIALISATIONS)
        given = decoder if isinstance(decoder, Decoder) else DECODERS[choose("decoder", decoder, DECODERS)]()
        self.decoder: Decoder = given
        self.seed = whole("seed", seed, 0)
        self.calibrated = False
        self.layout = layout = Layout(self.n_inputs, populations, projections, readout)
        if not gates and integration != "shunting" and any(p.source != "input" for p in layout.projections):
            raise ParameterError(
                f"integration={integration!r} without gates has voltages below zero, which cannot drive other cells; "
                "use gates=True, integration='shunting', or a single layer"
            )
        self.gated = (layout.leak > 0) & gates
        rng = np.random.default_rng(self.seed)
        drawn = candidates(layout, self.positive, rng) if _state is None else None
        self.connectivity = Connectivity(layout.banks, drawn, connectivity, self.dtype)
        self.source, self.sign = self.connectivity.source, self.connectivity.sign
        n = layout.size
        self.parameters: dict[str, Floats] = {
            "synapses": self.connectivity.raw,
            "couplings": raw_of(np.where(layout.coupling > 0, layout.coupling, 1.0), self.positive),
            "log_slope": np.zeros(n),
            "midpoint": np.full(n, 0.5),
            **self.decoder.initial(layout.readout.size, self.n_outputs, rng),
        }
        self.parameters = {name: np.ascontiguousarray(a, self.dtype) for name, a in self.parameters.items()}
        self.conductance, self.conductance_factor = (np.empty(layout.n_synapses, self.dtype) for _ in range(2))
        self.coupling, self.coupling_factor = (np.empty(n, self.dtype) for _ in range(2))
        if _state is None:
            self.refresh()
            INITIALISATIONS[self.initialisation]().apply(self, rng.random((256, self.n_inputs)))
        else:  # from a file: all that was drawn and learned is there
            self.restore(_state)

    @classmethod
    def dendritic(
        cls,
        n_inputs: int,
        n_outputs: int,
        cells: Sequence[int],
        branching: Sequence[int] = (3, 3),
        excitatory: int | Sequence[int] = 40,
        inhibitory: int | Sequence[int] = 20,
        integration: str = "shunting",
        seed: int = 0,
        *,
        inhibitory_cells: Sequence[int] | None = None,
        somatic_synapses: bool = False,
        trees: Compartments | Sequence[Compartments] | None = None,
        **options: Any,
    ) -> Network:
        """Layers of dendritic neurons, each driven by the somas of the one before, the last read by the decoder.

        Parameters
        ----------
        n_inputs, n_outputs : int
        cells : sequence of int
            Excitatory neurons per layer; ``[128]`` is the paper's headline network.
        branching : sequence of int, default (3, 3)
            Children per compartment at each stage above the soma.
        excitatory, inhibitory : int or one per layer, default 40 and 20
            Synapses of each kind per dendritic compartment; inhibitory ones may be 0.
        integration : str, default "shunting"
        seed : int, default 0
        inhibitory_cells : sequence of int, optional
            Inhibitory dendritic neurons per layer, driven by what drives the layer; they then carry its inhibition.
            Without them the layer's input makes inhibitory synapses itself.
        somatic_synapses : bool, default False
            Put synapses on the somas too.
        trees : Compartments, or sequence of them, optional
            Instead of `branching`: one tree for all cells, or one for each cell, over all layers; excitatory cells of a
            layer come before its inhibitory ones.
        **options
            As for the constructor.

        Examples
        --------
        >>> import dendrosim as ds
        >>> ds.Network.dendritic(784, 10, [128], [3, 3], 40, 20).layout.n_synapses
        92160
        """
        from .build import layers

        populations, projections, readout = layers(
            cells, branching, excitatory, inhibitory, inhibitory_cells, somatic_synapses, trees
        )
        return cls(
            n_inputs, n_outputs, populations, projections, readout, integration=integration, seed=seed, **options
        )

    def forward(self, x: ArrayLike, *, threads: int | None = None, out: Activity | None = None) -> Activity:
        """Steady state of every compartment for a batch.

        Parameters
        ----------
        x : array of shape (B, n_inputs)
            Presynaptic activity, not negative.
        threads : int, optional
            By default all processors when there is enough work; the result does not depend on it.
        out : Activity, optional
            Of an earlier batch of the same size, to be overwritten.

        Returns
        -------
        Activity

        Raises
        ------
        ParameterError
            If the shape is another, or a value is negative or not finite.
        """
        return self.run(self.checked(x), threads, out)

    def checked(self, x: ArrayLike) -> Floats:
        """`x` as a C-ordered array of the network's dtype, or an error that says what is wrong.

        Raises
        ------
        ParameterError
            If the shape or a value does not fit.
        """
        array = numbers("x", x)
        if array.ndim != 2 or array.shape[1] != self.n_inputs or array.shape[0] < 1:
            raise ParameterError(
                f"x has shape {array.shape}; expected (B, {self.n_inputs}), one row per sample"
                + (": for one sample use x[None]" if array.shape == (self.n_inputs,) else "")
            )
        low = float(array.min()) if array.size else 0.0
        if not np.isfinite(low) or not np.isfinite(array.max()):
            raise ParameterError("x has values that are NaN or infinite; presynaptic activity must be finite")
        if low < 0:
            raise ParameterError(
                f"x has negative values (down to {low:g}): conductance synapses have no negative activity; encode "
                "signed input as ON and OFF channels with ds.tasks.on_off(x), which doubles its width"
            )
        return as_dtype(array, self.dtype)

    def run(self, x: Floats, threads: int | None = None, out: Activity | None = None) -> Activity:
        """`forward` of an `x` that is known to be good (C-ordered, of this dtype), with `threads` and `out`."""
        from ..kernels import layers

        layout = self.layout
        a = out
        if a is None or a.n_samples != len(x):
            a = Activity(layout, len(x), self.dtype)
        threads = self.threads_for(len(x), threads)
        flat = x.reshape(-1)
        width, rows = a.width, a.presynaptic.reshape(-1)
        square = (0.0,) * (32 // self.dtype.itemsize)
        parallel.run(
            lambda _, i, j: layers.to_blocks(flat, self.n_inputs, len(x), rows, layout.n_rows, width, i, j, square),
            parallel.ranges(a.n_blocks, threads),
            threads,
            _nothing,
        )
        tree = [layout.parent, layout.roots, layout.first, layout.middle, layout.last]
        mine = [self.source, self.conductance, self.coupling, self.base, self.slope, self.parameters["midpoint"]]
        kind = (self.force, self.dtype.type(self.kind.shunt), self.n_inputs)
        arrays = [v.reshape(-1) for v in (a.presynaptic, a.voltage, a.resistance, a.output, a.derivative)]
        for first, last in layout.cells_of:
            jobs = [(*tree, *mine, *kind, *arrays, a.n_blocks, *part, a.lanes) for part in spans(first, last, threads)]
            parallel.run(layers.forward, jobs, threads, partial(aligned, layout.largest * width, self.dtype))
        a.logits = self.decoder.forward(self.parameters, a.read())
        return a

    def predict(self, x: ArrayLike, *, threads: int | None = None) -> Floats:
        """Logits (B, n_outputs) of `x`, in parts of 256 samples that share their memory, on `threads` threads."""
        x = self.checked(x)
        logits, activity = np.empty((len(x), self.n_outputs), self.dtype), None
        for i in range(0, len(x), 256):
            activity = self.run(x[i : i + 256], threads, activity)
            logits[i : i + 256] = activity.logits
        return logits

    def threads_for(self, n_samples: int, threads: int | None) -> int:
        """Threads to use for a batch of `n_samples`, at most `threads`."""
        if threads is not None:
            return whole("threads", threads)
        return parallel.available() if self.layout.n_synapses * n_samples > SMALL else 1

    @property
    def force(self) -> tuple[Any, Any]:
        """Drive of excitatory and inhibitory conductance, in the network's dtype."""
        excitatory, inhibitory = self.kind.force
        return self.dtype.type(excitatory), self.dtype.type(inhibitory)

    def refresh(self) -> None:
        """Follow the raw parameters: conductances, couplings, slopes, and conductances at rest."""
        self.refresh_synapses(0, self.layout.n_synapses)
        self.refresh_cells()

    def refresh_synapses(self, first: int, last: int) -> None:
        """Conductances of the synapses from `first` to before `last` from their raw parameters."""
        from ..kernels import optimise

        lanes = (0.0,) * (64 // self.dtype.itemsize)
        raw, kind = self.parameters["synapses"], POSITIVE[self.positive]
        optimise.positive(raw, kind, self.conductance, self.conductance_factor, first, last, lanes)

    def refresh_cells(self) -> None:
        """Couplings, slopes and conductances at rest from raw parameters and the synapses' conductances."""
        from ..kernels import optimise

        lanes = (0.0,) * (64 // self.dtype.itemsize)
        raw, kind = self.parameters["couplings"], POSITIVE[self.positive]
        optimise.positive(raw, kind, self.coupling, self.coupling_factor, 0, raw.size, lanes)
        self.coupling[self.layout.roots] = 0.0
        self.slope = np.where(self.gated, np.exp(self.parameters["log_slope"]), 0.0).astype(self.dtype)
        self.base = self.kind.base(self.layout, self.conductance, self.coupling).astype(self.dtype)

    def calibrate(self, x: ArrayLike) -> None:
        """Set couplings and gates afresh from the responses to a batch, as the network's initialisation says.

        Parameters
        ----------
        x : array of shape (B, n_inputs)
            A few hundred samples or more.
        """
        INITIALISATIONS[self.initialisation]().apply(self, self.checked(x))
        self.calibrated = True

    def set_couplings(self, compartments: NDArray[np.int64], values: Floats) -> None:
        """Give `compartments` the couplings `values` to their parents, (n,)."""
        self.parameters["couplings"][compartments] = raw_of(np.asarray(values, np.float64), self.positive)
        self.refresh()

    def set_gates(self, compartments: NDArray[np.int64], slope: Floats, midpoint: Floats) -> None:
        """Give `compartments` gates with these `slope` and `midpoint`, (n,)."""
        self.parameters["log_slope"][compartments] = np.log(slope)
        self.parameters["midpoint"][compartments] = midpoint
        self.refresh()

    def synaptic_conductance(self, x: ArrayLike, sign: int | None = None) -> Floats:
        """Active synaptic conductance of every compartment under `x`, shape (B, N): of one `sign`, or of both.

        Raises
        ------
        ParameterError
            If `sign` is neither +1 nor -1.
        """
        from scipy.sparse import csr_array

        if sign is not None and number("sign", sign) not in (1.0, -1.0):
            raise ParameterError(f"sign={sign!r} must be 1 (excitatory), -1 (inhibitory) or None for both")
        a = self.forward(x)
        layout = self.layout
        weight = self.conductance if sign is None else self.conductance * (self.sign == sign)
        matrix = csr_array((weight, self.source, np.append(0, layout.last)), shape=(layout.size, layout.n_rows))
        total: Floats = (matrix @ a.batch_first(a.presynaptic).T).T
        return total

    @property
    def n_parameters(self) -> int:
        """Parameters in use: active synapses, couplings, gates and decoder."""
        core = self.layout.n_synapses + int((self.layout.parent >= 0).sum()) + 2 * int(self.gated.sum())
        return core + sum(a.size for name, a in self.parameters.items() if name.startswith("decoder"))

    def state(self) -> dict[str, Floats]:
        """Everything that training changes, as copies."""
        mine = {name: value.copy() for name, value in self.parameters.items()}
        return {**mine, **self.connectivity.state(), "calibrated": np.array(self.calibrated)}

    def restore(self, state: dict[str, Floats]) -> None:
        """Go back to what `state` returned.

        Raises
        ------
        ParameterError
            If the state is that of another network.
        """
        for name, value in self.parameters.items():
            if name not in state or state[name].shape != value.shape:
                raise ParameterError(f"the state does not fit this network: {name} is missing or has another shape")
            value[...] = state[name]
        self.connectivity.restore(state)
        self.calibrated = bool(state["calibrated"])
        self.refresh()

    def copy(self) -> Network:
        """An independent copy."""
        return copy.deepcopy(self)

    def cell(self, k: int) -> tuple[Compartments, Synapses, Gate | None]:
        """Cell number `k` on its tree with what it has learned, for drawing and `ds.steady_state`.

        Parameters
        ----------
        k : int
            From 0.

        Returns
        -------
        compartments : Compartments
            In normalised units, with the shape of the tree it was made from.
        synapses : Synapses
            Driven by the network's presynaptic rows: its inputs, then the outputs of its cells
            (`Activity.presynaptic`). Those of a normalised additive cell have what they come to after division.
        gate : Gate or None
        """
        from .build import exported

        return exported(self, k)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the network to the HDF5 file `path`; `load` reads it."""
        from .files import save

        save(self, path)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Network:
        """Read a network that `save` wrote to `path`."""
        from .files import load

        return load(path)

    def __repr__(self) -> str:
        cells = ", ".join(f"{len(p.cells)} {p.name}" for p in self.layout.populations)
        return (
            f"<Network: {self.n_inputs} inputs, {cells}, {self.n_outputs} outputs; {self.integration}, "
            f"{self.layout.size} compartments, {self.layout.n_synapses} synapses, {self.dtype.name}>"
        )


def spans(first: int, last: int, parts: int) -> list[tuple[int, int]]:
    """``first`` to ``last`` in at most `parts` ranges."""
    return [(first + a, first + b) for a, b in parallel.ranges(last - first, parts)]


def _nothing() -> None:
    return None
