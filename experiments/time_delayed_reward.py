"""Errors and rewards that arrive late, and the traces that wait for them.

    python experiments/time_delayed_reward.py learn fidelity     # goes on where it ended
    python experiments/time_delayed_reward.py draw

A neuron with the tree of the shipped stellate cell hears one of eight cues, frozen patterns of 50 ms, four of them of
class 1; the voltage of its soma at the end of the cue is the answer. Background activity and distractors, frozen
patterns without meaning, go on until the outcome arrives: an error (what the derivative of the loss was at the answer)
or a reward of 1 or 0 for the action that was drawn from it (REINFORCE). Conductances change at that moment by trace
times outcome. One trial follows another without a break, in eight streams at once. "quiet": nothing arrives in the
delay, so that a trace only decays.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from functools import cache
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray
from time_patterns import OtherTrial
from time_rows import COLOURS, FIGURES, RESULTS, Rows, style

import dendrosim as ds

Floats = NDArray[Any]

DT, SCALE, THRESHOLD = 0.5, 2.0, -62.0
BATCH, STEPS = 8, 240
RATE = 0.05
DELAYS = (0.0, 50.0, 100.0, 200.0)
TIMES: tuple[float | str, ...] = (0.0, 20.0, 50.0, 100.0, 300.0, "membrane")
SIGNALS: dict[str, Any] = {"exact": "exact", "per soma": "per_soma", "other trial": OtherTrial()}
GRID = (0.0, 10.0, 20.0, 50.0, 100.0, 200.0)
BINS = (0.0, 50.0, 100.0, 200.0, 300.0, 400.0, 500.0, 700.0, 1000.0)
"""Distances from the soma, um."""


@cache
def cell_of(name: str) -> ds.Compartments:
    return ds.Morphology.load(name).compartments(ds.Passive(), max_length={"stellate": 50.0}.get(name, 100.0))


def neuron_of(seed: int, cell: str = "stellate") -> ds.Neurons:
    """A neuron with one excitatory and one inhibitory synapse per afferent."""
    tree = cell_of(cell)
    size = {"stellate": 0.3}.get(cell, 1.0)
    excitation = ds.Synapses.scatter(tree, 100, 0, seed=seed, conductance=size)
    inhibition = ds.Synapses.scatter(tree, 0, 100, seed=1000 + seed, conductance=size)
    synapses = excitation.join(inhibition, shared_inputs=True)
    return ds.Neurons(tree, synapses, readout="soma", reference=THRESHOLD, scale=SCALE)


def task_of(seed: int, delay: float, n_train: int = BATCH * STEPS) -> ds.tasks.TemporalTask:
    """One distractor for every 50 ms of delay."""
    return ds.tasks.delayed_cue(
        seed, per_class=4, rate=20.0, length=50.0, delay=delay, n_distractors=int(delay // 50), noise=4.0,
        n_train=n_train, n_test=400,
    )  # fmt: skip


def quietened(trials: ds.tasks.Trials, answer: float) -> ds.tasks.Trials:
    """The same trials without what comes after the answer."""
    s = trials.spikes
    keep = s.time < answer
    kept = ds.Spikes(s.time[keep], s.source[keep], s.stimulus[keep], n_inputs=s.n_inputs, n_stimuli=s.n_stimuli)
    return ds.tasks.Trials(kept, trials.y)


def learned(outcome: str, signal: str, activity: str, delay: float, tau: float | str, seed: int) -> Iterator[Any]:
    """Trials seen and test accuracy, and fraction of rewarded actions among the last trials."""
    task, neuron = task_of(seed, delay), neuron_of(seed)
    spikes, y = task.test.batch(np.arange(len(task.test)))
    train = quietened(task.train, task.answer) if activity == "quiet" else task.train
    chunk = STEPS // 4
    ticks = task.answer + task.duration * np.arange(chunk)
    learner = ds.OnlineLearner(
        neuron, SIGNALS[signal], tau_e=tau, deliveries=ds.Deliveries(times=ticks, delay=delay), dt=DT, loss="logistic",
        optimiser="adam", rates=RATE, seed=seed, threads=1,
    )  # fmt: skip
    order, state = np.arange(BATCH * STEPS).reshape(STEPS, BATCH), None
    for k in range(0, STEPS + 1, chunk):
        trace = ds.simulate(
            neuron.compartments, neuron.synapses, spikes, dt=DT, duration=task.answer, every=round(task.answer / DT),
            threads=1,
        )  # fmt: skip
        yield k * BATCH, float(((trace.voltage[:, -1, 0] > THRESHOLD) == y).mean())
        if k == STEPS:
            return
        stream, classes = train.stream(order[k : k + chunk], task.duration)
        told: dict[str, Any] = {"targets": classes[:, :, None].astype(float)}
        if outcome == "reward":
            told = {"reward": lambda action, tick, right=classes: (action == right[tick]).astype(float)}
        state = learner.run(stream, duration=task.duration * chunk, initial=state, **told).final


def arms() -> list[tuple[str, str, str, float, float | str]]:
    """Outcome, signal, activity, delay and time constant of all runs."""
    made = [("error", "per soma", "busy", delay, tau) for delay in DELAYS for tau in TIMES]
    made += [("reward", "per soma", "busy", delay, tau) for delay in DELAYS for tau in (20.0, 100.0)]
    made += [("error", "per soma", "quiet", 200.0, tau) for tau in (0.0, 20.0, 100.0)]
    made += [("error", signal, "busy", 100.0, 100.0) for signal in ("exact", "other trial")]
    return made


def learn(seeds: list[int]) -> None:
    """Accuracy against delay."""
    keys = ("outcome", "signal", "activity", "delay", "tau_e", "seed")
    rows = Rows(RESULTS / "time_delayed_reward.csv", keys, ("trials", "accuracy", "seconds"))
    for seed in seeds:
        for outcome, signal, activity, delay, tau in arms():
            key = dict(zip(keys, (outcome, signal, activity, delay, tau, seed), strict=True))
            if rows.has(**key):
                continue
            begin = time.process_time()
            found = [
                {**key, "trials": n, "accuracy": accuracy, "seconds": round(time.process_time() - begin, 1)}
                for n, accuracy in learned(outcome, signal, activity, delay, tau, seed)
            ]
            rows.add(found)
            print(*key.values(), f"{found[-1]['accuracy']:.3f}", f"{found[-1]['seconds']} s", flush=True)


def cosine(a: Floats, b: Floats) -> float:
    size = float(np.linalg.norm(a) * np.linalg.norm(b))
    return float(a @ b) / size if size else float("nan")


def fidelity(seeds: list[int]) -> None:
    """Cosine to the exact gradient through time, of what is asked of 64 trials when errors arrive late, untrained."""
    keys, values = ("cell", "signal", "tau_e", "delay", "distance", "seed"), ("cosine", "scale", "n")
    rows = Rows(RESULTS / "time_delayed_fidelity.csv", keys, values)
    for cell in ("stellate", "pyramidal_l5"):
        for seed in seeds:
            if rows.has(cell=cell, seed=seed):
                continue
            task, neuron = task_of(seed, 200.0, 64), neuron_of(seed, cell)
            spikes, y = task.train.batch(np.arange(64))
            compartments, synapses = neuron.compartments, neuron.synapses
            trace = ds.simulate(
                compartments, synapses, spikes, dt=DT, duration=task.answer, threads=1, checkpoints=True
            )
            neuron.reference = float(np.median(trace.voltage[:, -1, 0]))  # as many errors of either sign
            logits = (trace.voltage[:, -1, 0] - neuron.reference) / SCALE
            error = np.zeros_like(trace.voltage)
            error[:, -1, 0] = (0.5 * (1 + np.tanh(0.5 * logits)) - y) / SCALE / len(y)
            true = ds.exact_gradient(trace, error).conductance * neuron.conductance_factor
            place = np.digitize(compartments.path_distance[synapses.compartment], BINS[1:-1])
            made = []
            for signal in ("per soma", "exact"):
                for tau in TIMES:
                    for delay in GRID:
                        ticks = ds.Deliveries(times=[task.answer], delay=delay)
                        learner = ds.OnlineLearner(
                            neuron, SIGNALS[signal], tau_e=tau, deliveries=ticks, dt=DT, loss="logistic", threads=1
                        )
                        run = learner.run(spikes, y[:, None].astype(float), duration=task.answer + delay, learn=False)
                        asked = run.gradient["synapses"]
                        groups = {"all": np.ones(place.size, bool)}
                        if delay in (0.0, 100.0):
                            groups |= {f"{BINS[i]:g} to {BINS[i + 1]:g}": place == i for i in np.unique(place)}
                        made += [
                            {
                                "cell": cell, "signal": signal, "tau_e": tau, "delay": delay, "distance": name,
                                "seed": seed, "cosine": cosine(asked[here], true[here]), "n": int(here.sum()),
                                "scale": float(np.linalg.norm(asked[here]) / np.linalg.norm(true[here])),
                            }
                            for name, here in groups.items()
                        ]  # fmt: skip
            rows.add(made)
            print("fidelity", cell, seed, flush=True)


def named(tau: Any) -> str:
    return "membrane" if tau == "membrane" else f"{float(tau):g} ms"


def curve(axis: Any, rows: Rows, across: str, what: str, label: str, colour: str, **key: Any) -> None:
    """Mean over seeds against one column, and every seed as a dot."""
    points = []
    for level in sorted({float(row[across]) for row in rows.rows}):
        values = rows.numbers(what, **{across: level}, **key)
        if values:
            axis.plot(np.full(len(values), level), values, ".", color=colour, markersize=2.5, alpha=0.5)
            points.append((level, float(np.mean(values))))
    if points:
        axis.plot(*np.array(points).T, "o-", color=colour, label=label, markersize=3)


def draw() -> None:
    """Figures of both tables."""
    plt = style()
    rows = Rows(RESULTS / "time_delayed_reward.csv", (), ())
    figure, axes = plt.subplots(1, 3, figsize=(7.2, 2.9), sharey=True)
    for axis, outcome in zip(axes, ("error", "reward"), strict=False):
        for tau, colour in zip(TIMES, COLOURS, strict=False):
            key = {"outcome": outcome, "signal": "per soma", "activity": "busy", "trials": BATCH * STEPS}
            curve(axis, rows, "delay", "accuracy", named(tau), colour, tau_e=tau, **key)
        axis.axhline(0.5, color="#888888", linewidth=0.8, linestyle=":")
        axis.set(xlabel="delay of the outcome (ms)", title=f"late {outcome}", ylim=(0.2, 1.02))
    axes[0].set_ylabel("test accuracy")
    figure.legend(*axes[0].get_legend_handles_labels(), title=r"$\tau_e$", loc="lower center", ncols=6)
    last = axes[2]
    for i, (activity, colour) in enumerate((("busy", COLOURS[0]), ("quiet", COLOURS[1]))):
        for j, tau in enumerate((0.0, 20.0, 100.0)):
            key = {"outcome": "error", "signal": "per soma", "activity": activity, "trials": BATCH * STEPS}
            values = rows.numbers("accuracy", delay=200.0, tau_e=tau, **key)
            if values:
                mean = float(np.mean(values))
                last.bar(j + 0.4 * i, mean, 0.38, color=colour, label=activity if j == 0 else None)
                last.plot(np.full(len(values), j + 0.4 * i), values, ".", color="black", markersize=3)
    last.axhline(0.5, color="#888888", linewidth=0.8, linestyle=":")
    last.set_xticks(0.2 + np.arange(3), ["0", "20", "100"])
    last.set(xlabel=r"$\tau_e$ (ms)", title="error 200 ms late")
    last.legend(title="delay is", loc="upper left")
    figure.tight_layout(rect=(0, 0.14, 1, 1))
    figure.savefig(FIGURES / "time_delayed_reward.png", dpi=160)
    draw_fidelity(plt)


def draw_fidelity(plt: Any) -> None:
    rows = Rows(RESULTS / "time_delayed_fidelity.csv", (), ())
    figure, axes = plt.subplots(1, 3, figsize=(7.2, 2.9), sharey=True)
    for axis, cell in zip(axes, ("stellate", "pyramidal_l5"), strict=False):
        for tau, colour in zip(TIMES, COLOURS, strict=False):
            curve(
                axis, rows, "delay", "cosine", named(tau), colour, cell=cell, signal="exact", tau_e=tau, distance="all"
            )
        axis.axhline(0.0, color="#888888", linewidth=0.8, linestyle=":")
        axis.set(xlabel="delay of the error (ms)", title=f"{cell}, exact credit")
    axes[0].set_ylabel("cosine to the exact gradient\nthrough time")
    figure.legend(*axes[0].get_legend_handles_labels(), title=r"$\tau_e$", loc="lower center", ncols=6)
    for signal, mark in (("exact", "o-"), ("per soma", "s--")):
        for tau, colour in ((20.0, COLOURS[1]), (100.0, COLOURS[3])):
            points = []
            for low, high in pairwise(BINS):
                values = rows.numbers(
                    "cosine", cell="pyramidal_l5", signal=signal, tau_e=tau, distance=f"{low:g} to {high:g}", delay=0.0
                )
                if values:
                    points.append((0.5 * (low + high), float(np.mean(values))))
            if points:
                axes[2].plot(*np.array(points).T, mark, color=colour, markersize=3, label=f"{signal}, {named(tau)}")
    axes[2].axhline(0.0, color="#888888", linewidth=0.8, linestyle=":")
    axes[2].set(xlabel="path distance from the soma (µm)", title="pyramidal_l5, no delay")
    axes[2].legend()
    figure.tight_layout(rect=(0, 0.14, 1, 1))
    figure.savefig(FIGURES / "time_delayed_fidelity.png", dpi=160)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", nargs="+", choices=["learn", "fidelity", "draw"])
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    options = parser.parse_args()
    for what in options.what:
        if what == "draw":
            draw()
        else:
            {"learn": learn, "fidelity": fidelity}[what](options.seeds)


if __name__ == "__main__":
    main()
