r"""
Traces in time
==============

*How can a synapse learn from an error that arrives when its own activity is long over?*

Until now every stimulus was a steady state. Here cells run: synapses open and close, membranes charge, a soma fires. We
look at one synaptic potential, at a branch that adds up more than it receives, and then at learning: what the exact
gradient through time says of each spike, and how a trace at the synapse stands in for it.
"""

# sphinx_gallery_thumbnail_number = 2
import matplotlib.pyplot as plt
import numpy as np

import dendrosim as ds

cell = ds.Morphology.load("stellate").compartments(ds.Passive(), max_length=40.0)
tip = int(np.argmax(cell.path_distance))
print(
    f"{cell.size} compartments; the farthest tip lies {cell.path_distance[tip]:.0f} um from the soma"
)

# %%
# One synaptic potential on its way
# ---------------------------------
#
# An AMPA-like synapse (0.5 nS, decay 2 ms) at the tip receives one spike after 5 ms.

synapse = ds.Synapses(cell, [tip], sign=1, conductance=0.5)
event = ds.simulate(
    cell, synapse, ds.Spikes([5.0], [0]), duration=60.0, dt=0.05, record=[tip, 0]
)
shape = ds.diagnostics.event_shape(event, start=5.0)
for k, place in enumerate(("at the synapse", "at the soma")):
    print(
        f"{place:15s} peak {shape.peak[0, k]:5.2f} mV, half-width {shape.half_width[0, k]:5.1f} ms"
    )

# %%
with ds.plotting.style():
    figure, ax = plt.subplots(figsize=(4.2, 2.4), layout="constrained")
    ds.plotting.plot_trace(event, labels=["at the synapse", "at the soma"], ax=ax)

# %%
# Large and brief at the thin tip, small and slow at the soma: the cable is a low-pass filter. The soma keeps for twenty
# milliseconds what was over in three at the synapse. This is the first kind of memory, and it is not at the synapse.
#
# A branch that adds up more
# --------------------------
#
# 1 to 20 synapses at the same tip, at once. First AMPA alone, then AMPA and NMDA receptors with shared inputs. All 20
# stimuli run as one batch.

count = np.arange(1, 21)
rows = [
    (stimulus, source) for stimulus, n in enumerate(count) for source in range(n)
]
stimulus, source = np.array(rows).T
volley = ds.Spikes(np.full(len(rows), 5.0), source, stimulus, n_inputs=20)

ampa = ds.Synapses(cell, [tip] * 20, sign=1, conductance=0.4)
nmda = ds.Synapses(cell, [tip] * 20, sign=1, conductance=0.8)
options = {"duration": 80.0, "dt": 0.05}
alone = ds.simulate(cell, ampa, volley, kinetics=ds.Exponential(2.0), **options)
courses = [ds.Exponential(2.0)] * 20 + [ds.NMDA()] * 20
together = ds.simulate(
    cell, ampa.join(nmda, shared_inputs=True), volley, kinetics=courses, **options
)

peak = {
    name: run.voltage[:, :, 0].max(axis=1) + 70.0
    for name, run in (("AMPA", alone), ("AMPA + NMDA", together))
}
for name, values in peak.items():
    print(
        f"{name:12s} one {values[0]:5.2f} mV, ten {values[9]:5.2f} mV, ten times one {10 * values[0]:5.2f} mV"
    )

# %%
with ds.plotting.style():
    figure, ax = plt.subplots(figsize=(4.2, 2.6), layout="constrained")
    for (name, values), color in zip(
        peak.items(), ("#0072B2", "#D55E00"), strict=True
    ):
        ax.plot(count, values, "o-", markersize=3, color=color, label=name)
        ax.plot(count, count * values[0], "--", linewidth=0.8, color=color)
    ax.set(
        xlabel="synapses at the tip",
        ylabel="peak at the soma (mV)",
        ylim=(0.0, 24.0),
    )
    ax.legend(title="dashed: sum of single ones", loc="upper left")

# %%
# AMPA synapses take driving force from each other: the sum stays below the dashed line. NMDA receptors open further as
# the branch depolarises, so that the curve rises *above* its line from a few synapses on, and saturates later. Such a
# branch is a unit with a threshold of its own.
#
# A soma that fires
# -----------------
#
# A hundred excitatory inputs at 30 Hz, and a soma that fires at -52 mV and is reset.

excitation = ds.Synapses.scatter(cell, 100, 0, seed=0, conductance=0.3)
soma = ds.IntegrateAndFire(threshold=-52.0, reset=-60.0)
background = ds.Spikes.poisson(np.full(100, 30.0), duration=300.0, seed=3)
fired = ds.simulate(
    cell, excitation, background, duration=300.0, dt=0.05, mechanisms=soma
)
print(
    f"{fired.spike_time.size} spikes in 300 ms, the first at {fired.spike_time[0]:.1f} ms"
)

with ds.plotting.style():
    figure, ax = plt.subplots(figsize=(4.2, 2.2), layout="constrained")
    ds.plotting.plot_trace(fired, ax=ax)

# %%
# ``ds.HodgkinHuxley()`` in its place has channels, and any channel of your own may join it (:doc:`/guide/time`).
#
# Which spikes mattered?
# ----------------------
#
# Now without firing, and with an inhibitory synapse beside every excitatory one, driven by the same input. The loss is
# the soma's voltage at one moment, 100 ms. With ``checkpoints=True`` a simulation can be undone step by step, and
# ``ds.exact_gradient`` gives the derivative by everything that went in, by the weight of every single spike too.

inhibition = ds.Synapses.scatter(cell, 0, 100, seed=1000, conductance=0.3)
synapses = excitation.join(inhibition, shared_inputs=True)
spikes = ds.Spikes.poisson(np.full(100, 30.0), duration=100.0, seed=4)
trace = ds.simulate(
    cell, synapses, spikes, duration=100.0, dt=0.1, checkpoints=True
)
at_the_end = np.zeros(trace.voltage.shape)
at_the_end[:, -1, 0] = 1.0
gradient = ds.exact_gradient(trace, at_the_end)
before = 100.0 - spikes.time
windows = ((0, 10), (10, 20), (20, 40), (40, 60), (60, 100))
size = [
    np.abs(gradient.spikes[(before >= a) & (before < b)]).mean() for a, b in windows
]
for (a, b), value in zip(windows, size, strict=True):
    print(
        f"spikes {a:2d} to {b:3d} ms before: mean size of the gradient {value:.5f} mV"
    )

# %%
with ds.plotting.style():
    figure, ax = plt.subplots(figsize=(4.2, 2.4), layout="constrained")
    ax.scatter(spikes.time, gradient.spikes, s=4, color="#0072B2")
    ax.axhline(0.0, color="#B8B8B8", linewidth=0.6)
    ax.set(
        xlabel="time of the spike (ms)",
        ylabel="change of the soma\nat 100 ms (mV per spike)",
    )

# %%
# A window of some ten to twenty milliseconds: the membrane, shortened by open synapses. To follow this gradient, a
# synapse has to remember its own activity for that long, and no longer.
#
# A trace at the synapse
# ----------------------
#
# ``ds.OnlineLearner`` gives it the memory: a trace that grows with activity times driving force times input resistance,
# and decays with ``tau_e``. The task: eight frozen patterns of 50 ms in two classes; the soma's voltage at 60 ms is the
# answer. Its distance from -62 mV (``reference``), in units of 2 mV (``scale``), is the output, from which a logistic
# loss makes a probability. How close is trace times error to the exact gradient through time? Either the error comes at
# once, or 50 ms late with a distracting pattern in between.

neuron = ds.Neurons(cell, synapses, readout="soma", reference=-62.0, scale=2.0)


def cues(delay):
    """Cues, then a distractor for every 50 ms of delay, then the outcome."""
    return ds.tasks.delayed_cue(
        0, per_class=4, rate=20.0, length=50.0, delay=delay, n_distractors=int(delay // 50), noise=4.0, n_train=960,
        n_test=200,
    )  # fmt: skip


taus = (0.0, 20.0, 50.0, 100.0)
cosine = {}
for delay in (0.0, 50.0):
    task = cues(delay)
    trials, y = task.train.batch(np.arange(32))
    for tau_e in taus:
        learner = ds.OnlineLearner(
            neuron, "exact", tau_e=tau_e, deliveries=ds.Deliveries(times=[task.answer], delay=delay), dt=0.5,
            loss="logistic",
        )  # fmt: skip
        found = ds.time_fidelity(
            learner, trials, y[:, None].astype(float), duration=task.duration
        )
        cosine[delay, tau_e] = float(found["all"]["cosine"])
    print(
        f"error after {delay:2.0f} ms:",
        {tau_e: round(cosine[delay, tau_e], 2) for tau_e in taus},
    )

# %%
# With the error at once the best trace is about as long as the membrane's own memory. With a late error it has to be
# longer: what it keeps is diluted by the distractor, but without it the cue is gone.
#
# Learning while it runs
# ----------------------
#
# Now let the cell learn. Trials follow each other without a break, eight streams at once; the answer's error arrives
# 100 ms late, after two distractors, and weights change at that moment. The teaching signal is ``per_soma``.

accuracy = {}
for delay, tau_e in ((0.0, 20.0), (100.0, 20.0), (100.0, 100.0)):
    task, pupil = cues(delay), neuron.copy()
    test, labels = task.test.batch(np.arange(len(task.test)))
    in_a_row = 30
    answers = task.answer + task.duration * np.arange(in_a_row)
    learner = ds.OnlineLearner(
        pupil, "per_soma", tau_e=tau_e, deliveries=ds.Deliveries(times=answers, delay=delay), dt=0.5, loss="logistic",
        optimiser="adam", rates=0.05, seed=0,
    )  # fmt: skip
    curve, state = [], None
    for begin in range(0, 121, in_a_row):
        tested = ds.simulate(
            pupil.compartments, pupil.synapses, test, dt=0.5, duration=task.answer
        )
        curve.append(float(((tested.voltage[:, -1, 0] > -62.0) == labels).mean()))
        if begin < 120:
            order = np.arange(960).reshape(120, 8)[begin : begin + in_a_row]
            stream, classes = task.train.stream(order, task.duration)
            targets = classes[:, :, None].astype(float)
            state = learner.run(
                stream, targets, duration=task.duration * in_a_row, initial=state
            ).final
    accuracy[delay, tau_e] = curve
    print(
        f"error after {delay:3.0f} ms, trace of {tau_e:3.0f} ms:",
        np.round(curve, 2),
    )

# %%
with ds.plotting.style():
    figure, ax = plt.subplots(figsize=(4.2, 2.6), layout="constrained")
    for ((delay, tau_e), curve), color in zip(
        accuracy.items(), ("#000000", "#D55E00", "#0072B2"), strict=True
    ):
        label = (
            f"{'at once' if delay == 0 else '100 ms late'}, trace {tau_e:.0f} ms"
        )
        ax.plot(
            240 * np.arange(len(curve)),
            curve,
            "o-",
            markersize=3,
            color=color,
            label=label,
        )
    ax.axhline(0.5, color="#B8B8B8", linewidth=0.6, linestyle=":")
    ax.set(xlabel="trials", ylabel="test accuracy", ylim=(0.25, 1.02))
    ax.legend(loc="center right")

# %%
# A trace of 20 ms learns the task when the error comes at once, and nothing when it comes late: by then it holds the
# distractors. (That it ends below one half is chance: there are eight patterns, six of them wrong more often than not.
# Three other sets of patterns ended between 0.55 and 0.67.) A trace as long as the delay learns it all the same, more
# slowly. How long the trace of a synapse should be is a matter of *when it is told*, not of its membrane.
#
# Next
# ----
#
# - *Exercise.* A reward in place of the error: ``learner.run(stream, reward=lambda action, k: ...)``, see
#   :doc:`/guide/online_learning`. How many more trials does it take?
# - *Exercise.* ``tau_e="membrane"`` follows the conductance that is open at the moment. Add it to the table of cosines.
# - Steps, kinetics, channels, connected cells, files: :doc:`/guide/time`. Larger studies: :doc:`/experiments_time`.
