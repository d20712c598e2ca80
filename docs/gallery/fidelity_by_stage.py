"""
How faithful local updates are, stage by stage
==============================================

The cosine of the three-factor update to the exact gradient at every distance from the soma, in branchings. What a local
rule lacks is the gain of the path, which varies more the longer the path. Gates are calibrated on samples of the task,
as training does it, and shunting and additive networks are alike. With the gates of a new network, which were set on
uniform noise, shunting would look worse.
"""

import dendrosim as ds

task = ds.tasks.load("digits")
x, y = task.x_train[:256], task.y_train[:256]


def network(integration, seed):
    """Twenty cells of three stages, calibrated."""
    made = ds.Network.dendritic(64, 10, [20], [3, 3, 2], 10, 5, integration=integration, seed=seed)
    made.calibrate(task.x_train[:512])
    return made


reports = {
    integration: [ds.fidelity(network(integration, seed), x, y, teaching="per_soma", rule="3F") for seed in range(4)]
    for integration in ("shunting", "additive")
}
ds.plotting.plot_fidelity_by_stage(reports)
