"""Every public function is tried with hostile arguments, with every one of its arguments, or it is said why not."""

from __future__ import annotations

import ast
import inspect
from pathlib import Path
from types import ModuleType
from typing import Any

import dendrosim as ds

NOT_TRIED = {
    "made by the library, not by a caller": {
        "CreditFidelity", "Fidelity", "Gradient", "PassiveFit", "Run", "Snapshot", "State", "TimeFidelity", "Trace",
        "TrajectoryGradient", "BranchInformation", "Comparison", "CreditHistory", "Effect", "EvaluationHistory",
        "EventShape", "FidelityHistory", "FreshNull", "Interval", "Layers", "LogNormalFit", "Manifold",
        "NoiseRobustness", "Nudges", "PathGainProxies", "PathGains", "PredictedFidelity", "RandomAlignment",
        "TorchLesson", "Verdict", "Audit", "AuditedRuns", "Runs", "Gradients", "Moment", "TemporalTask", "Trials",
        "Task",
    },
    "to inherit from": {
        "Channel", "Auditable", "Family", "Link", "Loss", "Potential", "Modulator", "Optimiser", "Teaching",
        "Callback", "Schedule", "Region", "Broadcast",
    },
    "what it draws is made by another function that is tried": {
        "plot_credit_layers_figure", "plot_credit_over_training", "plot_dose_response", "plot_drawn_figure",
        "plot_evaluation_history", "plot_fidelity_training_figure", "plot_function", "plot_gain_proxies",
        "plot_layer_state", "plot_marginal", "plot_surface", "plot_surfaces", "plot_fidelity_synapses",
        "animate_voltage",
    },
    "what it takes needs a sweep of many runs; tests/runs": {"drawn", "marginal", "surface"},
    "tests of their own, with files and servers": {"ResidualSubject", "TorchSubject", "auditable"},
    "tests/plotting/test_interactive.py": {"interactive", "write_interactive"},
    "made by load and of, which are tried": {"Sweep"},
    "nothing to get wrong": {
        "Instantaneous", "show_versions", "Brier", "Gaussian", "Hinge", "LogScore", "Logistic", "Spherical",
        "SquaredError", "Linear", "DecoderOnly", "Exact", "Constant", "names", "style",
    },
    "an alias of what is tried": {"fidelity", "credit_fidelity"},
    "tests/exchange": set(ds.exchange.__all__),
    "tests/morphology/neuromorpho": set(ds.neuromorpho.__all__),
}  # fmt: skip


def public() -> dict[str, Any]:
    """Public functions and classes by the last part of their name."""
    found: dict[str, Any] = {}
    for name in ds.__all__:
        value = getattr(ds, name)
        inside = value.__all__ if isinstance(value, ModuleType) and hasattr(value, "__all__") else ()
        things = {key: getattr(value, key) for key in inside} or {name: value}
        found |= {key: it for key, it in things.items() if callable(it) and not _is_error(it)}
    return found


def _is_error(it: object) -> bool:
    return isinstance(it, type) and issubclass(it, BaseException)


def tried() -> dict[str, set[str | int]]:
    """What the tables of this folder call: the arguments of each, by name or by place."""
    found: dict[str, set[str | int]] = {}
    for file in Path(__file__).parent.glob("test_*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.endswith(")"):
                try:
                    call = ast.parse(node.value, mode="eval").body
                except SyntaxError:
                    continue
                if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute):
                    given = found.setdefault(call.func.attr, set())
                    given |= {*range(len(call.args)), *(k.arg for k in call.keywords if k.arg)}
    return found


def test_every_public_function_is_tried_or_excused():
    excused = set().union(*NOT_TRIED.values())
    names = set(public())
    assert names - set(tried()) - excused == set()
    assert excused - names == set(), "no longer public"


def test_every_argument_of_what_is_tried_is_tried():
    left = {}
    given = tried()
    for name, it in public().items():
        parameters = list(inspect.signature(it).parameters.values())
        plain = [p for p in parameters if p.kind not in (p.VAR_KEYWORD, p.VAR_POSITIONAL)]
        missing = [
            p.name
            for place, p in enumerate(plain)
            if name in given and p.name not in given[name] and place not in given[name] and p.name not in UNTRIED
        ]
        if missing:
            left[name] = missing
    assert left == {}


UNTRIED = {
    "_state",  # the library's own
    "ax", "figure", "norm", "center", "colorbar", "scale_bar",  # matplotlib's own objects and switches
    "out", "threads", "store", "resume", "block", "progress",  # one check each for the whole library, tried elsewhere
}  # fmt: skip
