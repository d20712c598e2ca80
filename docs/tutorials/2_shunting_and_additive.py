r"""
Shunting against additive
=========================

*Does inhibition divide or subtract, and what does it do to learning?*

A synapse is a conductance. It drives its compartment towards a reversal potential, and it adds to the conductance that
every other input has to charge. The second effect is the one that models of neurons leave out when they sum weighted
inputs. In dendrosim both kinds of neuron run on the same cell: ``integration="shunting"`` is the cable with
conductances, ``integration="additive"`` makes every synapse a current source on the passive cable.
"""

# sphinx_gallery_thumbnail_number = 2
import matplotlib.pyplot as plt
import numpy as np

import dendrosim as ds

# %%
# One cell, three doses of inhibition
# -----------------------------------
#
# A spiny stellate cell, 80 excitatory synapses all over the dendrite, and 40 inhibitory ones on what lies within 40 um
# of the soma. Inhibition reverses at -70 mV, the resting potential: it is *silent* when nothing else is active.

cell = ds.Morphology.load("stellate")
compartments = cell.compartments(ds.Passive(), max_length=20.0)
near = np.flatnonzero(
    (compartments.path_distance < 40.0) & (compartments.area > 0.0)
)
where = np.random.default_rng(1).choice(near, 40)
excitation = ds.Synapses.scatter(compartments, excitatory=80, inhibitory=0, seed=0)
synapses = excitation + ds.Synapses(compartments, where, sign=-1)
print(synapses)

# %%
# The last two columns are for the two kinds of neuron. A shunting synapse pulls towards its reversal potential. An
# additive one has none: it is a current, activity times conductance times a *driving force* that stays as it is. By
# default that is +70 mV for excitation and, so that additive inhibition inhibits at rest too, -70 mV for inhibition.
#
# A stimulus says how active all excitatory and all inhibitory inputs are. We sweep both, and solve all stimuli at once.

level = np.linspace(0.0, 0.1, 9)
doses = np.array([0.0, 0.05, 0.1])
x = np.zeros((doses.size * level.size, synapses.n_inputs))
x[:, :80] = np.tile(level, doses.size)[:, None]
x[:, 80:] = np.repeat(doses, level.size)[:, None]

states = {
    name: ds.steady_state(compartments, synapses, x, integration=name)
    for name in ("shunting", "additive")
}
soma = {
    name: state.voltage_soma.reshape(doses.size, level.size)
    for name, state in states.items()
}
conductance = 0.5 * 80 * level  # nS, all excitatory synapses together

# %%
# Now fit a line to the lower half of each curve. Shunting curves bend, even there: excitation shunts as well, and takes
# driving force from itself. The line is their mean slope.

slope, intercept = {}, {}
print("               inhibition   slope (mV/nS)   at no excitation (mV)")
for name, curves in soma.items():
    slope[name], intercept[name] = np.polyfit(conductance[:5], curves[:, :5].T, 1)
    for dose, b, curve in zip(doses, slope[name], curves, strict=True):
        print(f"{name:12s} {0.5 * 40 * dose:8.1f} nS {b:15.2f} {curve[0]:20.1f}")

# %%
with ds.plotting.style():
    figure, panels = plt.subplots(1, 2, figsize=(6.85, 2.6), layout="constrained")
    shades = ("#000000", "#0072B2", "#56B4E9")
    for panel, (name, curves) in zip(panels, soma.items(), strict=True):
        for dose, curve, shade in zip(doses, curves, shades, strict=True):
            panel.plot(
                conductance,
                curve,
                "o-",
                markersize=3,
                color=shade,
                label=f"{0.5 * 40 * dose:.0f} nS inhibition",
            )
        panel.set(title=name, xlabel="excitatory conductance (nS)")
    panels[0].set_ylabel("soma voltage (mV)")
    panels[0].legend(loc="upper left")

# %%
# Mind the axes: each panel has its own.
#
# On the left all curves begin at rest: silent inhibition does nothing alone. It takes the *slope* down. That is
# division. On the right all curves have the same slope, and inhibition moves them down. That is subtraction. The
# additive cell also has no ceiling: at the right end of the axis it has gone beyond 0 mV, the reversal potential of
# its own synapses.
#
# Division by what?
# -----------------
#
# By the input resistance. One compartment with leak :math:`g_L`, excitation :math:`g_E` and silent inhibition
# :math:`g_I` has
#
# .. math:: V - E_L = \frac{g_E \, (E_E - E_L)}{g_L + g_E + g_I} = R \, g_E \, (E_E - E_L) .
#
# A cable is many of these in a row, and its input resistance falls likewise. In the additive cell it is a property of
# the membrane alone.

weak = level.size * np.arange(doses.size)  # the stimuli without excitation
for name, state in states.items():
    print(
        f"{name:9s} input resistance at the soma (MOhm):",
        (1000 * state.input_resistance[weak, 0]).round(1),
    )

# %%
# Measured in conductance, inhibition at the soma would simply add to what is there. Is that so here?

measured = 1.0 / states["shunting"].input_resistance[weak, 0]
print(
    "input conductance (nS):",
    measured.round(2),
    " inhibition (nS):",
    0.5 * 40 * doses,
)

# %%
# Nearly all of it counts, but not all: the synapses sit up to 40 um out, and what is farther away loads the soma less.
#
# The same in normalised units
# ----------------------------
#
# Networks in dendrosim are made of regular trees in normalised units: leak 1, rest 0, excitation reverses at 1.
# Children drive parents, and nothing flows back (``direction="directed"``). The formulas are those of above, with the
# coupled children as further inputs.

tree = ds.Compartments.branching([3, 3])
leaves = np.flatnonzero(tree.stage == 2)
inputs = ds.Synapses(tree, leaves, sign=1, conductance=1.0) + ds.Synapses(
    tree, [0], sign=-1, conductance=1.0
)
drive = np.zeros((9, inputs.n_inputs))
drive[:, :9] = np.linspace(0.0, 4.0, 9)[:, None]
normalised = {}
for name in ("shunting", "additive"):
    for dose in (0.0, 4.0):
        drive[:, 9] = dose
        state = ds.steady_state(
            tree, inputs, drive, integration=name, direction="directed"
        )
        normalised[name, dose] = state.voltage_soma[:, 0]
        print(
            f"{name:9s} inhibition {dose:.0f}:",
            normalised[name, dose][::2].round(2),
        )

# %%
# The shunting voltage stays between 0 and 1 whatever the input; inhibition of the soma scales the whole curve by one
# factor, :math:`(1 + \sum_c g_c) / (1 + \sum_c g_c + g_I)`. The additive voltage is a weighted sum: it has no bounds,
# and it is below rest where inhibition is the larger.

total = tree.coupling[tree.parent == 0].sum()
print("predicted factor:", round((1.0 + total) / (1.0 + total + 4.0), 4))
print(
    "found:           ",
    (normalised["shunting", 4.0][1:] / normalised["shunting", 0.0][1:]).round(4),
)

# %%
# What inhibition does to gradients
# ---------------------------------
#
# Learning follows gradients. What does inhibition in *one* place do to the gradients of excitatory synapses
# everywhere? For that we want distance, and take a CA1 pyramidal cell with 200 excitatory synapses. 20 nS of silent
# inhibition sit on the apical trunk, where most of the tuft is still to come. To find that place, count how many
# compartments lie behind each one: parents stand before children, so that one pass from the end does it.

pyramidal = ds.Morphology.load("ca1_pyramidal").compartments(
    ds.Passive(), max_length=20.0
)
behind = np.ones(pyramidal.size, dtype=int)
for n in range(pyramidal.size - 1, 0, -1):
    behind[pyramidal.parent[n]] += behind[n]
far = np.flatnonzero((pyramidal.path_distance > 300.0) & (pyramidal.area > 0.0))
trunk = int(far[np.argmax(behind[far])])
print(
    f"compartment {trunk}, {pyramidal.path_distance[trunk]:.0f} um out, {behind[trunk] - 1} compartments behind it"
)

scattered = ds.Synapses.scatter(pyramidal, excitatory=200, inhibitory=0, seed=0)
vetoed = scattered + ds.Synapses(pyramidal, [trunk], sign=-1, conductance=20.0)
pair = np.full((2, vetoed.n_inputs), 0.05)
pair[:, -1] = [0.0, 1.0]
ratio = {}
for name in ("shunting", "additive"):
    state = ds.steady_state(pyramidal, vetoed, pair, integration=name)
    per_current = ds.exact_gradient(state, np.ones((2, 1))).current
    driving = (
        -state.voltage if name == "shunting" else 70.0
    )  # E - V with E = 0 mV, or the fixed driving force
    effect = per_current * driving  # of an excitatory conductance anywhere
    ratio[name] = effect[1] / effect[0]

beyond = np.zeros(pyramidal.size, dtype=bool)
beyond[trunk] = True
for n in range(trunk + 1, pyramidal.size):
    beyond[n] = beyond[pyramidal.parent[n]]
places = {
    "behind the inhibition": beyond,
    "basal dendrites": pyramidal.region == "basal",
}
for name, values in ratio.items():
    for place, here in places.items():
        print(
            f"{name:9s} {place:22s} {values[here].min():.2f} to {values[here].max():.2f}"
        )

# %%
# In the additive cell the ratio is 1 everywhere. The gradient :math:`x_j \, d_j \, Z_{n0}` has nothing in it that
# another synapse could change. In the shunting cell inhibition has a place:

axes = ds.plotting.plot_morphology(
    pyramidal,
    ratio["shunting"],
    vmin=0.0,
    vmax=1.0,
    label="gradient, with over without inhibition",
)
spot = pyramidal.xyz[trunk]
axes.plot(
    spot[0],
    spot[1],
    marker="D",
    color="#0072B2",
    markersize=6,
    markeredgecolor="white",
)

# %%
# Behind the inhibition (diamond), seen from the soma, synapses lose more than half of their say; on the basal
# dendrites a tenth. Inhibition on the path vetoes (Koch, Poggio and Torre 1983), and it does so to *learning* as much
# as to voltage: a synapse behind it is told, correctly, that it matters less now.
#
# Next
# ----
#
# - *Exercise.* Let inhibition reverse at -80 mV: ``ds.Synapses(..., reversal=-80.0)``. Now it subtracts *and* divides.
#   At which excitation is half of its effect division?
# - *Exercise.* Move the diamond to the tip of a tuft branch. Who is vetoed now?
# - Whether networks of shunting neurons learn better than additive ones is an experiment: :doc:`/experiments`. How both
#   are initialised so that the comparison is fair: :doc:`/guide/networks`.
