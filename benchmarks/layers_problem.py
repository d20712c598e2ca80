"""The layer that all formulations compute: neurons on regular trees with indexed excitatory and inhibitory inputs."""

from __future__ import annotations

import gzip
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]

N_CLASSES = 10
RATES = {"synapses": 1.5e-3, "couplings": 7e-4, "gates": 5e-4, "decoder": 1.5e-3}
CLIP = 5.0


@dataclass(frozen=True)
class Layer:
    """Sizes and the initial values of one layer of shunting neurons with gates and a linear decoder.

    Attributes
    ----------
    neurons, branching, excitatory, inhibitory, n_inputs
        As for `Network.dendritic`; synapses sit on every branch, none on the soma.
    """

    neurons: int = 128
    branching: tuple[int, ...] = (3, 3)
    excitatory: int = 40
    inhibitory: int = 20
    n_inputs: int = 784
    seed: int = 0
    arrays: dict[str, Any] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        random = np.random.default_rng(self.seed)
        widths = self.widths
        deviation = np.sqrt(2 / (self.n_inputs + 1))
        # dense raw values, of which the largest of each row are active; distal branches first
        made: dict[str, Any] = {
            name: [random.normal(0, deviation, (width, self.n_inputs)).astype(np.float32) for width in widths[:-1]]
            for name in ("excitatory", "inhibitory")
        }
        made["coupling"] = [
            random.normal(2.0, 0.3, (above, below // above)).astype(np.float32)
            for below, above in zip(widths[:-1], widths[1:], strict=True)
        ]
        made["log_slope"] = [np.full(width, np.log(4.0), np.float32) for width in widths]
        made["midpoint"] = [np.full(width, 0.5, np.float32) for width in widths]
        made["weight"] = random.normal(0, self.neurons**-0.5, (N_CLASSES, self.neurons)).astype(np.float32)
        made["bias"] = np.zeros(N_CLASSES, np.float32)
        object.__setattr__(self, "arrays", made)

    @property
    def widths(self) -> tuple[int, ...]:
        """Compartments of each stage, the most distal first, the somas last."""
        stages = [self.neurons]
        for branches in self.branching:
            stages.append(stages[-1] * branches)
        return tuple(reversed(stages))

    @property
    def n_synapses(self) -> int:
        """Active ones."""
        return sum(self.widths[:-1]) * (self.excitatory + self.inhibitory)

    def active(self, sign: str) -> list[Ints]:
        """Sources of the active synapses of each stage, (width, K), ascending."""
        k = self.excitatory if sign == "excitatory" else self.inhibitory
        return [np.sort(np.argsort(-raw, axis=1, kind="stable")[:, :k], axis=1) for raw in self.arrays[sign]]


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
    """Dense input, uniform in [0, 1): no pixel is zero."""
    random = np.random.default_rng(seed)
    return Samples("random", random.random((n, n_inputs), dtype=np.float32), random.integers(0, N_CLASSES, n))


def mnist_samples() -> Samples | str:
    """Training images of MNIST below ``DENDROSIM_DATA``, or why there are none; four of five pixels are zero."""
    root = os.environ.get("DENDROSIM_DATA")
    if not root:
        return "MNIST left out: DENDROSIM_DATA is not set (it names the folder that holds mnist/)"
    folder = Path(root) / "mnist"
    files = [folder / f"train-{name}-ubyte.gz" for name in ("images-idx3", "labels-idx1")]
    if not all(file.is_file() for file in files):
        return f"MNIST left out: {files[0]} and {files[1].name} are needed"
    images = np.frombuffer(gzip.decompress(files[0].read_bytes()), np.uint8, offset=16).reshape(-1, 784)
    labels = np.frombuffer(gzip.decompress(files[1].read_bytes()), np.uint8, offset=8)
    return Samples("MNIST", images.astype(np.float32) / 255, labels.astype(np.int64))


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
