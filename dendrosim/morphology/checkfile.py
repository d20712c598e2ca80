"""The report of one file of any known format: the work behind ``dendrosim morphology check``."""

from __future__ import annotations

import os

from ..errors import MorphologyError
from .formats import SUFFIXES, read_morphio, refuse_others
from .report import Fault, Report
from .swc import read_swc

__all__ = ["check_file"]


def check_file(path: str | os.PathLike[str]) -> Report:
    """Read and check a morphology file, without using it.

    Parameters
    ----------
    path : path
        ``.asc`` and ``.h5`` are read through MorphIO, all else as SWC.

    Returns
    -------
    Report
        ``.ok`` says whether the file can be loaded, ``.lines()`` gives the faults; a file that cannot even be opened
        has an error of its own.

    Raises
    ------
    MissingDependencyError
        If the format needs MorphIO and it is not installed.
    """
    name = os.fspath(path)
    try:
        refuse_others(name)
        if os.path.splitext(name)[1].lower() in SUFFIXES:
            return read_morphio(name)[1]
        return read_swc(name)[1]
    except MorphologyError as error:
        if isinstance(error.report, Report):
            return error.report
        message = str(error).removeprefix(f"{name}: ")
        return Report(name, (Fault("cannot-open", "error", 0, None, message),))
