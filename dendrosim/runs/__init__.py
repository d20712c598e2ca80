"""Results on disk and the jobs that make them: experiment files, many runs, the demo."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

_HOME = {
    "Runs": "collection",
    "load": "loading",
    "Store": "store",
    "Sweep": "sweep",
    "Summary": "summary",
    "drawn": "marginals",
    "marginal": "marginals",
    "surface": "marginals",
    "AuditedRuns": "audited",
    "audit_runs": "audit",
}

__all__ = ["AuditedRuns", "Runs", "Store", "Summary", "Sweep", "audit_runs", "drawn", "load", "marginal", "surface"]

if TYPE_CHECKING:
    from .audit import audit_runs
    from .audited import AuditedRuns
    from .collection import Runs
    from .loading import load
    from .marginals import drawn, marginal, surface
    from .store import Store
    from .summary import Summary
    from .sweep import Sweep


def __getattr__(name: str) -> Any:
    from importlib import import_module

    if name not in _HOME:
        raise AttributeError(f"module 'dendrosim.runs' has no attribute {name!r}; it has: {', '.join(__all__)}")
    value = getattr(import_module("." + _HOME[name], __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
