"""Noise correlation, vanilla (VNC) and on the manifold of activity (NMNC): accuracy, samples needed, and the manifold.

    python experiments/noise_correlation.py estimates training --models 2
    python experiments/noise_correlation.py manifold
    python experiments/noise_figures.py

Scikit-learn's digits; shunting trees with gates (branching [3, 3]) and rectified point networks with two hidden layers,
each of several widths. "estimates": cosine of K perturbations' estimate to the mean Jacobian of trained networks, with
what is predicted for a constant Jacobian. "training": test accuracy against the perturbations that are in the feedback
matrix, K = samples (2 - eta) / eta. "manifold": dimension of activity and alignment of the Jacobian's rows with it,
over widths, before and after training by each method.
"""

from __future__ import annotations

import argparse
import csv
from collections.abc import Iterator, Sequence
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import dendrosim as ds
from dendrosim.diagnostics.manifold_of import manifold
from dendrosim.networks import PointMLP
from dendrosim.plasticity.point import PointLearner
from dendrosim.teaching import NMNC, VNC, Teaching, teaching
from dendrosim.teaching.noise.draws import NOISES
from dendrosim.teaching.noise.subspace import Subspace, of_samples

Floats = NDArray[Any]
Row = dict[str, Any]
Models = Sequence[tuple[str, int]]

MODELS = (
    ("tree", 20), ("point", 64), ("tree", 80), ("point", 16), ("tree", 10), ("point", 32), ("tree", 40), ("point", 128),
)  # fmt: skip
"""Kinds, and cells or units per hidden layer."""
RANKS: dict[str, int | float | None] = {"VNC": None, "NMNC, r = 4": 4, "NMNC, r = 16": 16, "NMNC, 90 %": 0.9}
BATCH = 50
MOST = 4096
"""Perturbations of an estimate."""
BUDGETS = ((1, 1.0), (8, 1.0), (50, 1.0), (50, 0.2), (50, 0.02))
"""Perturbed samples per minibatch and rate of the feedback matrix."""


def network_of(kind: str, width: int, seed: int, task: ds.tasks.Task) -> Any:
    """A fresh network of a width: cells, or units per hidden layer."""
    if kind == "point":
        return PointMLP(task.n_inputs, task.n_classes, [width, width], seed=seed, init="kaiming")
    network = ds.Network.dendritic(task.n_inputs, task.n_classes, [width], [3, 3], 20, 8, seed=seed)
    network.calibrate(task.x_train[:1024])
    return network


def learner_of(network: Any, told: str | Teaching, seed: int) -> Any:
    if isinstance(network, PointMLP):
        return PointLearner(network, told, rates=2e-3, seed=seed, threads=1)
    return ds.Learner(network, told, rates=1e-2, seed=seed, threads=1)


def trained(network: Any, task: ds.tasks.Task, told: str | Teaching, seed: int, epochs: int) -> Any:
    """The learner after training."""
    learner = learner_of(network, told, seed)
    order = np.random.default_rng([seed, 1])
    x, y = network.checked(task.x_train), task.y_train
    for _ in range(epochs):
        shuffled = order.permutation(len(y))
        for i in range(0, len(y) - BATCH + 1, BATCH):
            rows = shuffled[i : i + BATCH]
            learner.step(np.ascontiguousarray(x[rows]), y[rows])
    return learner


def accuracy(network: Any, task: ds.tasks.Task) -> float:
    return float((network.predict(task.x_test).argmax(axis=1) == task.y_test).mean())


def lesson_of(network: Any, x: Floats, y: Floats) -> Any:
    return learner_of(network, "exact", 0).taught(network.checked(x), y)[0]


def mean_jacobian(network: Any, x: Floats, y: Floats) -> Floats:
    """Mean over samples of dy/da of every unit, (n_outputs, N)."""
    lesson = lesson_of(network, x, y)
    layout, a = network.layout, lesson.activity
    child = np.flatnonzero(layout.parent >= 0)
    found = np.zeros((network.n_outputs, layout.size))
    for k, row in enumerate(network.parameters["decoder_weight"]):
        lesson.soma_error = np.repeat(row[None], len(x), axis=0)
        by_output = np.zeros_like(a.voltage)
        by_output[:, layout.roots] = lesson.transport()
        if child.size:
            up = layout.parent[child]
            by_output[:, child] = lesson.credit[:, up] * a.resistance[:, up] * network.coupling[child][:, None]
        found[k] = a.batch_first(by_output).mean(axis=0)
    return found


def few(kind: type[VNC] | type[NMNC], samples: int, **options: Any) -> Teaching:
    """A signal that perturbs only so many samples of each minibatch."""

    class Few(kind):  # type: ignore[misc, valid-type]
        def __init__(self) -> None:
            super().__init__(**options)

        def changes(self, lesson: Any, noise: Floats) -> Floats:
            found: Floats = super().changes(lesson, noise)
            found[:, samples:] = 0.0
            found *= found.shape[1] / samples
            return found

    return Few()


def cosine(a: Floats, b: Floats) -> float:
    size = float(np.linalg.norm(a) * np.linalg.norm(b))
    return float((a * b).sum() / size) if size else 0.0


def spaces_of(network: Any, x: Floats, rank: float | None) -> list[tuple[NDArray[np.int64], Floats]]:
    """Units of each layer, and the basis of the noise that they get."""
    layout = network.layout
    a = lesson_of(network, x, np.zeros(len(x), int)).activity
    outputs, found = a.batch_first(a.output), []
    for layer in range(layout.n_layers):
        units = np.flatnonzero(layout.layer == layer)
        space: Subspace | None = None if rank is None else of_samples(outputs[:, units], rank)
        found.append((units, np.eye(units.size) if space is None else space.basis))
    return found


def estimates(models: Models, seeds: int) -> Iterator[Row]:
    """Cosine to the mean Jacobian against K, in networks trained with exact credit."""
    for (kind, width), seed in product(models, range(seeds)):
        task = ds.tasks.load("digits", seed=seed)
        network = trained(network_of(kind, width, seed, task), task, "exact", seed, 10).network
        x, y = task.x_train[:512], task.y_train[:512]
        exact = mean_jacobian(network, x, y)
        for name, rank in RANKS.items():
            own = {"kind": kind, "seed": seed, "width": width, "arm": name}
            yield from curve(network, (x, y), exact, spaces_of(network, x, rank), own)


def curve(network: Any, data: tuple[Floats, Floats], exact: Floats, spaces: Sequence[Any], own: Row) -> Iterator[Row]:
    """Measured and predicted cosines of one network, layer by layer, all layers perturbed together."""
    lesson, sigma = lesson_of(network, *data), 0.02
    rng, a, layout = np.random.default_rng(own["seed"]), lesson.activity, network.layout
    noise_of, n_samples = NOISES["gauss"], len(data[0])
    xis, dys = [], []
    for _ in range(MOST // n_samples):
        xi = np.zeros((1, *a.voltage.shape), a.dtype)
        for units, basis in spaces:
            z = noise_of.draw((1, a.n_blocks, basis.shape[1], a.width), n_samples, a.dtype, rng)
            xi[:, :, units] = np.matmul((sigma * basis).astype(a.dtype), z)
        order = rng.permutation(n_samples)  # small K are no particular samples
        dys.append((lesson.perturbed(xi, "output")[0] - a.logits)[order])
        xis.append(a.batch_first(xi[0])[order])
    xi, dy = np.concatenate(xis), np.concatenate(dys)
    inside = [float(((exact[:, units] @ basis) ** 2).sum()) for units, basis in spaces]
    for k in 4 ** np.arange(1, 7):
        blocks = min(MOST // k, 64)
        here = [dy[i * k : (i + 1) * k].T @ xi[i * k : (i + 1) * k] for i in range(blocks)]
        for layer, (units, basis) in enumerate(spaces):
            r = basis.shape[1]
            alpha = inside[layer] / float((exact[:, units] ** 2).sum())
            variance = (inside[layer] + r * sum(inside)) / k
            predicted = np.sqrt(alpha / (1 + variance / inside[layer])) if inside[layer] else 0.0
            measured = float(np.mean([cosine(each[:, units], exact[:, units]) for each in here]))
            at = {"layer": layer, "name": layout.layers[layer][0], "d": units.size, "r": r, "alpha": alpha, "K": int(k)}
            yield own | at | {"cosine": measured, "predicted": float(predicted)}


def training(models: Models, seeds: int, epochs: int) -> Iterator[Row]:
    """Test accuracy and the cosine of the feedback matrix, for every method and budget of perturbations."""
    for (kind, width), seed in product(models, range(seeds)):
        task = ds.tasks.load("digits", seed=seed)
        fresh, own = network_of(kind, width, seed, task), {"kind": kind, "seed": seed, "width": width}
        others = ("exact", "per_soma", "dfa", "node_perturbation", "decoder_only")
        for name in (*others, "mirror") if kind == "tree" else others:
            done = trained(fresh.copy(), task, name, seed, epochs)
            found = {"arm": name, "K": 0.0, "accuracy": accuracy(done.network, task)}
            yield own | found | {"cosine": float("nan"), "passes": done.passes / done.steps - 1}
        for (name, rank), (samples, eta) in product(RANKS.items(), BUDGETS):
            options: dict[str, Any] = {"eta": eta} if rank is None else {"eta": eta, "rank": rank}
            done = trained(fresh.copy(), task, few(NMNC if rank else VNC, samples, **options), seed, epochs)
            exact = mean_jacobian(done.network, task.x_train[:512], task.y_train[:512])
            found = {"arm": name, "K": samples * (2 - eta) / eta, "accuracy": accuracy(done.network, task)}
            close = cosine(done.teaching.feedback, exact)
            yield own | found | {"cosine": close, "passes": done.passes / done.steps - 1}


def manifolds(models: Models, seeds: int, epochs: int) -> Iterator[Row]:
    """Dimension and alignment over widths, before and after training."""
    for seed, (kind, width) in product(range(seeds), models):
        task = ds.tasks.load("digits", seed=seed)
        fresh = network_of(kind, width, seed, task)
        for name in ("before", "exact", "vnc", "nmnc"):
            network = fresh
            if name != "before":
                network = trained(fresh.copy(), task, teaching(name), seed, epochs).network
            found = manifold(network, task.x_train[:1024], rank=8, draws=20, seed=seed, threads=1).table
            for layer, row in enumerate(found):
                own = {"kind": kind, "seed": seed, "width": width, "trained": name, "layer": layer}
                yield own | {k: row[k].item() for k in found.dtype.names if k != "layer"}


def write(rows: Iterator[Row], path: Path) -> int:
    """Rows as they come, so that what is done can be read."""
    count = 0
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as file:
        for row in rows:
            writer = csv.DictWriter(file, list(row))
            if not count:
                writer.writeheader()
            writer.writerow({k: f"{v:.5g}" if isinstance(v, float) else v for k, v in row.items()})
            file.flush()
            count += 1
    return count


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("estimates", "training", "manifold"), nargs="+")
    parser.add_argument("--seeds", type=int, default=3, help="networks, splits and noise (default: %(default)s)")
    parser.add_argument("--models", type=int, default=len(MODELS), help="how many of them (default: all)")
    parser.add_argument("--epochs", type=int, default=8, help="of training (default: %(default)s)")
    parser.add_argument("--out", type=Path, default=Path("."), help="folder of the tables (default: here)")
    options = parser.parse_args()
    models = MODELS[: options.models]
    found = {
        "estimates": estimates(models, options.seeds),
        "training": training(models, options.seeds, options.epochs),
        "manifold": manifolds(models, options.seeds, options.epochs),
    }
    for what in options.what:
        path = options.out / f"noise_{what}.csv"
        print(f"{write(found[what], path)} rows in {path}", flush=True)


if __name__ == "__main__":
    main()
