"""From a name at NeuroMorpho.Org to a morphology that knows where it is from."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...arguments import instance
from ...reference import NOTE, origin_of
from .cache import Record, as_entry
from .entry import NAMED, Neuron, neuron_from
from .fetching import obtain
from .server import Server

if TYPE_CHECKING:
    from ..tree import Morphology

_KEPT = ("species", "brain_region", "cell_type", "reference_doi", "reference_pmid")


def load(
    neuron: str | int | Neuron,
    *,
    version: str = "cng",
    repair: str | Iterable[str] = (),
    minimum_radius: float | None = None,
    sha256: str | None = None,
    lock: str | Path | None = None,
    server: Server | None = None,
) -> Morphology:
    """A reconstruction from NeuroMorpho.Org, or from the cache.

    A comment at its beginning says where it is from. `ds.cite` reads it, and it stays with the morphology when it is
    cut, saved and loaded again.

    Parameters
    ----------
    neuron : str, int or Neuron
        Its name or NeuroMorpho.Org ID, or what a search found.
    version, sha256, lock, server
        As for `fetch`.
    repair, minimum_radius
        As for `Morphology.load`.

    Returns
    -------
    Morphology

    Raises
    ------
    MorphologyError
        If the file has faults of severity error; lists them, and the repairs that would help.
    DownloadError, DataError, ParameterError
        As `fetch`.

    Warns
    -----
    MorphologyWarning
        Once, with the list, if something in the file is odd.
    """
    from ..load import read
    from ..tree import Morphology

    record = obtain(neuron, version=version, sha256=sha256, lock=lock, server=server)
    samples, report = read(record.path, repair, minimum_radius)
    noted = replace(samples, comments=((0, _note(record)), *samples.comments))
    return Morphology(noted, name=record.neuron.name, report=report)


def origin(morphology: Morphology) -> Neuron | None:
    """The neuron at NeuroMorpho.Org that a morphology is from, as far as its comments tell; None if they do not.

    Parameters
    ----------
    morphology : Morphology
        Loaded by `load`, or saved from one that was.

    Returns
    -------
    Neuron or None

    Raises
    ------
    DataError
        If there is such a comment, and it makes no sense.
    """
    from ..tree import Morphology

    found = origin_of(instance("morphology", morphology, Morphology, "such as ds.neuromorpho.load gives"))
    return None if found is None else neuron_from(found, f"the comment on the origin of {morphology.name or 'a cell'}")


def _note(record: Record) -> str:
    """The comment: one line that a person can read too."""
    known: dict[str, Any] = as_entry(record.neuron)
    kept = {key: known[key] for key in (*NAMED, *_KEPT) if known.get(key) not in (None, "", [])}
    return f"{NOTE}{json.dumps({**kept, 'version': record.version, 'sha256': record.sha256})}"
