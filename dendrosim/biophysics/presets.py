"""Kinds of synapse with the numbers of a published source; small frozen values for :class:`Synapses`."""

from __future__ import annotations

from dataclasses import dataclass
from numbers import Integral

from ..arguments import number, short
from ..errors import ParameterError, choose


@dataclass(frozen=True)
class SynapseKind:
    """What one kind of synapse is worth unless told otherwise.

    Parameters
    ----------
    name : str
        Its name, as accepted wherever a kind is asked for.
    sign : int
        +1 for excitation, -1 for inhibition.
    reversal : float
        Reversal potential, mV.
    conductance : float
        Conductance of one synapse at presynaptic activity 1, nS.
    source : str
        Where the numbers come from.

    Raises
    ------
    ParameterError
        If the sign is not +1 or -1, or a number is not finite, or the conductance is negative.
    """

    name: str
    sign: int
    reversal: float
    conductance: float
    source: str = ""

    def __post_init__(self) -> None:
        if isinstance(self.sign, bool) or not isinstance(self.sign, Integral) or self.sign not in (1, -1):
            raise ParameterError(f"sign={short(self.sign)} of synapse kind {self.name!r} must be +1 or -1")
        number(f"synapse kind {self.name!r}: reversal", self.reversal, unit="mV")
        number(f"synapse kind {self.name!r}: conductance", self.conductance, least=0, unit="nS")


_KINETIC_MODELS = (
    "A. Destexhe, Z. F. Mainen, T. J. Sejnowski. Kinetic models of synaptic transmission. In: Methods in Neuronal "
    "Modeling, 2nd ed., MIT Press, 1998"
)

AMPA = SynapseKind("AMPA", +1, 0.0, 0.5, f"{_KINETIC_MODELS} (0.35 to 1.0 nS, 0 mV)")
"""Fast glutamatergic excitation."""

GABA_A = SynapseKind("GABA_A", -1, -80.0, 0.5, f"{_KINETIC_MODELS} (0.25 to 1.2 nS, -80 mV)")
"""Fast GABAergic inhibition."""

KINDS = {kind.name: kind for kind in (AMPA, GABA_A)}
"""The kinds that are known by name."""

_OUT_OF_SCOPE = {
    "gap_junction": "gap junctions are out of scope: they join compartments into cycles, and the exact linear-time "
    "elimination that every steady state and gradient rests on needs a tree; use chemical synapses",
    "NMDA": "NMDA synapses are out of scope: their conductance depends on voltage, and steady states are solved for "
    "fixed conductances; use AMPA",
}


def synapse_kind(kind: str | SynapseKind) -> SynapseKind:
    """Return the kind of synapse of that name; a kind is returned as it is.

    Parameters
    ----------
    kind : str or SynapseKind
        ``"AMPA"``, ``"GABA_A"`` or a kind of one's own.

    Raises
    ------
    ParameterError
        If no kind has that name; for gap junctions and NMDA the message says why they are not there.
    """
    if isinstance(kind, SynapseKind):
        return kind
    if isinstance(kind, str) and kind in _OUT_OF_SCOPE:
        raise ParameterError(f"kind={kind!r}: {_OUT_OF_SCOPE[kind]}; valid: {', '.join(map(repr, KINDS))}")
    return KINDS[choose("kind", kind, KINDS)]
