"""libNeuroML, imported when it is needed."""

from __future__ import annotations

from typing import Any

from ..errors import MissingDependencyError, how_to_get


def neuroml_library() -> Any:
    """The module neuroml.

    Raises
    ------
    MissingDependencyError
        If libNeuroML is not installed.
    """
    try:
        import neuroml
        import neuroml.loaders
        import neuroml.writers
    except ImportError as error:
        raise MissingDependencyError(
            f"libNeuroML is needed to write and read NeuroML: {how_to_get('neuroml')}"
        ) from error
    return neuroml
