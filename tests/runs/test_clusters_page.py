"""The scripts of the guide to clusters: what they would submit, and a whole sweep with a batch system of straw."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import dendrosim
from dendrosim.runs.store import Store

PAGE = Path(__file__).resolve().parents[2] / "docs" / "guide" / "clusters.md"
SLURM, PBS = re.findall(r"^```py\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
(SHELL,) = re.findall(r"^```sh\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)

pytestmark = pytest.mark.skipif(os.name != "posix", reason="batch systems are of other systems")

SWEEP = """
seeds = [0, 1, 2, 3]
[task]
name = "digits"
subset = { n_train = 60, n_test = 30 }
[network]
kind = "point_mlp"
hidden = 4
[teaching]
name = "exact"
[training]
epochs = 1
"""
SBATCH = """#!/bin/sh
echo "$1" >> "$STRAW/submitted"
cp "$1" "$STRAW/job.sh"
setsid sh "$STRAW/job.sh" > "$STRAW/job.log" 2>&1 &
echo "Submitted batch job $!"
"""
SCANCEL = """#!/bin/sh
kill -TERM -- "-$1"
"""


@pytest.fixture
def environment(tmp_path) -> dict[str, str]:
    pytest.importorskip("dask_jobqueue", reason="dask-jobqueue is not installed: extra cluster")
    straw = tmp_path / "straw"
    (straw / "venv" / "bin").mkdir(parents=True)
    (straw / "venv" / "bin" / "activate").write_text("")
    for name, text in (("sbatch", SBATCH), ("scancel", SCANCEL)):
        (straw / name).write_text(text)
        (straw / name).chmod(0o755)
    return {
        **os.environ,
        "PATH": os.pathsep.join([str(straw), os.environ["PATH"]]),
        "PYTHONPATH": os.pathsep.join([str(Path(dendrosim.__file__).parents[1]), os.environ.get("PYTHONPATH", "")]),
        "STRAW": str(straw),
        "HOME": str(straw),
    }


def python(text: str, environment: dict[str, str], folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    (folder / "script.py").write_text(text, encoding="utf-8")
    return subprocess.run(
        [sys.executable, "script.py", *arguments],
        env=environment, cwd=folder, capture_output=True, text=True, timeout=300,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        (SLURM, ["#SBATCH -p compute", "#SBATCH --cpus-per-task=16", "#SBATCH --mem=60G", "#SBATCH -t 04:00:00"]),
        (PBS, ["#PBS -q workq", "#PBS -l select=1:ncpus=16:mem=64gb", "#PBS -l walltime=04:00:00"]),
    ],
    ids=["slurm", "pbs"],
)
def test_what_would_be_submitted(text, wanted, environment, tmp_path):
    beginning = text.partition('if __name__ == "__main__":')[0]
    shown = python(beginning + "\nwith cluster() as made:\n    print(made.job_script())\n", environment, tmp_path)
    assert shown.returncode == 0, shown.stderr
    script = shown.stdout
    for line in [*wanted, "source $HOME/venv/bin/activate", "export NUMBA_CACHE_DIR=$HOME/.cache/dendrosim"]:
        assert line in script.splitlines(), script
    (worker,) = (line for line in script.splitlines() if "dask_worker" in line or "dask worker" in line)
    assert " --nthreads 1 " in worker
    assert " --nworkers 16 " in worker


def test_a_sweep_with_a_batch_system_of_straw(environment, tmp_path):
    (tmp_path / "mine.toml").write_text(SWEEP)
    text = SLURM
    for there, smaller in (("cores=16", "cores=1"), ("processes=16", "processes=1"), ("jobs=10", "jobs=1")):
        assert there in text
        text = text.replace(there, smaller)
    done = python(text, environment, tmp_path, "mine.toml", "store")
    assert done.returncode == 0, done.stderr + (tmp_path / "straw" / "job.log").read_text()
    assert "4 runs finished, 0 kept, 0 failed" in done.stdout
    assert len((tmp_path / "straw" / "submitted").read_text().split()) == 1
    assert len(Store(tmp_path / "store").finished()) == 4


def test_the_shell_script_is_one():
    done = subprocess.run(["sh", "-n"], input=SHELL, text=True, capture_output=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
