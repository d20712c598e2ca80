"""Synapses on compartments: where they sit, what drives them, and their conductances and reversal potentials."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..arguments import flag, generator, instance, number, whole
from ..errors import ParameterError
from ..morphology.compartments import Compartments, compartments_given
from ..shown import Shown
from .placement import at_distances, at_samples, drawn
from .presets import SynapseKind
from .synapse_checks import FIELDS, INTEGERS, broadcast, check, pair, physical_kinds

CONDUCTANCE = 0.5
"""Conductance of a synapse unless told otherwise: nS, or in units of the leak in normalised units."""
REVERSAL = (0.0, -70.0)
"""Reversal potentials of excitation and inhibition unless told otherwise, mV."""
NORMALISED_REVERSAL = (1.0, 0.0)
"""The same in normalised units."""


@dataclass(frozen=True, init=False, eq=False, repr=False)
class Synapses(Shown):
    """Synapses on compartments; immutable, every array read-only.

    Parameters
    ----------
    compartments : Compartments
        Where they sit; only its tree, units and leak reversal are used.
    compartment : int or int array of shape (n,)
        Compartment of each synapse. All array arguments are broadcast against each other.
    source : int array of shape (n,), optional
        Which input drives each synapse. By default each has its own.
    sign : int or int array of shape (n,)
        +1 for excitation, -1 for inhibition.
    conductance : float or array of shape (n,), default 0.5
        Conductance at presynaptic activity 1, nS (units of the leak in normalised units), >= 0.
    reversal : float or array of shape (n,), optional
        Reversal potential, mV. By default 0 for excitation and -70 for inhibition; 1 and 0 in normalised units.
    driving_force : float or array of shape (n,), optional
        Fixed signed driving force of additive integration, mV: a synapse is then a current source of activity times
        conductance times driving force. By default E_exc - E_leak for excitation and its negative for inhibition: an
        excitatory synapse takes its own reversal potential for E_exc, an inhibitory one the mean of the excitatory
        ones given with it (the default of excitation if there are none).
    n_inputs : int, optional
        Number of inputs, P. By default just enough for `source`.

    Attributes
    ----------
    n_inputs : int
        Number of inputs, P: what is presented to the synapses has shape (B, n_inputs).
    n_compartments : int
        Size of the compartments that the synapses were made for.
    parent : int array of shape (n_compartments,)
        Their tree, not copied.

    Raises
    ------
    ParameterError
        If shapes do not fit together, or a value is impossible; the message names the first offending synapse.

    Examples
    --------
    >>> import dendrosim as ds
    >>> tree = ds.Compartments.branching([2])
    >>> synapses = ds.Synapses(tree, [1, 2, 2], sign=[1, 1, -1], conductance=[0.3, 0.2, 0.1])
    >>> synapses.n_inputs
    3
    >>> synapses.reversal
    array([1., 1., 0.])
    """

    compartment: NDArray[np.int64]
    source: NDArray[np.int64]
    sign: NDArray[np.int64]
    reversal: NDArray[np.float64]
    conductance: NDArray[np.float64]
    driving_force: NDArray[np.float64]
    n_inputs: int
    n_compartments: int
    parent: NDArray[np.int64]

    def __init__(
        self,
        compartments: Compartments,
        compartment: ArrayLike,
        source: ArrayLike | None = None,
        *,
        sign: ArrayLike,
        conductance: ArrayLike = CONDUCTANCE,
        reversal: ArrayLike | None = None,
        driving_force: ArrayLike | None = None,
        n_inputs: int | None = None,
    ) -> None:
        compartments_given("compartments", compartments)
        given: dict[str, Any] = {"compartment": compartment, "source": source, "sign": sign, "reversal": reversal}
        given |= {"conductance": conductance, "driving_force": driving_force}
        optional = ("source", "reversal", "driving_force")
        arrays = broadcast({name: value for name, value in given.items() if value is not None or name not in optional})
        excitation, inhibition = REVERSAL if compartments.physical else NORMALISED_REVERSAL
        excitatory = arrays["sign"] > 0
        if reversal is None:
            arrays["reversal"] = np.where(excitatory, excitation, inhibition)
        if driving_force is None:
            own = arrays["reversal"]
            shared = own[excitatory].mean() if excitatory.any() else excitation
            leak = compartments.leak_reversal
            arrays["driving_force"] = np.where(excitatory, own - leak, leak - shared)
        if source is None:
            arrays["source"] = np.arange(excitatory.size)
        self._set(arrays, n_inputs, compartments.parent)

    def _set(self, arrays: dict[str, NDArray[Any]], n_inputs: int | None, parent: NDArray[np.int64]) -> None:
        n_inputs = check(arrays, n_inputs, parent.size)
        for name in FIELDS:
            array = np.array(arrays[name], dtype=np.int64 if name in INTEGERS else np.float64)
            array.flags.writeable = False
            object.__setattr__(self, name, array)
        object.__setattr__(self, "n_inputs", n_inputs)
        object.__setattr__(self, "n_compartments", int(parent.size))
        object.__setattr__(self, "parent", parent)

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        for value in state.values():
            if isinstance(value, np.ndarray):
                value.flags.writeable = False  # pickle forgets it

    def made_for(self, compartments: Compartments) -> bool:
        """Whether `compartments` are the tree that the synapses were made for, or one that is wired the same."""
        given = compartments_given("compartments", compartments).parent
        return self.parent is given or np.array_equal(self.parent, given)

    @classmethod
    def scatter(
        cls,
        compartments: Compartments,
        excitatory: int = 200,
        inhibitory: int = 50,
        n_inputs: int | None = None,
        seed: int | np.random.Generator = 0,
        *,
        by: str = "length",
        regions: str | Iterable[str] | None = None,
        conductance: float | tuple[float, float] | None = None,
        reversal: tuple[float, float] | None = None,
        driving_force: tuple[float, float] | None = None,
        kinds: tuple[str | SynapseKind, str | SynapseKind] | None = None,
    ) -> Synapses:
        """Put synapses at random places of the tree, excitatory ones first.

        Parameters
        ----------
        compartments : Compartments
            Where to put them.
        excitatory, inhibitory : int, default 200 and 50
            How many of each.
        n_inputs : int, optional
            By default every synapse has an input of its own; otherwise each draws its input among this many.
        seed : int or numpy.random.Generator, default 0
            Seed of the positions and inputs.
        by : {"length", "area"}, default "length"
            A compartment is drawn with probability proportional to its length or its membrane area; never a branch
            point. In normalised units (no lengths, no areas) every compartment is as likely as any other.
        regions : str or iterable of str, optional
            Only there. By default the dendrite, which is every region but soma and axon; a cell that was read from a
            file or grown must have one. Regular and explicit trees without any other region: everything.
        conductance : float or (float, float), optional
            One value, or one for excitation and one for inhibition. By default 0.5 nS (0.5 leaks in normalised units).
        reversal : (float, float), optional
            Of excitation and inhibition, mV. By default 0 and -70; 1 and 0 in normalised units.
        driving_force : (float, float), optional
            Of excitation and inhibition for additive integration, mV. By default E_exc - E_leak and its negative.
        kinds : pair of str or SynapseKind, optional
            An excitatory and an inhibitory kind, such as ``("AMPA", "GABA_A")``, whose reversal potentials and
            conductances take the place of the defaults.

        Returns
        -------
        Synapses

        Raises
        ------
        ParameterError
            If a number, a region or an option is impossible, or there is no dendrite and no region is named.
        """
        compartments_given("compartments", compartments)
        numbers = (whole("excitatory", excitatory, 0), whole("inhibitory", inhibitory, 0))
        if kinds is not None:
            values = physical_kinds(compartments, kinds)
            if len(values) != 2:
                raise ParameterError(f"kinds={kinds!r} must be two kinds, one of excitation and one of inhibition")
            if conductance is None:
                conductance = (values[0].conductance, values[1].conductance)
            if reversal is None:
                reversal = (values[0].reversal, values[1].reversal)
        if reversal is None:
            reversal = REVERSAL if compartments.physical else NORMALISED_REVERSAL
        if driving_force is None:
            force = pair("reversal", reversal)[0] - compartments.leak_reversal
            driving_force = (force, -force)
        rng = generator("seed", seed)
        total = sum(numbers)
        compartment = drawn(compartments, total, by, regions, rng)
        source = None
        if n_inputs is not None:
            source = rng.integers(whole("n_inputs", n_inputs, min(total, 1)), size=total)
        per_kind = {
            "sign": (1, -1),
            "conductance": pair("conductance", CONDUCTANCE if conductance is None else conductance),
            "reversal": pair("reversal", reversal),
            "driving_force": pair("driving_force", driving_force),
        }
        arrays: dict[str, Any] = {name: np.repeat(two, numbers) for name, two in per_kind.items()}
        return cls(compartments, compartment, source, n_inputs=n_inputs, **arrays)

    @classmethod
    def at(
        cls,
        compartments: Compartments,
        *,
        samples: ArrayLike | None = None,
        distance: ArrayLike | None = None,
        region: str | Iterable[str] | None = None,
        cell: int = 0,
        sign: int | None = None,
        kind: str | SynapseKind | None = None,
        source: ArrayLike | None = None,
        conductance: ArrayLike | None = None,
        reversal: ArrayLike | None = None,
        driving_force: ArrayLike | None = None,
        n_inputs: int | None = None,
    ) -> Synapses:
        """Put synapses at given samples of the morphology, or at given path distances from the soma.

        Parameters
        ----------
        compartments : Compartments
            Where to put them; made from a morphology.
        samples : int or int array of shape (n,), optional
            Sample identifiers: one synapse at each, in this order.
        distance : float or array of shape (n,), optional
            Path distances in um: one synapse in *every* compartment that holds a point at that distance.
        region : str or iterable of str, optional
            With `distance`: only in these regions.
        cell : int, default 0
            With `samples`: which cell of a forest they are of. Distances hold for all cells.
        sign : int, optional
            +1 or -1; needed unless `kind` is given.
        kind : str or SynapseKind, optional
            ``"AMPA"``, ``"GABA_A"`` or a kind of one's own: brings sign, reversal potential and conductance.
        source, conductance, reversal, driving_force, n_inputs
            As for the class itself; conductance and reversal take the place of the kind's.

        Returns
        -------
        Synapses

        Raises
        ------
        ParameterError
            If not exactly one of `samples` and `distance`, or of `sign` and `kind`, is given; if nothing is there.
        """
        compartments_given("compartments", compartments)
        if (sign is None) == (kind is None):
            raise ParameterError("give exactly one of sign= (+1 or -1) and kind= (such as 'AMPA' or 'GABA_A')")
        if samples is not None and (distance is not None or region is not None):
            raise ParameterError("samples= already says where: leave out distance= and region=")
        if samples is not None:
            where = at_samples(compartments, samples, cell)
        elif distance is not None:
            where = at_distances(compartments, distance, region)
        else:
            raise ParameterError("give samples= (sample identifiers) or distance= (um from the soma)")
        if kind is not None:
            (value,) = physical_kinds(compartments, (kind,))
            sign = value.sign
            conductance = value.conductance if conductance is None else conductance
            reversal = value.reversal if reversal is None else reversal
        return cls(
            compartments,
            where,
            source,
            sign=np.full(where.size, number("sign", sign)),
            conductance=CONDUCTANCE if conductance is None else conductance,
            reversal=reversal,
            driving_force=driving_force,
            n_inputs=n_inputs,
        )

    @cached_property
    def largest(self) -> float:
        """Greatest magnitude of conductances (nS), potentials (mV) and their products (pA)."""
        potential = np.maximum(np.abs(self.reversal), np.abs(self.driving_force))
        with np.errstate(over="ignore"):
            products = self.conductance * np.maximum(potential, 1.0)
        return float(np.maximum(products, potential).max(initial=0.0))

    @property
    def size(self) -> int:
        """Number of synapses."""
        return int(self.compartment.size)

    def __len__(self) -> int:
        return self.size

    def __repr__(self) -> str:
        excitatory = int((self.sign > 0).sum())
        counts = f"{excitatory} excitatory, {self.size - excitatory} inhibitory, n_inputs={self.n_inputs}"
        return f"<Synapses: {counts}, on {np.unique(self.compartment).size} of {self.n_compartments} compartments>"

    def __getitem__(self, which: ArrayLike | slice) -> Synapses:
        """Those synapses that `which` selects (a mask, indices or a slice); sources and `n_inputs` stay."""
        index: Any = which if isinstance(which, slice) else np.atleast_1d(np.asarray(which))
        if not isinstance(index, slice):
            index = index.astype(np.int64) if index.size == 0 else index
            mask = index.dtype == np.bool_
            if not (index.shape == (self.size,) if mask else index.dtype.kind in "iu" and index.ndim == 1):
                raise ParameterError(
                    f"select synapses by a slice, a bool mask of shape ({self.size},) or indices of shape (n,); "
                    f"got {index.dtype} of shape {index.shape}"
                )
            if not mask and ((index < -self.size) | (index >= self.size)).any():
                raise ParameterError(f"synapse indices up to {np.abs(index).max()} do not fit {self.size} synapses")
        return self._remade({name: getattr(self, name)[index] for name in FIELDS}, self.n_inputs)

    def __add__(self, other: Synapses) -> Synapses:
        """Both, the inputs of `other` after those of this one (see `join`)."""
        return self.join(other) if isinstance(other, Synapses) else NotImplemented

    def join(self, other: Synapses, *, shared_inputs: bool = False) -> Synapses:
        """Both sets of synapses as one, those of `other` last.

        Parameters
        ----------
        other : Synapses
            More synapses on the same compartments.
        shared_inputs : bool, default False
            By default the inputs of `other` follow those of this one (its sources grow by ``self.n_inputs``), so that
            activities are joined along their last axis. True: both see the same inputs, and sources stay as they are.

        Returns
        -------
        Synapses

        Raises
        ------
        ParameterError
            If they sit on different trees, or inputs to be shared differ in number.
        """
        instance("other", other, Synapses, "on the same compartments")
        same_size = other.n_compartments == self.n_compartments
        if same_size and other.parent is not self.parent and not np.array_equal(other.parent, self.parent):
            raise ParameterError(
                f"cannot join synapses on two different trees of {self.n_compartments} compartments each: make both "
                "for the same compartments"
            )
        if not same_size:
            raise ParameterError(
                f"cannot join synapses on {self.n_compartments} compartments with synapses on {other.n_compartments}: "
                "make both for the same compartments"
            )
        shared_inputs = flag("shared_inputs", shared_inputs)
        if shared_inputs and other.n_inputs != self.n_inputs:
            raise ParameterError(
                f"cannot share inputs: n_inputs is {self.n_inputs} here and {other.n_inputs} there; "
                "give both the same n_inputs, or leave shared_inputs=False"
            )
        arrays = {name: np.concatenate([getattr(self, name), getattr(other, name)]) for name in FIELDS}
        if not shared_inputs:
            arrays["source"][self.size :] += self.n_inputs
        return self._remade(arrays, self.n_inputs if shared_inputs else self.n_inputs + other.n_inputs)

    def with_(self, **changes: Any) -> Synapses:
        """The same synapses with some arrays replaced; everything else, the driving force included, stays.

        Parameters
        ----------
        **changes
            Any of compartment, source, sign, reversal, conductance, driving_force (scalars or arrays of shape (n,))
            and n_inputs.

        Returns
        -------
        Synapses

        Raises
        ------
        ParameterError
            If a name is unknown or a value impossible.
        """
        valid = (*FIELDS, "n_inputs")
        unknown = [name for name in changes if name not in valid]
        if unknown:
            raise ParameterError(f"with_({unknown[0]}=...) is not known; valid: {', '.join(map(repr, valid))}")
        n_inputs = changes.pop("n_inputs", self.n_inputs)
        arrays = broadcast({name: getattr(self, name) for name in FIELDS} | changes)
        if arrays["sign"].size != self.size:
            raise ParameterError(f"shape mismatch: new values of shape {arrays['sign'].shape} for {self.size} synapses")
        return self._remade(arrays, n_inputs)

    def moved(self, compartments: Compartments, compartment: ArrayLike, source: ArrayLike, n_inputs: int) -> Synapses:
        """The same synapses on compartments of another tree, driven by other inputs.

        Parameters
        ----------
        compartments : Compartments
        compartment, source : int arrays of shape (n,)
        n_inputs : int

        Returns
        -------
        Synapses

        Raises
        ------
        ParameterError
            If a compartment or input does not exist.
        """
        compartments_given("compartments", compartments)
        made = object.__new__(Synapses)
        arrays = {name: getattr(self, name) for name in FIELDS} | {"compartment": compartment, "source": source}
        made._set(broadcast(arrays), n_inputs, compartments.parent)
        return made

    def _remade(self, arrays: dict[str, NDArray[Any]], n_inputs: int) -> Synapses:
        made = object.__new__(Synapses)
        made._set(arrays, n_inputs, self.parent)
        return made
