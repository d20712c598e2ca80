"""Rules: composition, names, tables of experiment files, states."""

from __future__ import annotations

import tomllib

import numpy as np
import pytest

from dendrosim.errors import ParameterError
from dendrosim.plasticity.learner import Learner
from dendrosim.plasticity.modulators import HSIC, MODULATORS, ApicalBasal, Depth, Modulator, PathGain, Phi, Rho
from dendrosim.plasticity.rules import RULES, Rule, rule
from dendrosim.teaching import teaching

from ..teaching.lessons import batch, network_of


def inside(made):
    return [item.name for item in made.modulators]


def test_registered_rules():
    assert list(RULES) == ["3F", "4F", "5F"]
    assert [inside(rule(name)) for name in RULES] == [[], ["rho"], ["rho", "phi"]]
    with pytest.raises(ParameterError, match=r"rule='6F' is not known; valid: '3F', '4F', '5F'"):
        rule("6F")
    with pytest.raises(ParameterError, match=r"rule=3 must be one of '3F', '4F', '5F', a Rule or a table"):
        rule(3)


def test_the_factors_multiply():
    network = network_of("two layers")
    x, y = batch(9)
    values = {name: Learner(network, rule=name, threads=1).gradients(x, y).values for name in RULES}
    layout = network.layout
    factors = []
    for modulator in (Rho(), Phi()):
        learner = Learner(network, rule=Rule("one", [modulator]), threads=1)
        lesson, _ = learner.lesson(network.checked(x), y)
        learner.rule.modulate(lesson)
        factors.append(np.repeat(lesson.factor, layout.last - layout.first))
    np.testing.assert_allclose(values["4F"]["synapses"], values["3F"]["synapses"] * factors[0], rtol=1e-12)
    np.testing.assert_allclose(values["5F"]["synapses"], values["4F"]["synapses"] * factors[1], rtol=1e-12)
    assert np.ptp(factors[0]) > 0.01
    assert np.ptp(factors[1]) > 0.01
    for name in ("decoder_weight", "decoder_bias"):
        np.testing.assert_array_equal(values["5F"][name], values["3F"][name])


def test_composition():
    made = Rule("5F").with_(PathGain("compartment"), HSIC(0.1))
    assert made.name == "5F+path+hsic"
    assert inside(made) == ["path", "rho", "phi", "hsic"]  # what is broadcast, factors, what is added
    assert inside(made.with_(Rho("dot"))) == inside(made)
    assert next(m for m in made.with_(Rho("dot")).modulators if m.name == "rho").estimator == "dot"
    assert inside(rule("5F+path+depth")) == ["path", "rho", "phi", "depth"]
    assert inside(rule("3F", modulators=[Depth()])) == ["depth"]
    with pytest.raises(ParameterError, match=r"modulator='paths' is not known; valid: 'rho', 'phi', 'path'"):
        rule("5F+paths")
    with pytest.raises(ParameterError, match="has two modulators called 'rho'"):
        Rule("mine", [Rho(), Rho("dot")])
    with pytest.raises(ParameterError, match="must be Modulator objects"):
        Rule("mine", ["rho"])
    with pytest.raises(ParameterError, match="eligibility='shunting' is not known; valid: 'matched', 'conductance'"):
        Rule("3F", eligibility="shunting")
    with pytest.raises(ParameterError, match="'apical_basal' needs the option 'apical'"):
        rule("3F+apical_basal")


def test_tables_of_experiment_files():
    table = tomllib.loads("""
        [rule]
        name = "5F"
        path = "compartment"
        rho = {estimator = "dot", clamp = [0.5, 2.0]}
        phi = false
        depth = true
        hsic = {weight = 0.1, kernel = "linear"}
        eligibility = "conductance"
    """)["rule"]
    made = rule(table)
    assert inside(made) == ["path", "rho", "depth", "hsic"]
    path, rho, depth, hsic = made.modulators
    assert (path.per, rho.estimator, rho.clamp, depth.alpha) == ("compartment", "dot", (0.5, 2.0), 1.0)
    assert (hsic.weight, hsic.kernel, hsic.clip, made.eligibility) == (0.1, "linear", 0.1, "conductance")
    assert made.name == "5F+path+depth+hsic-phi"
    again = rule(made.describe())
    assert repr(again.modulators) == repr(made.modulators)
    assert again.describe() == made.describe()
    assert rule({"name": "5F", "rho": False, "phi": False}).modulators == ()
    with pytest.raises(ParameterError, match=r"'hsik' in the table of rule '5F' is not known; valid: 'name', 'eligib"):
        rule({"name": "5F", "hsik": {}})
    with pytest.raises(ParameterError, match=r"modulator 'hsic' has no option 'wait'; valid: weight, self_weight"):
        rule({"name": "5F", "hsic": {"wait": 1}})
    with pytest.raises(ParameterError, match="needs 'name'"):
        rule({"hsic": {}})


def test_every_modulator_is_made_from_its_options():
    needed = {"apical_basal": {"apical": 2.0, "branches": [0]}}
    for name, kind in MODULATORS.items():
        made = rule({"name": "3F", name: needed.get(name, {})}).modulators[0]
        assert type(made) is kind
        assert hasattr(made, kind.shorthand)
        again = rule(Rule("3F").with_(made).describe()).modulators[0]
        assert repr(again) == repr(made)
        assert eval(repr(made), {kind.__name__: kind}).name == name


def test_a_new_modulator_is_one_class():
    class Half(Modulator):
        name, shorthand = "half", ""

        def modulate(self, lesson):
            lesson.factor *= 0.5

    network = network_of()
    x, y = batch(5)
    plain = Learner(network, threads=1).gradients(x, y).values
    half = Learner(network, rule=Rule("3F").with_(Half()), threads=1).gradients(x, y).values
    np.testing.assert_array_equal(half["synapses"], 0.5 * plain["synapses"])


def test_two_learners_never_share_what_they_keep():
    network = network_of()
    x, y = batch(5)
    given = Rule("5F")
    first, second = (Learner(network, rule=given, threads=1) for _ in range(2))
    first.gradients(x, y)
    assert int(first.rule.state()["rho/count"]) == 1
    assert int(second.rule.state()["rho/count"]) == 0


@pytest.mark.parametrize("n_samples", [1, 9])
def test_state_goes_on_with_the_same_bits(n_samples):
    network = network_of("two layers", "float32")
    table = {"name": "5F+path+depth", "hsic": {"warmup": 4}}
    whole, first, second = (Learner(network, rule=table, threads=1) for _ in range(3))
    batches = [batch(n_samples, seed) for seed in range(6)]
    expected = [whole.gradients(x, y).values for x, y in batches]
    for x, y in batches[:3]:
        first.gradients(x, y)
    state = first.rule.state()
    assert {key.split("/")[0] for key in state} == {"rho", "phi", "hsic"}
    second.rule.restore(state)
    for (x, y), values in zip(batches[3:], expected[3:], strict=True):
        for name, value in second.gradients(x, y).values.items():
            np.testing.assert_array_equal(value, values[name])
    with pytest.raises(ParameterError, match=r"does not fit rule '3F', which keeps \[\]"):
        rule("3F").restore(state)


def test_the_path_is_not_multiplied_into_exact_credits():
    with pytest.raises(ParameterError, match=r"'3F\+path' multiplies credits by the path gain.*already.*'per_soma'"):
        Learner(network_of(), "exact", "3F+path")


@pytest.mark.parametrize("name", ["fa", "vnc", "nmnc", "mirror", "node_perturbation"])
@pytest.mark.parametrize("per", ["layer", "compartment"])
def test_signals_that_go_along_the_path_get_no_second_path_gain(name, per):
    with pytest.raises(ParameterError, match="already; leave 'path' out"):
        rule("3F").with_(PathGain(per)).suits(teaching(name))


def test_conductance_factors_in_an_additive_core():
    """The published control: x R (E - V) with R = 1 / (1 + E + I + sum g), in place of +x and -x."""
    network = network_of("additive")
    x, y = batch(6)
    matched = Learner(network, "per_soma", Rule("3F"), threads=1)
    conductance = Learner(network, "per_soma", Rule("3F", eligibility="conductance"), threads=1)
    values = [learner.gradients(x, y).values["synapses"] for learner in (matched, conductance)]
    lesson, _ = matched.lesson(network.checked(x), y)
    _, lesson.soma_error = network.decoder.backward(network.parameters, lesson.activity.soma, lesson.output_error)
    matched.teaching.credit(lesson)
    a, layout = lesson.activity, network.layout
    e, v = a.batch_first(lesson.credit), a.batch_first(a.voltage)
    presynaptic = a.batch_first(a.presynaptic)
    for n in range(layout.size):
        j = np.arange(layout.first[n], layout.last[n])
        drive = presynaptic[:, network.source[j]]
        children = network.coupling[layout.parent == n].sum()
        r = 1.0 / (layout.leak[n] + drive @ network.conductance[j] + children)
        signs = network.sign[j]
        slope = network.conductance_factor[j]
        np.testing.assert_allclose(values[0][j], slope * signs * (drive * e[:, [n]]).sum(0), atol=1e-14)
        force = (signs > 0) - v[:, [n]]
        np.testing.assert_allclose(values[1][j], slope * (drive * (e[:, n] * r)[:, None] * force).sum(0), atol=1e-14)
    assert isinstance(ApicalBasal(1.0), Modulator)
