"""``dendrosim morphology search`` and ``fetch``: reconstructions from NeuroMorpho.Org."""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .checks import positive

if TYPE_CHECKING:
    from ..morphology.neuromorpho import Record


def add(actions: Any) -> None:
    """Add the actions to those of ``dendrosim morphology``."""
    look = actions.add_parser(
        "search",
        help="find reconstructions at NeuroMorpho.Org",
        description="Neurons at NeuroMorpho.Org that meet all conditions, as a table.",
    )
    look.add_argument(
        "conditions",
        nargs="+",
        metavar="FIELD=VALUE",
        help='such as species=mouse "brain_region=neocortex,hippocampus"',
    )
    look.add_argument("--limit", type=positive, default=20, metavar="N", help="rows to show; default: %(default)s")
    look.add_argument("--names", action="store_true", help="print names alone, one per line")
    look.set_defaults(run=search)

    get = actions.add_parser(
        "fetch",
        help="download reconstructions from NeuroMorpho.Org into the cache",
        description="Download reconstructions by name, a whole archive, or all that a lock file names, and print where "
        "they are. What is in the cache is verified and not asked for again.",
    )
    get.add_argument("names", nargs="*", metavar="NAME", help="names of neurons")
    get.add_argument("--archive", metavar="NAME", help="all neurons of an archive")
    get.add_argument("--version", choices=("cng", "original"), help="default: cng; with --lock alone, what it names")
    get.add_argument("--lock", type=Path, metavar="FILE", help="demand the sums of this file; without names, all of it")
    get.add_argument("--write-lock", type=Path, metavar="FILE", help="write down the sums of what was fetched")
    get.add_argument("--out", type=Path, metavar="DIR", help="copy the files here")
    get.set_defaults(run=fetch)


def search(options: argparse.Namespace) -> int:
    """Print what was found."""
    from ..errors import ParameterError, choose
    from ..morphology.neuromorpho import search as search_for
    from ..morphology.neuromorpho.searching import FIELDS
    from ..morphology.neuromorpho.table import as_text

    conditions: dict[str, list[str]] = {}
    for text in options.conditions:
        field, sign, value = text.partition("=")
        if not sign or not value:
            raise ParameterError(f"{text!r} is no condition; give FIELD=VALUE, such as species=mouse")
        conditions.setdefault(choose("field", field, FIELDS), []).extend(value.split(","))
    found = search_for(page=min(options.limit, 500), **conditions)  # type: ignore[arg-type]
    shown = found[: options.limit]
    print("\n".join(neuron.name for neuron in shown) if options.names else as_text(found.title, len(found), shown))
    return 0 if len(found) else 1


def fetch(options: argparse.Namespace) -> int:
    """Fetch, copy, lock, and print where the files are."""
    from ..arguments import path
    from ..errors import ParameterError
    from ..morphology.neuromorpho.fetching import archive_neurons, obtain, obtain_all, safe_copy
    from ..morphology.neuromorpho.lockfile import new_lock, restore_records, write_lock
    from ..morphology.neuromorpho.server import Server

    given = [bool(options.names), options.archive is not None, options.lock is not None and not options.names]
    if sum(given) != 1:
        raise ParameterError("give names, or --archive NAME, or --lock FILE (with names, or without for all of it)")
    if given[2] and options.version is not None:
        raise ParameterError(f"--version {options.version}: a lock says itself which version each of its files is")
    out = None if options.out is None else Path(path("--out", options.out))
    wanted = None if options.write_lock is None else new_lock(options.write_lock)  # known before anything is fetched
    server, version = Server(), options.version or "cng"
    records: Iterable[Record]
    if options.archive is not None:
        neurons = archive_neurons(options.archive, server)
        records = obtain_all(neurons, version=version, progress=None, server=server)
    elif options.names:
        records = (obtain(name, version=version, lock=options.lock, server=server) for name in options.names)
    else:
        records = restore_records(options.lock, progress=None, server=server)
    kept = []
    for record in records:
        kept.append(record)
        print(record.path if out is None else safe_copy(record, out), flush=True)
    if wanted is not None:
        print(write_lock(wanted, kept))
    return 0
