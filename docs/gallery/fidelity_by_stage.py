"""
How faithful local updates are, stage by stage
==============================================

The cosine of the three-factor update to the exact gradient at every distance from the soma, in branchings. What a local
rule lacks is the gain of the path, which varies more the longer the path.
"""

import dendrosim as ds

task = ds.tasks.load("digits")
x, y = task.x_train[:256], task.y_train[:256]

reports = {
    integration: [
        ds.fidelity(
            ds.Network.dendritic(64, 10, [20], [3, 3, 2], 10, 5, integration=integration, seed=seed), x, y,
            teaching="per_soma", rule="3F",
        )
        for seed in range(4)
    ]
    for integration in ("shunting", "additive")
}  # fmt: skip
ds.plotting.plot_fidelity_by_stage(reports)
