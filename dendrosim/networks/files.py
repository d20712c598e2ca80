"""Networks in HDF5 files, whole: trees with their shapes, connectivity, parameters, candidates."""

from __future__ import annotations

import os
from json import dumps
from typing import Any

import numpy as np

from ..arguments import short
from ..errors import FileFormatError
from ..hdf5 import read_hdf5, write_hdf5
from ..hdf5_reader import table_of
from ..morphology.compartments import Compartments
from ..morphology.samples import Samples
from ..morphology.tree import Morphology
from .decoders import DECODERS
from .layout import Population, Projection
from .network import Network
from .stored import dendritic, state_of

Content = dict[str, Any]

SCHEMA = 1
_TREE = ("leak", "coupling", "capacitance", "region", "stage", "path_distance", "area", "length", "xyz")
_OUTLINE = ("start", "points", "radius", "pieces", "of_piece")


def save(network: Network, path: str | os.PathLike[str]) -> None:
    """Write a network to a file; see `content`."""
    write_hdf5(path, content(network), {"kind": "network", "schema": SCHEMA})


def load(path: str | os.PathLike[str]) -> Network:
    """Read a network.

    Raises
    ------
    FileFormatError
        If the file holds none, or one of a newer version.
    """
    found, attributes = read_hdf5(path)
    if attributes.get("kind") != "network":
        raise FileFormatError(
            f"{path} holds no network (its kind is {short(attributes.get('kind'))}); a run is read by "
            "ds.Run.load(path), its network is run.network"
        )
    if attributes.get("schema") != SCHEMA:
        raise FileFormatError(f"{path} has schema {short(attributes.get('schema'))}; this version reads {SCHEMA}")
    return network(found, os.fspath(path))


def content(network: Network) -> Content:
    """A network as nested mappings of arrays and text, for `hdf5.write_hdf5`."""
    cells = [cell for p in network.layout.populations for cell in p.cells]
    distinct = list({id(cell): cell for cell in cells}.values())
    number = {id(cell): i for i, cell in enumerate(distinct)}
    settings = {
        "n_inputs": network.n_inputs,
        "n_outputs": network.n_outputs,
        "integration": network.integration,
        "gates": bool(network.gated.any()),
        "positive": network.positive,
        "connectivity": network.connectivity.kind,
        "initialisation": network.initialisation,
        "seed": network.seed,
        "dtype": network.dtype.name,
        "decoder": {"name": network.decoder.name, **network.decoder.options()},
        "populations": [[p.name, [number[id(cell)] for cell in p.cells]] for p in network.layout.populations],
        "projections": [[p.source, p.target, int(p.sign), int(p.synapses), p.onto] for p in network.layout.projections],
        "readout": sorted(
            {network.layout.populations[network.layout.population[c]].name for c in network.layout.readout}
        ),
    }
    return {
        "settings": dumps(settings),
        "trees": {str(i): tree_content(cell) for i, cell in enumerate(distinct)},
        "state": network.state(),
    }


def network(found: Content, where: str) -> Network:
    """The network that `content` described.

    Parameters
    ----------
    found : dict
    where : str
        The file, for messages.
    """
    try:
        settings = table_of(found["settings"], f"{where}: settings of the network")
        trees = [tree_of(found["trees"][str(i)]) for i in range(len(found["trees"]))]
        options = {k: settings[k] for k in ("integration", "gates", "positive", "connectivity", "initialisation")}
        state = state_of(found, where)
        dendritic(settings, trees, state, where)
        decoder = dict(settings["decoder"])
        made = Network(
            settings["n_inputs"],
            settings["n_outputs"],
            [Population(name, tuple(trees[i] for i in numbers)) for name, numbers in settings["populations"]],
            [Projection(*p) for p in settings["projections"]],
            settings["readout"],
            decoder=DECODERS[decoder.pop("name")](**decoder),
            seed=settings["seed"],
            dtype=settings["dtype"],
            _state=state,
            **options,
        )
    except FileFormatError:
        raise
    except (AttributeError, KeyError, TypeError, ValueError, IndexError) as error:
        raise FileFormatError(
            f"{where} holds no whole network ({short(error, 300)}); restore it from a copy"
        ) from error
    return made


def tree_content(cell: Compartments) -> Content:
    """A tree as nested mappings of arrays, its shape for drawing included."""
    tree: Content = {"parent": cell.parent, "physical": np.array(cell.physical), **{n: getattr(cell, n) for n in _TREE}}
    tree["leak_reversal"] = np.array(cell.leak_reversal)
    morphology = cell.morphology
    if morphology is not None and cell._outline is not None:
        samples = morphology.samples
        tree["morphology"] = {
            "name": morphology.name or "",
            **{name: getattr(samples, name) for name in ("id", "type", "xyz", "radius", "parent")},
            "sample_compartment": cell._sample_compartment,
            **{f"outline_{name}": part for name, part in zip(_OUTLINE, cell._outline, strict=True)},
        }
    return tree


def tree_of(tree: Content) -> Compartments:
    """The tree that `tree_content` described."""
    options: Content = {name: tree[name] for name in _TREE}
    if "morphology" in tree:
        shape = tree["morphology"]
        samples = Samples(*(shape[name] for name in ("id", "type", "xyz", "radius", "parent")))
        options["morphologies"] = (Morphology(samples, name=shape["name"]),)
        options["sample_compartment"] = shape["sample_compartment"]
        options["outline"] = tuple(shape[f"outline_{name}"] for name in _OUTLINE)
    return Compartments(
        tree["parent"], physical=bool(tree["physical"]), leak_reversal=float(tree["leak_reversal"]), **options
    )
