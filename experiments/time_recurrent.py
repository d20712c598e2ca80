"""A small recurrent network of spiking dendritic cells learns to remember a cue.

    python experiments/time_recurrent.py learn fidelity     # goes on where it ended
    python experiments/time_recurrent.py draw

Sixteen excitatory and eight inhibitory ball-and-stick cells, integrate-and-fire somas, every cell connected with every
other by one dendritic synapse; forty afferents excite all of them. One of two cues, frozen patterns of 50 ms in which
every afferent fires as often, is followed by a delay with nothing but background; at its end a linear readout of the
somas' low-passed spikes (10 ms) must name the cue. Excitation between cells is slow (50 ms), so that the network has
something to remember with. "BPTT": the exact gradient through time, with a surrogate derivative at spikes, through
connections; "traces": the same surrogate in eligibility traces that stay within each cell, told the readout's error
through the readout's weights (e-prop, Bellec et al. 2020) at the end of the trial.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from time_rows import COLOURS, FIGURES, RESULTS, Rows, style

import dendrosim as ds
from dendrosim.plasticity.optimisers import Adam

Floats = NDArray[Any]

EXCITATORY, INHIBITORY, AFFERENTS = 16, 8, 40
CELLS = EXCITATORY + INHIBITORY
DT, TAU_OUT, SLOW = 0.5, 10.0, 50.0
DELAYS = (60.0,)
BATCH, STEPS, CHECK, TESTED = 16, 160, 40, 256
RATES = {"synapses": 0.05, "decoder": 0.02}
SURROGATE = ds.Triangle(5.0)
TAU_E = 20.0
TRACES: tuple[float | str, ...] = (5.0, 20.0, 100.0, "membrane")
SOMA = ds.IntegrateAndFire()
ARMS = ("BPTT", "BPTT, slower", "traces", "BPTT, no recurrence", "readout only", "traces, shuffled")


def network_of(seed: int, recurrent: bool = True) -> ds.Neurons:
    """Cells with synapses of log-normal conductances; axon k is input ``AFFERENTS + k``."""
    rng = np.random.default_rng(seed)
    cell = ds.Morphology.load("ball_and_stick").compartments(ds.Passive(), max_length=50.0)
    forest, n = ds.Compartments.forest([cell] * CELLS), cell.size
    target = np.repeat(np.arange(CELLS), AFFERENTS + CELLS)
    source = np.tile(np.arange(AFFERENTS + CELLS), CELLS)
    keep = source - AFFERENTS != target
    if not recurrent:
        keep &= source < AFFERENTS
    target, source = target[keep], source[keep]
    axon = source - AFFERENTS
    kind = np.where(axon < 0, 0, np.where(axon < EXCITATORY, 1, 2))  # afferent, excitatory, inhibitory
    place = np.where(kind == 2, rng.integers(0, max(1, n // 3), target.size), rng.integers(0, n, target.size))
    conductance = np.array([1.0, 0.1, 3.0])[kind] * np.exp(0.5 * rng.standard_normal(target.size))
    synapses = ds.Synapses(
        forest, target * n + place, source=source, sign=np.where(kind == 2, -1, 1), conductance=conductance,
        n_inputs=AFFERENTS + CELLS,
    )  # fmt: skip
    return ds.Neurons(forest, synapses, 1, seed=seed)


def options_of(network: ds.Neurons) -> dict[str, Any]:
    """What a simulation of the network needs."""
    slow, source, sign = ds.Exponential(SLOW), network.synapses.source, network.synapses.sign
    fast = {1: ds.Exponential(2.0), -1: ds.Exponential(5.0)}
    courses = [slow if s >= AFFERENTS and e > 0 else fast[int(e)] for s, e in zip(source, sign, strict=True)]
    axons = np.arange(CELLS)
    links = ds.Connections(axons, AFFERENTS + axons, delay=1.5) if (source >= AFFERENTS).any() else None
    return {"dt": DT, "kinetics": courses, "mechanisms": SOMA, "connections": links, "threads": 1}


def task_of(seed: int, delay: float) -> ds.tasks.TemporalTask:
    return ds.tasks.delayed_cue(
        seed, n_inputs=AFFERENTS, rate=40.0, length=50.0, delay=delay, noise=5.0, equal_counts=True,
        n_train=BATCH * STEPS, n_test=TESTED,
    )  # fmt: skip


def shown(trials: ds.tasks.Trials, rows: Floats) -> tuple[ds.Spikes, Floats]:
    """Trials with inputs for axons besides those of afferents."""
    s, y = trials.batch(rows)
    wide = ds.Spikes(s.time, s.source, s.stimulus, n_inputs=AFFERENTS + CELLS, n_stimuli=s.n_stimuli)
    return wide, y


def heard(network: ds.Neurons, trace: ds.Trace, duration: float, n_rows: int) -> Floats:
    """Low-passed spikes of all cells at the end, (B, C)."""
    found = np.zeros((n_rows, CELLS))
    cell = network.compartments.cell[trace.spike_compartment]
    np.add.at(found, (trace.spike_stimulus, cell), np.exp((trace.spike_time - duration) / TAU_OUT))
    return found


def bptt(network: ds.Neurons, spikes: ds.Spikes, y: Floats, duration: float) -> dict[str, Floats]:
    """Exact surrogate gradient of the mean loss by all raw parameters."""
    trace = ds.simulate(
        network.compartments, network.synapses, spikes, duration=duration, checkpoints=True, **options_of(network)
    )
    read = heard(network, trace, duration, len(y))
    logits = network.decoder.forward(network.parameters, read)
    error = (0.5 * (1 + np.tanh(0.5 * logits)) - y[:, None]) / len(y)
    values, told = network.decoder.backward(network.parameters, read, error)
    fade = np.exp((DT * np.arange(1, trace.n_steps + 1) - duration) / TAU_OUT)
    gradient = ds.exact_gradient(
        trace, np.zeros_like(trace.voltage), surrogate=SURROGATE, spike_gradient=told[:, None] * fade[:, None]
    )
    return {**values, "synapses": gradient.conductance * network.conductance_factor}


def learner_of(network: ds.Neurons, arm: str, duration: float, seed: int, tau: float | str = TAU_E) -> ds.OnlineLearner:
    told = {"traces": "per_soma", "traces, shuffled": "shuffled", "readout only": "decoder_only"}[arm]
    return ds.OnlineLearner(
        network, told, tau_e=tau, deliveries=ds.Deliveries(times=[duration]), read="spikes", tau_out=TAU_OUT,
        surrogate=SURROGATE, loss="logistic", optimiser="adam", rates=RATES, seed=seed, **options_of(network),
    )  # fmt: skip


def learned(arm: str, delay: float, seed: int) -> Iterator[tuple[int, float, float, ds.Neurons]]:
    """Trials seen, test accuracy and mean rate (Hz), again and again while the network learns."""
    task, network = task_of(seed, delay), network_of(seed, arm != "BPTT, no recurrence")
    spikes, y = shown(task.test, np.arange(TESTED))
    learner = None if arm.startswith("BPTT") else learner_of(network, arm, task.duration, seed)
    adam, order = Adam(clip=5.0), np.arange(BATCH * STEPS).reshape(STEPS, BATCH)
    for k in range(STEPS + 1):
        if k % CHECK == 0:
            trace = ds.simulate(
                network.compartments, network.synapses, spikes, duration=task.duration, **options_of(network)
            )
            logits = network.decoder.forward(network.parameters, heard(network, trace, task.duration, TESTED))
            rate = 1e3 * trace.spike_time.size / (TESTED * CELLS * task.duration)
            yield k * BATCH, float(((logits[:, 0] > 0) == y).mean()), rate, network
        if k == STEPS:
            return
        batch, classes = shown(task.train, order[k])
        if learner is not None:
            learner.run(batch, classes[:, None].astype(float), duration=task.duration)
            continue
        adam.advance()
        for name, value in bptt(network, batch, classes, task.duration).items():
            rate = RATES[name.split("_")[0]] * (0.3 if arm == "BPTT, slower" and name == "synapses" else 1.0)
            adam.update(name, network.parameters[name], value, rate)
        network.refresh()


def learn(seeds: list[int], arms: list[str], delays: list[float]) -> None:
    """Accuracy while learning."""
    keys = ("arm", "delay", "seed")
    rows = Rows(RESULTS / "time_recurrent.csv", keys, ("trials", "accuracy", "rate", "seconds"))
    for seed in seeds:
        for delay in delays:
            for arm in arms:
                key = dict(zip(keys, (arm, delay, seed), strict=True))
                if rows.has(**key):
                    continue
                begin = time.process_time()
                made = [
                    {**key, "trials": n, "accuracy": a, "rate": r, "seconds": round(time.process_time() - begin, 1)}
                    for n, a, r, _ in learned(arm, delay, seed)
                ]
                rows.add(made)
                print(
                    *key.values(), *(f"{row['accuracy']:.3f}" for row in made), f"{made[-1]['seconds']} s", flush=True
                )


def fidelity(seeds: list[int]) -> None:
    """Cosine of what traces ask for to the exact surrogate gradient, by kind of synapse, of 64 trials, untrained."""
    keys, values = ("delay", "tau_e", "synapses", "seed"), ("cosine", "scale", "n")
    rows = Rows(RESULTS / "time_recurrent_fidelity.csv", keys, values)
    for seed in seeds:
        for delay in (0.0, 60.0):
            if rows.has(seed=seed, delay=delay):
                continue
            task, network = task_of(seed, delay), network_of(seed)
            spikes, y = shown(task.test, np.arange(64))
            true = bptt(network, spikes, y, task.duration)["synapses"]
            axon, made = network.synapses.source - AFFERENTS, []
            excited = (axon >= 0) & (axon < EXCITATORY)
            kinds = {"afferent": axon < 0, "excitatory": excited, "inhibitory": axon >= EXCITATORY}
            for tau in TRACES:
                learner = learner_of(network, "traces", task.duration, seed, tau)
                run = learner.run(spikes, y[:, None].astype(float), duration=task.duration, learn=False)
                for name, here in {"all": axon < CELLS, **kinds}.items():
                    a, b = run.gradient["synapses"][here], true[here]
                    sizes = float(np.linalg.norm(a)), float(np.linalg.norm(b))
                    row = {"delay": delay, "tau_e": tau, "synapses": name, "seed": seed, "n": int(here.sum())}
                    made.append({**row, "cosine": float(a @ b) / (sizes[0] * sizes[1]), "scale": sizes[0] / sizes[1]})
            rows.add(made)
            print("fidelity", delay, seed, flush=True)


def draw() -> None:
    """Learning curves."""
    plt = style()
    rows = Rows(RESULTS / "time_recurrent.csv", (), ())
    figure, axes = plt.subplots(1, 3, figsize=(7.2, 2.9))
    steps = range(0, BATCH * STEPS + 1, BATCH * CHECK)
    for arm, colour in zip(ARMS, COLOURS, strict=False):
        for axis, what in zip(axes, ("accuracy", "rate"), strict=False):
            found = [rows.numbers(what, arm=arm, trials=n) for n in steps]
            for n, values in zip(steps, found, strict=True):
                axis.plot(np.full(len(values), n), values, ".", color=colour, markersize=2.5, alpha=0.5)
            axis.plot(steps, [np.mean(values) for values in found], "o-", color=colour, label=arm, markersize=3)
    axes[0].axhline(0.5, color="#888888", linewidth=0.8, linestyle=":")
    axes[0].set(xlabel="trials", ylabel="test accuracy", ylim=(0.35, 1.02), title=f"cue {DELAYS[0]:g} ms ago")
    axes[1].set(xlabel="trials", ylabel="mean rate (Hz)")
    axes[1].set_ylim(bottom=0)
    rows = Rows(RESULTS / "time_recurrent_fidelity.csv", (), ())
    kinds = ("afferent", "excitatory", "inhibitory")
    for kind, colour in zip(kinds, (COLOURS[6], COLOURS[1], COLOURS[0]), strict=True):
        for delay, mark in ((0.0, "s--"), (DELAYS[0], "o-")):
            means = [np.mean(rows.numbers("cosine", synapses=kind, delay=delay, tau_e=tau)) for tau in TRACES]
            label = kind if mark == "o-" else None
            axes[2].plot(means, mark, color=colour, label=label, markersize=3)
    axes[2].plot([], [], "s--", color="#888888", label="cue just over", markersize=3)
    axes[2].set_xticks(range(len(TRACES)), ["5", "20", "100", "mem."])
    axes[2].axhline(0.0, color="#888888", linewidth=0.8, linestyle=":")
    axes[2].set(xlabel=r"$\tau_e$ (ms)", ylabel="cosine of traces to BPTT", ylim=(-0.8, 1.02), title="untrained")
    axes[2].legend(loc="lower left", fontsize=6)
    figure.legend(*axes[0].get_legend_handles_labels(), loc="lower center", ncols=6)
    figure.tight_layout(rect=(0, 0.07, 1, 1))
    figure.savefig(FIGURES / "time_recurrent.png", dpi=150)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", nargs="+", choices=["learn", "fidelity", "draw"])
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--arms", nargs="*", default=list(ARMS))
    parser.add_argument("--delays", nargs="*", type=float, default=list(DELAYS))
    options = parser.parse_args()
    for what in options.what:
        if what == "draw":
            draw()
        elif what == "fidelity":
            fidelity(options.seeds)
        else:
            learn(options.seeds, options.arms, options.delays)


if __name__ == "__main__":
    main()
