"""Residual networks: an embedding, blocks that add to a stream, and a head."""

from __future__ import annotations

import copy
import json
import os
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...arguments import number, numbers, short, whole
from ...construct import options_of
from ...errors import FileFormatError, ParameterError
from ...hdf5_reader import table_of
from ...kernels.memory import aligned
from ...shown import Shown
from ..matrices import batch_given, dtype_of, one_thread
from ..stored import dense, state_of
from .blocks import Block
from .parts import Embedding, Floats, Head, Parameters, Work

SCHEMA = 1
_ROWS = 1024
"""Samples that are evaluated at once."""


class Passage:
    """What a forward pass of B samples leaves behind; memory for it and for the way back.

    Attributes
    ----------
    inputs : array of shape (B, n_inputs)
    h : list of arrays of shape (B, d)
        h_0 .. h_L: h_l is the input of block l, h_L that of the head.
    f : list of arrays of shape (B, d)
        Outputs of the L blocks.
    g : list of arrays of shape (B, d)
        Derivatives of the loss by h_0 .. h_L, once `ResidualNetwork.head_backward` and `transport` have filled them.
    logits : array of shape (B, n_outputs)
    """

    inputs: Floats
    logits: Floats

    def __init__(self, network: ResidualNetwork, n: int) -> None:
        shape, dtype = (n, network.tokens * network.width), network.dtype
        self.n_samples = n
        self.h, self.g = ([aligned(shape, dtype) for _ in range(network.depth + 1)] for _ in range(2))
        self.f = [aligned(shape, dtype) for _ in range(network.depth)]
        self.embedding = network.embedding.cache(n, dtype)
        self.blocks = [block.cache(n, dtype) for block in network.blocks]
        self.head = network.head.cache(n, dtype)
        self._told: list[Floats] = []
        self._parts: dict[tuple[int, int, int], Passage] = {}

    def told(self) -> list[Floats]:
        """Memory for what L blocks are told where a penalty adds to it."""
        if not self._told:
            self._told = [aligned(f.shape, f.dtype) for f in self.f]
        return self._told

    def part(self, first: int, last: int) -> Passage:
        """Samples `first` to `last`, in the same memory; made once, which takes as long as a small product."""
        key = (first, last, len(self._told))
        if key not in self._parts:
            made = self._parts[key] = object.__new__(Passage)
            made.n_samples = last - first
            for name, value in vars(self).items():
                if name not in ("n_samples", "inputs", "logits", "_parts"):
                    setattr(made, name, _rows_of(value, self.n_samples, first, last))
        return self._parts[key]


def _rows_of(value: Any, n: int, first: int, last: int) -> Any:
    """Views of everything that belongs to samples `first` to `last` of n."""
    if isinstance(value, dict):
        return {k: v if k == "constants" else _rows_of(v, n, first, last) for k, v in value.items()}
    if isinstance(value, list):
        return [_rows_of(one, n, first, last) for one in value]
    if not isinstance(value, np.ndarray):
        return value
    each = len(value) // n
    return value[first * each : last * each]


class ResidualNetwork(Shown):
    """A stream that L blocks add to, between an embedding and a head.

    ``h_0 = x We + be; h_{l+1} = h_l + f_l(h_l), l = 0 .. L-1; z = LN(h_L) Wo + bo``. Subclasses say
    which blocks; they keep the arguments of their constructor under the same names.

    Attributes
    ----------
    parameters : dict of arrays
        ``embedding_weight (n_inputs, d)``, ``block_0_weight_0`` and so on, ``head_weight (d, n_outputs)``.
    width, depth : int
        d of the stream, and L, the number of blocks.
    tokens : int
        Tokens that a row of h_l holds, each of `width` values; 1 but for transformers.
    terminal_norm : bool
        Whether a layer normalisation precedes the head: then dL/dh_L shrinks as h_L grows.
    dtype : numpy dtype
    """

    kind: ClassVar[str]
    calibrated = True
    """It has nothing to calibrate."""

    def __init__(
        self,
        n_inputs: int,
        n_outputs: int,
        width: int,
        depth: int,
        blocks: Sequence[Block],
        terminal_norm: bool,
        center: ArrayLike,
        scale: ArrayLike,
        seed: int,
        dtype: str | type,
        *,
        tokens: int = 1,
        embedding: Embedding | None = None,
    ) -> None:
        self.n_inputs, self.n_outputs, self.width, self.depth = n_inputs, n_outputs, width, depth
        self.tokens = tokens
        self.terminal_norm, self.seed, self.dtype = terminal_norm, whole("seed", seed, 0), dtype_of(dtype)
        self.center, self.scale = per_input("center", center, n_inputs), divisors(scale, n_inputs)
        self.embedding = Embedding(n_inputs, width, self.center, self.scale) if embedding is None else embedding
        self.blocks, self.head = list(blocks), Head(width, n_outputs, terminal_norm, tokens)
        rng = np.random.default_rng(self.seed)
        drawn = {"embedding": self.embedding.initial(rng)}
        drawn |= {f"block_{i}": block.initial(rng) for i, block in enumerate(self.blocks)}
        drawn["head"] = self.head.initial(rng)
        self._names = {group: list(values) for group, values in drawn.items()}
        self.parameters: Parameters = {}
        for group, values in drawn.items():
            for name, value in values.items():
                array = self.parameters[f"{group}_{name}"] = aligned(value.shape, self.dtype)
                array[...] = value
        self.groups = self.grouped(self.parameters)

    def grouped(self, arrays: Mapping[str, Floats]) -> dict[str, Parameters]:
        """The `arrays`, named as `parameters` are, sorted by ``embedding``, ``block_l`` and ``head``; not copied."""
        return {group: {name: arrays[f"{group}_{name}"] for name in names} for group, names in self._names.items()}

    @property
    def n_parameters(self) -> int:
        """Of all arrays together."""
        return sum(array.size for array in self.parameters.values())

    def empty(self) -> Parameters:
        """Zeros in the shapes of the parameters."""
        return {name: aligned(array.shape, self.dtype) for name, array in self.parameters.items()}

    def checked(self, x: ArrayLike) -> Floats:
        """`x` as a C-ordered array of the network's dtype, or an error that says what is wrong."""
        return batch_given(x, self.n_inputs, self.dtype)

    def threads_for(self, n_samples: int, threads: int | None) -> int:
        """1, whatever `n_samples` and `threads`: products are numpy's, whose threads OPENBLAS_NUM_THREADS sets."""
        return one_thread(threads)

    def forward(self, x: ArrayLike, *, out: Passage | None = None) -> Passage:
        """Activity of all layers, and logits.

        Parameters
        ----------
        x : array of shape (B, n_inputs)
        out : Passage, optional
            Of an earlier batch of the same size, to be overwritten.

        Returns
        -------
        Passage

        Raises
        ------
        ParameterError
            If the shape is another, or a value is not finite.
        """
        return self.run(self.checked(x), out)

    def run(self, x: Floats, out: Passage | None = None) -> Passage:
        """`forward` of an `x` that is known to be good (C-ordered, of the network's dtype), into `out`."""
        a = Passage(self, len(x)) if out is None or out.n_samples != len(x) else out
        self.stream(x, a)
        self.top(a)
        return a

    def stream(self, x: Floats, a: Passage) -> None:
        """`run` of `x` up to h_L, into `a`."""
        a.inputs = x
        self.embedding.forward(self.groups["embedding"], x, a.h[0], a.embedding)
        for i in range(self.depth):
            self._advance(i, a)

    def top(self, a: Passage) -> None:
        """Logits, from h_L, into `a`."""
        a.logits = self.head.forward(self.groups["head"], a.h[-1], a.head)

    def run_from(self, layer: int, h: Floats, a: Passage) -> Floats:
        """Logits where h_l is `h`, (B, d), l = `layer`; overwrites what is above it in `a`."""
        a.h[layer][...] = h
        for i in range(layer, self.depth):
            self._advance(i, a)
        a.logits = self.head.forward(self.groups["head"], a.h[-1], a.head)
        return a.logits

    def _advance(self, i: int, a: Passage) -> None:
        self.blocks[i].forward(self.groups[f"block_{i}"], a.h[i], a.f[i], a.blocks[i])
        np.add(a.h[i], a.f[i], out=a.h[i + 1])

    def predict(self, x: ArrayLike, *, threads: int | None = None) -> Floats:
        """Logits of shape (B, n_outputs) of `x`; `threads` is without effect (see `threads_for`)."""
        x = self.checked(x)
        logits = np.empty((len(x), self.n_outputs), self.dtype)
        a: Passage | None = None
        for first in range(0, len(x), _ROWS):
            part = x[first : first + _ROWS]
            a = self.run(part, a)
            logits[first : first + len(part)] = a.logits
        return logits

    # ---- the way back

    def head_backward(self, a: Passage, e: Floats, gradients: Mapping[str, Parameters] | None = None) -> Floats:
        """g_L = dL/dh_L, exact, from dL/dlogits; it is kept in ``a.g[L]``.

        Parameters
        ----------
        a : Passage
        e : array of shape (B, n_outputs)
        gradients : dict of dicts, optional
            ``grouped`` arrays; those of the head are overwritten.

        Returns
        -------
        float array of shape (B, d)
            g_L.
        """
        of_head = None if gradients is None else gradients["head"]
        self.head.backward(self.groups["head"], e, a.head, of_head, a.g[-1])
        return a.g[-1]

    def transport(self, a: Passage, penalty: float = 0.0) -> None:
        """Backpropagation from ``a.g[L]`` down to ``a.g[0]``: ``g_l = g_{l+1} + J_l^T (g_{l+1} + 2 penalty f_l)``.

        Parameters
        ----------
        a : Passage
        penalty : float
            Of ``|f_l|^2`` in the loss, per sample.
        """
        for i in range(self.depth - 1, -1, -1):
            self.block_backward(i, a, a.g[i + 1], penalty, a.g[i])
            a.g[i] += a.g[i + 1]

    def block_backward(self, i: int, a: Passage, told: Floats, penalty: float, dh: Floats | None) -> None:
        """Of the loss ``<f_i, told> + penalty |f_i|^2``, summed over samples: derivatives, and J^T df into `dh`.

        Parameters
        ----------
        i : int
            Block.
        a : Passage
        told : array of shape (B, d)
            What block i takes for dL/dh_{i+1}.
        penalty : float
        dh : array of shape (B, d) or None
            As for `Block.back`.
        """
        df = told
        if penalty:
            df = np.multiply(a.f[i], self.dtype.type(2.0 * penalty), out=a.told()[i])
            df += told
        self.blocks[i].back(self.groups[f"block_{i}"], df, a.blocks[i], dh)

    def work(
        self, a: Passage, told: Sequence[Floats], penalty: float, first: Floats, gradients: Mapping[str, Parameters]
    ) -> list[Work]:
        """Gradients of embedding and blocks, once `transport` or `block_backward` of all blocks have been there.

        Parameters
        ----------
        a : Passage
        told : list of L arrays of shape (B, d)
            To block l; an empty list where blocks do not learn.
        penalty : float
            As before.
        first : array of shape (B, d)
            dL/dh_0, to the embedding.
        gradients : dict of dicts
            ``grouped`` arrays.

        Returns
        -------
        list of Work
        """
        work = self.embedding.work(a.inputs, first, a.embedding, gradients["embedding"])
        made = [one.named("embedding") for one in work]
        for i, df in enumerate(a.told() if penalty and told else told):
            group = f"block_{i}"
            made += [one.named(group) for one in self.blocks[i].work(a.h[i], df, a.blocks[i], gradients[group])]
        return made

    # ---- copies and files

    def state(self) -> Parameters:
        """Parameters, as copies."""
        return {name: array.copy() for name, array in self.parameters.items()}

    def restore(self, state: Mapping[str, Floats]) -> None:
        """Go back to what `state` returned.

        Raises
        ------
        ParameterError
            If the state is that of another network.
        """
        for name, array in self.parameters.items():
            if name not in state or state[name].shape != array.shape:
                raise ParameterError(f"the state does not fit this network: {name} is missing or has another shape")
            array[...] = state[name]

    def copy(self) -> Self:
        """An independent copy."""
        return copy.deepcopy(self)

    def astype(self, dtype: str | type) -> Self:
        """A copy of type `dtype`, to verify in float64 what ran in float32."""
        made = type(self)(**{**options_of(self), "dtype": dtype})
        made.restore(self.parameters)
        return made

    def content(self) -> dict[str, Any]:
        """All there is to store, for `from_content`."""
        options = {name: value for name, value in options_of(self).items() if name not in ("center", "scale")}
        options["dtype"] = self.dtype.name
        arrays = {"center": self.center, "scale": self.scale}
        return {"kind": self.kind, "options": json.dumps(options), **arrays, "state": self.state()}

    @staticmethod
    def from_content(content: Mapping[str, Any]) -> ResidualNetwork:
        """The network that `content` describes.

        Raises
        ------
        FileFormatError
            If it describes none.
        """
        from . import ARCHITECTURES

        try:
            options = table_of(content["options"], "the options of this residual network")
            state = state_of(content, "this residual network")
            n, width, hidden = (options[name] for name in ("n_inputs", "width", "hidden"))
            if "patch" in options:
                inside = options["channels"] * options["patch"] ** 2
                embedded: list[list[Any]] = [[inside, width], [n // inside + 1, width]]
            else:
                embedded = [[n, width]]
            blocks = [options["depth"], width * hidden]
            for widths in (*embedded, [width, options["n_outputs"]], [width, hidden], blocks):
                dense(widths, state, "this residual network")
            if np.shape(content["center"]) != (n,):
                raise FileFormatError("this residual network has no center for each of its inputs")
            kind = ARCHITECTURES[str(content["kind"])]
            made = kind(**options, center=content["center"], scale=content["scale"])
            made.restore(state)
        except FileFormatError:
            raise
        except (ArithmeticError, AttributeError, KeyError, TypeError, ValueError) as error:
            raise FileFormatError(f"this is no stored residual network: {short(error, 300)}") from error
        return made

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the network to the HDF5 file `path`; `load` reads it."""
        from ...about import __version__
        from ...hdf5 import write_hdf5

        attributes = {"program": f"dendrosim {__version__}", "kind": "residual", "schema": SCHEMA}
        write_hdf5(path, self.content(), attributes)

    @staticmethod
    def load(path: str | os.PathLike[str]) -> ResidualNetwork:
        """Read a residual network of any architecture that `save` wrote to `path`.

        Raises
        ------
        FileFormatError
            If the file holds something else, or is damaged.
        """
        from ...hdf5 import read_hdf5

        content, attributes = read_hdf5(path)
        if attributes.get("kind") != "residual" or attributes.get("schema") != SCHEMA:
            raise FileFormatError(
                f"{path} holds {short(attributes.get('kind', 'something'))} of schema "
                f"{short(attributes.get('schema'))}, not a residual network of schema {SCHEMA}"
            )
        return ResidualNetwork.from_content(content)

    def __repr__(self) -> str:
        return (
            f"<{type(self).__name__}: {self.n_inputs} inputs, width {self.width}, {self.depth} blocks, "
            f"{self.n_outputs} outputs; {self.n_parameters} parameters, {self.dtype.name}>"
        )


def divisors(scale: ArrayLike, n_inputs: int) -> NDArray[np.float64]:
    """What inputs are divided by.

    Raises
    ------
    ParameterError
        If the shape is another, or one is not positive.
    """
    found = per_input("scale", scale, n_inputs)
    if (found <= 0).any():
        raise ParameterError(f"scale has {found.min():g} as its least; inputs are divided by it, so all are > 0")
    return found


def per_input(name: str, given: ArrayLike, n_inputs: int) -> NDArray[np.float64]:
    """A number for every input, from one or from all.

    Raises
    ------
    ParameterError
        If the shape is another.
    """
    array = numbers(name, given).astype(np.float64)
    if array.ndim == 0:
        return np.full(n_inputs, number(name, float(array)))
    if array.shape != (n_inputs,) or not np.isfinite(array).all():
        raise ParameterError(f"{name} has shape {array.shape}; expected a number or ({n_inputs},), all of it finite")
    return array
