"""SONATA circuits as models: `from_sonata`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .. import arguments
from ..errors import FileFormatError
from ..hdf5_reader import table_of
from ..morphology.compartments import Compartments
from ..morphology.tree import Morphology
from .sonata_cells import PER_CELL, TREE, cell_of
from .sonata_circuit import SonataCircuit
from .sonata_populations import edge_or_node_populations
from .sonata_wiring import Table, Wiring
from .sonata_write import NULL, read_table

_MOST_VARIABLES, _LONGEST = 100, 4096
"""Variables of a manifest, and characters of a path."""
_OURS = "it was not written by ds.exchange.to_sonata; libsonata reads circuits of other tools"


def from_sonata(config: str | Path) -> SonataCircuit:
    """Read a circuit that `to_sonata` wrote: cells from morphologies and parameters, synapses from edges.

    Parameters
    ----------
    config : str or Path
        ``circuit_config.json``.

    Returns
    -------
    SonataCircuit
        Its `compartments` and `synapses` go into `dendrosim.steady_state` and `dendrosim.simulate`.

    Raises
    ------
    OSError
        If a file is missing.
    FileFormatError
        If a file is damaged, or the circuit comes from another tool: how cells are cut into compartments is nothing
        that SONATA says.

    See Also
    --------
    to_sonata : write one.
    """
    return _Reader(Path(arguments.path("config", config))).circuit()


class _Reader:
    def __init__(self, path: Path) -> None:
        self.path = path
        found = _table(path)
        manifest = found.get("manifest", {})
        if not isinstance(manifest, dict) or len(manifest) > _MOST_VARIABLES:
            raise FileFormatError(f"{path}: its manifest is no table of a few variables")
        self.variables: dict[str, str] = {"${configdir}": "."} | {name: str(value) for name, value in manifest.items()}
        for _ in range(len(manifest)):
            self.variables = {name: self.replaced(text, name) for name, text in self.variables.items()}
        if not str(found.get("program", "")).startswith("dendrosim"):
            raise FileFormatError(f"{path}: {_OURS}")
        try:
            self.nodes = [
                (self.place(f["nodes_file"]), self.place(f["node_types_file"])) for f in _files(found, "nodes")
            ]
            self.edges = [
                (self.place(f["edges_file"]), self.place(f["edge_types_file"])) for f in _files(found, "edges")
            ]
            self.n_inputs, self.n_synapses = (int(found["dendrosim"][name]) for name in ("n_inputs", "n_synapses"))
            self.folders = {name: self.place(value) for name, value in found["components"].items()}
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise FileFormatError(f"{path} is no whole circuit configuration ({error!r})") from error

    def place(self, text: str) -> Path:
        """A path of the configuration, which is relative to its folder."""
        return self.path.parent / self.replaced(text)

    def replaced(self, text: str, but: str | None = None) -> str:
        """A text with the variables of the manifest put in, the longest names first."""
        for name in sorted(self.variables, key=len, reverse=True):
            if name != but and name:
                text = text.replace(name, self.variables[name])
            if len(text) > _LONGEST:
                raise FileFormatError(f"{self.path}: the variables of its manifest lead to no path")
        return text

    def circuit(self) -> SonataCircuit:
        try:
            return self._circuit()
        except FileFormatError:
            raise
        except (ArithmeticError, AttributeError, LookupError, StopIteration, TypeError, ValueError) as error:
            raise FileFormatError(f"{self.path} belongs to no whole circuit ({error!r}): {_OURS}") from error

    def _circuit(self) -> SonataCircuit:
        cells: list[Compartments] = []
        gates: list[tuple[NDArray[Any], NDArray[Any]] | None] = []
        populations: dict[str, range] = {}
        plain: dict[str, tuple[int, NDArray[Any] | None]] = {}
        rows: list[dict[str, str]] = []
        for file, table in self.nodes:
            types = read_table(table.read_text(encoding="utf-8"))
            for (name, _, group, _), _ in edge_or_node_populations(file, "nodes"):
                kinds = {int(row["node_type_id"]): row for row in types if row["population"] == name}
                template = next(iter(kinds.values()))["model_template"]
                if not any(row.get("dynamics_params", NULL) != NULL for row in kinds.values()):
                    bias = group["0"].get("dynamics_params", {}).get("bias")
                    plain[name] = (group["node_type_id"].size, None if template == NULL else bias)
                    continue
                first = len(cells)
                for one, gate in self._cells(group, kinds):
                    cells.append(one)
                    gates.append(gate)
                populations[name] = range(first, len(cells))
                rows += kinds.values()
        external = next(name for name, (_, bias) in plain.items() if bias is None)
        gated = all(gate is not None for gate in gates)
        if not gated and any(gate is not None for gate in gates):
            raise FileFormatError(f"{self.path}: some of its cells have gates (slope, midpoint) and others have none")
        slope, midpoint = (np.concatenate([g[i] for g in gates if g]) if gated else None for i in (0, 1))
        wiring = Wiring(cells, populations, external, plain[external][0], self.n_inputs)
        for file, table in self.edges:
            types = read_table(table.read_text(encoding="utf-8"))
            for (name, _, group, _), ends in edge_or_node_populations(file, "edges"):
                kinds = {int(row["edge_type_id"]): row for row in types if row["population"] == name}
                parameters = {
                    k: _table(self.folders["synaptic_models_dir"] / row["dynamics_params"])
                    for k, row in kinds.items()
                    if row.get("dynamics_params", NULL) != NULL
                }
                wiring.add(Table(*ends, group, kinds, parameters))
        biases = {name: bias for name, (_, bias) in plain.items() if bias is not None}
        return wiring.circuit(slope, midpoint, rows[0], biases, self.n_synapses)

    def _cells(self, group: dict[str, Any], kinds: dict[int, dict[str, str]]) -> list[tuple[Compartments, Any]]:
        """Cells of a population, and their gates."""
        made: dict[int, tuple[Compartments, dict[str, Any]]] = {}
        for number, row in kinds.items():
            tree = row["model_template"] == TREE
            folder = self.folders["point_neuron_models_dir" if tree else "biophysical_neuron_models_dir"]
            where = folder / row["dynamics_params"]
            content = _table(where)
            shape = None
            if row["morphology"] != NULL:
                shape = Morphology.load(self.folders["morphologies_dir"] / f"{row['morphology']}.swc")
            made[number] = cell_of(content, row["model_template"], shape, str(where)), content
        own = group["0"].get("dynamics_params", {})
        out = []
        for node, number in enumerate(group["node_type_id"].tolist()):
            cell, content = made[number]
            n = cell.size
            values: dict[str, Any] = {}
            for key in PER_CELL:
                names = [f"{key}_{c}" for c in range(key == "coupling", n)]
                if key in content:
                    values[key] = np.array(content[key], np.float64)
                    if names and names[0] in own:
                        values[key][n - len(names) :] = [own[name][node] for name in names]
            if "coupling" in values and not np.array_equal(values["coupling"], cell.coupling):
                changed = {**content, "coupling": values["coupling"]}
                again = "axial_resistance" in content  # else it follows from the couplings
                cell = (
                    cell.with_(coupling=values["coupling"]) if again else cell_of(changed, TREE, None, self.path.name)
                )
            if (
                not all(np.isfinite(array).all() for array in values.values())
                or (np.asarray(values.get("slope", 0.0)) < 0).any()
            ):
                raise ValueError(f"couplings or gates of node {node} are not finite, or a slope is negative")
            out.append((cell, (values["slope"], values["midpoint"]) if "slope" in values else None))
        return out


def _table(path: Path) -> dict[str, Any]:
    return table_of(path.read_bytes(), str(path))


def _files(found: dict[str, Any], kind: str) -> list[dict[str, str]]:
    made = found["networks"][kind]
    if not isinstance(made, list):
        raise TypeError(f"networks/{kind} is no list")
    return made
