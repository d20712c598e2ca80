"""The cells that come with dendrosim, by name."""

from __future__ import annotations

import difflib
from pathlib import Path

from .. import arguments
from ..errors import MorphologyError

_PACKAGE = Path(__file__).resolve().parent.parent


def shipped_folder() -> Path:
    """Folder of the shipped cells: inside an installed package, or beside it in a checkout."""
    installed = _PACKAGE / "_data" / "morphologies"
    return installed if installed.is_dir() else _PACKAGE.parent / "morphologies"


def shipped_names() -> tuple[str, ...]:
    """Names that `Morphology.load` knows."""
    return tuple(sorted(path.stem for path in shipped_folder().glob("*.swc")))


def find_source(source: str | Path) -> Path:
    """File of a shipped cell, if `source` is the name of one, or the path that it is.

    Raises
    ------
    MorphologyError
        If it is neither; lists the shipped names.
    """
    if isinstance(source, str) and source in shipped_names():
        return shipped_folder() / f"{source}.swc"
    path = Path(arguments.path("source", source, empty=True))
    if path.is_file():
        return path
    reason = "is empty" if not str(source) else "is a folder" if path.is_dir() else "does not exist"
    near = {name.lower(): name for name in shipped_names()}
    close = difflib.get_close_matches(str(source).lower(), near, n=1)
    meant = f"; did you mean {near[close[0]]!r}?" if close and not path.is_dir() else ""
    raise MorphologyError(
        f"{str(source)!r} {reason}{meant}; give the path of an .swc, .asc or .h5 file, or the name of a shipped cell: "
        + (", ".join(shipped_names()) or f"none found in {shipped_folder()}")
    )
