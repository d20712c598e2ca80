"""The layer that all formulations train: neurons on regular trees with indexed excitatory and inhibitory inputs."""

from __future__ import annotations

import gzip
import os
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import dendrosim as ds

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]

N_CLASSES = 10
RATES = {"synapses": 1.5e-3, "couplings": 7e-4, "gates": 5e-4, "decoder": 1.5e-3}
CLIP = 5.0
SIGNS = {"excitatory": 1, "inhibitory": -1}


@dataclass(frozen=True)
class Samples:
    """What the layer is trained on.

    Attributes
    ----------
    name : str
    x : array of float32, shape (n, n_inputs)
    y : array of int64, shape (n,)
    """

    name: str
    x: Floats
    y: Ints


def random_samples(n: int, n_inputs: int, seed: int = 1) -> Samples:
    """Dense input, uniform in [0, 1): no input is zero. The class is the largest of ten random projections."""
    random = np.random.default_rng(seed)
    x = random.random((n, n_inputs), dtype=np.float32)
    return Samples("random", x, ((x - 0.5) @ random.normal(size=(n_inputs, N_CLASSES))).argmax(1))


def mnist_samples() -> Samples | str:
    """Training images of MNIST below ``DENDROSIM_DATA``, or why there are none; four of five pixels are zero."""
    root = os.environ.get("DENDROSIM_DATA")
    if not root:
        return "MNIST left out: DENDROSIM_DATA is not set (it names the folder that holds mnist/)"
    files = [Path(root) / "mnist" / f"train-{name}-ubyte.gz" for name in ("images-idx3", "labels-idx1")]
    if not all(file.is_file() for file in files):
        return f"MNIST left out: {files[0]} and {files[1].name} are needed"
    images = np.frombuffer(gzip.decompress(files[0].read_bytes()), np.uint8, offset=16).reshape(-1, 784)
    labels = np.frombuffer(gzip.decompress(files[1].read_bytes()), np.uint8, offset=8)
    return Samples("MNIST", images.astype(np.float32) / 255, labels.astype(np.int64))


@dataclass(frozen=True)
class Problem:
    """One layer of shunting neurons with gates and a linear decoder, and what it is trained on.

    Synapses sit on every branch, none on the soma.
    """

    samples: Samples
    neurons: int = 128
    branching: tuple[int, ...] = (3, 3)
    excitatory: int = 40
    inhibitory: int = 20
    batch: int = 256
    seed: int = 0

    @cached_property
    def network(self) -> ds.Network:
        """Freshly initialised, gates fitted to the samples; copy it before training."""
        network = ds.Network.dendritic(
            self.n_inputs,
            N_CLASSES,
            [self.neurons],
            list(self.branching),
            self.excitatory,
            self.inhibitory,
            seed=self.seed,
        )
        network.calibrate(self.samples.x[:512])
        return network

    @property
    def n_inputs(self) -> int:
        """Candidates of every synapse."""
        return int(self.samples.x.shape[1])

    @property
    def widths(self) -> tuple[int, ...]:
        """Compartments of each stage, the most distal first, the somas last."""
        stages = [self.neurons]
        for branches in self.branching:
            stages.append(stages[-1] * branches)
        return tuple(reversed(stages))

    @property
    def compartments(self) -> list[Ints]:
        """Ours in the order of the peers: by stage, soma after soma, siblings side by side."""
        stage = self.network.layout.stage
        return [np.flatnonzero(stage == k) for k in range(len(self.branching), -1, -1)]

    @cached_property
    def arrays(self) -> dict[str, Any]:
        """Raw parameters by stage; of synapses all candidates, (width, n_inputs), the largest of a row being active."""
        network, parameters = self.network, self.network.parameters
        made: dict[str, Any] = {"excitatory": [], "inhibitory": []}
        for name, sign in SIGNS.items():
            dense = np.full((network.layout.size, self.n_inputs), -np.inf, np.float32)
            active = network.sign == sign
            dense[self._at[active], network.source[active]] = parameters["synapses"][active]
            banks, wiring = network.layout.banks, network.connectivity
            waiting = banks.width - (banks.last - banks.first)
            at, of = np.repeat(banks.compartment, waiting), np.repeat(banks.sign, waiting)
            dense[at[of == sign], wiring.heap_source[of == sign]] = wiring.heap[of == sign]
            made[name] = [dense[n] for n in self.compartments[:-1]]
        for name in ("log_slope", "midpoint"):
            made[name] = [parameters[name][n] for n in self.compartments]
        pairs = zip(self.compartments[:-1], self.widths[1:], strict=True)
        made["coupling"] = [parameters["couplings"][n].reshape(above, -1) for n, above in pairs]
        made["weight"], made["bias"] = parameters["decoder_weight"], parameters["decoder_bias"]
        return made

    @property
    def _at(self) -> Ints:
        """Compartment of every synapse."""
        layout = self.network.layout
        return np.repeat(np.arange(layout.size), layout.last - layout.first)

    def active(self, name: str) -> list[Ints]:
        """Sources of the active synapses of each stage, (width, K), ascending."""
        k = self.excitatory if name == "excitatory" else self.inhibitory
        return [np.sort(np.argsort(-raw, axis=1, kind="stable")[:, :k], axis=1) for raw in self.arrays[name]]

    def dense(self, synapses: Floats, name: str) -> list[Floats]:
        """One value per active synapse of the fresh network as (width, n_inputs) by stage, zero elsewhere."""
        full = np.zeros((self.network.layout.size, self.n_inputs), np.float32)
        active = self.network.sign == SIGNS[name]
        full[self._at[active], self.network.source[active]] = synapses[active]
        return [full[n] for n in self.compartments[:-1]]


class Batches:
    """Rows of shuffled minibatches for ever; a new order each epoch, drawn when the last one is used up."""

    def __init__(self, n: int, size: int, seed: int = 2) -> None:
        if size > n:
            raise ValueError(f"{n} samples are fewer than one batch of {size}")
        self._random, self._n, self._size = np.random.default_rng(seed), n, size
        self._order, self._at = self._random.permutation(n), 0

    def __call__(self) -> Ints:
        if self._at + self._size > self._n:
            self._order, self._at = self._random.permutation(self._n), 0
        rows = self._order[self._at : self._at + self._size]
        self._at += self._size
        return rows
