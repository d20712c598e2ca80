"""What the pictures need to know of the things they draw."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from numpy.typing import NDArray

from ..morphology.samples import Samples

Segments = tuple[NDArray[Any], NDArray[Any], NDArray[Any], NDArray[Any], NDArray[Any]]


class HasSoma(Protocol):
    """Rows of the soma's samples, its centre and the radius of the sphere of equal area."""

    @property
    def convention(self) -> str: ...
    @property
    def rows(self) -> NDArray[Any] | Sequence[int]: ...
    @property
    def center(self) -> NDArray[Any]: ...
    @property
    def radius(self) -> float: ...


class MorphologyLike(Protocol):
    """A tree of sample points."""

    @property
    def samples(self) -> Samples: ...
    @property
    def soma(self) -> HasSoma | None: ...


class TreeLike(Protocol):
    """A forest of compartments, parents before children; positions not needed."""

    @property
    def size(self) -> int: ...
    @property
    def parent(self) -> NDArray[Any]: ...
    @property
    def region(self) -> NDArray[Any]: ...
    @property
    def path_distance(self) -> NDArray[Any]: ...
    @property
    def electrotonic_distance(self) -> NDArray[Any]: ...
    @property
    def stage(self) -> NDArray[Any]: ...
    @property
    def length(self) -> NDArray[Any]: ...
    @property
    def physical(self) -> bool: ...


class CompartmentsLike(TreeLike, Protocol):
    """Compartments with positions, that can be drawn in space."""

    @property
    def area(self) -> NDArray[Any]: ...
    @property
    def xyz(self) -> NDArray[Any]: ...
    def segments(self) -> Segments: ...


class SynapsesLike(Protocol):
    """Compartment and sign of every synapse."""

    @property
    def compartment(self) -> NDArray[Any]: ...
    @property
    def sign(self) -> NDArray[Any]: ...


class StateLike(Protocol):
    """A batch of steady states and the compartments they belong to."""

    @property
    def compartments(self) -> TreeLike: ...
    @property
    def attenuation_to_soma(self) -> NDArray[Any]: ...
