"""Target ``experiment``: an experiment or sweep file, and after each NUL byte one text for ``--set``.

Everything is validated and resolved as before a training; no data are loaded and nothing is trained.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from dendrosim.runs import swept
from dendrosim.runs.experiment import Experiment
from dendrosim.runs.identity import configuration_of
from dendrosim.runs.resolved import seeded, unseeded

from .oracle import hold, refusing, short, workplace

LONGEST = 4096
_ARMS = 4
"""How many arms are resolved; the others differ in what is swept."""


swept.MOST = 1000  # for speed: millions of combinations are legal, and take minutes


@cache
def _folder() -> Path:
    return workplace()


def run(data: bytes) -> None:
    """Read, expand and resolve it."""
    file, *texts = data.split(b"\0")
    path = _folder() / "experiment.toml"
    path.write_bytes(file)
    (_folder() / "base.toml").write_bytes(_SEEDS[0])
    with refusing():
        settings = [text.decode("utf-8", "surrogateescape") for text in texts[:4]]
        experiment = Experiment.load(path, settings=settings)
        short(repr(experiment))
        jobs = experiment.jobs()
        hold(len(jobs) == len(experiment.seeds) * len(experiment.arms), "not every arm with every seed")
        hold(len({job.file.lower() for job in jobs}) == len(jobs), "two runs would share a file")
        for job in jobs[:_ARMS]:
            short(job.arm.values)
            hold(len(job.arm.folder) < 256, f"the folder of an arm has {len(job.arm.folder)} characters")
            with refusing():
                resolved = seeded(unseeded(job.arm.settings), job.seed)
                hold(configuration_of(resolved, "") == configuration_of(resolved, ""), "an identity that changes")


def seeds() -> Iterator[bytes]:
    """Files that use every section."""
    yield from _SEEDS


def forget() -> None:
    """Remove what was written."""
    shutil.rmtree(_folder(), ignore_errors=True)


_BASE = b'[task]\nname = "digits"\n[network]\ncells = [20]\n'
_SEEDS = (
    _BASE,
    b'experiment = "base.toml"\nseeds = [0, 1]\n[teaching]\nname = "scalar"\n\0training.epochs=3\0teaching.name=dfa',
    b'description = "x"\nseeds = [0, 1, 2]\n' + _BASE + b"branching = [3, 3]\nexcitatory = [40]\ninhibitory = 20\n"
    b'integration = "additive"\ndecoder = { name = "mlp", hidden = [32, 16] }\n[teaching]\nname = "per_soma"\n'
    b'scope = "tree"\n[rule]\nname = "5F"\n[training]\nepochs = 2\nbatch_size = 32\nvalidation = 0.2\n'
    b'optimiser = { name = "adam" }\nrates = { synapses = 1e-3 }\nschedule = "constant"\nclip_value = false\n'
    b"patience = 3\n[fidelity]\nevery = 1\nsamples = 64\n[credit]\nevery = 1\n",
    _BASE + b'[[arms]]\nname = "a"\nteaching = { name = "exact" }\n[[arms]]\nname = "b"\nrule = { name = "3F" }\n'
    b'[cross]\nnetwork.integration = ["shunting", "additive"]\nteaching = [{ name = "scalar" }, { name = "dfa" }]\n'
    b"[list]\ntraining.epochs = [1, 2]\nnetwork.excitatory = [10, 20]\n",
    _BASE + b"[draw]\nn = 3\nseed = 1\ntraining.rates = { log_uniform = [1e-4, 1e-2] }\n"
    b"network.excitatory = { integers = [1, 9] }\ntraining.validation = { uniform = [0.1, 0.2] }\n"
    b'teaching.name = { choice = ["exact", "scalar"] }\ntraining.decay = { normal = [0.0, 1e-3] }\n',
    b'[task]\nname = "student"\nseed = 1\nsubset = { n_train = 100, n_test = 50 }\n[network]\n'
    b'kind = "resmlp"\nwidth = 8\ndepth = 2\n[teaching]\nname = "sbd"\n[evaluation]\nevery = 1\nepsilon = 0.01\n',
    b'[task]\nname = "mnist"\naugmented = { shift = 2, flip = true }\n[network]\nkind = "point_mlp"\nhidden = [8, 8]\n'
    b'activation = "relu"\ndensity = 0.5\ngain = 2.0\n[training]\nloss = { name = "squared" }\n',
    b'[task]\nname = "vit"\n[network]\nkind = "vit_mini"\npatch = 4\nheads = 2\nchannels = 3\n\0network.kind="student"',
    b'[task]\nname = "digits"\n[network]\ncells = [5]\nmorphology = { source = "ball_and_stick", max_length = 20.0 }\n',
    b'experiment = "experiment.toml"\n',
    b'experiment = "digits"\n\0seeds=[3]\0network.cells=[2, 2]\0task.name=mnist',
)
