"""Reconstructions from NeuroMorpho.Org: searched, fetched once, verified at every use.

Over TLS alone, at most two requests a second, one at a time. Files stay in the cache, and with ``DENDROSIM_OFFLINE=1``
nothing else is used.
"""

from __future__ import annotations

from .cache import Record, cached
from .entry import Neuron
from .fetching import fetch, fetch_archive
from .loading import load, origin
from .lockfile import lock, restore
from .searching import SearchResults, fields, neuron, search, status, values
from .server import Server

__all__ = [
    "Neuron",
    "Record",
    "SearchResults",
    "Server",
    "cached",
    "fetch",
    "fetch_archive",
    "fields",
    "load",
    "lock",
    "neuron",
    "origin",
    "restore",
    "search",
    "status",
    "values",
]
