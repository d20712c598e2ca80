"""The experiment and ledger files that come with dendrosim."""

from __future__ import annotations

from pathlib import Path

from .. import arguments
from ..errors import ParameterError
from .schema import unknown

_PACKAGE = Path(__file__).resolve().parent.parent


def shipped_experiments() -> dict[str, Path]:
    """Files by the names that ``dendrosim run`` knows."""
    return {path.stem: path for path in sorted(_folder().glob("*.toml"))}


def shipped_ledger() -> list[Path]:
    """Ledger files: what papers state, for ``dendrosim reproduce``."""
    return sorted((_folder() / "ledger").glob("*.toml"))


def recorded_ledger() -> Path:
    """The table of what the full preset gave on our machine."""
    return _folder() / "results" / "ledger.csv"


def _folder() -> Path:
    installed = _PACKAGE / "_data" / "experiments"
    return installed if installed.is_dir() else _PACKAGE.parent / "experiments"


def find_experiment(source: str | Path) -> Path:
    """The file of a shipped experiment, if `source` is the name of one, or the path that it is.

    Raises
    ------
    ParameterError
        If it is neither; lists the shipped names.
    """
    known = shipped_experiments()
    if isinstance(source, str) and source in known:
        return known[source]
    path = Path(arguments.path("experiment", source))
    if path.is_file():
        return path
    if path.is_dir():
        raise ParameterError(f"{path} is a folder; give a .toml file, or one of {', '.join(known)}")
    raise unknown("experiment (neither a file nor a shipped name)", str(source), known)
