"""
Spikes at the soma, seen from the dendrite
==========================================

A soma with the channels of Hodgkin and Huxley fires when volleys of synapses all over the cell drive it. The dendrite
is passive: it sees its own synapses, and an echo of the spikes. Of six volleys two come too soon and make no spike: the
fourth, 12 ms after the third, and the last, 4 ms after the fifth.
"""

import matplotlib.pyplot as plt
import numpy as np

import dendrosim as ds

compartments = ds.Morphology.load("stellate").compartments(ds.Passive(E_leak=-65.0), max_length=20.0)
synapses = ds.Synapses.scatter(compartments, excitatory=80, inhibitory=20, seed=0, conductance=1.5)
rng = np.random.default_rng(4)
volleys = np.sort(rng.uniform(10.0, 140.0, 6))
chosen = np.concatenate([rng.permutation(80)[:30] for _ in volleys])
spikes = ds.Spikes(np.repeat(volleys, 30) + rng.exponential(1.5, chosen.size), chosen, n_inputs=100)
tip = int(compartments.path_distance.argmax())

trace = ds.simulate(
    compartments, synapses, spikes, duration=150.0, mechanisms=ds.HodgkinHuxley(), initial="steady", record=[0, tip]
)

with ds.plotting.style():
    figure, axes = plt.subplots(figsize=(6.2, 2.6), layout="constrained")
    trace.plot(ax=axes, labels=["soma", "tip of a dendrite"])
