"""The membrane of NEURON's segments: leak, capacitance, channels; what is something else is refused or left out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..arguments import names
from ..biophysics.time.mechanisms import HodgkinHuxley
from ..errors import ParameterError
from ..membrane import Passive

Floats = NDArray[np.float64]

AGREE = 1e-9
"""Relative difference of densities that counts as none."""
PROCESSES = ("ExpSyn", "Exp2Syn", "AlphaSynapse", "IClamp")
"""Point processes that are understood."""


@dataclass(frozen=True)
class Membrane:
    """What the segments of one model have, by node; 0 where there is no membrane.

    Attributes
    ----------
    area : float array of shape (N,)
        um2, of what has leak or capacitance.
    leak, capacitance : float arrays of shape (N,)
        nS, pF.
    reversal : float
        mV, the leak's for most of the conductance.
    current : float array of shape (N,)
        pA: what leaks to another potential let in besides.
    channels : tuple of HodgkinHuxley
    """

    area: Floats
    leak: Floats
    capacitance: Floats
    reversal: float
    current: Floats
    channels: tuple[HodgkinHuxley, ...]


def ignored(h: Any, ignore: str | Iterable[str]) -> set[str]:
    """Names of mechanisms and point processes that the caller wants to leave out.

    Raises
    ------
    ParameterError
        If NEURON knows none of that name.
    """
    wanted = set(names("ignore", ignore))
    known: set[str] = set()
    for kind in (0, 1):
        table, text = h.MechanismType(kind), h.ref("")
        for i in range(int(table.count())):
            table.select(i)
            table.selected(text)
            known.add(text[0])
    unknown = sorted(wanted - known)
    if unknown:
        raise ParameterError(f"ignore names {unknown[0]!r}, and NEURON has no mechanism or point process of that name")
    return wanted


def refuse_others(sections: Sequence[Any], ignore: set[str]) -> None:
    """Check that segments have nothing but leak, squid channels, synapses and current clamps.

    Raises
    ------
    ParameterError
        Lists what else there is, and where.
    """
    found: dict[str, list[str]] = {}
    for section in sections:
        inside = {m.name() for m in section(0.5)} - {"pas", "hh"}
        inside = {name for name in inside if not name.endswith("_ion")}  # variables of channels
        for segment in section.allseg():
            inside |= {name_of(process) for process in segment.point_processes()} - set(PROCESSES)
        for name in inside - ignore:
            found.setdefault(name, []).append(section.name())
    if found:
        listed = "; ".join(
            f"{name} in {len(where)} section{'s' if len(where) > 1 else ''} (first {where[0]})"
            for name, where in list(found.items())[:8]
        )
        raise ParameterError(
            f"dendrosim has nothing for these mechanisms: {listed}. It reads pas, hh, {', '.join(PROCESSES)}; "
            f"ignore={tuple(sorted(found))[:8]!r} leaves the others out"
        )


def name_of(process: Any) -> str:
    """Kind of a point process, such as ``ExpSyn``."""
    return str(process.hname()).partition("[")[0].rpartition(".")[2]


def read_membrane(h: Any, segments: Sequence[Any], ignore: set[str]) -> Membrane:
    """Leak, capacitance and channels of all nodes of a model.

    Parameters
    ----------
    segments : sequence
        Of every node; ends of sections have no membrane.

    Raises
    ------
    ParameterError
        If nothing leaks, or something is negative.
    """
    n = len(segments)
    area, leak, capacitance, reversal = np.zeros(n), np.zeros(n), np.zeros(n), np.zeros(n)
    groups: dict[tuple[float, ...], list[int]] = {}
    for i, segment in enumerate(segments):
        if segment.x in (0.0, 1.0):
            continue
        section, own = segment.sec, float(segment.area())
        if section.has_membrane("pas") and "pas" not in ignore:
            leak[i], reversal[i] = 10.0 * segment.pas.g * own, segment.pas.e  # 1 S/cm2 is 10 nS/um2
        capacitance[i] = 0.01 * segment.cm * own
        if section.has_membrane("hh") and "hh" not in ignore:
            channel = segment.hh
            if channel.gnabar or channel.gkbar or channel.gl:
                second = float(channel.gl)
                if leak[i] == 0:  # its own leak is all that there is
                    leak[i], reversal[i], second = 10.0 * second * own, channel.el, 0.0
                key = (channel.gnabar, channel.gkbar, second, segment.ena, segment.ek, channel.el)
                groups.setdefault(tuple(map(float, key)), []).append(i)
        if leak[i] < 0 or capacitance[i] < 0:
            raise ParameterError(
                f"{segment} has a leak of {leak[i]:g} nS and a capacitance of {capacitance[i]:g} pF; neither may be "
                "negative"
            )
        area[i] = own if leak[i] > 0 or capacitance[i] > 0 else 0.0
    if not leak.any():
        raise ParameterError("no segment has a leak, and voltages would be undefined: insert pas, or hh")
    values, which = np.unique(reversal[leak > 0], return_inverse=True)
    most = float(values[np.argmax(np.bincount(which, leak[leak > 0]))])
    warm = float(h.celsius)
    channels = tuple(
        HodgkinHuxley(key[0], key[1], key[2], key[3], key[4], key[5], temperature=warm, at=tuple(at))
        for key, at in groups.items()
    )
    return Membrane(area, leak, capacitance, most, leak * np.where(leak > 0, reversal - most, 0.0), channels)


def uniform(membrane: Membrane, region: NDArray[np.str_], resistivity: Sequence[float]) -> Passive | None:
    """The parameters that all segments share, spines of regions apart; None if they do not.

    Parameters
    ----------
    region : str array of shape (N,)
    resistivity : sequence of float
        Of every section, ohm cm.
    """
    real = membrane.area > 0
    leak, capacitance = membrane.leak[real] / membrane.area[real], membrane.capacitance[real] / membrane.area[real]
    if (leak == 0).any() or membrane.current.any() or not _same(resistivity) or not _same(leak / capacitance):
        return None
    factors = {}
    for name in np.unique(region[real]).tolist():
        own = leak[region[real] == name]
        if not _same(own):
            return None
        factors[name] = float(own[0]) / float(leak.min())
    return Passive(
        R_m=10.0 / float(leak.min()),
        R_a=float(resistivity[0]),
        C_m=100.0 * float(capacitance.min()),
        E_leak=membrane.reversal,
        spine_factor={name: factor for name, factor in factors.items() if factor > 1 + AGREE},
    )


def _same(values: Any) -> bool:
    array = np.asarray(values, np.float64)
    return bool(np.isfinite(array).all() and np.ptp(array) <= AGREE * np.abs(array).max())
