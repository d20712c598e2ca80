"""The layer in PyTorch: dense weights with TopK masks as published, `embedding_bag`, and gather with `bmm`."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from layers_problem import CLIP, RATES, Batches, Problem
from torch import Tensor
from torch.nn.functional import cross_entropy, embedding_bag, softplus

VERSION = torch.__version__


def _parameter(values: Any) -> Tensor:
    return torch.tensor(np.asarray(values), requires_grad=True)


class TorchLayer(ABC):
    """Everything but the synapses: batches, couplings, gates, decoder, clipping, Adam.

    Adam is PyTorch's fused kernel, several times faster than its default, which the published runs used.
    """

    axis = 0
    """Of the compartments in activities; the batch is the other one."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.x, self.y = torch.from_numpy(problem.samples.x), torch.from_numpy(problem.samples.y)
        self.batches = Batches(len(self.y), problem.batch)
        arrays = problem.arrays
        self.coupling = [_parameter(v) for v in arrays["coupling"]]
        self.log_slope = [_parameter(v) for v in arrays["log_slope"]]
        self.midpoint = [_parameter(v) for v in arrays["midpoint"]]
        self.weight, self.bias = _parameter(arrays["weight"]), _parameter(arrays["bias"])
        self.excitatory = self.synapses("excitatory")
        self.inhibitory = self.synapses("inhibitory")
        groups = {
            "synapses": [*self.excitatory, *self.inhibitory],
            "couplings": self.coupling,
            "gates": [*self.log_slope, *self.midpoint],
            "decoder": [self.weight, self.bias],
        }
        self.parameters = [p for group in groups.values() for p in group]
        self.adam = torch.optim.Adam([{"params": p, "lr": RATES[g]} for g, p in groups.items()], fused=True)

    @abstractmethod
    def synapses(self, sign: str) -> list[Tensor]:
        """Trainable raw values."""

    @abstractmethod
    def drive(self, x: Tensor) -> tuple[list[Tensor], list[Tensor]]:
        """Excitatory and inhibitory conductance of every branch, by stage."""

    def reselect(self) -> None:  # noqa: B027
        """Choose the active synapses anew after an update."""

    def batch(self) -> tuple[Tensor, Tensor]:
        """The next minibatch."""
        rows = torch.from_numpy(self.batches())
        return self.x.index_select(0, rows), self.y.index_select(0, rows)

    def children(self, a: Tensor, g: Tensor) -> Tensor:
        """Current from the children, of each parent."""
        parents, branches = g.shape
        if self.axis == 0:
            return (a.view(parents, branches, -1) * g[:, :, None]).sum(1)
        return (a.view(-1, parents, branches) * g).sum(2)

    def along(self, values: Tensor) -> Tensor:
        """One value per compartment, ready to meet activities."""
        return values[:, None] if self.axis == 0 else values

    def stages(self, x: Tensor) -> list[dict[str, Tensor]]:
        """Voltage, resistance, output and conductances of every stage, the most distal first."""
        e, i = self.drive(x)
        found: list[dict[str, Tensor]] = []
        for k in range(len(self.log_slope)):
            current: Tensor | float = 0.0
            total: Tensor | float = 1.0
            if k < len(e):
                current, total = e[k], 1.0 + e[k] + i[k]
            stage = {}
            if k:
                g = softplus(self.coupling[k - 1])
                current = current + self.children(found[-1]["a"], g)
                total = total + self.along(g.sum(1))
                stage["g"] = g
            stage["r"] = torch.reciprocal(total) if isinstance(total, Tensor) else torch.ones(())
            stage["v"] = current * stage["r"]
            slope = self.along(torch.exp(self.log_slope[k]))
            stage["a"] = (torch.tanh(slope * (stage["v"] - self.along(self.midpoint[k]))) + 1) / 2
            found.append(stage)
        return found

    def logits(self, x: Tensor) -> Tensor:
        """Shape (batch, classes)."""
        a = self.stages(x)[-1]["a"]
        return (a.T if self.axis == 0 else a) @ self.weight.T + self.bias

    def forward(self) -> Tensor:
        """Logits of the next batch, without a graph."""
        with torch.no_grad():
            return self.logits(self.batch()[0])

    def gradients(self) -> Tensor:
        """Loss of the next batch; gradients in `.grad`."""
        for p in self.parameters:
            p.grad = None
        x, y = self.batch()
        loss = cross_entropy(self.logits(x), y)
        loss.backward()  # type: ignore[no-untyped-call]
        return loss

    def step(self) -> float:
        """One training step on the next batch; the mean loss."""
        loss = self.gradients()
        torch.nn.utils.clip_grad_value_(self.parameters, CLIP)
        self.adam.step()
        self.reselect()
        return loss.item()

    @abstractmethod
    def dense_gradient(self, sign: str) -> list[np.ndarray]:
        """Gradients with respect to all raw values by stage, zero where a synapse is not active."""


class Dense(TorchLayer):
    """Dense raw weights times masks that are found anew in every forward pass, as published."""

    axis = 1

    def synapses(self, sign: str) -> list[Tensor]:
        return [_parameter(v) for v in self.problem.arrays[sign]]

    def masked(self, sign: str) -> list[Tensor]:
        """Conductances, zero where a synapse is not active, by stage."""
        k = self.problem.excitatory if sign == "excitatory" else self.problem.inhibitory
        found = []
        for raw in getattr(self, sign):
            chosen = torch.topk(raw.detach(), k, dim=1).indices
            found.append(softplus(raw) * torch.zeros_like(raw).scatter_(1, chosen, 1.0))
        return found

    def drive(self, x: Tensor) -> tuple[list[Tensor], list[Tensor]]:
        e, i = self.masked("excitatory"), self.masked("inhibitory")
        return [x @ w.T for w in e], [x @ w.T for w in i]

    def dense_gradient(self, sign: str) -> list[np.ndarray]:
        return [raw.grad.numpy() for raw in getattr(self, sign)]


class DenseLocal(Dense):
    """The published local rule, 3F or 5F with one factor per stage, errors of each soma to its whole tree."""

    def __init__(self, problem: Problem, rule: str) -> None:
        super().__init__(problem)
        self.rule = rule
        self.moments: list[dict[str, Tensor]] = [{} for _ in problem.widths]

    def _average(self, stage: int, name: str, value: Tensor) -> Tensor:
        before = self.moments[stage].get(name, torch.zeros(()))
        self.moments[stage][name] = now = before + 0.1 * (value - before)
        return now

    def factor(self, k: int, found: list[dict[str, Tensor]], x: Tensor, weights: list[Tensor]) -> Tensor | float:
        """rho times phi of a stage."""
        if self.rule == "3F":
            return 1.0
        v = found[k]["v"]
        rho = self._average(k, "rho", (v.mean(1) * found[-1]["a"].mean(1)).mean()).clamp(0.1, 2.0)
        proxy = self.children(found[k - 1]["a"], found[k]["g"]) if k else x @ weights[0].T
        moments = {"v": v, "c": proxy, "vv": v * v, "cc": proxy * proxy, "vc": v * proxy}
        m = {name: self._average(k, name, value.mean()) for name, value in moments.items()}
        var_v, var_c, cov = m["vv"] - m["v"] ** 2, m["cc"] - m["c"] ** 2, m["vc"] - m["v"] * m["c"]
        phi = var_v / (var_v - cov * cov / (var_c + 1e-3)).clamp_min(1e-12)
        return rho * phi.clamp(0.25, 4.0)

    @torch.no_grad()
    def gradients(self) -> Tensor:
        x, y = self.batch()
        e_weights, i_weights = self.masked("excitatory"), self.masked("inhibitory")
        self.drive = lambda _: ([x @ w.T for w in e_weights], [x @ w.T for w in i_weights])  # type: ignore[method-assign]
        found = self.stages(x)
        h = found[-1]["a"]
        logits = h @ self.weight.T + self.bias
        loss = cross_entropy(logits, y)
        error = torch.softmax(logits, 1)
        error[torch.arange(len(y)), y] -= 1.0
        error /= len(y)
        self.weight.grad, self.bias.grad = error.T @ h, error.sum(0)
        soma = error @ self.weight
        for k, stage in enumerate(found):
            a, v, r = stage["a"], stage["v"], stage["r"]
            slope = torch.exp(self.log_slope[k])
            bend = a * (1 - a) * 2  # f' / slope
            e = soma.repeat_interleave(a.shape[1] // soma.shape[1], 1) * self.factor(k, found, x, e_weights)
            self.log_slope[k].grad = (e * bend * (v - self.midpoint[k])).sum(0) * slope
            self.midpoint[k].grad = -(e * bend).sum(0) * slope
            e = e * bend * slope * r
            if k < len(e_weights):
                banks = (self.excitatory[k], e_weights[k], 1 - v), (self.inhibitory[k], i_weights[k], -v)
                for raw, weights, force in banks:
                    chain = torch.where(weights > 0, torch.sigmoid(raw), 0.0)
                    raw.grad = (e * force).T @ x * chain
            if k:
                parents, branches = stage["g"].shape
                below = found[k - 1]["a"].view(-1, parents, branches)
                chain = torch.sigmoid(self.coupling[k - 1])
                self.coupling[k - 1].grad = (e[:, :, None] * (below - v[:, :, None])).sum(0) * chain
        return loss


class Indexed(TorchLayer):
    """Only active synapses: raw values (branches, K) and their sources; all candidates' values wait beside them."""

    def synapses(self, sign: str) -> list[Tensor]:
        source = torch.from_numpy(np.concatenate(self.problem.active(sign)))
        candidates = torch.from_numpy(np.concatenate(self.problem.arrays[sign]))
        raw = candidates.gather(1, source).requires_grad_()
        best = candidates.scatter(1, source, -torch.inf).max(1).values  # of those not active
        for name, value in (("source", source), ("candidates", candidates), ("best", best)):
            setattr(self, f"{sign}_{name}", value)
        return [raw]

    @torch.no_grad()
    def reselect(self) -> None:
        """TopK of the branches where an active value fell below the best inactive one; newcomers' moments are empty."""
        for sign in ("excitatory", "inhibitory"):
            raw, best, source = getattr(self, sign)[0], getattr(self, f"{sign}_best"), getattr(self, f"{sign}_source")
            candidates, k = getattr(self, f"{sign}_candidates"), raw.shape[1]
            rows = torch.nonzero(raw.amin(1) < best)[:, 0]
            if not len(rows):
                continue
            before = source[rows]
            values = candidates[rows].scatter_(1, before, raw[rows])
            largest, after = values.topk(k + 1, dim=1)
            candidates[rows], raw[rows], best[rows], source[rows] = values, largest[:, :k], largest[:, k], after[:, :k]
            for moment in ("exp_avg", "exp_avg_sq"):
                held = self.adam.state[raw][moment]
                values.zero_().scatter_(1, before, held[rows])
                held[rows] = values.gather(1, after[:, :k])

    @abstractmethod
    def combine(self, source: Tensor, g: Tensor, x: Tensor) -> Tensor:
        """Sum over the active synapses of each branch, (branches, batch); x has shape (n_inputs, batch)."""

    def drive(self, x: Tensor) -> tuple[list[Tensor], list[Tensor]]:
        x = x.T.contiguous()
        widths = self.problem.widths[:-1]
        e = self.combine(self.excitatory_source, softplus(self.excitatory[0]), x)
        i = self.combine(self.inhibitory_source, softplus(self.inhibitory[0]), x)
        return list(torch.split(e, widths)), list(torch.split(i, widths))

    def dense_gradient(self, sign: str) -> list[np.ndarray]:
        grad, source = getattr(self, sign)[0].grad, getattr(self, f"{sign}_source")
        dense = torch.zeros(len(source), self.problem.n_inputs).scatter(1, source, grad)
        return [part.numpy() for part in torch.split(dense, self.problem.widths[:-1])]


class EmbeddingBag(Indexed):
    """Weighted sums of rows of the transposed batch by `torch.nn.functional.embedding_bag`."""

    def combine(self, source: Tensor, g: Tensor, x: Tensor) -> Tensor:
        return embedding_bag(source, x, per_sample_weights=g, mode="sum")


class GatherBmm(Indexed):
    """Rows of the transposed batch gathered into (branches, K, batch), then one matrix product per branch."""

    def combine(self, source: Tensor, g: Tensor, x: Tensor) -> Tensor:
        return torch.bmm(g[:, None, :], x[source])[:, 0]


PEERS: dict[str, Callable[[Problem], TorchLayer]] = {
    "dense masks, backprop": Dense,
    "dense masks, 3F": lambda problem: DenseLocal(problem, "3F"),
    "dense masks, 5F": lambda problem: DenseLocal(problem, "5F"),
    "embedding_bag": EmbeddingBag,
    "gather + bmm": GatherBmm,
}
