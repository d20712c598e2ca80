"""The kinds of network that can be trained: how each learns, is described, stored and read."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..arguments import short
from ..errors import FileFormatError, ParameterError
from ..hdf5_reader import table_of
from ..networks.mlp import PointMLP
from ..networks.network import Network
from ..networks.neurons import Neurons
from ..networks.residual import ResidualNetwork

Content = dict[str, Any]


@dataclass(frozen=True)
class Kind:
    """A kind of network.

    Attributes
    ----------
    name : str
        In files.
    type : type
    learner : callable
        Makes a learner from the network and keyword arguments.
    content : callable
        The network as nested mappings, for `hdf5.write_hdf5`.
    read : callable
        The network from such mappings and the name of the file, for messages.
    settings : callable
        What it is, from its content, as plain values.
    """

    name: str
    type: type
    learner: Callable[..., Any]
    content: Callable[[Any], Content]
    read: Callable[[Content, str], Any]
    settings: Callable[[Content], Content]


def _learner(network: Any, **options: Any) -> Any:
    from ..plasticity.learner import Learner

    return Learner(network, **options)


def _point_learner(network: Any, **options: Any) -> Any:
    from ..plasticity.point import PointLearner

    return PointLearner(network, **options)


def _neuron_learner(network: Any, **options: Any) -> Any:
    from ..plasticity.neuron import NeuronLearner

    return NeuronLearner(network, **options)


def _residual_learner(network: Any, **options: Any) -> Any:
    from ..plasticity.residual import ResidualLearner

    return ResidualLearner(network, **options)


def _content(network: Any) -> Content:
    from ..networks import files

    return files.content(network)


def _read(content: Content, where: str) -> Any:
    from ..networks import files

    return files.network(content, where)


def _settings(content: Content) -> Content:
    settings = table_of(content["settings"], "the text of settings of this network")
    settings["populations"] = {name: len(cells) for name, cells in settings["populations"]}
    return settings


DENDRITIC = Kind("dendritic", Network, _learner, _content, _read, _settings)
POINT_MLP = Kind(
    "point_mlp",
    PointMLP,
    _point_learner,
    PointMLP.content,
    lambda content, where: PointMLP.from_content(content),
    lambda content: dict(content["options"]),
)
NEURONS = Kind(
    "neurons",
    Neurons,
    _neuron_learner,
    Neurons.content,
    lambda content, where: Neurons.from_content(content),
    lambda content: table_of(content["settings"], "the text of settings of these neurons"),
)
RESIDUAL = Kind(
    "residual",
    ResidualNetwork,
    _residual_learner,
    ResidualNetwork.content,
    lambda content, where: ResidualNetwork.from_content(content),
    lambda content: {"architecture": str(content["kind"]), **table_of(content["options"], "its options")},
)
KINDS: dict[str, Kind] = {kind.name: kind for kind in (DENDRITIC, POINT_MLP, NEURONS, RESIDUAL)}


def kind_of(network: object) -> Kind:
    """The kind of a network.

    Raises
    ------
    ParameterError
        If it is none that can be trained.
    """
    for kind in KINDS.values():
        if isinstance(network, kind.type):
            return kind
    raise ParameterError(
        f"network must be a Network, such as ds.Network.dendritic(...), a PointMLP, Neurons or a ResMLP; got "
        f"{short(network)}"
    )


def kind_called(name: object, where: str) -> Kind:
    """The kind with this name in the file `where`.

    Raises
    ------
    FileFormatError
        If there is none.
    """
    if not isinstance(name, str) or name not in KINDS:
        raise FileFormatError(f"{where} holds a network of kind {short(name)}; this version reads {', '.join(KINDS)}")
    return KINDS[str(name)]


def described(network: Any) -> Content:
    """What a network is, with a hash of all that it holds."""
    kind = kind_of(network)
    content = kind.content(network)
    digest = hashlib.sha256()
    _update(digest, content)
    return {"kind": kind.name, **kind.settings(content), "hash": digest.hexdigest()}


def _update(digest: Any, content: Mapping[str, Any]) -> None:
    for name in sorted(content):
        value = content[name]
        digest.update(name.encode())
        if isinstance(value, Mapping):
            _update(digest, value)
        elif isinstance(value, str):
            digest.update(value.encode())
        else:
            array = np.ascontiguousarray(value)
            digest.update(f"{array.dtype.str}{array.shape}".encode())
            digest.update(array.data if array.dtype.kind != "U" else array.tobytes())
