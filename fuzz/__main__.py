"""``python -m fuzz TARGET``: fuzz one target, watch its processor time and its memory, and say what came out."""

from __future__ import annotations

import argparse
import csv
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

TARGETS = ("swc", "experiment", "hdf5")
HERE = Path(__file__).resolve().parent
_EVERY = 10.0
"""Seconds between looks at the process."""
_STATUS = re.compile(r"#(\d+)\s.*cov: (\d+) ft: (\d+)(?: corp: (\d+)/\S+)?")


def main() -> int:
    """Parse arguments, and fuzz or minimise."""
    parser = argparse.ArgumentParser(prog="python -m fuzz", description=__doc__)
    parser.add_argument("target", choices=TARGETS)
    parser.add_argument("--minutes", type=float, default=1.0, help="of processor time (default: 1)")
    parser.add_argument("--out", type=Path, help="folder for the growing corpus, crashes and logs")
    parser.add_argument("--timeout", type=int, default=25, help="seconds for one input (default: 25)")
    parser.add_argument("--memory", type=int, default=2048, help="MiB that the process may take (default: 2048)")
    parser.add_argument("--merge", action="store_true", help="minimise OUT/corpus into fuzz/corpus/TARGET instead")
    given = parser.parse_args()
    out = given.out or Path(tempfile.mkdtemp(prefix=f"fuzz-{given.target}-"))
    (out / "corpus").mkdir(parents=True, exist_ok=True)
    committed = HERE / "corpus" / given.target
    committed.mkdir(parents=True, exist_ok=True)
    if given.merge:
        return subprocess.run(_command(given, out, ["-merge=1", str(committed), str(out / "corpus")])).returncode
    print(f"fuzzing {given.target} for {given.minutes:g} min of processor time; everything is in {out}", flush=True)
    return _watched(given, out, _command(given, out, [str(out / "corpus"), str(committed)]))


def _command(given: argparse.Namespace, out: Path, rest: list[str]) -> list[str]:
    options = [
        f"-timeout={given.timeout}",
        f"-rss_limit_mb={given.memory}",
        f"-dict={HERE / 'dictionaries' / f'{given.target}.dict'}",
        f"-artifact_prefix={out}/",
        "-print_final_stats=1",
    ]
    return [sys.executable, "-m", "fuzz.engine", given.target, *options, *rest]


def _watched(given: argparse.Namespace, out: Path, command: list[str]) -> int:
    """Run it until it has had its processor time or found something; one row per look in ``OUT/memory.csv``."""
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
    log, rows = out / "log.txt", []
    with log.open("wb") as sink, (out / "memory.csv").open("w", newline="") as table:
        process = subprocess.Popen(command, stdout=sink, stderr=subprocess.STDOUT, cwd=HERE.parent, env=environment)
        writer = csv.writer(table)
        writer.writerow(["cpu_seconds", "rss_mb", "executions", "edges", "corpus"])
        try:
            while process.poll() is None:
                time.sleep(_EVERY)
                seen = _look(process.pid)
                if seen is None:
                    break
                rows.append([*seen, *_status(log)])
                writer.writerow(rows[-1])
                table.flush()
                if seen[0] >= 60.0 * given.minutes:
                    break
        finally:
            ended = process.poll()
            if ended is None:
                process.terminate()
                process.wait()
    found = sorted(path.name for path in out.iterdir() if path.name.startswith(("crash-", "timeout-", "oom-", "leak-")))
    cpu, rss, executions, edges, corpus = rows[-1] if rows else (0.0, 0.0, 0, 0, 0)
    half = [row[1] for row in rows[len(rows) // 2 :]] or [rss]
    most = max([row[1] for row in rows] or [0])
    grown = f"{half[0]:.0f} MB half-way, {half[-1]:.0f} MB at the end, {most:.0f} MB at most"
    print(f"{executions} executions in {cpu:.0f} s of processor time; {edges} edges; {corpus} inputs; {grown}")
    print(f"found: {', '.join(found) or 'nothing'}; log: {log}")
    return 1 if found or ended not in (None, 0) else 0


def _look(process: int) -> tuple[float, float] | None:
    """Processor time in s and resident memory in MB; None if it has ended."""
    try:
        fields = Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    ticks = os.sysconf("SC_CLK_TCK")
    return (int(fields[11]) + int(fields[12])) / ticks, int(fields[21]) * os.sysconf("SC_PAGE_SIZE") / 1e6


def _status(log: Path) -> tuple[int, int, int]:
    """Executions, edges and size of the corpus, as the last line of the log that has them says."""
    with log.open("rb") as file:
        file.seek(0, os.SEEK_END)
        file.seek(max(0, file.tell() - 20_000))
        lines = file.read().decode("utf-8", "replace").splitlines()
    for line in reversed(lines):
        match = _STATUS.search(line)
        if match:
            return int(match[1]), int(match[2]), int(match[4] or 0)
    return 0, 0, 0


if __name__ == "__main__":
    sys.exit(main())
