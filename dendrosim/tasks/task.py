"""A task: labelled samples to learn from and others to be tested on."""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .. import arguments
from ..arguments import numbers, whole
from ..errors import ParameterError
from ..shown import Shown
from . import checks
from .seeds import stream
from .transforms import Moves, Transform


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class Task(Shown):
    """Labelled samples, those to learn from and those to be tested on.

    Made by `dendrosim.tasks.load`, or from one's own arrays by `Task.from_arrays`. Arrays are read-only.

    Attributes
    ----------
    name : str
        Its name.
    x_train, x_test : float32 array of shape (n, n_inputs)
        Presynaptic activity: finite, nonnegative, of order 1; pixels lie in [0, 1].
    y_train, y_test : int64 array of shape (n,)
        Classes, 0 to ``n_classes - 1``.
    n_classes : int
        Number of classes.
    description : str
        One sentence: what it is, with the sizes.
    image_shape : tuple of int, or None
        (rows, columns) or (channels, rows, columns) of a row of `x_train`; None if rows are no images.
    class_names : tuple of str
        Names of the classes, in order; empty if they have none.
    factors_train, factors_test : dict of str to int64 array of shape (n,)
        What else is known of every sample, such as the context that it was shown in.
    transforms : tuple of Transform
        What `batch` does to training rows each time; empty in most tasks.
    n_validation : int, or None
        How many rows of `x_train` are meant for validation, to be given to `split`: as many as published runs kept
        back, or as many as were asked for; None if nobody says.
    seed : int
        Seed of whatever was drawn.
    options : dict
        Options of `load` with their values, and what was done since.
    """

    name: str
    x_train: NDArray[np.float32]
    y_train: NDArray[np.int64]
    x_test: NDArray[np.float32]
    y_test: NDArray[np.int64]
    n_classes: int
    description: str = ""
    image_shape: tuple[int, ...] | None = None
    class_names: tuple[str, ...] = ()
    factors_train: Mapping[str, NDArray[np.int64]] = field(default_factory=dict)
    factors_test: Mapping[str, NDArray[np.int64]] = field(default_factory=dict)
    transforms: tuple[Transform, ...] = ()
    n_validation: int | None = None
    seed: int = 0
    options: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not self.name:
            raise ParameterError(f"name={arguments.short(self.name)} must be a text that is not empty")
        whole("n_classes", self.n_classes, 2)
        for part, x, y in (("train", self.x_train, self.y_train), ("test", self.x_test, self.y_test)):
            checks.check_inputs(f"x_{part}", x)
            checks.check_labels(f"y_{part}", y, len(x), self.n_classes)
        if self.x_test.shape[1] != self.n_inputs:
            raise ParameterError(
                f"x_test has {self.x_test.shape[1]} inputs, and x_train has {self.n_inputs}; both need the same"
            )
        if self.image_shape is not None:
            object.__setattr__(self, "image_shape", checks.check_image_shape(self.image_shape, self.n_inputs))
        if self.class_names and len(self.class_names) != self.n_classes:
            raise ParameterError(f"class_names has {len(self.class_names)} names for {self.n_classes} classes")
        self._lock()

    def _lock(self) -> None:
        """Make every array read-only."""
        arrays: list[NDArray[Any]] = [self.x_train, self.y_train, self.x_test, self.y_test]
        for array in [*arrays, *self.factors_train.values(), *self.factors_test.values()]:
            array.flags.writeable = False

    def __setstate__(self, state: dict[str, Any]) -> None:  # copies and unpickled arrays would be writeable
        self.__dict__.update(state)
        self._lock()

    @classmethod
    def from_arrays(
        cls,
        name: str,
        x_train: ArrayLike,
        y_train: ArrayLike,
        x_test: ArrayLike,
        y_test: ArrayLike,
        *,
        n_classes: int | None = None,
        description: str = "",
        image_shape: Sequence[int] | None = None,
        class_names: Sequence[str] = (),
    ) -> Task:
        """A task of one's own arrays, which are copied.

        Parameters
        ----------
        name : str
            What to call it.
        x_train, x_test : array-like of shape (n, P), (n, rows, columns) or (n, channels, rows, columns)
            Presynaptic activity, finite and nonnegative; kept as float32. Encode signed input by
            `dendrosim.tasks.on_off`, and divide pixels by 255.
        y_train, y_test : array-like of int, of shape (n,)
            Classes, from 0.
        n_classes : int, optional
            Number of classes; by default one more than the greatest label.
        description : str, default ""
            One sentence about it.
        image_shape : sequence of int, optional
            (rows, columns) or (channels, rows, columns), if rows are images; by default what `x_train` says.
        class_names : sequence of str, optional
            Names of the classes, in order.

        Returns
        -------
        Task

        Raises
        ------
        ParameterError
            If something does not fit; the message says what, where, and what would work.

        Examples
        --------
        >>> import numpy as np, dendrosim as ds
        >>> rng = np.random.default_rng(0)
        >>> x = rng.standard_normal((100, 3))
        >>> y = (x[:, 0] > 0).astype(int)
        >>> ds.tasks.Task.from_arrays("sign", ds.tasks.on_off(x[:80]), y[:80], ds.tasks.on_off(x[80:]), y[80:])
        Task('sign': 80 + 20 samples, 6 inputs, 2 classes)
        """
        train, shape = checks.as_inputs("x_train", x_train)
        test, other = checks.as_inputs("x_test", x_test)
        if other != shape:
            raise ParameterError(
                f"samples of x_test have shape {other}, and those of x_train {shape}; both need the same"
            )
        if image_shape is None and len(shape) in (2, 3):
            image_shape = shape
        labels, test_labels = checks.as_labels("y_train", y_train), checks.as_labels("y_test", y_test)
        if n_classes is None:
            n_classes = max(2, 1 + int(max(labels.max(initial=0), test_labels.max(initial=0))))
        return cls(
            name=name,
            x_train=train,
            y_train=labels,
            x_test=test,
            y_test=test_labels,
            n_classes=n_classes,
            description=description,
            image_shape=None if image_shape is None else checks.check_image_shape(image_shape, train.shape[1]),
            class_names=arguments.names("class_names", class_names),
        )

    @property
    def n_inputs(self) -> int:
        """Number of inputs: the length of a row of `x_train`."""
        return int(self.x_train.shape[1])

    @cached_property
    def hash(self) -> str:
        """SHA-256, in hexadecimal, of all samples and labels with their types and shapes, and of the transforms."""
        digest = hashlib.sha256()
        for array in (self.x_train, self.y_train, self.x_test, self.y_test):
            digest.update(f"{array.dtype.str}{array.shape}".encode())
            digest.update(array.data)
        digest.update("".join(map(repr, self.transforms)).encode())
        return digest.hexdigest()

    def split(self, validation: float | int, seed: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Rows of the training set to learn from, and rows to validate on.

        Parameters
        ----------
        validation : float or int
            How many rows to keep back: a fraction below 1, or an integer; 0 keeps none back.
        seed : int
            Same seed, same split.

        Returns
        -------
        train, validation : int64 arrays of shape (n_train - n,) and (n,)
            Indices into `x_train`, in order.

        Raises
        ------
        ParameterError
            If nothing would be left to learn from, or a fraction above 0 is less than one row.
        """
        n_rows = len(self.x_train)
        if isinstance(validation, int | np.integer) and not isinstance(validation, bool):
            n_kept = whole("validation", validation, 0)
        else:
            fraction = arguments.number("validation", validation, least=0.0)
            n_kept = round(fraction * n_rows)
            if fraction > 0 and not n_kept:
                raise ParameterError(
                    f"validation={fraction:g} of {n_rows} rows is less than one; give more, or 0 for none"
                )
        if n_kept >= n_rows:
            raise ParameterError(
                f"validation={validation} leaves none of {n_rows} rows to learn from; give a fraction below 1, or an "
                f"integer below {n_rows}"
            )
        order = stream(seed, "split").permutation(n_rows)
        return np.sort(order[n_kept:]), np.sort(order[:n_kept])

    def subset(self, n_train: int | None = None, n_test: int | None = None, *, seed: int = 0) -> Task:
        """A smaller task: some of the samples, drawn without replacement.

        With the same seed a smaller subset lies inside a greater one.

        Parameters
        ----------
        n_train, n_test : int, optional
            How many training and test samples; all by default.
        seed : int, default 0
            Same seed, same samples.

        Returns
        -------
        Task

        Raises
        ------
        ParameterError
            If there are not that many.
        """
        sizes = {"n_train": n_train, "n_test": n_test}
        rows = {}
        for (name, size), available in zip(sizes.items(), (len(self.x_train), len(self.x_test)), strict=True):
            if size is not None and whole(name, size, 1) > available:
                raise ParameterError(f"{name}={size} samples of {self.name!r} are not to be had; there are {available}")
            rows[name] = np.sort(stream(seed, name).permutation(available)[:size])
        train, test = rows["n_train"], rows["n_test"]
        return self._changed(
            x_train=self.x_train[train],
            y_train=self.y_train[train],
            x_test=self.x_test[test],
            y_test=self.y_test[test],
            factors_train={name: values[train] for name, values in self.factors_train.items()},
            factors_test={name: values[test] for name, values in self.factors_test.items()},
            n_validation=self.n_validation if n_train is None else None,
            options={**self.options, "subset": {**sizes, "seed": seed}},
        )

    def batch(self, indices: ArrayLike, rng: np.random.Generator) -> NDArray[np.float32]:
        """Training rows as a learner sees them this time: copied, and changed by the transforms.

        Tests, and validation that is to be the same every time, index `x_test` and `x_train` themselves.

        Parameters
        ----------
        indices : array-like of int, of shape (B,)
            Rows of `x_train`.
        rng : numpy.random.Generator
            Where transforms draw from; without transforms it is left alone.

        Returns
        -------
        float32 array of shape (B, n_inputs)
            C-contiguous, the caller's own.

        Raises
        ------
        ParameterError
            If rows are asked for that do not exist.
        """
        rows = numbers("indices", indices)
        if rows.ndim != 1 or rows.dtype.kind not in "iu":
            raise ParameterError(f"indices has shape {rows.shape} and dtype {rows.dtype}; expected (B,) integers")
        outside = np.flatnonzero((rows < 0) | (rows >= len(self.x_train)))
        if outside.size:
            raise ParameterError(f"indices[{outside[0]}] = {rows[outside[0]]}; there are {len(self.x_train)} rows")
        x = self.x_train.take(rows, axis=0)
        for transform in self.transforms:
            x = transform(x, rng)
        return x

    def augmented(self, *, shift: int = 0, flip: bool = False) -> Task:
        """The same task, its training images moved and mirrored at random each time `batch` fetches them.

        `x_train` itself stays as it is, and so does the test set.

        Parameters
        ----------
        shift : int, default 0
            Greatest move in pixels along either axis; all moves are as likely. What comes in from outside is 0.
        flip : bool, default False
            Whether to mirror half of the images from left to right; right for photographs, wrong for digits.

        Returns
        -------
        Task

        Raises
        ------
        ParameterError
            If the samples are no images, are smaller than the shift, or nothing is asked for.
        """
        if self.image_shape is None:
            raise ParameterError(
                f"the samples of {self.name!r} are no images (image_shape is None), and only images can move"
            )
        channels = self.image_shape[0] if len(self.image_shape) == 3 else 1
        rows, columns = self.image_shape[-2:]
        if whole("shift", shift, 0) >= min(rows, columns):
            raise ParameterError(f"shift={shift} moves images of {rows} x {columns} pixels out of sight")
        if not isinstance(flip, bool | np.bool_):
            raise ParameterError(f"flip={arguments.short(flip)} must be True or False")
        if not shift and not flip:
            raise ParameterError("shift=0 and flip=False change nothing; ask for one of them, such as shift=1")
        moves = Moves((channels, rows, columns), int(shift), bool(flip))
        options = {**self.options, "augmented": {"shift": moves.shift, "flip": moves.flip}}
        return self._changed(transforms=(*self.transforms, moves), options=options)

    def _changed(self, **changes: Any) -> Task:
        """A copy with other attributes, which are known to be right."""
        other = copy.copy(self)
        other.__dict__.pop("hash", None)
        other.__dict__.update(changes)
        other._lock()
        return other

    def __repr__(self) -> str:
        return (
            f"Task({self.name!r}: {len(self.x_train)} + {len(self.x_test)} samples, {self.n_inputs} inputs, "
            f"{self.n_classes} classes)"
        )
