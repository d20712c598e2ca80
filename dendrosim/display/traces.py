"""Cards of simulations in time and of gradients of trajectories."""

from __future__ import annotations

import numpy as np

from ..biophysics.time.adjoint import TrajectoryGradient
from ..biophysics.time.trace import Trace
from ..plotting.markup import Markup
from ..plotting.palette import BLUE, GREEN, VERMILLION
from .card import Card, Detail, count, figure
from .lines import spark
from .states import derivatives_table
from .svg import Line, chart

_TIMES = 50_000
"""Recorded times of a voltage that a card looks at."""


def trace(given: Trace) -> Card:
    """What was recorded, and the voltage under the first stimulus."""
    b, t, n = given.voltage.shape
    facts = {
        "stimuli": f"{b:,}",
        "recorded": f"{count(t, 'time')}, {count(n, 'compartment')}, {count(given.synapse.size, 'synapse')}",
        "duration": f"{figure(float(given.time[-1]))} ms" if given.time.size else "nothing recorded yet",
        "step": f"{given.dt:g} ms, {given.method.replace('_', ' ')}, {count(given.n_steps, 'step')}",
        "spikes": f"{given.spike_time.size:,}",
        "numbers": f"{given.voltage.dtype}" + (", in its file" if isinstance(given.voltage, np.memmap) else ""),
        "goes on": "no: the final state is not kept" if given.final is None else "from .final",
        "gradients": "exact_gradient goes back on its checkpoints" if given.checkpoints else "no checkpoints kept",
    }
    if not given.voltage.size:
        return Card("Trace", "", facts)
    some = slice(None, None, max(1, -(-t // _TIMES)))
    time = given.time[some]
    lines, rows, printed = [], [], {}
    for column, color in zip(range(min(n, 3)), (BLUE, VERMILLION, GREEN), strict=False):
        voltage = np.asarray(given.voltage[0, some, column], np.float64)
        name = f"compartment {given.compartment[column]}"
        lines.append(Line(str(given.compartment[column]), time, voltage, color))
        printed[name] = spark(voltage)
        spikes = int(((given.spike_compartment == given.compartment[column]) & (given.spike_stimulus == 0)).sum())
        rows.append([name, figure(float(voltage.min())), figure(float(voltage.max())), f"{spikes:,}"])
    first = given.spike_time[given.spike_stimulus == 0]

    def picture() -> Markup:
        says = f"voltage of {count(len(lines), 'compartment')} against time under the first stimulus"
        return chart(
            lines,
            says=says,
            x_label="time (ms)",
            y_label="voltage (mV), by compartment",
            marks=first,
            size=(300.0, 140.0),
        )

    head = ["", "least mV", "greatest mV", "spikes"]
    title = "First stimulus" + (f": 3 of {count(n, 'compartment')}" if n > 3 else "")
    colors = [line.color for line in lines]
    return Card("Trace", "", facts, [Detail(title, head, rows, colors=colors, unfolded=True)], [picture], printed)


def trajectory_gradient(given: TrajectoryGradient) -> Card:
    """Sizes and magnitudes of the derivatives."""
    b, n = given.initial.shape
    facts = {
        "stimuli": f"{b:,}",
        "compartments": f"{n:,}",
        "steps": f"{given.trace.n_steps:,} of {given.trace.dt:g} ms",
        "synapses": f"{given.conductance.size:,}",
    }
    table = derivatives_table([
        ("conductance", "dL/dg of synapses", given.conductance),
        ("coupling", "dL/dg of couplings", given.coupling),
        ("leak", "dL/dg of leaks", given.leak),
        ("initial", "dL/dV at time 0", given.initial),
        ("current", "dL/dI", given.current),
        ("inputs", "dL/dx", given.inputs),
        ("spikes", "dL/dw of spikes", given.spikes),
    ])  # fmt: skip
    return Card("TrajectoryGradient", "", facts, [table])
