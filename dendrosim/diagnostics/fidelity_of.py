"""Fidelity of a rule's gradient to the exact one on the same network and batch (paper, section 5.3)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..arguments import instance, mapping, several, short
from ..errors import ParameterError
from .fidelity_report import Fidelity

if TYPE_CHECKING:
    from ..losses import Loss
    from ..networks.network import Network
    from ..plasticity.rules import Rule
    from ..teaching import Teaching

Gradients = dict[str, NDArray[Any]]


def fidelity(
    network: Network,
    x: ArrayLike,
    y: ArrayLike,
    *,
    teaching: str | Teaching = "per_soma",
    rule: str | Rule | Mapping[str, Any] = "5F",
    loss: str | Loss | Mapping[str, Any] = "cross_entropy",
    seed: int | np.random.SeedSequence = 0,
    warmup: Iterable[tuple[ArrayLike, ArrayLike]] = (),
    state: Mapping[str, NDArray[Any]] | None = None,
    threads: int | None = None,
) -> Fidelity:
    """Compare the gradient of a teaching signal and a rule with the exact gradient.

    Both are taken on the same weights and the same batch, before any clipping and before the optimiser; the network is
    not changed. The exact gradient is that of the mean loss with respect to the raw parameters, as
    backpropagation gives it.

    Parameters
    ----------
    network : Network
        Fresh or trained. The dtype is the network's: a float64 network gives the cosines of float64.
    x : array of shape (B, n_inputs)
        Inputs, not negative.
    y : int array of shape (B,)
        Classes.
    teaching : str or Teaching, default "per_soma"
        The teaching signal.
    rule : str, Rule or mapping, default "5F"
        The local rule. Its modulators start afresh, with this batch as their first.
    loss : str, Loss or mapping, default "cross_entropy"
    seed : int or SeedSequence, default 0
        For random feedback and noise.
    warmup : iterable of (x, y)
        Batches that the modulators' running averages see before. Nothing is learned on them.
    state : mapping, optional
        ``Learner.state()`` of the learner that trained the network: random feedback and running averages are then the
        ones it was trained with.
    threads : int, optional
        As for `Network.forward`.

    Returns
    -------
    Fidelity
        Cosine, scale mismatch and relative L2 per component group, layer and stage, compartment and synapse.

    Raises
    ------
    ParameterError
        If the teaching signal, the rule or the state do not suit the network, or as for `Network.forward`.

    Examples
    --------
    >>> import numpy as np, dendrosim as ds
    >>> network = ds.Network.dendritic(20, 3, [4], [2, 2], 5, 5, dtype="float64")
    >>> rng = np.random.default_rng(0)
    >>> x, y = rng.random((50, 20)), rng.integers(0, 3, 50)
    >>> report = ds.fidelity(network, x, y, teaching="exact", rule="3F")
    >>> round(float(report["all"]["cosine"]), 12)
    1.0
    """
    from ..networks.network import Network
    from ..plasticity.learner import Learner

    instance("network", network, Network, "such as ds.Network.dendritic(...)")
    # a decoder's own gradient is the same under every teaching signal, and need not have a local form to be compared
    local = Learner(network, teaching, rule, loss=loss, decoder="exact", seed=seed, threads=threads)
    if state is not None:
        restore("teaching", local.teaching, state)
        restore("rule", local.rule, state)
    for batch in several("warmup", warmup, "pairs (x, y), such as [(x0, y0), (x1, y1)]"):
        if not isinstance(batch, tuple) or len(batch) != 2:
            raise ParameterError(f"warmup must be pairs (x, y), such as [(x0, y0), (x1, y1)]; got {short(batch)}")
        local.gradients(*batch)
    exact = Learner(network, "exact", "3F", loss=loss, decoder="exact", threads=threads)
    found = [learner.gradients(x, y) for learner in (local, exact)]
    if not np.isfinite(found[1].loss):
        raise ParameterError(
            f"the loss of the network on this batch is {found[1].loss}: voltages grow beyond what {network.dtype.name} "
            "holds, as in deep additive trees without gates; use gates=True, integration='shunting' or smaller inputs"
        )
    both = [one.values for one in found]
    return Fidelity(
        network,
        *both,
        teaching=teaching if isinstance(teaching, str) else repr(teaching),
        rule=local.rule.name,
        n_samples=len(y),  # type: ignore[arg-type]
    )


def compare_gradients(network: Network, local: Gradients, exact: Gradients) -> Fidelity:
    """Compare two gradients of one network, wherever they come from.

    Parameters
    ----------
    network : Network
        Says which entries belong together.
    local, exact : dict of arrays
        Under the names and in the shapes of ``network.parameters``, as `Learner.gradients` gives them in ``values``.

    Returns
    -------
    Fidelity

    Raises
    ------
    ParameterError
        If a name is missing or a shape is another.
    """
    from ..networks.network import Network

    instance("network", network, Network, "such as ds.Network.dendritic(...)")
    local = mapping("local", local, "arrays by the names of the network's parameters")
    exact = mapping("exact", exact, "arrays by the names of the network's parameters")
    for what, gradient in (("local", local), ("exact", exact)):
        for name, parameter in network.parameters.items():
            shape = np.shape(gradient[name]) if name in gradient else None
            if shape != parameter.shape:
                found = "is missing" if shape is None else f"has shape {shape}"
                raise ParameterError(f"{what}[{name!r}] {found}; the network's has shape {parameter.shape}")
    return Fidelity(network, local, exact)


def restore(part: str, it: Any, state: Mapping[str, NDArray[Any]]) -> None:
    """Give a new teaching signal or rule the feedback and the running averages of another.

    Parameters
    ----------
    part : {"teaching", "rule"}
    it : Teaching or Rule
        Some keep more as they learn: what the new one keeps has to be among it.
    state : mapping
        ``Learner.state()`` of a learner with the same one.

    Raises
    ------
    ParameterError
        If it is of another.
    """
    state = mapping("state", state, "what Learner.state() returns")
    mine = {key.split(":", 1)[1]: value for key, value in state.items() if key.startswith(f"{part}:")}
    needed = set(it.state())
    if not needed <= set(mine) or (mine and not needed):
        raise ParameterError(
            f"state keeps {sorted(mine) or 'nothing'} of the {part}, but {it!r} needs {sorted(needed) or 'nothing'}: "
            "it must be Learner.state() of a learner with the same teaching and rule"
        )
    it.restore(mine)
