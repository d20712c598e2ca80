"""A finished training: what it reached, the trained network, and all that is needed to do it again."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from .. import arguments
from ..about import __version__
from ..arguments import flag
from ..errors import FileFormatError
from ..hdf5 import Described, read_hdf5, write_hdf5
from ..hdf5_reader import table_of
from ..shown import Shown
from .kinds import kind_called, kind_of

Array = NDArray[Any]

SCHEMA = 1
_NAMES = ("identity", "configuration", "code")
"""What a run of a sweep is known by; in its file's attributes as well."""

METRICS = {
    "train_loss": ("nat", "mean cross-entropy of each batch before its step, mean over the epoch"),
    "train_accuracy": ("1", "share of right answers, each batch before its step"),
    "validation_loss": ("nat", "mean cross-entropy on the validation samples after the epoch"),
    "validation_accuracy": ("1", "share of right answers on the validation samples after the epoch"),
    "test_loss": ("nat", "mean cross-entropy on the test samples after the epoch"),
    "test_accuracy": ("1", "share of right answers on the test samples after the epoch"),
    "seconds": ("s", "duration of the epoch, validation included"),
    "passes": ("1", "forward passes of minibatches until the end of the epoch, those of perturbations included"),
    "learning_rate": ("1", "factor on all learning rates at the beginning of the epoch"),
}
"""Units and description of every metric that a history can have."""


@dataclass(eq=False, repr=False)
class Run(Shown):
    """Result of `dendrosim.train`.

    Attributes
    ----------
    history : dict of float arrays of shape (epochs,)
        One value per epoch: train_loss, train_accuracy, validation_loss, validation_accuracy, seconds, learning_rate
        (a factor on the rates of all groups), passes (forward passes of minibatches until then, those of perturbations
        included), and, if asked for, test_loss and test_accuracy.
    test_accuracy, test_loss : float
        On the test samples, once, with the final weights of `network`.
    best_epoch : int
        Epoch (1, 2, ...) with the best validation accuracy; the last where nothing was validated.
    config : dict
        Task with its options and hash, network, teaching, rule, training options, versions, seed and command.
    records : dict of dicts of arrays of shape (n, ...)
        Results of callbacks, by their names.
    network : Network or PointMLP
        Trained.
    """

    history: dict[str, Array]
    test_accuracy: float
    test_loss: float
    best_epoch: int
    config: dict[str, Any]
    records: dict[str, dict[str, Array]] = field(default_factory=dict)
    trained: Any = None
    path: Path | None = None

    @property
    def network(self) -> Any:
        """The trained network; one that is still in its file is read now."""
        if self.trained is None:
            if self.path is None:
                raise FileFormatError("this run has neither a network nor a file to read it from")
            self.trained = Run.load(self.path).trained
        return self.trained

    @property
    def epochs(self) -> int:
        """Number of epochs trained."""
        return int(self.history["train_loss"].size)

    @property
    def seconds(self) -> float:
        """Duration of all epochs, s."""
        return float(self.history["seconds"].sum())

    @property
    def seed(self) -> int:
        """Seed of the training."""
        return int(self.config["training"]["seed"])

    @property
    def name(self) -> str:
        """Name of the arm of an experiment; empty outside of one."""
        return str(self.config.get("experiment", {}).get("arm", ""))

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write everything to one HDF5 file, whole or not at all.

        Parameters
        ----------
        path : str or Path

        Returns
        -------
        Path
            Where it was written.
        """
        network = self.network
        kind = kind_of(network)
        content: dict[str, Any] = {
            "config": Described(json.dumps(self.config, indent=1), "", "all settings, as JSON"),
            "history": {name: Described(values, *METRICS[name]) for name, values in self.history.items()},
            "records": self.records,
            "network": kind.content(network),
        }
        attributes = {
            "program": f"dendrosim {__version__}",
            "kind": "run",
            "schema": SCHEMA,
            "network": kind.name,
            "test_accuracy": self.test_accuracy,
            "test_loss": self.test_loss,
            "best_epoch": self.best_epoch,
        }
        experiment = self.config.get("experiment", {})
        attributes |= {name: experiment[name] for name in _NAMES if name in experiment}
        written = write_hdf5(path, content, attributes)
        self.path = written
        return written

    @classmethod
    def load(cls, path: str | os.PathLike[str], *, network: bool = True, records: bool = True) -> Run:
        """Read a run that `save` wrote.

        Parameters
        ----------
        path : str or Path
        network : bool, default True
            Read the network now; else when it is asked for.
        records : bool, default True
            Read the results of callbacks; without them ``records`` is empty.

        Raises
        ------
        OSError
            If there is no such file.
        FileFormatError
            If the file is damaged or holds something else.
        """
        network, records = flag("network", network), flag("records", records)
        where = Path(arguments.path("path", path))
        left = [name for name, wanted in (("network", network), ("records", records)) if not wanted]
        content, attributes = read_hdf5(where, leave=left)
        if attributes.get("kind") != "run":
            raise FileFormatError(
                f"{where} holds no run (its kind is {arguments.short(attributes.get('kind'))}); networks are read by "
                "ds.Network.load"
            )
        if attributes.get("schema") != SCHEMA:
            raise FileFormatError(
                f"{where} has schema {arguments.short(attributes.get('schema'))}; this version reads {SCHEMA}"
            )
        try:
            kind = kind_called(attributes["network"], str(where))
            found = cls(
                history=dict(content["history"]),
                test_accuracy=float(attributes["test_accuracy"]),
                test_loss=float(attributes["test_loss"]),
                best_epoch=int(attributes["best_epoch"]),
                # runs from before there was a choice of losses do not name theirs
                config={
                    "loss": {"name": "cross_entropy"},
                    **table_of(content["config"], f"{where}: its configuration"),
                },
                records=dict(content["records"]) if records else {},
                trained=kind.read(content["network"], str(where)) if network else None,
                path=where,
            )
            found._check()
        except FileFormatError:
            raise
        except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
            reason = arguments.short(error, 300)
            raise FileFormatError(f"{where} is no whole run ({reason}); restore it from a copy") from error
        return found

    def _check(self) -> None:
        """See that what others rely on is there: raises any of the errors that looking for it can raise."""
        lengths = {name: arguments.numbers(name, values).shape for name, values in self.history.items()}
        if set(lengths.values()) != {(self.epochs,)} or not 0 <= self.best_epoch <= self.epochs:
            raise ValueError(f"best epoch {self.best_epoch} of {self.epochs}, and a history of {lengths}")
        names = [self.config[part]["name"] for part in ("task", "rule", "teaching")]
        kind = self.config["network"].get("integration", self.config["network"].get("kind", ""))
        if any(not isinstance(text, str) for text in [*names, kind]) or self.seed < 0:
            raise ValueError(f"names {names}, network {kind}, seed {self.seed}")
        experiment = self.config.get("experiment", {})
        for part in ("factors", "ways", "settings"):
            dict(experiment.get(part, {}))
        odd = [name for name, record in self.records.items() if not isinstance(record, Mapping)]
        if odd:
            raise ValueError(f"records {', '.join(odd)} hold no arrays by name")
        repr(self)

    def plot(self, **options: Any) -> Any:
        """Draw the learning curve; see `dendrosim.plotting.plot_learning_curve`."""
        from ..plotting import plot_learning_curve

        return plot_learning_curve(self, **options)

    def __repr__(self) -> str:
        config = self.config
        rule, teaching = config["rule"].get("name", "?"), config["teaching"].get("name", "?")
        found = self.history.get("validation_accuracy")
        validation = (
            "" if found is None else f"validation {float(found[self.best_epoch - 1]):.4f} (epoch {self.best_epoch}), "
        )
        stopped = config["training"].get("stopped", "")
        arm = f"{self.name!r}: " if self.name else ""
        return (
            f"<Run: {arm}{config['task']['name']}, {rule} with {teaching}, seed {self.seed}, {self.epochs} epochs in "
            f"{self.seconds:.3g} s; {validation}test {self.test_accuracy:.4f}{'; ' + stopped if stopped else ''}>"
        )
