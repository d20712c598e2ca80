"""A few small trainings under the evaluation protocol, for pages to be made of."""

from __future__ import annotations

from functools import cache
from typing import Any

import dendrosim as ds
from dendrosim.plotting.embedded import Illustration
from dendrosim.runs.audit import audit_runs
from dendrosim.runs.audited import AuditedRuns
from dendrosim.training import KeepTeaching, RecordEvaluation

HOSTILE = """dfa</script><script>document.title=1</script><img src=x onerror="document.title='taken'"> & 'a' "b" """
"""A name of an arm that would run, if anything let it."""
LONG = "fa_" + "with_a_name_that_has_no_place_to_break_" * 3
SVG = '<svg xmlns="http://www.w3.org/2000/svg" width="400" height="120"><rect width="99" height="99"/></svg>'


def _run(arm: str, number: int, teaching: str, seed: int, **more: Any) -> Any:
    task = ds.tasks.load("student", n_inputs=8, n_classes=3, n_train=400, n_test=120)
    recipe: dict[str, Any] = {"optimiser": "adamw", "rates": 0.01, "epochs": 6, "batch_size": 50}
    recipe |= {"validation": 0, "restore_best": False, "progress": False}
    network = ds.networks.ResMLP(8, 3, 12, 2, seed=seed)
    run = ds.train(network, task, teaching=teaching, seed=seed, **recipe, **more)
    run.config["experiment"] = {"name": "small", "arm": arm, "number": number}
    return run


@cache
def audited() -> AuditedRuns:
    """Two seeds of an arm, one of others; a baseline, and a run that cannot be audited."""
    watched = {"callbacks": [RecordEvaluation(every=2, samples=40), KeepTeaching()]}
    runs = [
        _run("bp", 0, "bp", 0),
        *(
            _run(HOSTILE, 1, "dfa", seed, callbacks=[RecordEvaluation(every=2, samples=40), KeepTeaching()])
            for seed in (0, 1)
        ),
        _run(LONG, 2, "fa", 0, **watched),
        _run("frozen", 3, "frozen", 0),
        _run("frozen", 3, "frozen", 1),
        _run("bridge", 4, "state_bridge", 0),  # what it learned was not kept
    ]
    return audit_runs(runs, samples=50, null=2)


def figures() -> list[Illustration]:
    """One of matplotlib, with the same name inside as in the page."""
    import matplotlib.pyplot as plt

    figure, ax = plt.subplots(figsize=(6, 2))
    ax.plot([0, 1], [1, 0])
    ax.set(xlabel="epoch", ylabel="accuracy")
    return [Illustration(figure, "A line & <b>its</b> fall.", 'A line that falls from "1" to 0.')]
