"""
Fidelity on the tree
====================

Every compartment has a cosine of its own: of the local gradient of its synapses to their exact one. Two cells of a
network, shunting on the left and additive on the right. Somas are black: they have no synapses.
"""

import dendrosim as ds

task = ds.tasks.load("digits")
x, y = task.x_train[:256], task.y_train[:256]

reports = {}
for integration in ("shunting", "additive"):
    network = ds.Network.dendritic(64, 10, [20], [3, 3], 10, 5, integration=integration)
    network.calibrate(task.x_train[:512])  # gates from samples of the task, as training sets them
    reports[integration] = ds.fidelity(network, x, y, teaching="per_soma", rule="3F")
ds.plotting.plot_fidelity_trees(reports, cells=[0, 1], vmin=0.5)
