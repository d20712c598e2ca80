"""
Grown morphologies
==================

Where no reconstruction is at hand, cells can be grown: by random branching, as the shortest tree through a cloud of
points, or by Rall's rule. The same seed grows the same cell.
"""

import matplotlib.pyplot as plt

import dendrosim as ds

cloud = ds.grow.scatter(ds.grow.Cone((0, 30, 0), (0, 260, 0), 10.0, 150.0), 220, seed=4, apart=8.0)

cells = {
    "random branching": ds.grow.random_branching(
        seed=7, stems=7, branching_rate=0.02, termination_rate=0.006, angle=75.0, soma_radius=7.0
    ),
    "spanning tree": ds.grow.quadratic_taper(
        ds.grow.minimum_spanning_tree(cloud, balance=0.6, soma_radius=7.0), base=1.6, tip=0.4
    ),
    "Rall's tree": ds.grow.rall_tree(6, length=[60.0, 50.0, 45.0, 40.0, 30.0, 30.0], angle=70.0, soma_radius=7.0),
}

with ds.plotting.style():
    figure, panels = plt.subplots(1, 3, figsize=(6.8, 2.8), layout="constrained")
    for panel, (name, cell) in zip(panels, cells.items(), strict=True):
        cell.plot(ax=panel, legend=False)
        panel.set_title(name)
