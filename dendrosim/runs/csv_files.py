"""Tables as CSV files."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ..hdf5 import replacing


def write_csv(path: Path, heads: Sequence[str], rows: Sequence[Sequence[Any]]) -> Path:
    """Write a table, whole or not at all."""
    with replacing(path) as part, part.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(heads)
        writer.writerows(rows)
    return path
