"""Figures of audits: what is drawn are the numbers of the audits, of one setting, where there is something to draw."""

from __future__ import annotations

from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pytest

import dendrosim as ds
from dendrosim.errors import ParameterError
from dendrosim.networks import ResMLP
from dendrosim.plotting import plot_dose_response, plot_evaluation_history, plot_function, plot_layer_state
from dendrosim.plotting.evaluation_arms import doses, functions, looks
from dendrosim.plotting.evaluation_files import draw_audit
from dendrosim.plotting.styling import BLACK, VERMILLION
from dendrosim.runs import AuditedRuns, audit_runs
from dendrosim.training import KeepTeaching, RecordEvaluation, Run

RECIPE: dict[str, Any] = {
    "optimiser": "adamw", "batch_size": 64, "validation": 0, "restore_best": False, "clip_value": None, "threads": 1,
    "progress": False, "epochs": 2,
}  # fmt: skip


def train(teaching: str, seed: int = 0, penalty: float = 0.0, width: int = 10, **options: Any) -> Run:
    task = ds.tasks.load("student", n_inputs=8, n_classes=3, n_train=150, n_test=80)
    hooks = [RecordEvaluation(samples=40), KeepTeaching()]
    rule = {"name": "3F", "penalty": penalty}
    given = {**RECIPE, **options}
    return ds.train(ResMLP(8, 3, width, 3), task, teaching=teaching, rule=rule, seed=seed, callbacks=hooks, **given)


@pytest.fixture(scope="module")
def runs() -> list[Run]:
    arms = [("bp", 0.0), ("dfa", 0.0), ("dfa", 0.1), ("dfa", 1e-3), ("state_bridge", 0.1), ("frozen", 0.0)]
    return [train(teaching, seed, penalty) for teaching, penalty in arms for seed in (0, 1)]


@pytest.fixture(scope="module")
def audited(runs: list[Run]) -> AuditedRuns:
    return audit_runs(runs, samples=40, null=0)


def lines(ax: Any) -> list[Any]:
    """Curves with a point per layer or time: neither limits nor zero."""
    return [line for line in ax.lines if len(line.get_xdata()) > 2]


def test_state_along_depth(audited: AuditedRuns) -> None:
    a, b, c, d, e, legend = plot_layer_state(audited).axes
    assert [label.get_text() for label in a.get_yticklabels()] == [arm.name for arm in audited.arms]
    assert [ax.get_ylabel() for ax in (b, c, d, e)] == [
        "cosine, paper", "cosine, corrected", "|g$_l$|, mean loss, N = 40", "|h$_l$|",
    ]  # fmt: skip
    assert (b.get_xlabel(), e.get_xlabel()) == ("block", "layer")
    shown = [arm for arm in audited.arms if arm.audited]
    assert [text.get_text() for text in legend.get_legend().get_texts()] == [arm.name for arm in shown]
    for i, arm in enumerate(shown):
        np.testing.assert_allclose(lines(b)[i].get_ydata(), arm.layers("cosine_paper")[:, :-1].mean(axis=0))
        sizes = arm.layers("activity")
        np.testing.assert_allclose(lines(e)[i].get_ydata(), np.sqrt(sizes[0] * sizes[1]))
        assert lines(e)[i].get_color() == (VERMILLION if arm.name.startswith("dfa") else lines(e)[i].get_color())
    assert d.get_yscale() == e.get_yscale() == "log"
    hollow = [line for line in c.lines if line.get_markerfacecolor() == "white"]
    # backpropagation is given its gradients: all three blocks
    assert [0, 1, 2] in [list(line.get_xdata()) for line in hollow if line.get_color() == BLACK]
    frozen = np.mean([float(one.frozen) for one in audited if one.frozen is not None])
    assert any(np.allclose(line.get_xdata(), frozen) for line in a.lines if line.get_linestyle() == "--")


def test_limits_of_the_gradient_are_drawn_where_it_comes_near(runs: list[Run]) -> None:
    from dendrosim.diagnostics import Thresholds

    limits = Thresholds(cosine_epsilon=0.1, reference=20.0)
    panel = plot_layer_state(audit_runs(runs[:4], samples=40, null=0, nudges=False, thresholds=limits)).axes[3]
    level = [line.get_ydata()[0] for line in panel.lines if line.get_linestyle() == ":"]
    assert level == [2.0, 0.1]
    assert {text.get_text() for text in panel.texts} >= {"D2", r"$\varepsilon$"}


def test_over_training(audited: AuditedRuns) -> None:
    a, b, c, d, e, legend = plot_evaluation_history(audited).axes
    assert [ax.get_ylabel() for ax in (a, c, d, e)] == [
        "|h$_L$|", "test accuracy", "deep cosine, paper", "deep cosine, corrected",
    ]  # fmt: skip
    assert b.get_ylabel().startswith("|g$_L$|, mean loss, N = 40")
    assert len(legend.get_legend().get_texts()) == len(lines(c)) == 6
    assert len(lines(d)) == len(lines(e)) == 5  # a frozen baseline tells its blocks nothing
    for arm, line in zip(audited.arms, lines(c), strict=True):
        found = [one.history for one in arm.members if one.history is not None]
        np.testing.assert_array_equal(line.get_xdata(), [0, 1, 2])
        np.testing.assert_allclose(line.get_ydata(), np.mean([one.accuracy for one in found], axis=0))


def test_dose_response_reads_the_penalty_of_the_rule(audited: AuditedRuns) -> None:
    (members,) = doses(audited.arms)
    assert [arm.members[0].penalty for arm in members] == [0.0, 1e-3, 0.1]
    a, b, c = plot_dose_response(audited).axes
    assert [label.get_text() for label in a.get_xticklabels()] == ["0", "$10^{-3}$", "$10^{-1}$"]
    assert [ax.get_ylabel() for ax in (a, b, c)] == ["|h$_L$|", "deep cosine", "test accuracy"]
    drawn = [np.array(line.get_ydata(), float) for line in b.lines if len(line.get_xdata()) == 3]
    np.testing.assert_allclose(drawn[0], [arm.spread("deep").mean for arm in members])
    np.testing.assert_allclose(drawn[1], [arm.spread("deep_corrected").mean for arm in members])


def test_function_against_the_cosine(audited: AuditedRuns) -> None:
    shown = functions(audited.arms)
    assert [arm.name for arm in shown] == ["dfa, penalty 0.1", "state_bridge, penalty 0.1"]
    axes = plot_function(audited).axes
    assert [ax.get_ylabel().replace("\n", " ") for ax in axes] == [
        "test accuracy", "change of the test loss by a nudge (nat)", "change of the training loss (nat)",
    ]  # fmt: skip
    points = {(round(float(x), 9), round(float(y), 9)) for line in axes[0].lines for x, y in line.get_xydata()[:1]}
    for arm in shown:
        for quantity in ("deep", "deep_corrected"):
            at = arm.spread(quantity).mean, arm.spread("accuracy").mean
            assert (round(at[0], 9), round(at[1], 9)) in points
    assert len(functions(audited.arms, 0.0)) == 2
    with pytest.raises(ParameterError, match="fewer than two arms"):
        plot_function(audited, penalty=1e-3)


def test_colours_are_teaching_signals_and_lines_their_variants(audited: AuditedRuns) -> None:
    found = looks(audited.arms)
    assert found["dfa"].color == found["dfa, penalty 0.1"].color == VERMILLION
    assert found["dfa"].dashes != found["dfa, penalty 0.1"].dashes
    assert found["bp"].color == BLACK
    assert len({(str(one.color), str(one.dashes)) for one in found.values()}) == len(found)


def test_files_of_what_there_is_to_draw(audited: AuditedRuns, runs: list[Run], tmp_path: Any) -> None:
    drawn = list(draw_audit(audited))
    names = ["layer_state", "evaluation_over_training", "dose_response", "function"]
    assert [one.name for one in drawn] == names
    assert all(one.caption.startswith("student, resmlp: ") and "accuracy 0." in one.alt for one in drawn)
    assert drawn[0].save(tmp_path, "svg").read_text().startswith("<?xml")
    alone = list(draw_audit(audit_runs([runs[-1]])))
    assert [one.name for one in alone] == ["evaluation_over_training"]
    several = list(draw_audit(audit_runs([runs[0], train("bp", width=12)], nudges=False)))
    assert [one.name for one in several] == [
        f"{name}_student-resmlp-width-{width}" for width in (10, 12) for name in names[:2]
    ]
    plt.close("all")


def test_what_cannot_be_drawn_says_why(audited: AuditedRuns, runs: list[Run]) -> None:
    frozen = audit_runs([runs[-1]])
    with pytest.raises(ParameterError, match="none of these runs was audited"):
        plot_layer_state(frozen)
    with pytest.raises(ParameterError, match="no two arms differ in the penalty"):
        plot_dose_response(frozen)
    two = audit_runs([runs[0], train("bp", width=12)], nudges=False)
    with pytest.raises(ParameterError, match=r"one setting, and there are 2: .*audited\.settings"):
        plot_layer_state(two)
    bare = Run(runs[0].history, 0.5, 0.5, 2, runs[0].config, {}, runs[0].network)
    with pytest.raises(ParameterError, match="RecordEvaluation"):
        plot_evaluation_history(audit_runs([bare], nudges=False))
