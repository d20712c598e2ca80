"""
A synaptic potential on its way
===============================

One synapse in the apical tuft opens once. The potential is large and fast where it begins, and small, late and broad
when it arrives at the soma.
"""

import dendrosim as ds

compartments = ds.Morphology.load("pyramidal_l5").compartments(ds.Passive(), max_length=20.0)
site = int(compartments.path_distance.argmax())
synapse = ds.Synapses(compartments, [site], sign=1, conductance=1.0)

trace = ds.simulate(compartments, synapse, ds.Spikes([2.0], [0]), duration=80.0, dt=0.1, record="all")
ds.plotting.plot_attenuation_panels(compartments, trace, site, start=2.0, moments=[3.0, 8.0, 20.0], until=60.0)
