"""Cards of sweeps and stores."""

from __future__ import annotations

from collections import Counter

from ..runs.store import Store
from ..runs.sweep import Sweep
from .card import Card, Detail


def sweep(given: Sweep) -> Card:
    """Which runs a file asks for."""
    points = given.points
    arms = Counter(point.arm.name for point in points)
    seeds = sorted({point.seed for point in points})
    factors = dict.fromkeys(key for point in points for key in point.arm.factors)
    facts = {
        "runs": f"{len(points):,}" + (f", {given.n_duplicates:,} more asked for twice" if given.n_duplicates else ""),
        "arms": f"{len(arms):,}",
        "seeds": ", ".join(map(str, seeds[:12])) + (", …" if len(seeds) > 12 else ""),
    }
    if factors:
        facts["swept"] = ", ".join(factors)
    if given.description:
        facts["about"] = given.description
    return Card("Sweep", given.name, facts, [Detail("Arms", ["arm", "runs"], [[n, f"{k:,}"] for n, k in arms.items()])])


def store(given: Store) -> Card:
    """How many runs a folder holds; names are listed, no file is opened."""
    facts = {"folder": str(given.folder)}
    try:
        facts["runs"] = f"{len(given.finished()):,}"
        facts["failures"] = f"{len(given.failed()):,}"
    except OSError as error:
        facts["runs"] = f"the folder cannot be read: {error.strerror or type(error).__name__}"
    return Card("Store", "", facts)
