"""A simulation beside its SONATA circuit: inputs, reports, and the configuration of the simulation."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..arguments import instance
from ..biophysics.time.inputs import Spikes
from ..biophysics.time.trace import Trace
from ..errors import ParameterError
from .sonata_circuit import SonataCircuit
from .sonata_dialects import Dialect
from .sonata_reports import check_report, write_report
from .sonata_spikes import spike_group, spikes_of, stimulus_given
from .sonata_write import SIMULATION, write_json, write_sonata


def check_simulation(trace: object, spikes: object, stimulus: int | None, circuit: SonataCircuit) -> None:
    """See that a simulation can be written.

    Raises
    ------
    ParameterError
        If it is none, or none of this circuit.
    """
    check_report(trace, circuit.compartments.size)
    given = instance("trace", trace, Trace, "from ds.simulate")
    stimulus_given(stimulus, given.voltage.shape[0])
    if spikes is not None:
        outside = instance("spikes", spikes, Spikes, "which drove the simulation")
        if outside.n_inputs > circuit.n_external:
            raise ParameterError(
                f"spikes has {outside.n_inputs} inputs and the circuit {circuit.n_external}; give those that drove it"
            )
        spikes_of(outside, None, stimulus)


def first_voltage(trace: Trace, stimulus: int | None) -> NDArray[np.float64]:
    """Voltages that a simulation begins with, of the compartments that were recorded."""
    return np.asarray(trace.voltage[stimulus_given(stimulus, trace.voltage.shape[0]), 0], np.float64)


def write_simulation(
    folder: Path,
    trace: Trace,
    spikes: Spikes | None,
    stimulus: int | None,
    circuit: SonataCircuit,
    external: str,
    dialect: Dialect,
) -> None:
    """Write reports, spikes and ``simulation_config.json`` into the folder of a circuit.

    The reports are ``output/voltage.h5`` (with several populations one file for each) and ``output/spikes.h5``; what
    came from outside is ``inputs/spikes.h5``.

    Raises
    ------
    OSError
        If a file cannot be written.
    """
    compartments = circuit.compartments
    row = stimulus_given(stimulus, trace.voltage.shape[0])
    step = float(trace.time[1] - trace.time[0]) if trace.time.size > 1 else float(trace.dt)
    end = trace.n_steps * trace.dt
    reports: dict[str, Any] = {}
    somas = np.isin(trace.compartment, compartments.roots).all()
    several = len(circuit.populations) > 1
    for name, cells in circuit.populations.items():
        label = f"voltage_{name}" if several else "voltage"
        if write_report(folder / "output" / f"{label}.h5", trace, row, compartments, name, cells):
            common = {"cells": name, "sections": "soma" if somas else "all", "variable_name": "v"}
            common["file_name"] = f"{label}.h5"
            reports[label] = dialect.report(common, "mV" if compartments.physical else "1", step, trace.time.size)
    time, cell = spikes_of(trace, compartments, row)
    groups = {}
    for name, cells in circuit.populations.items():
        here = (cell >= cells.start) & (cell < cells.stop)
        groups[name] = spike_group(time[here], cell[here] - cells.start)
    write_sonata(folder / "output" / "spikes.h5", {"spikes": groups})
    inputs: dict[str, Any] = {}
    if spikes is not None:
        write_sonata(
            folder / "inputs" / "spikes.h5", {"spikes": {external: spike_group(*spikes_of(spikes, None, stimulus))}}
        )
        inputs["spikes"] = dialect.spikes(end, next(iter(circuit.populations)), external)
    begin = first_voltage(trace, stimulus)
    one = float(begin[0]) if compartments.physical and np.ptp(begin) == 0 else None
    manifest = {
        "$BASE_DIR": dialect.base,
        "$OUTPUT_DIR": f"$BASE_DIR/{dialect.output}",
        "$INPUT_DIR": "$BASE_DIR/inputs",
    }
    write_json(
        folder / SIMULATION,
        {
            "version": 2,
            "manifest": manifest,
            "network": "$BASE_DIR/circuit_config.json",
            "node_sets_file": "$BASE_DIR/node_sets.json",
            "target_simulator": "NEURON",
            **dialect.settings(end, trace.dt, one),
            "output": {"output_dir": "$OUTPUT_DIR", "spikes_file": "spikes.h5", "spikes_sort_order": "by_time"},
            "inputs": inputs,
            "reports": reports,
        },
    )
