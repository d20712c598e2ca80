"""
A cell unrolled
===============

A dendrogram keeps path distances and topology, and drops the third dimension: no branch hides another. The colour is
the input resistance, small in the thick trunk and large in thin tips.
"""

import matplotlib.pyplot as plt
from matplotlib.colors import LogNorm

import dendrosim as ds

compartments = ds.Morphology.load("pyramidal_l5").compartments(ds.Passive(), max_length=20.0)
state = ds.steady_state(compartments)

with ds.plotting.style():
    figure, axes = plt.subplots(figsize=(6.4, 3.4), layout="constrained")
    ds.plotting.plot_dendrogram(
        compartments, state.input_resistance[0], ax=axes, norm=LogNorm(), label="input resistance", unit=r"G$\Omega$"
    )
