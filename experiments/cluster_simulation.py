"""A plan for a million runs on a thousand nodes: scheduler, files, failures, restarts, extrapolated and simulated.

Takes what ``cluster_measure.py`` measured, and assumptions about clusters whose sources are in the page
(``docs/scaling.md``), and writes ``results/cluster_simulation.csv`` and the page's figure::

    python experiments/cluster_simulation.py [--figure FILE]
"""

from __future__ import annotations

import argparse
import csv
import heapq
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from dendrosim.hdf5 import replacing

HERE = Path(__file__).resolve().parent
RUNS = 1_000_000
NODES, CORES = 1_000, 32
DURATIONS = (1.0, 10.0, 100.0, 1_000.0)
PARTS = (1, 4, 16, 64, NODES)
"""Clients with a part of the runs and of the nodes each, and a scheduler; one client per node has processes instead."""
SPREAD = 0.2
"""Coefficient of variation of the durations of runs, which are lognormal."""
DELAY = 2e-3
"""Seconds of messages between a worker and its scheduler, both ways."""
YEAR = 365.25 * 86_400
MTBF = {"6 hours": 6 * 3600.0, "2 years": 2 * YEAR, "10 years": 10 * YEAR}
"""Mean time between ends of a node's workers: the limit of a job or preemption, and failures of the node."""
TRIALS, ENOUGH = 1_000, 4_000
"""Most simulations of failures, of which means are taken, and killed runs after which there need not be more."""
CHECKPOINT = 30.0
"""Seconds between checkpoints: the default of training."""
HOW = ("expected", "simulated")
CREATES = {"one metadata server": 14_000.0, "NFS": 1_000.0}
"""Names that a shared file system makes per second."""
NAMES = 7
"""Files made per run: claim, halves of checkpoint and run, and four probes whether the folder can be written to."""


@dataclass(frozen=True)
class Costs:
    """What was measured, s and bytes."""

    scheduler: float
    client: float
    identity: float
    listing: float
    stat: float
    read: float
    index_read: float
    index_bytes: float
    file: float

    @classmethod
    def measured(cls, path: Path) -> Costs:
        """From the results of ``cluster_measure.py``: of the largest size each."""
        with path.open(encoding="utf-8") as file:
            rows = sorted(csv.DictReader(file), key=lambda row: float(row["size"]))
        last = {row["what"]: float(row["value"]) for row in rows}
        names = ("scheduler", "client", "drawn identity", "list", "stat", "read", "open", "index", "file")
        return cls(*(last[name] for name in names))


def served(runs: int, cores: int, duration: float, service: float, rng: np.random.Generator) -> float:
    """Seconds until all runs are done: cores ask one scheduler for each of them, which serves one request at a time.

    A core that ends a run waits for its next one as long as the scheduler serves those that asked before it.
    """
    durations = _durations(duration, runs, rng)
    free, asked, end = 0.0, [0.0] * min(cores, runs), 0.0
    for one in durations.tolist():
        at = heapq.heappop(asked)
        free = max(free, at) + service
        done = free + DELAY + one
        end = max(end, done)
        heapq.heappush(asked, done)
    return end


def failing(
    runs: int, nodes: int, cores: int, duration: float, mtbf: float, every: float | None, rng: np.random.Generator
) -> tuple[int, float]:
    """Runs that were killed, and core seconds that were lost, when nodes fail now and then.

    Every core does its share one run after the other. A run that is killed begins again, or goes on from its last
    checkpoint.
    """
    killed, lost, share = 0, 0.0, math.ceil(runs / nodes / cores)
    for first in rng.exponential(mtbf, nodes):
        if first > 3 * share * duration:  # long after the end
            continue
        ends = [np.cumsum(_durations(duration, share, rng)) for _ in range(cores)]
        clock, before = float(first), 0.0
        while clock < max(float(one[-1]) for one in ends):
            for i, one in enumerate(ends):
                k = int(np.searchsorted(one, clock, side="right"))
                if k < one.size:
                    since = clock - max(float(one[k - 1]) if k else 0.0, before)
                    gone = since if every is None else since % every
                    killed, lost = killed + 1, lost + gone
                    ends[i] = np.concatenate([one[:k], one[k:] + gone])
            clock, before = clock + float(rng.exponential(mtbf)), clock
    return killed, lost


def expected(duration: float, mtbf: float, every: float | None) -> tuple[float, float]:
    """Failures met by a run, and seconds lost by it, on average.

    With failures at rate 1 / mtbf, a stretch of t seconds that begins again after each failure takes
    mtbf (exp(t / mtbf) - 1) seconds (Daly 2006, without costs of writing and restarting).
    """
    stretch = duration if every is None else min(every, duration)
    pieces = duration / stretch
    took = pieces * mtbf * math.expm1(stretch / mtbf)
    return took / mtbf, took - duration


def _durations(mean: float, n: int, rng: np.random.Generator) -> np.ndarray[Any, np.dtype[np.float64]]:
    sigma = math.sqrt(math.log1p(SPREAD**2))
    return rng.lognormal(math.log(mean) - sigma**2 / 2, sigma, n)


def scheduling(costs: Costs) -> list[dict[str, Any]]:
    """Efficiency by duration and number of clients, by the part that has most runs: identities fall as they fall."""
    rows = []
    for duration in DURATIONS:
        for parts in PARTS:
            rng = np.random.default_rng(0)
            service = costs.client if parts == NODES else max(costs.scheduler, costs.client)
            runs, cores = int(rng.multinomial(RUNS, [1 / parts] * parts).max()), NODES * CORES // parts
            took = max(served(runs, cores, duration, service, rng) for _ in range(1 if parts < NODES else 20))
            names = NAMES * RUNS / took
            rows.append(
                {
                    "duration": duration,
                    "clients": parts,
                    "asked per second": cores / duration,
                    "capacity per second": 1 / service,
                    "hours": took / 3600,
                    "efficiency": RUNS * duration / NODES / CORES / took,
                    "names per second": names,
                    **{f"load of {name}": names / rate for name, rate in CREATES.items()},
                }
            )
    return rows


def failures() -> list[dict[str, Any]]:
    """Killed runs and lost compute, by formula and simulated."""
    rows = []
    for duration in DURATIONS:
        for name, mtbf in MTBF.items():
            for every in (None, CHECKPOINT):
                met, loss = expected(duration, mtbf, every)
                rng = np.random.default_rng(1)
                trials: list[tuple[int, float]] = []
                while len(trials) < TRIALS and sum(found for found, _ in trials) < ENOUGH:
                    trials.append(failing(RUNS, NODES, CORES, duration, mtbf, every, rng))
                killed, lost = np.mean(trials, axis=0).tolist()
                rows.append(
                    {
                        "duration": duration,
                        "node": name,
                        "checkpoints": every or "",
                        "core hours": RUNS * duration / 3600,
                        "killed expected": RUNS * met,
                        "killed simulated": killed,
                        "lost expected": RUNS * loss / 3600,
                        "lost simulated": lost / 3600,
                    }
                )
    return rows


def bookkeeping(costs: Costs) -> list[dict[str, Any]]:
    """What the client does before a first and before a later run starts, and the store's size."""
    found = {
        "identities of all runs, s": costs.identity * RUNS,
        "names of all runs listed, s": costs.listing * RUNS,
        "index read and table made, s": costs.index_read * RUNS,
        "sizes and times of all runs, s": costs.stat * RUNS,
        "index made from nothing, s": costs.read * RUNS,
        "index, MB": costs.index_bytes * RUNS / 1e6,
        "names per folder of runs": RUNS / 256,
        "files": RUNS,
        "store with small runs, GB": costs.file * RUNS / 1e9,
        "store with runs of 10 MB, TB": 10e6 * RUNS / 1e12,
    }
    return [{"what": what, "value": value} for what, value in found.items()]


def figure(rows: list[dict[str, Any]], lost: list[dict[str, Any]], path: Path) -> None:
    """Cores at work by duration and schedulers; lost compute by duration."""
    import matplotlib.pyplot as plt

    from dendrosim.plotting.styling import BLACK, BLUE, DOUBLE_COLUMN, GREEN, ORANGE, VERMILLION, style

    with style():
        fig, (left, right) = plt.subplots(1, 2, figsize=(DOUBLE_COLUMN, 3.1), layout="constrained")
        for parts, colour, mark in zip(PARTS, (VERMILLION, ORANGE, GREEN, BLUE, BLACK), "osD^v", strict=True):
            mine = [row for row in rows if row["clients"] == parts]
            x, y = [row["duration"] for row in mine], [100 * row["efficiency"] for row in mine]
            label = "none, a client per node" if parts == NODES else f"{parts}"
            left.plot(x, y, f"{mark}-", color=colour, label=label)
        left.set(xscale="log", xlabel="duration of a run (s)", ylabel="cores at work (%)", ylim=(0, 103))
        left.legend(title="schedulers", ncols=3, loc="lower center", bbox_to_anchor=(0.5, 1.0))
        for name, colour in zip(MTBF, (VERMILLION, GREEN, BLUE), strict=True):
            for every, line, mark, filling in (("", "-", "o", colour), (CHECKPOINT, "--", "s", "none")):
                mine = [row for row in lost if row["node"] == name and row["checkpoints"] == every]
                x = [row["duration"] for row in mine]
                share = {key: [100 * row[f"lost {key}"] / row["core hours"] for row in mine] for key in HOW}
                right.plot(x, share["expected"], line, color=colour)
                simulated = [value or np.nan for value in share["simulated"]]
                right.plot(x, simulated, mark, color=colour, markerfacecolor=filling)
            right.plot([], [], color=colour, label=f"every {name}")
        for every, line, mark, filling in (("no", "-", "o", BLACK), (f"{CHECKPOINT:g} s", "--", "s", "none")):
            label = f"{every} checkpoints" if every == "no" else f"checkpoints every {every}"
            right.plot([], [], line, marker=mark, color=BLACK, markerfacecolor=filling, label=label)
        right.set(xscale="log", yscale="log", xlabel="duration of a run (s)", ylabel="compute lost (%)")
        right.legend(title="a node ends", ncols=2, loc="lower center", bbox_to_anchor=(0.5, 1.0))
        path.parent.mkdir(exist_ok=True)
        fig.savefig(path, dpi=200)
        plt.close(fig)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--measured", type=Path, default=HERE / "results" / "cluster_measured.csv")
    parser.add_argument("--out", type=Path, default=HERE / "results" / "cluster_simulation.csv")
    parser.add_argument("--figure", type=Path, default=HERE.parent / "docs" / "figures" / "scaling.png")
    options = parser.parse_args()
    costs = Costs.measured(options.measured)
    tables = {"scheduling": scheduling(costs), "failures": failures(), "bookkeeping": bookkeeping(costs)}
    with replacing(options.out) as part, part.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        for name, rows in tables.items():
            writer.writerow(["table", *rows[0]])
            for row in rows:
                writer.writerow([name, *(f"{v:.4g}" if isinstance(v, float) else v for v in row.values())])
                print(name, {k: f"{v:.4g}" if isinstance(v, float) else v for k, v in row.items()})
    figure(tables["scheduling"], tables["failures"], options.figure)


if __name__ == "__main__":
    main()
