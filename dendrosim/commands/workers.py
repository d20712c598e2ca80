"""Who does the work: processes here, or a Dask cluster; as arguments of commands."""

from __future__ import annotations

import argparse
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

from .checks import positive

if TYPE_CHECKING:
    from ..runs.executors import Workers


def add_workers(command: Any) -> None:
    """Add ``--workers``, ``--scheduler`` and ``--threads`` to a command."""
    who = command.add_mutually_exclusive_group()
    who.add_argument("--workers", type=positive, default=1, metavar="N", help="processes here; default: %(default)s")
    who.add_argument("--scheduler", metavar="ADDRESS", help="of a Dask cluster, or the scheduler file of one")
    command.add_argument("--threads", type=positive, default=1, metavar="N", help="per run; default: %(default)s")


def workers(options: argparse.Namespace) -> AbstractContextManager[Workers]:
    """The executor that was asked for."""
    from ..runs.executors import dask, processes

    if options.scheduler is not None:
        return dask(options.scheduler, options.threads)
    return processes(options.workers, options.threads)
