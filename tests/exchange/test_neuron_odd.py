"""Sections of NEURON that are odd: one error that says where, instead of whatever would fail later."""

from __future__ import annotations

from typing import Any

import pytest

import dendrosim as ds
from dendrosim.errors import ParameterError

from .test_neuron_import import passive_section

KEPT: list[Any] = []
"""What NEURON would forget while a test needs it."""


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda h, soma: setattr(soma, "g_pas", -1e-4), r"soma\(0.5\) has a leak of -1.2.* neither may be negative"),
        (lambda h, soma: setattr(soma, "cm", -1.0), r"soma\(0.5\) has .* capacitance of -1.* may be negative"),
        (lambda h, soma: synapse(h, soma).active(False), r"ExpSyn\[\d+\] at soma\(0.5\): NetCon.* is switched off"),
        (lambda h, soma: gate_watched(h, soma), "watches something that is no voltage"),
        (lambda h, soma: alpha(h, soma, onset=-3.0), r"AlphaSynapse\[\d+\] at soma\(0.5\): onset=-3 ms is before"),
        (lambda h, soma: alpha(h, soma, tau=0.0), r"AlphaSynapse\[\d+\] at soma\(0.5\): tau=0.0 ms is impossible"),
        (lambda h, soma: [h.Section(name=f"x{i}") for i in range(120)], "more names than there are regions, 'x95'"),
    ],
)
def test_odd_sections(h: Any, change: Any, message: str) -> None:
    soma = passive_section(h, "soma", 20.0, 20.0, 1)
    kept = change(h, soma)
    with pytest.raises(ParameterError, match=message):
        ds.exchange.from_neuron()
    KEPT.clear()
    del kept


def synapse(h: Any, soma: Any) -> Any:
    KEPT.extend([h.ExpSyn(soma(0.5)), h.NetStim()])
    KEPT.append(h.NetCon(KEPT[1], KEPT[0], 0, 1.0, 0.01))
    return KEPT[-1]


def gate_watched(h: Any, soma: Any) -> None:
    soma.insert("hh")
    KEPT.append(h.ExpSyn(soma(0.5)))
    KEPT.append(h.NetCon(soma(0.5).hh._ref_m, KEPT[0], sec=soma))


def alpha(h: Any, soma: Any, **values: float) -> None:
    KEPT.append(h.AlphaSynapse(soma(0.5)))
    for name, value in values.items():
        setattr(KEPT[0], name, value)


def test_a_clamp_that_never_begins_and_a_section_that_is_gone(h: Any) -> None:
    soma = passive_section(h, "soma", 20.0, 20.0, 1)
    clamp = h.IClamp(soma(0.5))
    clamp.delay, clamp.dur, clamp.amp = 5.0, -1.0, 1.0
    (found,) = ds.exchange.from_neuron(soma).clamps
    assert (found.start, found.stop) == (5.0, 5.0)
    for regions in ({3: "soma"}, 0):
        with pytest.raises(ParameterError, match=r"regions.* such as \{'trunk'"):
            ds.exchange.from_neuron(soma, regions=regions)
    with pytest.raises(ParameterError, match=r"regions\['soma'\]=\['x'\] is no region"):
        ds.exchange.from_neuron(soma, regions={"soma": ["x"]})
    h.delete_section(sec=soma)
    for gone in (soma, [soma]):
        with pytest.raises(ParameterError, match="sections has one that was deleted"):
            ds.exchange.from_neuron(gone)
