"""What this installation is, and what to cite for what was used."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TextIO

from .arguments import flag, short
from .errors import ParameterError
from .reference import reconstructions
from .references import REFERENCES, TOPICS

_PROJECT = Path(__file__).resolve().parent.parent / "pyproject.toml"
_THREADING = ("NUMBA_NUM_THREADS", "NUMBA_THREADING_LAYER", "NUMBA_CACHE_DIR", "OMP_NUM_THREADS", "OMP_WAIT_POLICY")

# Public names and the topics that always go with them; what depends on the object itself is in `_of_object`.
_OF_NAME: dict[str, tuple[str, ...]] = {
    "Morphology": ("swc",),
    "Compartments": ("cable",),
    "Passive": ("cable",),
    "Synapses": ("synapses",),
    "State": ("cable",),
    "Gradient": ("credit",),
    "steady_state": ("cable", "elimination"),
    "exact_gradient": ("credit", "elimination"),
    "transfer_resistance": ("elimination", "transfer_resistance"),
    "to_neuron": ("neuron",),
    "from_neuron": ("neuron",),
    "to_neuroml": ("neuroml",),
    "from_neuroml": ("neuroml",),
    "to_sonata": ("sonata",),
    "from_sonata": ("sonata",),
    "fit_passive": ("cable", "elimination"),
    "PassiveFit": ("cable", "elimination"),
    "InputResistance": ("cable", "elimination"),
    "Attenuation": ("cable", "elimination"),
    "Gate": ("directed",),
    "SynapseKind": ("synapse_kinds",),
    "Task": (),
    "Network": ("directed",),
    "Neurons": ("cable",),
    "Rule": ("rules",),
    "Learner": ("rules",),
    "Run": (),
    "simulate": ("cable", "elimination"),
    "Trace": ("cable", "elimination"),
    "TrajectoryGradient": ("credit", "elimination"),
    "OnlineLearner": ("eligibility",),
    "fidelity": ("fidelity",),
    "Fidelity": ("fidelity",),
    "class_information": ("information",),
    "branch_information": ("information",),
    "network_information": ("information",),
    "grow": ("growth",),
    "minimum_spanning_tree": ("growth",),
    "quadratic_taper": ("taper",),
    "random_branching": ("random_branching",),
    "rall_tree": ("equivalent_cylinder",),
    "ball_and_stick": ("equivalent_cylinder",),
}
_SHIPPED = re.compile(r"grow_cells\.py \(function (\w+)")  # in the header of every shipped cell
_SHIPPED_BY = {
    "ball_and_stick": ("equivalent_cylinder",),
    "basket": ("random_branching", "taper"),
}  # the others span trees


def _installed() -> tuple[str, list[str]]:
    """Version and requirements of this copy; from pyproject.toml in a checkout that nobody installed."""
    try:
        found = importlib.metadata.distribution("dendrosim")
        return found.version, list(found.requires or ())
    except importlib.metadata.PackageNotFoundError:
        project = tomllib.loads(_PROJECT.read_text(encoding="utf-8"))["project"]
        extras = project["optional-dependencies"].items()
        optional = [f"{line} ; extra == '{extra}'" for extra, lines in extras for line in lines]
        return project["version"], project["dependencies"] + optional


__version__ = _installed()[0]


def show_versions(file: TextIO | None = None) -> None:
    """Print what a bug report needs: versions of dendrosim, Python, the system and all packages it can use.

    Imports none of these packages.

    Parameters
    ----------
    file : text stream, optional
        Where to print; standard output by default.

    Examples
    --------
    >>> import dendrosim as ds
    >>> ds.show_versions()  # doctest: +ELLIPSIS
    dendrosim ...
    """
    rows = [
        ("dendrosim", __version__),
        ("python", f"{platform.python_version()} ({platform.python_implementation()})"),
        ("system", f"{platform.system()} {platform.release()} {platform.machine()}"),
        ("processors", str(os.cpu_count())),
    ]
    rows += [(name, os.environ[name]) for name in _THREADING if name in os.environ]
    rows += _numba_threads()
    needed, optional = _packages()
    width = max(len(name) for name, _ in [*rows, *[(name, "") for name in needed + optional]])
    lines = [f"{name:<{width}}  {value}" for name, value in rows]
    for title, names in (("dependencies", needed), ("optional", optional)):
        lines += ["", title, *(f"{name:<{width}}  {_version_of(name)}" for name in names)]
    print("\n".join(lines), file=file)


def _numba_threads() -> list[tuple[str, str]]:
    """Threads that numba uses, when it has been imported already."""
    numba = sys.modules.get("numba")
    if numba is None:
        return []
    try:
        layer = numba.threading_layer()
    except ValueError:
        layer = "not started"
    return [("numba threads", f"{numba.get_num_threads()} ({layer})")]


def _packages() -> tuple[list[str], list[str]]:
    """Names of the packages that dendrosim needs, and of those that its extras bring."""
    needed: list[str] = []
    optional: list[str] = []
    for line in _installed()[1]:
        match = re.match(r"[\w.-]+", line)
        if match and match.group() != "dendrosim":
            (optional if "extra ==" in line else needed).append(match.group())
    return needed, sorted(set(optional) - set(needed))


def _version_of(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return "-"


class Citation(str):
    """Text that shows itself as it is, also at the Python prompt."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


def cite(*things: object, bibtex: bool = False) -> Citation:
    """References for exactly what was used.

    Parameters
    ----------
    *things : object
        Objects of dendrosim (a morphology, compartments, a state, a gradient, ...), its classes and functions, names of
        topics such as ``"growth"``, or keys of single references. Without any: dendrosim itself.
    bibtex : bool, default False
        BibTeX entries instead of a list for reading.

    Returns
    -------
    Citation
        A string, one reference after another, in order of first use; dendrosim itself comes first.

    Raises
    ------
    ParameterError
        If nothing is known about one of `things`; the message lists what is.

    Examples
    --------
    >>> import dendrosim as ds
    >>> print(ds.cite("swc"))
    The dendrosim authors (2026). dendrosim: biophysical dendritic neurons that learn with local rules. Python package
    Cannon RC, Turner DA, Pyapali GK, Wheal HV (1998). An on-line archive of reconstructed hippocampal neurons. \
Journal of Neuroscience Methods 84(1-2):49-54. https://doi.org/10.1016/S0165-0270(98)00091-0
    """
    plain = flag("bibtex", bibtex) is False
    entries = {"dendrosim": REFERENCES["dendrosim"]}
    for thing in things:
        entries |= {key: REFERENCES[key] for key in _keys(thing)}
        for cell in _cells(thing):
            entries |= reconstructions(cell)
    if plain:
        return Citation("\n".join(entry.text() for entry in entries.values()))
    return Citation("\n\n".join(entry.bibtex(key) for key, entry in entries.items()))


def _cells(thing: Any) -> tuple[Any, ...]:
    """Morphologies that an object was made from."""
    if type(thing).__name__ == "Morphology":
        return (thing,)
    if type(thing).__name__ == "Gradient":
        return _cells(thing.state)
    return tuple(getattr(getattr(thing, "compartments", thing), "morphologies", ()))


def _keys(thing: object) -> Iterator[str]:
    """Keys of the references that belong to `thing`."""
    if isinstance(thing, str) and thing in REFERENCES:
        yield thing
        return
    for topic in _topics(thing):
        yield from TOPICS[topic]


def _topics(thing: object) -> tuple[str, ...]:
    """Topics of a name, of a class, function or module, or of an object with what it holds."""
    if isinstance(thing, str):
        topics = (thing,) if thing in TOPICS else _OF_NAME.get(thing)
    elif hasattr(thing, "__name__"):
        package, _, name = _name(thing).rpartition(".")
        topics = _OF_NAME.get("grow" if name == "growth" else name) if package.startswith("dendrosim") else None
        topics = _of_strategy(thing) if topics is None else topics
    else:
        topics = _of_object(thing) if type(thing).__name__ in _OF_NAME else _of_strategy(thing)
    if topics is None:
        raise ParameterError(
            f"nothing to cite is known for {short(thing)}; valid: objects, classes and functions that rest "
            "on literature, or one of " + ", ".join(sorted(TOPICS))
        )
    return topics


def _name(thing: Any) -> str:
    """Full name of a class, function or module."""
    return str(thing.__name__) if not hasattr(thing, "__module__") else f"{thing.__module__}.{thing.__name__}"


def _of_cell(cell: Any) -> tuple[str, ...]:
    """How a morphology came about: grown and shipped, read from a file, or grown just now; else nothing is known."""
    shipped = _SHIPPED.search("\n".join(text for _, text in cell.samples.comments))
    if shipped:
        return _SHIPPED_BY.get(shipped.group(1), ("growth", "taper"))
    archived = ("neuromorpho",) if reconstructions(cell) else ()
    if cell.report is not None or archived:
        return (*(("swc",) if cell.report is None or cell.report.n_lines else ()), *archived)
    return _OF_NAME.get(cell.name, ())


def _of_strategy(thing: Any) -> tuple[str, ...] | None:
    """Topic of what is registered under a name, class or object: a teaching signal, an optimiser, a time course."""
    name, module = getattr(thing, "name", None), getattr(thing, "__module__", None)
    return (name,) if str(module).startswith("dendrosim") and isinstance(name, str) and name in TOPICS else None


def _of_run(config: dict[str, Any]) -> tuple[str, ...]:
    """Topics of a training: data, network, teaching signal, rule, optimiser."""
    task, training, network = config["task"], config["training"], config["network"]
    names = [task["options"].get("source"), task["name"], config["teaching"]["name"]]
    names += [training["optimiser"]["name"], config["loss"]["name"]]
    topics = ["directed", "rules"] if network["kind"] == "dendritic" else []
    topics += [name for name in names if name in TOPICS]
    if any(training["decay"].values()):
        topics.append("weight_decay")
    return tuple(topics)


def of_simulation(setup: Any) -> tuple[str, ...]:
    """Topics of a simulation in time: cells, synapses and their time courses, mechanisms, the method."""
    topics = [*_of_object(setup.compartments), "elimination" if setup.direction == "reciprocal" else "directed"]
    names = [*(mechanism.name for mechanism in setup.mechanisms), setup.method]
    if setup.synapses is not None:
        topics += ["synapses", *(("shunting",) if setup.integration == "shunting" else ())]
        names += [course.name for course in setup.courses]
    return tuple(dict.fromkeys([*topics, *(name for name in names if name in TOPICS)]))


def _of_learner(learner: Any) -> tuple[str, ...]:
    """Topics of online learning: teaching signal, optimiser, traces, and what runs in time."""
    options = learner.time_options
    kinds = [options[name] for name in ("mechanisms", "kinetics")]
    each = [one for kind in kinds for one in (kind if isinstance(kind, list | tuple) else [kind])]
    names = [learner.teaching.name, learner.optimiser.name, options["method"]]
    names += [one if isinstance(one, str) else getattr(one, "name", "") for one in each]
    topics = ["cable", "elimination", "rules", "eligibility"]
    if learner.tau_e == "membrane":
        topics.append("membrane_traces")
    return tuple(dict.fromkeys([*topics, *(name for name in names if name in TOPICS)]))


def _of_object(thing: Any) -> tuple[str, ...]:
    """Topics of an object and of all that it was made from, by the attributes that it has."""
    match type(thing).__name__:
        case "Morphology":
            return _of_cell(thing)
        case "Compartments":
            made_of = dict.fromkeys(topic for cell in thing.morphologies for topic in _of_cell(cell))
            return (*made_of, "cable") if thing.physical else ("directed",)
        case "Passive":
            return ("cable", "spines") if any(factor > 1 for factor in thing.spine_factor.values()) else ("cable",)
        case "State":
            solved = ("elimination",) if thing.direction == "reciprocal" else ("directed",)
            if thing.synapses is None:
                return (*_of_object(thing.compartments), *solved)
            combined = ("shunting",) if thing.integration == "shunting" else ()
            return (*_of_object(thing.compartments), *_of_object(thing.synapses), *solved, *combined)
        case "Task":
            return tuple(name for name in (thing.options.get("source"), thing.name) if name in TOPICS)
        case "Gradient":
            return (*_of_object(thing.state), "credit")
        case "Network":
            return ("directed", *(("shunting",) if thing.integration == "shunting" else ()))
        case "Trace":
            return tuple(thing.topics) or _OF_NAME["Trace"]
        case "OnlineLearner":
            return _of_learner(thing)
        case "Run":
            return _of_run(thing.config)
        case _:
            return _OF_NAME[type(thing).__name__]
