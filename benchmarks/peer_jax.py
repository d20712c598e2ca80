"""The layer in JAX: active inputs gathered and summed in one compiled function, gradients by `value_and_grad`."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from layers_problem import CLIP, RATES, SIGNS, Batches, Problem

VERSION = jax.__version__
GROUPS = {"raw": "synapses", "coupling": "couplings", "log_slope": "gates", "midpoint": "gates"}


def _combine(source: Any, g: Any, x: Any, scan: bool) -> Any:
    """Sum over the active synapses of each branch, (branches, batch); x has shape (n_inputs, batch)."""
    if not scan:
        return jnp.einsum("rk,rkb->rb", g, x[source])

    def add(total: Any, one: Any) -> tuple[Any, None]:
        return total + one[1][:, None] * x[one[0]], None

    return jax.lax.scan(jax.checkpoint(add), jnp.zeros((source.shape[0], x.shape[1]), x.dtype), (source.T, g.T))[0]


def _logits(parameters: Any, sources: Any, x: Any, widths: tuple[int, ...], scan: bool) -> Any:
    ends = np.cumsum(widths)[:-2].tolist()
    drive = {
        sign: jnp.split(_combine(source, jax.nn.softplus(parameters["raw"][sign]), x.T, scan), ends)
        for sign, source in sources.items()
    }
    a: Any = None
    for k, width in enumerate(widths):
        current, total = jnp.zeros((width, x.shape[0])), jnp.ones((width, x.shape[0]))
        if k < len(widths) - 1:
            current = drive["excitatory"][k]
            total = total + drive["excitatory"][k] + drive["inhibitory"][k]
        if k:
            g = jax.nn.softplus(parameters["coupling"][k - 1])
            current = current + (a.reshape(*g.shape, -1) * g[:, :, None]).sum(1)
            total = total + g.sum(1)[:, None]
        slope = jnp.exp(parameters["log_slope"][k])[:, None]
        a = (jnp.tanh(slope * (current / total - parameters["midpoint"][k][:, None])) + 1) / 2
    return a.T @ parameters["weight"].T + parameters["bias"]


def _loss(parameters: Any, sources: Any, x: Any, y: Any, widths: tuple[int, ...], scan: bool) -> Any:
    logits = _logits(parameters, sources, x, widths, scan)
    return -jnp.take_along_axis(jax.nn.log_softmax(logits), y[:, None], 1).mean()


def _adam(state: Any, gradients: Any) -> Any:
    parameters, mean, square, step = state
    step = step + 1
    gradients = jax.tree.map(lambda g: jnp.clip(g, -CLIP, CLIP), gradients)
    mean = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, mean, gradients)
    square = jax.tree.map(lambda s, g: 0.999 * s + 0.001 * g * g, square, gradients)

    def move(path: Any, p: Any, m: Any, s: Any) -> Any:
        rate = RATES[GROUPS.get(path[0].key, "decoder")]
        return p - rate * (m / (1 - 0.9**step)) / (jnp.sqrt(s / (1 - 0.999**step)) + 1e-8)

    return jax.tree_util.tree_map_with_path(move, parameters, mean, square), mean, square, step


def _exchange(held: Any) -> Any:
    """Every branch whose smallest active value is below its best inactive one exchanges the two."""
    raw, mean, square, source, candidates = held
    rows = jnp.arange(raw.shape[0])
    at, place = raw.argmin(1), candidates.argmax(1)
    leaving, entering = raw[rows, at], candidates[rows, place]
    swap = leaving < entering
    at, place = jnp.where(swap, at, raw.shape[1]), jnp.where(swap, place, candidates.shape[1])  # beyond: sets nothing
    vacated = jnp.where(swap, source[rows, at], place)
    candidates = candidates.at[rows, place].set(-jnp.inf).at[rows, vacated].set(leaving)
    mean, square = mean.at[rows, at].set(0.0), square.at[rows, at].set(0.0)
    return raw.at[rows, at].set(entering), mean, square, source.at[rows, at].set(place), candidates


def _reselect(state: Any, sources: Any, candidates: Any) -> Any:
    """TopK by exchanges (`lax.top_k` sorts: 90 ms here); newcomers' moments are empty. Inactive values stay put."""
    parameters, mean, square, step = state
    trees = [{**tree, "raw": dict(tree["raw"])} for tree in (parameters, mean, square)]
    sources, candidates = dict(sources), dict(candidates)
    for sign in sources:
        held = (*(tree["raw"][sign] for tree in trees), sources[sign], candidates[sign])
        held = jax.lax.while_loop(lambda now: (now[0].min(1) < now[4].max(1)).any(), _exchange, held)
        for tree, value in zip(trees, held[:3], strict=True):
            tree["raw"][sign] = value
        sources[sign], candidates[sign] = held[3:]
    return (*trees, step), sources, candidates


@partial(jax.jit, static_argnames=("widths", "scan"), donate_argnums=(0, 1, 2))
def _step(
    state: Any, sources: Any, candidates: Any, x: Any, y: Any, widths: tuple[int, ...], scan: bool
) -> tuple[Any, Any, Any, Any]:
    loss, gradients = jax.value_and_grad(_loss)(state[0], sources, x, y, widths, scan)
    return loss, *_reselect(_adam(state, gradients), sources, candidates)


_gradients = partial(jax.jit, static_argnames=("widths", "scan"))(jax.value_and_grad(_loss))
_forward = partial(jax.jit, static_argnames=("widths", "scan"))(_logits)


class JaxLayer:
    """Everything compiled before it is timed; arrays of parameters and moments are updated in place.

    Parameters
    ----------
    problem : Problem
    scan : bool
        Add one synapse of every branch after the other instead of gathering (branches, K, batch).
    """

    def __init__(self, problem: Problem, scan: bool) -> None:
        self.problem, self.samples, self.scan = problem, problem.samples, scan
        self.batches = Batches(len(self.samples.y), problem.batch)
        arrays = problem.arrays
        self.sources, self.candidates, raw = {}, {}, {}
        for sign in SIGNS:
            source, dense = np.concatenate(problem.active(sign)), np.concatenate(arrays[sign])
            raw[sign] = jnp.asarray(np.take_along_axis(dense, source, 1))
            np.put_along_axis(dense, source, -np.inf, 1)  # active ones do not stand for election
            self.sources[sign], self.candidates[sign] = jnp.asarray(source), jnp.asarray(dense)
        parameters = {
            "raw": raw,
            **{name: [jnp.array(v) for v in arrays[name]] for name in ("coupling", "log_slope", "midpoint")},
            **{name: jnp.array(arrays[name]) for name in ("weight", "bias")},
        }
        zeros = [jax.tree.map(jnp.zeros_like, parameters) for _ in range(2)]
        self.state: Any = (parameters, *zeros, jnp.zeros((), jnp.int32))
        self.last: Any = None

    def batch(self) -> tuple[Any, Any]:
        """The next minibatch."""
        rows = self.batches()
        return self.samples.x[rows], self.samples.y[rows]

    def forward(self) -> Any:
        """Logits of the next batch."""
        x, _ = self.batch()
        return _forward(self.state[0], self.sources, x, self.problem.widths, self.scan).block_until_ready()

    def gradients(self) -> float:
        """Loss of the next batch; gradients in `last`."""
        x, y = self.batch()
        loss, self.last = _gradients(self.state[0], self.sources, x, y, self.problem.widths, self.scan)
        jax.block_until_ready(self.last)
        return float(loss)

    def step(self) -> float:
        """One training step on the next batch; the mean loss."""
        x, y = self.batch()
        loss, self.state, self.sources, self.candidates = _step(
            self.state, self.sources, self.candidates, x, y, self.problem.widths, self.scan
        )
        jax.block_until_ready(self.state)
        return float(loss)

    def dense_gradient(self, sign: str) -> list[np.ndarray]:
        """Gradients with respect to all raw values by stage, zero where a synapse is not active."""
        dense = np.zeros(self.candidates[sign].shape, np.float32)
        np.put_along_axis(dense, np.asarray(self.sources[sign]), np.asarray(self.last["raw"][sign]), 1)
        return np.split(dense, np.cumsum(self.problem.widths[:-1])[:-1])


PEERS: dict[str, Callable[[Problem], JaxLayer]] = {
    "JAX, gather": lambda problem: JaxLayer(problem, scan=False),
    "JAX, scan": lambda problem: JaxLayer(problem, scan=True),
}
