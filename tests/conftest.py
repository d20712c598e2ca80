"""Fixtures shared by all tests."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

# before anything imports pyplot: no test needs a display; what a test starts inherits it
os.environ.setdefault("MPLBACKEND", "Agg")


@pytest.fixture(scope="session")
def morphology_data() -> Path:
    """Folder ``morphologies`` below ``DENDROSIM_DATA``: reconstructions that are not part of the project."""
    root = os.environ.get("DENDROSIM_DATA")
    if not root:
        pytest.skip("DENDROSIM_DATA is not set: it names the folder that holds morphologies/")
    folder = Path(root) / "morphologies"
    if not folder.is_dir():
        pytest.skip(f"{folder} does not exist: DENDROSIM_DATA must name a folder that holds morphologies/")
    return folder
