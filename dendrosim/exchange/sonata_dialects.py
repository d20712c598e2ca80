"""What the tools that read SONATA circuits want said in words of their own: strategies, by the name of the reader."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from ..errors import ParameterError
from .sonata_cells import Types


class Dialect(Protocol):
    """How a circuit and its simulation are worded.

    Attributes
    ----------
    base : str
        What stands for the folder of a configuration.
    output : str
        Folder that a run of the simulation writes into.
    in_nodes : bool
        Whether nodes say the words of their types once more, by number.
    """

    base: str
    output: str
    in_nodes: bool

    def check(self, types: Types, begin: NDArray[np.float64] | None) -> None:
        """See that the reader can take these cells, and a simulation that begins with these voltages.

        Raises
        ------
        ParameterError
            If it cannot.
        """

    def settings(self, end: float, dt: float, begin: float | None) -> dict[str, Any]:
        """Blocks ``run`` and ``conditions``; `begin` is the voltage of all compartments, if it is one in mV."""

    def spikes(self, end: float, cells: str, external: str) -> dict[str, Any]:
        """How a block of ``inputs`` names the spikes that came from outside."""

    def report(self, common: dict[str, Any], unit: str, step: float, frames: int) -> dict[str, Any]:
        """A block of ``reports`` of voltage."""


class Libsonata:
    """libsonata and the simulators of the Blue Brain Project: output is that of the simulation that was written."""

    base, output, in_nodes = ".", "output", True

    def check(self, types: Types, begin: NDArray[np.float64] | None) -> None:
        """It reads every circuit."""

    def settings(self, end: float, dt: float, begin: float | None) -> dict[str, Any]:
        """Blocks ``run`` and ``conditions``."""
        conditions = {} if begin is None else {"v_init": begin}
        return {"run": {"tstop": end, "dt": dt, "random_seed": 0}, "conditions": conditions}

    def spikes(self, end: float, cells: str, external: str) -> dict[str, Any]:
        """How a block of ``inputs`` names the spikes that came from outside."""
        block = {"input_type": "spikes", "module": "synapse_replay", "spike_file": "$INPUT_DIR/spikes.h5"}
        return {**block, "delay": 0.0, "duration": end, "node_set": cells, "source": external}

    def report(self, common: dict[str, Any], unit: str, step: float, frames: int) -> dict[str, Any]:
        """A block of ``reports`` of voltage."""
        when = {"dt": step, "start_time": 0.0, "end_time": step * frames}
        return {**common, "type": "compartment", "unit": unit, **when}


class Bmtk:
    """The Brain Modeling Toolkit (BioNet, 1.2): it runs the simulation again, beside the output that was written."""

    base, output, in_nodes = "${configdir}", "output_bmtk", False  # numbers of words would hide the words of the types

    def check(self, types: Types, begin: NDArray[np.float64] | None) -> None:
        """Cells must be built from reconstructions, and begin everywhere at one voltage."""
        if not all(kind.biophysical for kind in types.types):
            raise ParameterError(
                "reader='bmtk': BMTK builds reciprocal, passive reconstructions alone, and a cell is none; "
                "reader='libsonata' writes every circuit"
            )
        if begin is not None and np.ptp(begin) > 0:
            raise ParameterError(
                f"reader='bmtk': BMTK begins at one voltage everywhere, this at {begin.min():g} to {begin.max():g} mV "
                f"(trace=); begin with initial={begin.mean():.4g} in ds.simulate, or leave it out"
            )

    def settings(self, end: float, dt: float, begin: float | None) -> dict[str, Any]:
        """Blocks ``run`` and ``conditions``."""
        run = {"tstop": end, "dt": dt, "dL": None, "nsteps_block": 5000}  # sections are cut by model_processing
        return {"run": run, "conditions": {"v_init": begin, "celsius": 6.3}}  # nothing here depends on temperature

    def spikes(self, end: float, cells: str, external: str) -> dict[str, Any]:
        """How a block of ``inputs`` names the spikes that came from outside."""
        block = {"input_type": "spikes", "module": "sonata", "input_file": "$INPUT_DIR/spikes.h5"}
        return {**block, "node_set": external}

    def report(self, common: dict[str, Any], unit: str, step: float, frames: int) -> dict[str, Any]:
        """A block of ``reports`` of voltage."""
        return {**common, "module": "membrane_report"}


DIALECTS: dict[str, type[Dialect]] = {"libsonata": Libsonata, "bmtk": Bmtk}
"""Dialects by the name of the reader."""
