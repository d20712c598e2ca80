"""Results as xarray datasets with named dimensions, coordinates and units: `to_xarray`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..arguments import short
from ..errors import MissingDependencyError, ParameterError, how_to_get
from ..morphology.compartments import Compartments, compartments_given
from .xarray_parts import Parts

if TYPE_CHECKING:
    import xarray


def to_xarray(thing: Any, *, compartments: Compartments | None = None) -> xarray.Dataset:
    """A result as an xarray dataset.

    Values are those of the source, not copied where that can be avoided; a recording on disk stays there until its
    values are asked for.

    Parameters
    ----------
    thing : object
        Compartments, synapses; a state or a gradient; a trace or a trajectory's gradient; the activity of a network; a
        run or runs; a SONATA report; anything else of dendrosim that has a ``table``, such as `dendrosim.Fidelity`,
        ``diagnostics.Audit``, ``diagnostics.PathGains`` or ``runs.AuditedRuns``, and tables themselves.
    compartments : Compartments, optional
        With a trace or a trajectory's gradient, which know numbers of compartments only: those that they are of, for
        cell, region, stage and path distance as coordinates, and for units: without them those of physical cells.

    Returns
    -------
    xarray.Dataset
        Its variables have the attributes ``units`` and ``long_name``; its own attributes say which version made it, of
        what, and the options and seeds that the object knows. All can be written to netCDF.

    Raises
    ------
    MissingDependencyError
        If xarray is not installed.
    ParameterError
        If the object is nothing of the kind.

    Examples
    --------
    >>> import numpy as np, dendrosim as ds
    >>> cell = ds.Morphology.load("ball_and_stick").compartments(ds.Passive(), max_length=50.0)
    >>> synapses = ds.Synapses.scatter(cell, 20, 5, seed=0)
    >>> found = ds.exchange.to_xarray(ds.steady_state(cell, synapses, np.ones((3, 25))))
    >>> found.voltage.dims, found.voltage.units
    (('stimulus', 'compartment'), 'mV')
    >>> found.voltage.sel(stimulus=1).where(found.path_distance > 100, drop=True).size
    8
    """
    try:
        import xarray
    except ImportError:
        raise MissingDependencyError(f"xarray is not installed: {how_to_get('xarray')}") from None
    parts = _parts(thing, compartments)
    return xarray.Dataset(parts.variables, parts.coordinates, parts.plain_attributes(type(thing).__name__))


def _parts(thing: Any, compartments: Compartments | None) -> Parts:
    """What the dataset is made of."""
    from . import xarray_cells, xarray_results

    known = {**xarray_cells.CONVERTERS, **xarray_results.CONVERTERS}
    traces = xarray_cells.WITHOUT_CELLS
    timed = next((kind for kind in type(thing).__mro__ if kind in traces), None)
    if compartments is not None:
        compartments_given("compartments", compartments)
        if timed is None:
            raise ParameterError("compartments= goes with a Trace or a TrajectoryGradient; leave it out")
    if timed is not None:
        return traces[timed](thing, compartments)
    kind = next((kind for kind in type(thing).__mro__ if kind in known), None)
    if kind is not None:
        return known[kind](thing)
    if xarray_results.has_table(thing):
        return xarray_results.of_table(thing)
    names = sorted(kind.__name__ for kind in {**known, **traces})
    raise ParameterError(
        f"{short(thing)} is nothing that to_xarray knows; it takes {', '.join(names)}, and every result of dendrosim "
        "with a table, such as Fidelity or Audit"
    )
