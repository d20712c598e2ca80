"""
A sweep with intervals
======================

A small sweep, run here and now: two teaching signals by three doses of inhibition, four seeds each. Points are means
with 95 % intervals of Student's t over seeds.
"""

import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import dendrosim as ds
from dendrosim.runs import Store, Sweep, marginal
from dendrosim.runs.conduct import conduct

settings = """
seeds = [0, 1, 2, 3]
task = { name = "digits", subset = { n_train = 600, n_test = 300 } }
network = { cells = [12], branching = [3], excitatory = 16, inhibitory = 8 }
training = { epochs = 6, batch_size = 32, rates = 1e-2 }
rule = { name = "3F" }
arms = [
    { name = "per soma", teaching = { name = "per_soma" } },
    { name = "scalar", teaching = { name = "scalar" } },
]
cross.network.inhibitory = [0, 4, 12]
"""

with tempfile.TemporaryDirectory() as name:
    folder = Path(name)
    (folder / "sweep.toml").write_text(settings)
    with ThreadPoolExecutor(2) as executor:
        conduct(Sweep.load(folder / "sweep.toml"), Store(folder / "store"), executor=executor)
    ds.plotting.plot_marginal(marginal(ds.runs.load(folder / "store"), "network.inhibitory"))
