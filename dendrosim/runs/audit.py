"""The evaluation protocol on stored runs, each against the baselines among them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import KW_ONLY, dataclass, field
from typing import TYPE_CHECKING, Any

from ..arguments import flag, instance, several, whole
from ..diagnostics.evaluation_audit import audit
from ..diagnostics.evaluation_history import EvaluationHistory
from ..diagnostics.evaluation_probes import fresh_null, loss_change, nudging
from ..diagnostics.evaluation_verdict import Accuracy, Thresholds
from ..errors import DendrosimError, ParameterError
from ..training.evaluation import auditable
from ..training.run import Run
from .audit_names import labels, places
from .audited import AuditedArm, AuditedRun, AuditedRuns
from .baselines import Baseline, Baselines, given, is_frozen
from .build import task_of_run

if TYPE_CHECKING:
    from ..diagnostics.evaluation_subjects import Auditable

__all__ = ["AuditedArm", "AuditedRun", "AuditedRuns", "audit_runs"]

Progress = Callable[[AuditedRun, int, int], None]


def audit_runs(
    runs: Iterable[Run],
    *,
    frozen: float | Accuracy | None = None,
    exact: float | Accuracy | None = None,
    samples: int = 1024,
    thresholds: Thresholds | None = None,
    nudges: bool = True,
    null: int = 20,
    threads: int | None = None,
    progress: Progress | None = None,
) -> AuditedRuns:
    """Run the evaluation protocol on stored runs.

    A run is compared with the frozen baseline among the runs that has the same data, network and seed; where no
    baseline has its seed, with the mean over those that there are. A run that cannot be audited keeps the reason and
    does not stop the others.

    Parameters
    ----------
    runs : Runs, or iterable of Run
        As `dendrosim.runs.load` gives them.
    frozen : float or Accuracy, optional
        Accuracy of the frozen baseline, instead of those among the runs: of all of them.
    exact : float or Accuracy, optional
        The same of backpropagation.
    samples : int, default 1024
        The first so many test samples are those that layers are measured on.
    thresholds : Thresholds, optional
        The paper's by default.
    nudges : bool, default True
        Whether to nudge layers along their credits too.
    null : int, default 20
        Draws of fresh feedback where feedback is random and fixed; 0 for none.
    threads : int, optional
        Of the kernels; those of matrix products are numpy's.
    progress : callable, optional
        Called after each run with it, the number of runs done and that of all.

    Returns
    -------
    AuditedRuns

    Raises
    ------
    ParameterError
        If there are no runs, or an option is impossible.

    Examples
    --------
    >>> import dendrosim as ds
    >>> task = ds.tasks.load("student", n_inputs=8, n_classes=3, n_train=200, n_test=100)
    >>> recipe = {"optimiser": "adamw", "epochs": 1, "validation": 0, "progress": False}
    >>> network = lambda: ds.networks.ResMLP(8, 3, 12, 2)
    >>> runs = [ds.train(network(), task, teaching=name, **recipe) for name in ("dfa", "frozen")]
    >>> audited = audit_runs(runs, samples=50, null=0)
    >>> audited[0].audit.gap == runs[0].test_accuracy - runs[1].test_accuracy
    True
    >>> audited[1].reason
    'a frozen baseline: nothing along its depth was told anything'
    """
    listed = several("runs", runs, "a list of runs, or what ds.runs.load returns")
    members = [instance("runs", run, Run, "such as those of ds.runs.load('folder')") for run in listed]
    if not members:
        raise ParameterError("there are no runs to audit; give those of ds.runs.load('folder')")
    auditor = Auditor(
        Baselines(members),
        frozen=None if frozen is None else given(frozen),
        exact=None if exact is None else given(exact),
        samples=whole("samples", samples, 1),
        thresholds=Thresholds()
        if thresholds is None
        else instance("thresholds", thresholds, Thresholds, "of ds.diagnostics"),
        nudges=flag("nudges", nudges),
        null=_draws(null),
        threads=threads,
    )
    named = list(zip(labels(members), places(members), strict=True))
    # those of one task after another: few tasks are kept in memory
    order = sorted(range(len(members)), key=lambda i: str(members[i].config["task"]["hash"]))
    found: dict[int, AuditedRun] = {}
    for i in order:
        found[i] = auditor.one(members[i], *named[i])
        if progress is not None:
            progress(found[i], len(found), len(members))
    return AuditedRuns([found[i] for i in range(len(members))], auditor.thresholds)


def _draws(null: int) -> int:
    count = whole("null", null, 0)
    if count == 1:
        raise ParameterError("null=1 gives no spread; take 2 draws or more, or 0 for none")
    return count


@dataclass(frozen=True)
class Auditor:
    """Audits runs one by one.

    Attributes
    ----------
    baselines : Baselines
        Among the runs; `frozen` and `exact` stand above them.
    frozen, exact, samples, thresholds, nudges, null, threads
        As in `audit_runs`; without the test by nudges and without draws by default.
    """

    baselines: Baselines
    _: KW_ONLY
    frozen: Baseline | None = None
    exact: Baseline | None = None
    samples: int = 1024
    thresholds: Thresholds = field(default_factory=Thresholds)
    nudges: bool = False
    null: int = 0
    threads: int | None = None

    def one(self, run: Run, arm: str = "", setting: str = "") -> AuditedRun:
        """Audit a run; the network goes back to its file afterwards."""
        began, stored = time.perf_counter(), run.trained is None and run.path is not None
        reasons: dict[str, str] = {}
        found: dict[str, Any] = {}
        try:
            if "evaluation" in run.records:
                found["history"] = self._tried("history", reasons, lambda: EvaluationHistory(run.records["evaluation"]))
            found["loss_change"] = self._tried("loss_change", reasons, lambda: loss_change(run.history["train_loss"]))
            if is_frozen(run):
                reasons["audit"] = "a frozen baseline: nothing along its depth was told anything"
            else:
                self._tried("audit", reasons, lambda: self._audit(run, found, reasons))
        finally:
            if stored:
                run.trained = None
        return AuditedRun(run, arm, setting, reasons=reasons, seconds=time.perf_counter() - began, **found)

    def _audit(self, run: Run, found: dict[str, Any], reasons: dict[str, str]) -> None:
        task = task_of_run(run)
        subject: Auditable = auditable(run, threads=self.threads)
        frozen, exact = self.frozen or self.baselines.frozen(run), self.exact or self.baselines.exact(run)
        made = audit(
            subject,
            task.x_test,
            task.y_test,
            frozen=None if frozen is None else frozen.accuracy,
            exact=None if exact is None else exact.accuracy,
            samples=self.samples,
            thresholds=self.thresholds,
        )
        found.update(audit=made, frozen=frozen, exact=exact)
        if frozen is None:
            reasons["frozen"] = "no run of this network on these data with blocks that never learned is among the runs"
        x, y = task.x_test[: self.samples], task.y_test[: self.samples]
        if self.nudges:
            found["nudges"] = self._tried("nudges", reasons, lambda: nudging(subject, x, y))
        if self.null:
            found["null"] = self._tried("null", reasons, lambda: fresh_null(subject, x, y, draws=self.null))

    @staticmethod
    def _tried(what: str, reasons: dict[str, str], made: Callable[[], Any]) -> Any:
        """What `made` returns; the reason is noted where it cannot be had."""
        try:
            return made()
        except DendrosimError as error:
            reasons[what] = str(error)
            return None
