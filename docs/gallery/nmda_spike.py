"""
An NMDA plateau
===============

A cluster of synapses at the tip of a basal branch, with AMPA alone (top) and with NMDA receptors beside them. More
synapses give a larger potential in both. With NMDA a few more make it a plateau: the block by magnesium gives way with
depolarisation, and opens what depolarises.
"""

import matplotlib.pyplot as plt
import numpy as np

import dendrosim as ds

compartments = ds.Morphology.load("pyramidal_l5").compartments(ds.Passive(), max_length=15.0)
basal = np.flatnonzero(compartments.region == "basal")
site = int(basal[compartments.path_distance[basal].argmax()])

sizes = [4, 8, 12, 16, 20]
ampa = ds.Synapses(compartments, np.full(20, site), sign=1, conductance=0.5)
both = ampa.join(ampa, shared_inputs=True)
spikes = ds.Spikes(
    np.concatenate([np.full(n, 10.0) for n in sizes]),
    np.concatenate([np.arange(n) for n in sizes]),
    np.concatenate([np.full(n, k) for k, n in enumerate(sizes)]),
    n_inputs=20,
)
fast = ds.Exponential(2.0)
conditions = {
    "AMPA": (ampa, fast),
    "AMPA and NMDA": (both, [fast] * 20 + [ds.NMDA()] * 20),
}

with ds.plotting.style():
    figure, panels = plt.subplots(2, 1, figsize=(4.4, 4.2), sharex=True, sharey=True, layout="constrained")
    shades = plt.colormaps["viridis"](np.linspace(0.0, 0.85, len(sizes)))
    for panel, (name, (synapses, kinetics)) in zip(panels, conditions.items(), strict=True):
        trace = ds.simulate(compartments, synapses, spikes, duration=150.0, dt=0.1, kinetics=kinetics, record=[site])
        for k, n in enumerate(sizes):
            panel.plot(trace.time, trace.voltage[k, :, 0], color=shades[k], label=f"{n}")
        panel.set(title=name, ylabel="dendrite (mV)")
    panels[0].legend(title="synapses")
    panels[1].set_xlabel("time (ms)")
