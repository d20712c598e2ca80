"""Whole HDF5 files of every kind that dendrosim writes, small, and what reads each."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

import dendrosim as ds
from dendrosim.networks.mlp import PointMLP
from dendrosim.networks.residual import ARCHITECTURES, ResidualNetwork
from dendrosim.plasticity.session import OnlineRun
from dendrosim.runs.store import Store
from dendrosim.shown import Shown
from dendrosim.tasks.task import Task
from dendrosim.training.run import Run

from .oracle import hold, workplace

KINDS = (
    "network", "reconstructed", "neurons", "point_mlp", "residual", "transformer", "run", "checkpoint", "trace",
    "online", "index",
)  # fmt: skip
_N_INPUTS, _IDENTITY = 8, "0123456789abcdef" * 2
_BALL = "1 1 0 0 0 5 -1\n2 3 6 0 0 1 1\n3 3 16 0 0 1 2\n4 3 26 5 0 .5 3\n5 3 26 -5 0 .5 3\n"


@cache
def folder() -> Path:
    """Where files are made."""
    return workplace()


@cache
def image(kind: str) -> bytes:
    """The bytes of a whole file."""
    path = folder() / f"whole-{kind}.h5"
    if kind in ("trace", "online"):
        _recorded(kind, path)
    elif kind == "checkpoint":
        _trained(path)
    elif kind == "run":
        _run(_mlp()).save(path)
    elif kind == "index":
        _stored(path)
    else:
        _networks()[kind]().save(path)
    return path.read_bytes()


def read(kind: str, path: Path) -> Any:
    """Read a file as what it says that it is, and use what came of it."""
    found = _READERS[kind](path)
    shown(found)
    if isinstance(found, Run):
        found = found.network
        shown(found)
    if hasattr(found, "predict"):
        logits = found.predict(np.full((2, min(found.n_inputs, 10_000)), 0.5))
        hold(len(logits) == 2, "a network that does not answer")
    return found


def shown(found: Any) -> None:
    """Show it as a terminal and a notebook do."""
    repr(found), str(found)
    if isinstance(found, Shown):
        found._repr_html_()


def _networks() -> dict[str, Callable[[], Any]]:
    return {
        "network": _network,
        "reconstructed": _reconstructed,
        "neurons": _neurons,
        "point_mlp": _mlp,
        "residual": lambda: ARCHITECTURES["resmlp"](_N_INPUTS, 3, 4, 2),
        "transformer": lambda: ARCHITECTURES["vit_mini"](12, 3, 4, 1, patch=1, heads=2),
    }


def _network() -> ds.Network:
    return ds.Network.dendritic(_N_INPUTS, 3, [3, 2], [2], 2, 1, inhibitory_cells=[1, 0])


def _reconstructed() -> ds.Network:
    tree = ds.Morphology.from_swc(_BALL).compartments(ds.Passive(), max_length=10.0)
    return ds.Network.dendritic(_N_INPUTS, 3, [2], excitatory=2, inhibitory=0, trees=tree, decoder="mlp")


def _neurons() -> ds.Neurons:
    cells = ds.Compartments.branching([2], n_cells=2)
    return ds.Neurons(cells, ds.Synapses.scatter(cells, 6, 3, n_inputs=_N_INPUTS, seed=0), 3, direction="directed")


def _mlp(**options: Any) -> PointMLP:
    return PointMLP(_N_INPUTS, 3, 4, **options)


def _run(network: Any) -> Run:
    epochs = np.arange(2.0)
    names = ("train_loss", "train_accuracy", "validation_accuracy", "seconds", "learning_rate", "passes")
    config = {
        "task": {"name": "digits", "seed": 0, "options": {}, "hash": "0"},
        "network": {"kind": "point_mlp"},
        "rule": {"name": "3F"},
        "teaching": {"name": "exact"},
        "training": {"seed": 0, "stopped": ""},
        "experiment": {"arm": "a", "number": 0, "own": "a", "factors": {"seed": 1}, "identity": _IDENTITY},
    }
    return Run(dict.fromkeys(names, epochs), 0.5, 1.0, 1, config, {"credit": {"epoch": epochs}}, network)


def _task() -> Task:
    x = np.random.default_rng(0).random((24, _N_INPUTS)).astype(np.float32)
    y = x[:, :3].argmax(axis=1)
    return Task.from_arrays("fuzzed", x[:20], y[:20], x[20:], y[20:])


def _trained(path: Path) -> Run:
    options: dict[str, Any] = {"epochs": 1, "batch_size": 8, "teaching": "per_soma", "rule": "5F", "threads": 1}
    network = ds.Network.dendritic(_N_INPUTS, 3, [3], [2], 2, 1)
    return ds.train(network, _task(), **options, checkpoint=path, resume=path.exists(), validation=0.2)


def _recorded(kind: str, path: Path) -> None:
    path.unlink(missing_ok=True)
    tree = ds.Compartments([-1, 0, 0], leak=5.0, coupling=20.0, capacitance=60.0, leak_reversal=-70.0)
    synapses = ds.Synapses(tree, [1, 1, 2, 2], range(4), sign=1, conductance=1.0)
    x = np.full((1, 4), 0.5)
    if kind == "trace":
        ds.simulate(tree, synapses, x, duration=2.0, dt=0.1, store=path)
    else:
        learner = ds.OnlineLearner(ds.Neurons(tree, synapses, readout="soma"), "exact", rates=1e-3)
        learner.run(x, np.array([[1.0]]), duration=3.0, store=path)


def _stored(path: Path) -> None:
    """A store with one run, of which `path` is the index."""
    store = Store(folder() / "store")
    store.save(_run(_mlp()), _IDENTITY)
    store.members()
    path.write_bytes((store.folder / "index.h5").read_bytes())


def _index(path: Path) -> Any:
    """Have the store read an index that is not its own work."""
    store = Store(folder() / "store")
    (store.folder / "index.h5").write_bytes(path.read_bytes())
    runs = store.runs()
    hold(len(runs) == 1, f"a store of one run lists {len(runs)}")
    return runs


def _trace(path: Path) -> Any:
    found = ds.Trace.load(path)
    hold(found.voltage.shape[1] == found.time.size, "a recording whose times and values differ in number")
    float(np.sum(found.voltage)), found.spike_time.sum()
    return found


def _online(path: Path) -> Any:
    found = OnlineRun.load(path)
    hold(len(found.output) == found.time.size, "a run whose times and values differ in number")
    return found


_READERS: dict[str, Callable[[Path], Any]] = {
    "network": ds.Network.load,
    "reconstructed": ds.Network.load,
    "neurons": ds.Neurons.load,
    "point_mlp": PointMLP.load,
    "residual": ResidualNetwork.load,
    "transformer": ResidualNetwork.load,
    "run": Run.load,
    "checkpoint": _trained,
    "trace": _trace,
    "online": _online,
    "index": _index,
}
