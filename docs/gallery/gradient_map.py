"""
What every synapse contributes
==============================

The exact gradient of the soma's voltage with respect to the conductance of every synapse, over 64 random stimuli.
Excitation near the soma counts most. Inhibition pulls down most where it sits on the way.
"""

import numpy as np

import dendrosim as ds

morphology = ds.Morphology.load("ca1_pyramidal")
compartments = morphology.compartments(ds.Passive(), max_length=20.0)
synapses = ds.Synapses.scatter(compartments, excitatory=200, inhibitory=60, seed=3)

x = np.random.default_rng(0).random((64, synapses.n_inputs))
state = ds.steady_state(compartments, synapses, x)
gradient = ds.exact_gradient(state, np.ones((64, 1)))

ds.plotting.plot_synapse_maps(
    compartments, synapses, gradient.conductance / 64, scale="own", label=r"mean $\mathrm{d}V_{soma}/\mathrm{d}g$",
    unit="mV/nS",
)  # fmt: skip
