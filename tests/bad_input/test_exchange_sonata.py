"""SONATA files and xarray datasets."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import dendrosim as ds


@pytest.fixture(scope="module")
def names(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("sonata")
    cell = ds.Morphology.from_swc("1 1 0 0 0 5 -1\n2 3 5 0 0 1 1\n3 3 105 0 0 1 2\n4 3 50 9 0 1 2\n", "stick")
    compartments = cell.compartments(ds.Passive(), max_length=25.0)
    synapses = ds.Synapses(compartments, [1, 2, 3], sign=[1, 1, -1])
    spikes = ds.Spikes([1.0, 2.0], [0, 1], n_inputs=3)
    trace = ds.simulate(compartments, synapses, spikes, dt=0.1, duration=5.0, record="all")
    return {
        "ds": ds, "np": np, "compartments": compartments, "synapses": synapses, "spikes": spikes, "trace": trace,
        "links": ds.Connections([0], [1], delay=1.0), "network": ds.Network.dendritic(4, 2, [3], [2], 2, 1),
        "config": str(ds.exchange.to_sonata(compartments, folder, synapses, trace=trace, spikes=spikes)),
        "report": str(folder / "output" / "voltage.h5"), "arrived": str(folder / "inputs" / "spikes.h5"),
    }  # fmt: skip


CALLS = [
    "ds.exchange.to_sonata(compartments, 'folder', synapses, connections=links, kinetics='exponential', "
    "integration='shunting', direction='reciprocal', gate=None, trace=trace, spikes=spikes, stimulus=0, "
    "population='cells', external='input', output='output', reader='libsonata', overwrite=True)",
    "ds.exchange.to_sonata(network, 'network', overwrite=True)",
    "ds.exchange.from_sonata(config)",
    "ds.exchange.to_sonata_report(trace, 'report.h5', compartments, stimulus=0, population='cells', overwrite=True)",
    "ds.exchange.from_sonata_report(report, 'cells')",
    "ds.exchange.to_sonata_spikes(trace, 'spikes.h5', compartments, stimulus=0, population='cells', "
    "sorting='by_time', overwrite=True)",
    "ds.exchange.to_sonata_spikes(spikes, 'spikes.h5', stimulus=0, population='input', overwrite=True)",
    "ds.exchange.from_sonata_spikes(arrived, 'input', n_inputs=3)",
    "ds.exchange.from_sonata_spikes([arrived, arrived])",
    "ds.exchange.to_xarray(trace, compartments=compartments)",
]


@pytest.mark.parametrize("call", CALLS)
def test_hostile_arguments(call: str, names: dict[str, Any], attack: Callable[..., None]) -> None:
    if "to_xarray" in call:
        pytest.importorskip("xarray", reason="xarray is not installed: the extra xarray brings it")
    attack(call, names)
