"""Models as SONATA circuits: `to_sonata`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import arguments
from ..about import __version__
from ..arguments import flag
from ..biophysics.time.inputs import Spikes
from ..biophysics.time.trace import Trace
from ..errors import ParameterError, choose
from ..hdf5 import folder_for
from ..morphology.swc import write_swc
from .sonata_cells import PER_CELL, CellType, Types, cell_types
from .sonata_circuit import SonataCircuit, circuit_of
from .sonata_dialects import DIALECTS, Dialect
from .sonata_edges import OUR_TEMPLATE, Edges, edge_populations
from .sonata_write import SIMULATION, Group, name_given, write_json, write_sonata, write_table

if TYPE_CHECKING:
    from ..biophysics.gates import Gate
    from ..biophysics.synapses import Synapses
    from ..biophysics.time.connections import Connections
    from ..biophysics.time.kinetics import Kinetics
    from ..morphology.compartments import Compartments
    from ..networks.network import Network
    from ..networks.neurons import Neurons

CONFIG = "circuit_config.json"
_FOLDERS = {
    "morphologies_dir": "morphologies",
    "biophysical_neuron_models_dir": "biophysical_neuron_dynamics",
    "point_neuron_models_dir": "point_neuron_dynamics",
    "synaptic_models_dir": "synapse_dynamics",
}


def to_sonata(
    model: Network | Neurons | Compartments | SonataCircuit,
    folder: str | Path,
    synapses: Synapses | None = None,
    *,
    connections: Connections | None = None,
    kinetics: str | Kinetics | Sequence[str | Kinetics] | None = None,
    integration: str | None = None,
    direction: str | None = None,
    gate: Gate | None = None,
    trace: Trace | None = None,
    spikes: Spikes | None = None,
    stimulus: int | None = None,
    population: str = "cells",
    external: str = "input",
    output: str = "output",
    reader: str = "libsonata",
    overwrite: bool = False,
) -> Path:
    """Write a model as a SONATA circuit: nodes, edges, morphologies and parameters under one configuration.

    Parameters
    ----------
    model : Network, Neurons, Compartments or SonataCircuit
    folder : str or Path
        Folder to write into; made where it does not exist.
    synapses : Synapses, optional
        With compartments.
    connections : Connections, optional
        With compartments or neurons: edges from cells, with delays. Those to inputs without synapses open nothing and
        are not written.
    kinetics : time course or name, tuple of two, or list of n_synapses, optional
        With compartments or neurons; as for `dendrosim.simulate`, with the same default.
    integration, direction : str, optional
        With compartments: as for `dendrosim.steady_state`, with the same defaults.
    gate : Gate, optional
        With compartments.
    trace : Trace, optional
        A simulation of these cells: written as reports of voltage and spikes, with a ``simulation_config.json``.
    spikes : Spikes, optional
        With `trace`: what came from outside.
    stimulus : int, optional
        Which one of `trace` and `spikes`; needed where there are several, since SONATA knows no batches.
    population : str, default "cells"
        Name of the cells that have no population of their own.
    external, output : str, default "input" and "output"
        Names of the populations of external inputs, and of what reads the somas.
    reader : {"libsonata", "bmtk"}, default "libsonata"
        Whose words are used where readers differ. ``"bmtk"``: words of nodes stand in the tables of types alone, and
        the simulation is one that BioNet runs; only for reconstructions that it can build.
    overwrite : bool, default False
        Replace the files of a circuit that is there; a ``simulation_config.json`` of that one is removed.

    Returns
    -------
    Path
        The circuit's configuration, ``circuit_config.json``, which is written last.

    Raises
    ------
    ParameterError
        If the model is something else, a name cannot be used, a time course is one of your own, `reader` cannot read
        such a circuit, or there is one already.
    OSError
        If a file cannot be written.

    See Also
    --------
    from_sonata : read it back.

    Notes
    -----
    The layout is that of the SONATA developer guide, version 0.1 (Dai et al., PLoS Comput Biol 16:e1007696, 2020).
    ``syn_weight`` is in uS in physical units, and in units of the leak in normalised ones; delays are in ms. Cells that
    follow from a reconstruction and uniform densities are ``biophysical``. Others, normalised trees and networks among
    them, are ``point_neuron`` with the template ``dendrosim:tree``: the format has no kind of node for a tree that is
    no reconstruction, and no other simulator builds them.

    Examples
    --------
    >>> import tempfile, dendrosim as ds
    >>> cell = ds.Morphology.load("ball_and_stick").compartments(ds.Passive(), max_length=50.0)
    >>> synapses = ds.Synapses.scatter(cell, 20, 5)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     ds.exchange.from_sonata(ds.exchange.to_sonata(cell, folder, synapses))
    <SonataCircuit: 1 cells, 25 external inputs, 25 synapses; shunting, reciprocal>
    """
    options: dict[str, Any] = {"connections": connections, "kinetics": kinetics, "integration": integration}
    options |= {"direction": direction, "gate": gate}
    circuit = circuit_of(model, synapses, options, name_given("population", population))
    names = _names(circuit, external, output)
    dialect = DIALECTS[choose("reader", reader, DIALECTS)]()
    place = Path(arguments.path("folder", folder))
    config = place / CONFIG
    replace = flag("overwrite", overwrite)
    if place.is_file():
        raise ParameterError(f"folder={str(place)!r} is a file; name a folder")
    if config.exists() and not replace:
        raise ParameterError(f"{config} exists; give another folder, or overwrite=True to replace the circuit")
    if trace is None and (spikes is not None or stimulus is not None):
        raise ParameterError("spikes= and stimulus= belong to a simulation; give trace=, or use to_sonata_spikes")
    if trace is not None:
        from .sonata_simulation import check_simulation, first_voltage

        check_simulation(trace, spikes, stimulus, circuit)
    types = cell_types(circuit)
    dialect.check(types, None if trace is None else first_voltage(trace, stimulus))
    edges = edge_populations(circuit, external, output)
    folder_for(config)
    for old in (config, place / SIMULATION):  # what is half written is no circuit, nor is a simulation of another one
        old.unlink(missing_ok=True)
    sizes = {name: len(cells) for name, cells in circuit.populations.items()} | {external: circuit.n_external}
    sizes |= {name: len(bias) for name, (_, bias) in zip(names["decoder"], circuit.decoder, strict=True)}
    _components(place / "components", types, edges)
    for name, cells in circuit.populations.items():
        _write_cells(place / "networks", name, cells, circuit, types, dialect)
    _write_plain(place / "networks", external, "virtual", None, np.empty((circuit.n_external, 0)), dialect)
    for i, (name, (_, bias)) in enumerate(zip(names["decoder"], circuit.decoder, strict=True)):
        kind = "linear" if i == len(circuit.decoder) - 1 else "rectified"
        _write_plain(place / "networks", name, "point_neuron", f"{OUR_TEMPLATE}{kind}", bias[:, None], dialect)
    for one in edges:
        content = one.content(sizes[one.source], sizes[one.target])
        write_sonata(place / "networks" / f"{one.name}_edges.h5", content)
        write_table(place / "networks" / f"{one.name}_edge_types.csv", one.types)
    write_json(place / "node_sets.json", {name: {"population": name} for name in sizes})
    if trace is not None:
        from .sonata_simulation import write_simulation

        write_simulation(place, trace, spikes, stimulus, circuit, external, dialect)
    kinds = dict.fromkeys(sizes, "point_neuron") | {external: "virtual"}
    kinds |= {
        name: "biophysical"
        for name, cells in circuit.populations.items()
        if all(types.types[types.of_cell[k]].biophysical for k in cells)
    }
    own = {"n_inputs": circuit.synapses.n_inputs, "n_synapses": circuit.synapses.size}
    write_json(config, _config(kinds, edges, own, dialect))
    return config


def _names(circuit: SonataCircuit, external: str, output: str) -> dict[str, list[str]]:
    """Names of all populations, checked."""
    name_given("external", external)
    name_given("output", output)
    cells = [name_given("population", name) for name in circuit.populations]
    last = len(circuit.decoder) - 1
    decoder = [output if i == last else f"{output}_hidden{i + 1}" for i in range(len(circuit.decoder))]
    every = [*cells, external, *decoder]
    twice = next((name for name in every if every.count(name) > 1), None)
    if twice is not None:
        raise ParameterError(
            f"two populations would be called {twice!r}; choose other names with population=, external= and output="
        )
    return {"cells": cells, "decoder": decoder}


def _components(folder: Path, types: Types, edges: Sequence[Edges]) -> None:
    for name in _FOLDERS.values():
        (folder / name).mkdir(parents=True, exist_ok=True)
    for name, samples in types.swc.items():
        write_swc(samples, folder / "morphologies" / f"{name}.swc")
    for kind in types.types:
        write_json(folder / _folder_of(kind) / f"{kind.parameters}.json", kind.content)
    for one in edges:
        for name, parameters in one.parameters.items():
            write_json(folder / "synapse_dynamics" / f"{name}.json", parameters)


def _folder_of(kind: CellType) -> str:
    return _FOLDERS["biophysical_neuron_models_dir" if kind.biophysical else "point_neuron_models_dir"]


def _write_cells(folder: Path, name: str, cells: range, circuit: SonataCircuit, types: Types, dialect: Dialect) -> None:
    """Nodes of a population that is simulated."""
    numbers = [types.of_cell[k] for k in cells]
    used = [types.types[t] for t in dict.fromkeys(numbers)]
    type_id = {t: i for i, t in enumerate(dict.fromkeys(numbers))}
    group: dict[str, Any] = {}
    if all(kind.morphology is not None for kind in used):
        somas = np.array([circuit.cells[k].xyz[0] for k in cells])
        group |= {axis: somas[:, i] for i, axis in enumerate("xyz")}
    own = _own_parameters(cells, circuit, [types.types[t] for t in numbers])
    if own:
        group["dynamics_params"] = own
    rows = []
    for i, kind in enumerate(used):
        rows.append(
            {
                "node_type_id": i,
                "population": name,
                "model_type": kind.model_type,
                "model_template": kind.template,
                "model_processing": "fullaxon" if kind.biophysical else None,
                "morphology": kind.morphology,
                "dynamics_params": f"{kind.parameters}.json",
                "units": "physical" if circuit.cells[cells[0]].physical else "normalised",
                "integration": circuit.integration,
                "direction": circuit.direction,
            }
        )
    _write_nodes(folder, name, [type_id[t] for t in numbers], group, rows, dialect)


def _own_parameters(cells: range, circuit: SonataCircuit, kinds: Sequence[CellType]) -> dict[str, Any]:
    """Couplings and gates of every node, where nodes differ from what their type lists."""
    largest = max(kind.size for kind in kinds)
    found: dict[str, Any] = {}
    for key in PER_CELL:
        values = np.full((len(cells), largest), np.nan)
        differs = False
        for row, (k, kind) in enumerate(zip(cells, kinds, strict=True)):
            if kind.biophysical or key not in kind.content:
                continue
            first = int(circuit.roots[k])
            array = circuit.cells[k].coupling if key == "coupling" else getattr(circuit, key)[first : first + kind.size]
            values[row, : kind.size] = array
            differs = differs or not np.array_equal(array, kind.content[key])
        if differs:
            found |= {f"{key}_{c}": values[:, c].copy() for c in range(key == "coupling", largest)}
    return found


def _write_plain(folder: Path, name: str, model_type: str, template: str | None, bias: Any, dialect: Dialect) -> None:
    """Nodes without cells: external inputs, and what reads the somas."""
    group = {"dynamics_params": {"bias": bias[:, 0]}} if bias.size else {}
    row = {"node_type_id": 0, "population": name, "model_type": model_type, "model_template": template}
    _write_nodes(folder, name, [0] * len(bias), group, [row], dialect)


def _write_nodes(
    folder: Path,
    name: str,
    type_id: Sequence[int],
    group: dict[str, Any],
    rows: Sequence[dict[str, Any]],
    dialect: Dialect,
) -> None:
    n = len(type_id)
    content = {
        "node_id": np.arange(n, dtype=np.uint64),
        "node_type_id": np.array(type_id, np.uint64),
        "node_group_id": np.zeros(n, np.uint32),
        "node_group_index": np.arange(n, dtype=np.uint64),
        "0": group | (_words(type_id, rows) if dialect.in_nodes else {}),
    }
    write_sonata(folder / f"{name}_nodes.h5", {"nodes": Group({name: content}, {})})
    write_table(folder / f"{name}_node_types.csv", rows)


def _words(type_id: Sequence[int], rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Words of the types for every node, by number, with the library of words beside them."""
    numbers: dict[str, Any] = {}
    library: dict[str, list[Any]] = {}
    for key in ("model_type", "model_template", "morphology"):
        words = [row.get(key) for row in rows]
        if None not in words:
            library[key] = list(dict.fromkeys(words))
            numbers[key] = np.array([library[key].index(word) for word in words], np.uint32)[np.asarray(type_id, int)]
    return {**numbers, "@library": library}


def _config(kinds: dict[str, str], edges: Sequence[Edges], own: dict[str, int], dialect: Dialect) -> dict[str, Any]:
    """The configuration that ties everything together; `kinds` are those of the node populations, `own` is for us."""
    files = [
        {
            "nodes_file": f"$NETWORK_DIR/{name}_nodes.h5",
            "node_types_file": f"$NETWORK_DIR/{name}_node_types.csv",
            "populations": {name: {"type": kind}},
        }
        for name, kind in kinds.items()
    ]
    wiring = [
        {
            "edges_file": f"$NETWORK_DIR/{one.name}_edges.h5",
            "edge_types_file": f"$NETWORK_DIR/{one.name}_edge_types.csv",
            "populations": {one.name: {"type": "chemical"}},
        }
        for one in edges
    ]
    return {
        "version": 2,
        "manifest": {
            "$BASE_DIR": dialect.base,
            "$NETWORK_DIR": "$BASE_DIR/networks",
            "$COMPONENT_DIR": "$BASE_DIR/components",
        },
        "target_simulator": "NEURON",
        "components": {key: f"$COMPONENT_DIR/{name}" for key, name in _FOLDERS.items()},
        "node_sets_file": "$BASE_DIR/node_sets.json",
        "networks": {"nodes": files, "edges": wiring},
        "program": f"dendrosim {__version__}",
        "dendrosim": own,
    }
