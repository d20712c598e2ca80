"""Several processes that fetch the same file at the same time."""

from __future__ import annotations

import os
import subprocess
import sys

CODE = """
import sys
from pathlib import Path
from dendrosim import downloads
for _ in range(5):
    print(downloads.save(sys.argv[1], Path(sys.argv[2]), largest=10**7))
"""


def test_two_processes_write_one_whole_file(site, tmp_path):
    body = os.urandom(2**20)
    site.answers["/file"] = body
    path = tmp_path / "there" / "file"
    command = [sys.executable, "-c", CODE, f"{site.url}/file", str(path)]
    both = [subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(2)]
    outputs = [process.communicate(timeout=60) for process in both]
    assert [process.returncode for process in both] == [0, 0], outputs
    assert len({line for out, _ in outputs for line in out.split()}) == 1
    assert path.read_bytes() == body
    assert [p.name for p in path.parent.iterdir()] == ["file"]
