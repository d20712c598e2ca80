"""
The cells that ship with dendrosim
==================================

Six of the seven morphologies that come along (the seventh is a ball and stick). Each is loaded by its name, and drawn
in the colours of its regions: the soma black, basal dendrites vermillion, apical ones blue.
"""

import matplotlib.pyplot as plt

import dendrosim as ds

names = ["purkinje", "pyramidal_l5", "ca1_pyramidal", "basket", "stellate", "granule"]

with ds.plotting.style():
    figure, panels = plt.subplots(2, 3, figsize=(6.4, 6.4), layout="constrained")
    for name, panel in zip(names, panels.flat, strict=True):
        ds.Morphology.load(name).plot(ax=panel, legend=False)
        panel.set_title(name)
