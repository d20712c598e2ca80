"""
A cell coloured by its voltage
==============================

Sixty synapses on the tuft of a layer 5 pyramidal cell are active at once. The voltage falls along the apical trunk:
what the soma sees of the input is a fraction of what the tuft does.
"""

import numpy as np

import dendrosim as ds

morphology = ds.Morphology.load("pyramidal_l5")
compartments = morphology.compartments(ds.Passive(), max_length=20.0)

tuft = np.flatnonzero((compartments.region == "apical") & (compartments.path_distance > 500.0))
synapses = ds.Synapses(compartments, np.random.default_rng(1).choice(tuft, 60), sign=1)
state = ds.steady_state(compartments, synapses, np.ones((1, synapses.n_inputs)))
state.plot()
