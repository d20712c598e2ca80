"""NEURON itself, imported when it is needed."""

from __future__ import annotations

import warnings
from typing import Any

from ..errors import MissingDependencyError, how_to_get


def neuron_library() -> Any:
    """NEURON's ``h``.

    Raises
    ------
    MissingDependencyError
        If NEURON is not installed.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of its own imports
            from neuron import h
    except ImportError as error:
        raise MissingDependencyError(
            f"NEURON is needed to build and read its sections: {how_to_get('neuron')}"
        ) from error
    return h
