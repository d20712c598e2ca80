"""One entry of NeuroMorpho.Org: what is known about a neuron."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from ...arguments import mapping, short, whole
from ...errors import DataError, ParameterError
from ...shown import Shown, clean
from .names import check_name

_DOI = re.compile(r"10\.\d{4,9}/[^\s\"<>{}]{1,200}")
_PMID = re.compile(r"\d{1,9}")
NAMED = ("neuron_id", "neuron_name", "archive")
"""What the API calls the fields that are attributes of a neuron."""
_HIDDEN = ("_links",)
_LARGEST_ID = 10**12
Metadata = Mapping[str, str | tuple[str, ...] | None]


@dataclass(frozen=True)
class Neuron(Shown):
    """What NeuroMorpho.Org knows about a neuron; its file is fetched by `fetch` and read by `load`.

    Attributes
    ----------
    id : int
        The NeuroMorpho.Org ID.
    name : str
        Unique there.
    archive : str
        Who contributed it.
    metadata : mapping
        All other fields by the names that NeuroMorpho.Org gives them: text, several texts, or None. Lengths are in um,
        areas in um2, volumes in um3, magnifications and ages as told there. Control characters are taken out.

    Raises
    ------
    ParameterError
        If the identifier is no whole number, a name cannot be one, or the metadata are something else.
    """

    id: int
    name: str
    archive: str
    metadata: Metadata = field(default_factory=dict, repr=False, hash=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "id", whole("id", self.id, least=0, most=_LARGEST_ID))
        check_name("name", self.name)
        check_name("archive", self.archive)
        hint = "such as {'species': 'mouse'}"
        told = {key: _field(key, value) for key, value in mapping("metadata", self.metadata, hint).items()}
        object.__setattr__(self, "metadata", MappingProxyType(told))

    def __reduce__(self) -> tuple[Any, ...]:
        return Neuron, (self.id, self.name, self.archive, dict(self.metadata))

    @property
    def species(self) -> str:
        """Species, such as ``"mouse"``."""
        return self._one("species")

    @property
    def brain_region(self) -> tuple[str, ...]:
        """Regions, from the largest to the smallest."""
        return self._several("brain_region")

    @property
    def cell_type(self) -> tuple[str, ...]:
        """Types of cell."""
        return self._several("cell_type")

    @property
    def doi(self) -> tuple[str, ...]:
        """DOIs of the papers that describe the reconstruction."""
        return tuple(found.group() for text in self._several("reference_doi") if (found := _DOI.search(text)))

    @property
    def pmid(self) -> tuple[str, ...]:
        """PubMed identifiers of the papers that describe the reconstruction."""
        return tuple(text for text in self._several("reference_pmid") if _PMID.fullmatch(text))

    @property
    def nmo_id(self) -> str:
        """The identifier to cite, such as ``NMO_00001``."""
        return f"NMO_{self.id:05d}"

    @property
    def facts(self) -> dict[str, str]:
        """What matters before one simulates it, and what to cite; only what is told."""
        rows = {
            "name": f"{self.name} ({self.nmo_id})",
            "archive": self.archive,
            "species": self.species,
            "brain region": ", ".join(self.brain_region),
            "cell type": ", ".join(self.cell_type),
            "original format": self._one("original_format"),
            "domain": self._one("domain"),
            "attributes": self._one("attributes"),
            "physical integrity": self._one("physical_Integrity"),
            "doi": ", ".join(self.doi),
            "pmid": ", ".join(self.pmid),
            "note": self._one("note"),
        }
        return {key: clean(value) for key, value in rows.items() if value}

    def __str__(self) -> str:
        return "\n".join(f"{key:<18}  {value}" for key, value in self.facts.items())

    def _several(self, key: str) -> tuple[str, ...]:
        value = self.metadata.get(key)
        return () if value is None else value if isinstance(value, tuple) else (value,)

    def _one(self, key: str) -> str:
        return ", ".join(self._several(key))


def neuron_from(entry: object, source: str) -> Neuron:
    """A neuron from what a server or a file says about one.

    Parameters
    ----------
    entry : object
        What JSON gave.
    source : str
        Where it is from, for the message.

    Raises
    ------
    DataError
        If there is no identifier, name or archive, or one that could not be.
    """
    if not isinstance(entry, Mapping):
        raise DataError(f"{source} has {short(entry)} in place of a neuron; it is not used")
    told = {clean(key, 60): _plain(value) for key, value in list(entry.items())[:200]}
    rest = {key: value for key, value in told.items() if key not in (*NAMED, *_HIDDEN)}
    try:
        identifier = whole("neuron_id", entry.get("neuron_id"), least=0, most=_LARGEST_ID)
        name, archive = (check_name(key, entry.get(key)) for key in NAMED[1:])
    except ParameterError as error:
        raise DataError(f"{source} has a neuron that could not be: {error}; it is not used") from error
    return Neuron(identifier, name, archive, rest)


def _field(key: str, value: object) -> str | tuple[str, ...] | None:
    several = tuple(value) if isinstance(value, list | tuple) else ()
    if value is None or isinstance(value, str):
        return value
    if not isinstance(value, list | tuple) or not all(isinstance(item, str) for item in several):
        raise ParameterError(f"metadata[{short(key)}]={short(value)} must be text, several texts, or None")
    return several


def _plain(value: Any) -> str | tuple[str, ...] | None:
    """Text, several texts, or nothing; numbers as text, as NeuroMorpho.Org gives most of them."""
    if value is None or isinstance(value, Mapping):
        return None
    if isinstance(value, list | tuple):
        return tuple(clean(item) for item in value[:100] if item is not None)
    return clean(value, 2000)
