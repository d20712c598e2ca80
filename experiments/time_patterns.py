"""One neuron learns online to tell spatiotemporal spike patterns apart.

    python experiments/time_patterns.py learn fidelity       # goes on where it ended
    python experiments/time_patterns.py learn fidelity --cell FILE.swc --name reconstruction
    python experiments/time_patterns.py draw

Forty frozen patterns of 100 trains, 100 ms, in which every afferent fires once: only times tell. Each afferent has an
excitatory synapse and a shunting inhibitory one somewhere on the tree. The voltage of the soma at the end of a pattern
is the answer: above -60 mV means class 1. One trial follows another without a break, in eight streams at once, and
conductances change while the cell runs. "adjoint" is the exact gradient through time of every trial, from rest; "exact"
the exact credit of the moment, without capacitance, which in a single cell is its soma's error times the path gain.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from time_rows import COLOURS, FIGURES, RESULTS, Rows, interval, style

import dendrosim as ds
from dendrosim.plasticity.optimisers import Adam
from dendrosim.teaching import PerSoma
from dendrosim.teaching.lesson import Lesson

Floats = NDArray[Any]

DT, PERIOD = 0.25, 110.0
THRESHOLD, SCALE = -60.0, 2.0
BATCH, STEPS, CHECK = 8, 480, 40
RATE = 0.1
TAU = 20.0
TIMES: tuple[float | str, ...] = (0.0, 5.0, 20.0, 80.0, "membrane")


class OtherTrial(PerSoma):
    """A control: the error of another stream, whose trial has nothing to do with one's own."""

    name = "other_trial"

    def of_cells(self, lesson: Lesson, signal: Any) -> Floats:
        found: Floats = np.roll(super().of_cells(lesson, signal), 1, axis=0)
        return found


SIGNALS: dict[str, Any] = {
    "adjoint": None,
    "exact": "exact",
    "per soma": "per_soma",
    "per soma, sign only": {"name": "degraded", "teaching": "per_soma", "sign": True},
    "DFA per compartment": {"name": "dfa", "per": "compartment"},
    "other trial": OtherTrial(),
}


@cache
def cell_of(cell: str) -> ds.Compartments:
    """Compartments of a shipped cell, or of a file."""
    return ds.Morphology.load(cell).compartments(ds.Passive(), max_length=150.0)


def neuron_of(cell: str, seed: int, integration: str, conductance: float) -> ds.Neurons:
    """A neuron with one excitatory and one inhibitory synapse per afferent."""
    tree = cell_of(cell)
    excitation = ds.Synapses.scatter(tree, 100, 0, seed=seed, conductance=conductance)
    inhibition = ds.Synapses.scatter(tree, 0, 100, seed=1000 + seed, conductance=conductance)
    synapses = excitation.join(inhibition, shared_inputs=True)
    return ds.Neurons(tree, synapses, readout="soma", integration=integration, reference=THRESHOLD, scale=SCALE)


def task_of(seed: int) -> ds.tasks.TemporalTask:
    return ds.tasks.spike_patterns(seed, per_class=20, jitter=2.0, noise=1.0, n_train=BATCH * STEPS, n_test=400)


def learner_of(neuron: ds.Neurons, signal: str, tau: float | str, ticks: Floats, seed: int) -> ds.OnlineLearner:
    return ds.OnlineLearner(
        neuron, SIGNALS[signal], tau_e=tau, deliveries=ds.Deliveries(times=ticks), dt=DT, loss="logistic",
        optimiser="adam", rates=RATE, seed=seed, threads=1,
    )  # fmt: skip


def answers(neuron: ds.Neurons, spikes: ds.Spikes) -> Floats:
    """Logits at the end of trials, (B,)."""
    trace = simulated(neuron, spikes)
    found: Floats = (trace.voltage[:, -1, 0] - neuron.reference) / SCALE
    return found


def simulated(neuron: ds.Neurons, spikes: ds.Spikes, **options: Any) -> ds.Trace:
    return ds.simulate(
        neuron.compartments, neuron.synapses, spikes, dt=DT, duration=PERIOD, integration=neuron.integration, threads=1,
        **options,
    )  # fmt: skip


def exact(neuron: ds.Neurons, spikes: ds.Spikes, y: Floats) -> Floats:
    """dL/d(raw) of the mean loss of trials, by the adjoint through time."""
    trace = simulated(neuron, spikes, checkpoints=True)
    logits = (trace.voltage[:, -1, 0] - neuron.reference) / SCALE
    error = np.zeros_like(trace.voltage)
    error[:, -1, 0] = (0.5 * (1 + np.tanh(0.5 * logits)) - y) / SCALE / len(y)
    found: Floats = ds.exact_gradient(trace, error).conductance * neuron.conductance_factor
    return found


def learned(cell: str, conductance: float, signal: str, integration: str, tau: float | str, seed: int) -> Iterator[Any]:
    """Trials seen and test accuracy, again and again while a neuron learns; the neuron at the end."""
    task, neuron = task_of(seed), neuron_of(cell, seed, integration, conductance)
    spikes, y = task.test.batch(np.arange(len(task.test)))
    order = np.arange(BATCH * STEPS).reshape(STEPS, BATCH)
    adam, state = Adam(), None
    learner = None if signal == "adjoint" else learner_of(neuron, signal, tau, PERIOD * np.arange(1, CHECK + 1), seed)
    for k in range(0, STEPS + 1, CHECK):
        yield k * BATCH, float(((answers(neuron, spikes) > 0) == y).mean()), neuron
        if k == STEPS:
            return
        here = order[k : k + CHECK]
        if learner is None:
            for rows in here:
                shown, classes = task.train.batch(rows)
                adam.advance()
                adam.update("synapses", neuron.parameters["synapses"], exact(neuron, shown, classes), RATE)
                neuron.refresh()
        else:
            stream, classes = task.train.stream(here, PERIOD)
            targets = classes[:, :, None].astype(float)
            state = learner.run(stream, targets, duration=PERIOD * CHECK, initial=state).final


def arms() -> list[tuple[str, str, float | str]]:
    """Signal, integration and time constant of all runs."""
    made: list[tuple[str, str, float | str]] = [(signal, "shunting", TAU) for signal in SIGNALS]
    made += [(signal, "additive", TAU) for signal in ("exact", "per soma")]
    made += [("exact", "shunting", tau) for tau in TIMES if tau != TAU]
    return [*made, ("adjoint", "additive", TAU)]


def learn(options: argparse.Namespace) -> None:
    """Accuracy while learning, and of a linear readout of a point neuron's synapses."""
    keys, values = ("cell", "signal", "integration", "tau_e", "seed"), ("trials", "accuracy", "seconds")
    rows = Rows(RESULTS / "time_patterns.csv", keys, values)
    for seed in options.seeds:
        point = {"cell": "point", "signal": "linear readout", "integration": "", "tau_e": "", "seed": seed}
        if not rows.has(**point):
            rows.add([{**point, "trials": BATCH * STEPS, "accuracy": linear(seed), "seconds": ""}])
        for signal, integration, tau in arms():
            key = {"cell": options.name, "signal": signal, "integration": integration, "tau_e": tau, "seed": seed}
            if rows.has(**key) or (options.only and signal not in options.only):
                continue
            begin = time.process_time()
            found = [
                {**key, "trials": n, "accuracy": accuracy, "seconds": round(time.process_time() - begin, 1)}
                for n, accuracy, _ in learned(options.cell, options.conductance, signal, integration, tau, seed)
            ]
            rows.add(found)
            print(*key.values(), f"{found[-1]['accuracy']:.3f}", f"{found[-1]['seconds']} s", flush=True)


def linear(seed: int) -> float:
    """Test accuracy of logistic regression on the open fractions of all synapses, filtered by a membrane of 20 ms.

    What a passive point neuron with synapses of any sign that inject current could reach.
    """
    from sklearn.linear_model import LogisticRegression

    task = task_of(seed)
    filtered = []
    for part in (task.train, task.test):
        spikes, lag = part.spikes, PERIOD - part.spikes.time
        x = np.zeros((len(part), 2, task.n_inputs))
        for i, tau in enumerate((2.0, 5.0)):
            kernel = (np.exp(-lag / 20.0) - np.exp(-lag / tau)) * tau / (20.0 - tau)
            np.add.at(x, (spikes.stimulus, i, spikes.source), kernel)
        filtered.append(x.reshape(len(part), -1))
    size = filtered[0].std()
    model = LogisticRegression(C=1.0, max_iter=2000).fit(filtered[0] / size, task.train.y)
    return float(model.score(filtered[1] / size, task.test.y))


def fidelity(options: argparse.Namespace) -> None:
    """Cosine of what traces and signals ask for to the adjoint's gradient, before learning, of 64 trials."""
    keys, values = ("cell", "signal", "integration", "tau_e", "seed"), ("cosine", "scale")
    rows = Rows(RESULTS / "time_patterns_fidelity.csv", keys, values)
    for seed in options.seeds:
        for integration in ("shunting", "additive"):
            if rows.has(cell=options.name, integration=integration, seed=seed):
                continue
            spikes, y = task_of(seed).test.batch(np.arange(64))
            neuron = neuron_of(options.cell, seed, integration, options.conductance)
            neuron.reference += SCALE * float(np.median(answers(neuron, spikes)))  # as many errors of either sign
            true = exact(neuron, spikes, y)
            made = []
            for signal in list(SIGNALS)[1:]:
                for tau in TIMES:
                    learner = learner_of(neuron, signal, tau, np.array([PERIOD]), seed)
                    run = learner.run(spikes, y[:, None].astype(float), duration=PERIOD, learn=False)
                    asked = run.gradient["synapses"]
                    sizes = float(np.linalg.norm(asked)), float(np.linalg.norm(true))
                    cosine = float(asked @ true) / (sizes[0] * sizes[1])
                    made.append({
                        "cell": options.name, "signal": signal, "integration": integration, "tau_e": tau, "seed": seed,
                        "cosine": cosine, "scale": sizes[0] / sizes[1],
                    })  # fmt: skip
            rows.add(made)
            print("fidelity", options.name, integration, seed, flush=True)


def draw(options: argparse.Namespace) -> None:
    """Learning curves, accuracy by time constant, fidelity."""
    plt = style()
    rows = Rows(RESULTS / "time_patterns.csv", (), ())
    figure, axes = plt.subplots(1, 3, figsize=(7.2, 2.7))
    for signal, colour in zip(SIGNALS, COLOURS, strict=False):
        key = {"cell": options.name, "signal": signal, "integration": "shunting", "tau_e": TAU}
        points = [
            (n, *interval(values))
            for n in range(0, BATCH * STEPS + 1, BATCH * CHECK)
            if (values := rows.numbers("accuracy", trials=n, **key))
        ]
        if points:
            x, mean, low, high = np.array(points).T
            axes[0].plot(x, mean, color=colour, label=signal)
            axes[0].fill_between(x, low, high, color=colour, alpha=0.15, linewidth=0)
    point = rows.numbers("accuracy", cell="point")
    axes[0].axhline(np.mean(point), color="#888888", linewidth=0.8, linestyle="--", label="point, linear readout")
    axes[0].axhline(0.5, color="#888888", linewidth=0.8, linestyle=":")
    axes[0].set(xlabel="trials", ylabel="test accuracy", ylim=(0.4, 1.02))
    labels = ["adjoint", *(f"{t:g}" if isinstance(t, float) else "mem." for t in TIMES)]
    for i, tau in enumerate(["adjoint", *TIMES]):
        signal, of = ("adjoint", TAU) if tau == "adjoint" else ("exact", tau)
        values = rows.numbers(
            "accuracy", cell=options.name, signal=signal, integration="shunting", tau_e=of, trials=BATCH * STEPS
        )
        if values:
            mean, low, high = interval(values)
            axes[1].errorbar(i, mean, [[mean - low], [high - mean]], fmt="o", color=COLOURS[i > 0], capsize=2)
            axes[1].plot(np.full(len(values), i + 0.15), values, ".", color="#888888", markersize=3)
    axes[1].set_xticks(range(len(labels)), labels)
    axes[1].set(xlabel=r"$\tau_e$ (ms), exact credit", ylabel="test accuracy in the end")
    found, cell = Rows(RESULTS / "time_patterns_fidelity.csv", (), ()), {"cell": options.name}
    for signal, colour in zip(SIGNALS, COLOURS, strict=False):
        for integration, mark in (("shunting", "o-"), ("additive", "s--")):
            points = []
            for i, tau in enumerate(TIMES):
                values = found.numbers("cosine", signal=signal, integration=integration, tau_e=tau, **cell)
                if values:
                    points.append((i, float(np.mean(values))))
            if points:
                axes[2].plot(*np.array(points).T, mark, color=colour, markersize=3)
    axes[2].plot([], [], "o-", color="black", label="shunting")
    axes[2].plot([], [], "s--", color="black", label="additive")
    axes[2].axhline(0.0, color="#888888", linewidth=0.8, linestyle=":")
    axes[2].set_xticks(range(len(TIMES)), labels[1:])
    axes[2].set(xlabel=r"$\tau_e$ (ms)", ylabel="cosine to the adjoint's gradient")
    axes[2].set_ylim(top=1.03)
    axes[2].legend(loc=(0.45, 0.2))
    handles, names = axes[0].get_legend_handles_labels()
    figure.legend(handles, names, loc="lower center", ncols=4)
    figure.tight_layout(rect=(0, 0.13, 1, 1))
    figure.savefig(FIGURES / "time_patterns.png", dpi=150)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", nargs="+", choices=["learn", "fidelity", "draw"])
    parser.add_argument("--cell", default="pyramidal_l5", help="a shipped cell, or a morphology file")
    parser.add_argument("--name", default="pyramidal_l5", help="what to call it in the results")
    parser.add_argument("--conductance", type=float, default=1.5, help="of all synapses at the beginning, nS")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--only", nargs="*", help="these signals only")
    options = parser.parse_args()
    for what in options.what:
        {"learn": learn, "fidelity": fidelity, "draw": draw}[what](options)


if __name__ == "__main__":
    main()
