"""
Division and subtraction
========================

The soma's voltage against excitation, without and with three doses of inhibition that reverses at rest. With
conductances (left) inhibition takes the slope down. With mere currents (right) it moves the curve, and no reversal
potential stops it: mind the axes.
"""

import matplotlib.pyplot as plt
import numpy as np

import dendrosim as ds

compartments = ds.Morphology.load("stellate").compartments(ds.Passive(E_leak=-70.0), max_length=15.0)
excitation = ds.Synapses.scatter(compartments, excitatory=80, inhibitory=0, seed=0)
near = np.flatnonzero(compartments.path_distance < 40.0)
inhibition = ds.Synapses(compartments, np.random.default_rng(1).choice(near, 40), sign=-1, conductance=1.0)
synapses = excitation + inhibition

drive = np.linspace(0.0, 0.2, 40)
doses = [0.0, 0.05, 0.1, 0.2]

with ds.plotting.style():
    figure, panels = plt.subplots(1, 2, figsize=(6.6, 2.7), sharex=True, layout="constrained")
    shades = plt.colormaps["viridis"](np.linspace(0.0, 0.8, len(doses)))
    for panel, integration in zip(panels, ("shunting", "additive"), strict=True):
        for dose, shade in zip(doses, shades, strict=True):
            x = np.column_stack([np.tile(drive[:, None], 80), np.full((drive.size, 40), dose)])
            voltage = ds.steady_state(compartments, synapses, x, integration=integration).voltage_soma
            panel.plot(40.0 * drive, voltage, color=shade, label=f"{40.0 * dose:g} nS")
        panel.set(title=integration, xlabel="excitatory conductance (nS)")
    panels[0].set_ylabel("soma voltage (mV)")
    panels[0].legend(title="inhibition")
