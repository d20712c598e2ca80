"""How faithful local rules are on cells of any shape: shipped, grown, and your own SWC files.

    python experiments/morphology_study.py --cells 130 --workers 2 --out morphology
    python experiments/morphology_study.py --folder my_cells --cells 0 --out mine

Every cell is a reciprocal cable and a directed tree, with shunting and additive integration, and with inhibition
everywhere, nowhere, near the soma, far from it, on the way from excitation to the soma, and on one branch. Every rule
is compared with the exact gradient; cells and rules are described in `morphology_cells.py` and `morphology_rules.py`.

The same command goes on where it ended, after Ctrl-C or a crash: `cells.csv` has one line per finished cell, and
`fidelity.csv` its rows. Files that cannot be used are passed over, and listed with their errors at the end and in
`failures.csv`. `morphology_figures.py` makes tables and figures of the results.
"""

from __future__ import annotations

import argparse
import csv
import io
import os
import signal
import sys
import zlib
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from morphology_cells import DESCRIPTORS, KINDS, PREDICTIONS, SHIPPED, Cell, all_cells, compartments, describe
from morphology_rules import CASES, GROUPS, MEASURES, PLACEMENTS, Case, synapses_on
from tqdm import tqdm

from dendrosim.errors import DendrosimError
from dendrosim.hdf5 import replacing

TRAINABLE = CASES[:3]
LOSSES = tuple(f"{way}_{how}_{when}" for way, how in TRAINABLE for when in ("before", "exact", "local"))
CELL_COLUMNS = ("cell", "kind", "group", "seed", "rows", *DESCRIPTORS, *PREDICTIONS, *LOSSES)
ROW_COLUMNS = (
    "cell", "direction", "integration", "placement", "trained", "rule", "identity",
    *(f"{group}_{measure}" for group in GROUPS for measure in MEASURES),
)  # fmt: skip
Row = dict[str, Any]


def study(cell: Cell, seed: int) -> tuple[Row, list[Row]]:
    """The row of a cell in cells.csv, and its rows in fidelity.csv.

    Raises
    ------
    DendrosimError
        If its file cannot be used.
    """
    morphology, passive = cell.morphology()
    tree = compartments(morphology, passive)
    own: Row = {"cell": cell.name, "kind": cell.kind, "group": cell.group, "seed": seed}
    own |= describe(morphology, passive, tree)
    number = zlib.crc32(f"{seed}:{cell.name}".encode())
    rows: list[Row] = []
    for direction, integration in CASES:
        for placement in PLACEMENTS:
            synapses = synapses_on(tree, placement, number)
            case = Case.of(tree, synapses, direction, integration, seed=number)
            key = {"cell": cell.name, "direction": direction, "integration": integration, "placement": placement}
            everywhere = placement == "uniform"  # elsewhere without the proxies of the path gain, which take most time
            rows += [{**key, "trained": 0, **row} for row in case.rows(proxies=everywhere)]
            if everywhere and (direction, integration) in TRAINABLE and learns(cell):
                after, losses = case.trained()
                own |= {f"{direction}_{integration}_{when}": value for when, value in losses.items()}
                rows += [{**key, "trained": 1, **row} for row in after.rows()]
    own["rows"] = len(rows)
    return own, rows


def learns(cell: Cell) -> bool:
    """Whether a cell is also trained: shipped ones, files, and every fifth grown one."""
    return cell.kind not in KINDS or int(cell.source.split(":")[1]) % 5 == 0


def _studied(cell: Cell, seed: int) -> tuple[Cell, Row | None, list[Row], str]:
    """`study`, or what is wrong with the file."""
    try:
        return cell, *study(cell, seed), ""
    except DendrosimError as error:
        return cell, None, [], f"{type(error).__name__}: {error}"


class Results:
    """The two growing tables of a folder.

    Rows of a cell go to ``fidelity.csv`` first, its line in ``cells.csv`` after that: rows without such a line are
    those of a run that was killed, and are left out when the folder is opened again.

    Parameters
    ----------
    folder : Path
    seed : int

    Raises
    ------
    SystemExit
        If the folder has results of another seed, or of another version of this study.
    """

    def __init__(self, folder: Path, seed: int) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.cells, self.rows = folder / "cells.csv", folder / "fidelity.csv"
        known = _whole_lines(self.cells, CELL_COLUMNS)
        other = sorted({row["seed"] for row in known} - {str(seed)})
        if other:
            raise SystemExit(f"{folder} has results of seed {', '.join(other)}; use --seed {other[0]} or another --out")
        self.done = {row["cell"] for row in known}
        kept = [row for row in _whole_lines(self.rows, ROW_COLUMNS) if row["cell"] in self.done]
        counts: dict[str, int] = {}
        for row in kept:
            counts[row["cell"]] = counts.get(row["cell"], 0) + 1
        self.done = {row["cell"] for row in known if counts.get(row["cell"]) == int(row["rows"])}
        _rewrite(self.cells, CELL_COLUMNS, [row for row in known if row["cell"] in self.done])
        _rewrite(self.rows, ROW_COLUMNS, [row for row in kept if row["cell"] in self.done])

    def add(self, own: Row, rows: list[Row]) -> None:
        """Append a cell."""
        _append(self.rows, ROW_COLUMNS, rows)
        _append(self.cells, CELL_COLUMNS, [own])
        self.done.add(own["cell"])


def _whole_lines(path: Path, columns: Sequence[str]) -> list[dict[str, str]]:
    """Rows of a table, without a last line that was cut off."""
    if not path.exists():
        return []
    text = path.read_text(encoding="utf-8")
    rows = list(csv.DictReader(io.StringIO(text[: text.rfind("\n") + 1])))
    if rows and tuple(rows[0]) != tuple(columns):
        raise SystemExit(f"{path} has other columns than this version of the study writes; use another --out")
    return rows


def _lines(columns: Sequence[str], rows: Sequence[Mapping[str, Any]], header: bool = False) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, restval="", lineterminator="\n")
    if header:
        writer.writeheader()
    writer.writerows({k: f"{v:.6g}" if isinstance(v, float) else v for k, v in row.items()} for row in rows)
    return text.getvalue()


def _rewrite(path: Path, columns: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> None:
    with replacing(path) as part:
        part.write_text(_lines(columns, rows, header=True), encoding="utf-8")


def _append(path: Path, columns: Sequence[str], rows: Sequence[Row]) -> None:
    with path.open("a", encoding="utf-8", newline="") as file:
        file.write(_lines(columns, rows))
        file.flush()
        os.fsync(file.fileno())


def results(cells: Sequence[Cell], seed: int, workers: int) -> Iterator[tuple[Cell, Row | None, list[Row], str]]:
    """What comes of every cell, as it is finished."""
    if workers == 1:
        yield from (_studied(cell, seed) for cell in cells)
        return
    ignore = (signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the one process that writes
    pool = ProcessPoolExecutor(workers, get_context("spawn"), initializer=signal.signal, initargs=ignore)
    try:
        for future in as_completed([pool.submit(_studied, cell, seed) for cell in cells]):
            yield future.result()
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def default_folders() -> list[Path]:
    """The folder `morphologies` of DENDROSIM_DATA, if there is one."""
    root = os.environ.get("DENDROSIM_DATA")
    folder = Path(root, "morphologies") if root else None
    return [folder] if folder is not None and folder.is_dir() else []


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cells", type=int, default=130, metavar="N", help="grown cells (default 130)")
    parser.add_argument(
        "--folder", type=Path, nargs="*", metavar="DIR",
        help="folders of SWC files, searched to all depths (default: DENDROSIM_DATA/morphologies, if it is there)",
    )  # fmt: skip
    parser.add_argument(
        "--shipped", nargs="*", choices=SHIPPED, default=SHIPPED, metavar="NAME", help="shipped cells (default: all)"
    )
    parser.add_argument("--seed", type=int, default=0, help="of grown cells, synapses and stimuli (default 0)")
    parser.add_argument("--workers", type=int, default=1, metavar="N", help="processes (default 1)")
    parser.add_argument("--out", type=Path, default=Path("morphology"), metavar="DIR", help="where the tables grow")
    options = parser.parse_args(arguments)
    folders = default_folders() if options.folder is None else options.folder
    missing = [str(folder) for folder in folders if not folder.is_dir()]
    if missing or options.cells < 0 or options.workers < 1:
        parser.error(f"no such folder: {', '.join(missing)}" if missing else "--cells must be >= 0, --workers >= 1")
    kept = Results(options.out, options.seed)
    cells = list(all_cells(options.cells, options.seed, folders, options.shipped))
    left = [cell for cell in cells if cell.name not in kept.done]
    failed: list[Row] = []
    bar = tqdm(total=len(cells), initial=len(cells) - len(left), unit=" cells", disable=None, dynamic_ncols=True)
    try:
        for cell, own, rows, wrong in results(left, options.seed, options.workers):
            if own is None:
                failed.append({"cell": cell.name, "error": " ".join(wrong.split())})
            else:
                kept.add(own, rows)
            bar.update()
            bar.set_postfix_str(cell.name, refresh=False)
    except KeyboardInterrupt:
        bar.close()
        print(f"interrupted: {len(kept.done)} cells are in {options.out}; the same command goes on", file=sys.stderr)
        return 130
    bar.close()
    failed.sort(key=lambda row: str(row["cell"]))
    _rewrite(options.out / "failures.csv", ("cell", "error"), failed)
    for row in failed:
        print(f"passed over: {row['cell']}: {row['error'][:300]}", file=sys.stderr)
    print(f"{len(cells) - len(failed)} cells in {options.out}, {len(failed)} files passed over")
    return 0


if __name__ == "__main__":
    sys.exit(main())
