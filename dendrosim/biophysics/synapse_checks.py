"""Checks of what synapses are made from: every error names the first offending value and what would do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..arguments import numbers, several, short, whole
from ..errors import ParameterError
from .presets import SynapseKind, synapse_kind

if TYPE_CHECKING:
    from ..morphology.compartments import Compartments

FIELDS = ("compartment", "source", "sign", "reversal", "conductance", "driving_force")
INTEGERS = ("compartment", "source", "sign")


def broadcast(given: dict[str, Any]) -> dict[str, NDArray[Any]]:
    """All as one-dimensional arrays of one size."""
    arrays = {name: numbers(name, value) for name, value in given.items()}
    for name, array in arrays.items():
        if array.size and array.dtype.kind not in "iuf":
            raise ParameterError(f"{name} must hold numbers, got {array.dtype}")
        if array.ndim > 1:
            raise ParameterError(f"{name} must be a number or an array of shape (n,), got shape {array.shape}")
    try:
        shape = np.broadcast_shapes((1,), *(array.shape for array in arrays.values()))
    except ValueError:
        shapes = ", ".join(f"{name} {array.shape}" for name, array in arrays.items() if array.ndim)
        raise ParameterError(f"shape mismatch: {shapes}; give arrays of one shape (n,), or scalars") from None
    return {name: np.broadcast_to(array, shape) for name, array in arrays.items()}


def check(arrays: dict[str, NDArray[Any]], n_inputs: int | None, n_compartments: int) -> int:
    """Raise for the first impossible value; return the number of inputs, by default just enough for the sources."""

    def refuse(name: str, bad: NDArray[np.bool_], unit: str, need: str) -> None:
        if bad.any():
            first = int(np.argmax(bad))
            more = f" (and {int(bad.sum()) - 1} more)" if bad.sum() > 1 else ""
            raise ParameterError(f"{name}[{first}]={arrays[name][first].item()!r}{unit} must be {need}{more}")

    for name in INTEGERS:
        finite = np.isfinite(arrays[name])
        refuse(name, ~(finite & (np.where(finite, arrays[name], 0) % 1 == 0)), "", "a whole number")
    refuse("source", (arrays["source"] < 0) | (arrays["source"] >= 2**62), "", "the index of an input, 0 or more")
    if n_inputs is None:
        n_inputs = int(arrays["source"].max(initial=-1)) + 1
    n_inputs = whole("n_inputs", n_inputs, 0)
    refuse("sign", np.abs(arrays["sign"]) != 1, "", "+1 (excitatory) or -1 (inhibitory)")
    outside = (arrays["compartment"] < 0) | (arrays["compartment"] >= n_compartments)
    refuse("compartment", outside, "", f"in 0 .. {n_compartments - 1}, as there are {n_compartments} compartments")
    outside = arrays["source"] >= n_inputs
    refuse("source", outside, "", f"in 0 .. {n_inputs - 1}, as n_inputs={n_inputs}")
    conductance = arrays["conductance"]
    refuse("conductance", ~(np.isfinite(conductance) & (conductance >= 0)), " nS", "finite and >= 0")
    for name in ("reversal", "driving_force"):
        refuse(name, ~np.isfinite(arrays[name]), " mV", "finite")
    return n_inputs


def pair(name: str, value: float | tuple[float, ...]) -> tuple[float, float]:
    """One number for both, or two numbers."""
    array = numbers(name, value).astype(np.float64)
    if array.shape not in ((), (2,)):
        raise ParameterError(f"{name} must be one number, or two (excitation, inhibition), got shape {array.shape}")
    first, second = np.broadcast_to(array, (2,)).tolist()
    return first, second


def physical_kinds(compartments: Compartments, kinds: tuple[str | SynapseKind, ...]) -> tuple[SynapseKind, ...]:
    """Kinds by name, one or an (excitatory, inhibitory) pair; they need compartments in physical units."""
    values = tuple(synapse_kind(kind) for kind in several("kinds", kinds, "two kinds, such as ('AMPA', 'GABA_A')"))
    if not values:
        raise ParameterError(f"kinds={short(kinds)} must be an excitatory and an inhibitory kind: ('AMPA', 'GABA_A')")
    if not compartments.physical:
        raise ParameterError(
            f"kind {values[0].name!r} is in mV and nS, these compartments are in normalised units: "
            "give reversal and conductance as numbers"
        )
    if len(values) == 2 and (values[0].sign, values[1].sign) != (1, -1):
        names = tuple(kind.name for kind in values)
        raise ParameterError(f"kinds={names!r} must be an excitatory kind and then an inhibitory one")
    return values
