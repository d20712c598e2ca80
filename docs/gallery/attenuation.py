"""
How much of a voltage reaches the soma
======================================

The share of a steady voltage in the dendrite that is left at the soma. A quiet cell passes on a good part of it along
its trunk, and little from thin tips. In a bombarded one every open conductance is a leak on the way: attenuation is a
matter of the state, not of the shape alone.
"""

import matplotlib.pyplot as plt
import numpy as np

import dendrosim as ds

compartments = ds.Morphology.load("pyramidal_l5").compartments(ds.Passive(), max_length=20.0)
synapses = ds.Synapses.scatter(compartments, excitatory=400, inhibitory=100, seed=0)
state = ds.steady_state(compartments, synapses, np.array([[0.0], [0.3]]) * np.ones(synapses.n_inputs))

with ds.plotting.style():
    figure, panels = plt.subplots(1, 2, figsize=(6.6, 2.8), sharey=True, layout="constrained")
    for k, name in enumerate(("quiet", "bombarded")):
        ds.plotting.plot_attenuation(state, stimulus=k, ax=panels[k], legend=k == 1)
        panels[k].set_title(name)
    panels[1].set_ylabel("")
