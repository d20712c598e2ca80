r"""
From a file to a gradient map
=============================

*Which synapses of this cell can move its soma, and by how much?*

You have a morphology in an SWC file and know cable theory. This tutorial goes the whole way: mend the file, cut the
cell into compartments, put synapses on it, solve the steady state, and ask for the exact gradient of the soma's voltage
with respect to every synapse.
"""

import matplotlib.pyplot as plt
import numpy as np

import dendrosim as ds

# %%
# A file with faults
# ------------------
#
# Files that were traced by hand have faults. Here is a short one, ten samples of a small cell. Each line has the
# columns ``id type x y z radius parent``, in um.

traced = """\
# small cell, traced on a Friday
1 1   0   0  0  7.0 -1
2 3   0  -9  0  1.0  1
3 3   5 -60  0  0.0  2
4 3  40 -95  0  0.6  3
5 3 -35 -90  0  0.6  31
6 3   5 -60  0  0.5  3
7 3   0   9  0  1.4  1
8 3   0  90  5  1.1  7
9 3  30 160  9  0.6  8
10 3 -30 150 9  0.6  8
"""
try:
    ds.Morphology.from_swc(traced)
except ds.errors.MorphologyError as error:
    first_report = error.report
for fault in first_report.faults:
    print(fault)

# %%
# Nothing was read, and nothing was guessed. Sample 5 names a parent that does not exist. Only the person at the
# microscope knows which one was meant; here it is a slip of the finger, 31 for 3. With that corrected the tree is
# connected, and the checks that need a tree can run:

corrected = traced.replace("0.6  31", "0.6  3")
try:
    ds.Morphology.from_swc(corrected)
except ds.errors.MorphologyError as error:
    second_report = error.report
print(second_report)
print("on offer:", *second_report.fixes)

# %%
# What is left can be repaired by rule, and the report names the rules. A repair is made only if you ask for it by name,
# and every change is listed.

small = ds.Morphology.from_swc(
    corrected, repair=["zero_radius", "drop_zero_length_sections"]
)
print(*small.report.changes, sep="\n")
print(small.draw())

# %%
# On the command line the same check is ``dendrosim morphology check FILE``. All faults and repairs are listed in
# :doc:`/guide/morphology_files`.
#
# A larger cell
# -------------
#
# From here on we want a cell with an apical tuft. The one that ships with dendrosim was grown, not traced, so that it
# can be given away; everything below takes your own file in its place: ``ds.Morphology.load("my_cell.swc")``.

cell = ds.Morphology.load("ca1_pyramidal")
print(cell.summary())

# %%
# Measures are arrays, so that questions are numpy expressions. How much of the dendrite lies beyond 300 um?

sections = cell.sections
apical = sections.region == "apical"
far = sections.path_stop > 300.0
print(
    f"{apical.sum()} apical sections, {sections.length[apical].sum():.0f} um of dendrite"
)
print(f"{(apical & far).sum()} of them end more than 300 um from the soma")

# %%
# Compartments
# ------------
#
# ``d_lambda`` cuts every unbranched stretch into pieces no longer than a tenth of the length constant at 100 Hz.
# ``max_length`` in um does it by length. Membrane area is integrated along the cones of the file, so that the total
# does not depend on how finely we cut.

passive = ds.Passive(
    R_m=20_000.0,
    R_a=150.0,
    E_leak=-70.0,
    spine_factor={"apical": 1.9, "basal": 1.9},
)
compartments = cell.compartments(passive, d_lambda=0.1)
coarse = cell.compartments(passive, max_length=100.0)
print(
    compartments.size, "compartments, leak", round(compartments.leak.sum(), 3), "nS"
)
print(coarse.size, "compartments, leak", round(coarse.leak.sum(), 3), "nS")

# %%
# Samples of the file and compartments of the model stay connected, in both directions. Here is the tip that lies
# farthest from the soma:

tip = int(cell.samples.id[np.argmax(cell.path_distance)])
there = compartments.of_sample(tip)
print(
    f"sample {tip} lies in compartment {there}, {compartments.path_distance[there]:.0f} um from the soma"
)
print("samples in that compartment:", compartments.samples_in(there))

# %%
# Synapses and stimuli
# --------------------
#
# 200 excitatory and 50 inhibitory synapses, scattered in proportion to length. Each has an input of its own. A stimulus
# is one row of presynaptic activity; in every one of 64 stimuli a random tenth of the inputs is active.

synapses = ds.Synapses.scatter(compartments, excitatory=200, inhibitory=50, seed=0)
x = (np.random.default_rng(0).random((64, synapses.n_inputs)) < 0.1).astype(float)
print(synapses)

# %%
# The steady state
# ----------------
#
# One call solves the cable exactly for all stimuli. Synapses are conductances, so that each stimulus makes another
# cable, with its own input resistances and attenuations.

state = ds.steady_state(compartments, synapses, x)
print(
    f"soma: {state.voltage_soma.mean():.1f} mV, s.d. over stimuli {state.voltage_soma.std():.1f} mV"
)
print(
    f"input resistance at the soma: {1000 * state.input_resistance[:, 0].mean():.1f} MOhm"
)

# %%
# The exact gradient
# ------------------
#
# As the loss take the soma's voltage itself: its derivative by itself is 1, one value for each stimulus. The gradient
# then says what each synapse does to the soma. We take the mean over the stimuli in which the synapse is active.

gradient = ds.exact_gradient(state, np.ones((64, 1)))
times_active = x.sum(axis=0)
per_synapse = (
    gradient.conductance / times_active
)  # the gradient is summed over stimuli
strongest = int(np.argmax(per_synapse))
print(f"strongest synapse: {per_synapse[strongest]:+.3f} mV/nS")

# %%
# Do you believe it? Move that one conductance a little and solve again:

step = 1e-4  # nS
moved = synapses.with_(
    conductance=synapses.conductance
    + step * (np.arange(synapses.size) == strongest)
)
after = ds.steady_state(compartments, moved, x)
by_hand = (
    (after.voltage_soma - state.voltage_soma).sum() / step / times_active[strongest]
)
print(f"by finite difference: {by_hand:+.3f} mV/nS")

# %%
# The map
# -------
#
# Vermillion synapses push the soma up, blue ones pull it down; each panel has its own scale.

figure = ds.plotting.plot_synapse_maps(
    compartments,
    synapses,
    per_synapse,
    scale="own",
    label="soma voltage per conductance",
    unit="mV/nS",
)

# %%
# Excitatory synapses near the soma do more than those in the tuft: the colours fade with distance. Inhibition has a
# driving force only where the dendrite is depolarised, and its reversal potential is at rest here, so that its
# gradients are smaller.
#
# Why it fades
# ------------
#
# ``gradient.current`` is the same question asked of every compartment: the change of the soma's voltage per injected
# current. It is a product of two things that a neurophysiologist can measure, the input resistance of compartment
# :math:`n` and the attenuation of voltage on the way to the soma,
#
# .. math:: \frac{\partial V_0}{\partial I_n} = R_n \, A_{n \to 0} ,
#
# exactly, on the real cable, with all synapses open.

resistance = state.input_resistance.mean(axis=0)
attenuation = state.attenuation_to_soma.mean(axis=0)
product = (state.input_resistance * state.attenuation_to_soma).mean(axis=0)
print(
    "largest difference:",
    f"{np.abs(product - gradient.current.mean(axis=0)).max():.1e}",
    "mV/pA",
)
print(
    f"at the tip:  R = {1000 * resistance[there]:6.0f} MOhm, A = {attenuation[there]:.4f}"
)
print(
    f"at the soma: R = {1000 * resistance[0]:6.0f} MOhm, A = {attenuation[0]:.4f}"
)
print(f"product, tip over soma: {product[there] / product[0]:.4f}")

# %%
# Drawn against distance, on a logarithmic axis the product is a sum of two curves:

with ds.plotting.style():
    figure, panels = plt.subplots(1, 3, figsize=(6.85, 2.3), layout="constrained")
    for panel, values, label, unit in (
        (panels[0], 1000 * resistance, "input resistance", "MOhm"),
        (panels[1], attenuation, "attenuation to soma", None),
        (panels[2], 1000 * product, "product", "MOhm"),
    ):
        last = panel is panels[2]
        ds.plotting.plot_profile(
            compartments,
            values,
            ax=panel,
            label=label,
            unit=unit,
            log=True,
            legend=last,
        )

# %%
# Thin tips have a high input resistance: a synapse there makes a large *local* voltage. They also attenuate more, and
# attenuation wins. No compartment moves the soma more per current than the soma does itself.
#
# A synapse therefore has to know three things to follow its gradient: its own activity and driving force, the input
# resistance where it sits, and how much its compartment matters to the soma. Rules that do without the last one are the
# subject of the later tutorials.
#
# Next
# ----
#
# - *Exercise.* Close the synapses (``x = 0``) and compare the attenuation with that of the driven cell. How much longer
#   is the electrotonic cell when synapses are open?
# - *Exercise.* Put strong inhibition on the apical dendrite 100 um out, with ``ds.Synapses.at(compartments,
#   distance=100.0, region="apical", sign=-1, conductance=20.0)``: one synapse on the trunk, four on thin branches. What
#   happens to the gradients beyond each? The next tutorial answers.
# - What is solved, in equations: :doc:`/guide/steady_states`. How geometry becomes a cable: :doc:`/guide/geometry`.

print(ds.cite(state, gradient))
