"""The paper's network in plain PyTorch: dense weights times TopK masks, differentiated by autograd.

Written from the equations alone, without dendrosim: what the library computes is held against it. Compartments of a
cell form any tree; the `k` active synapses of a compartment are the largest raw values of its row, chosen anew in each
forward pass.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

POSITIVE = {"softplus": functional.softplus, "exp": torch.exp}
INTEGRATIONS = ("shunting", "additive", "normalised_additive")


def parameter(values: Any, dtype: torch.dtype) -> nn.Parameter:
    """Trainable copy of an array."""
    return nn.Parameter(torch.as_tensor(np.array(values), dtype=dtype))


class Bank(nn.Module):
    """Synapses of one sign: a dense raw weight for every compartment and source, of which few are active.

    Parameters
    ----------
    raw : array, shape (N, n_sources)
    k : int or array, shape (N,)
        Active synapses of each compartment.
    positive : str
        From raw values to conductances: "softplus" or "exp".
    dtype : torch.dtype
    """

    def __init__(self, raw: Any, k: Any, positive: str, dtype: torch.dtype) -> None:
        super().__init__()
        self.raw = parameter(raw, dtype)
        self.k = torch.broadcast_to(torch.as_tensor(np.array(k, dtype=np.int64)), (self.raw.shape[0],))
        self.positive = POSITIVE[positive]

    def mask(self) -> Tensor:
        """Ones where a synapse is active, shape (N, n_sources)."""
        values = self.raw.detach()
        order = values.argsort(dim=1, descending=True, stable=True)
        chosen = (torch.arange(values.shape[1]) < self.k[:, None]).to(values.dtype)
        return torch.zeros_like(values).scatter(1, order, chosen)

    def conductance(self) -> Tensor:
        """Conductances, shape (N, n_sources); 0 where no synapse is."""
        return self.positive(self.raw) * self.mask()


class Cells(nn.Module):
    """A population of dendritic neurons.

    Parameters
    ----------
    parent : array of int, shape (N,)
        Of each compartment; -1 at the somas, which are the roots.
    excitatory, inhibitory : Bank or None
    excited_by, inhibited_by : sequence of str
        Where the two banks' columns come from: "input", or names of populations evaluated before.
    coupling : array, shape (N,)
        Raw; those of the roots serve nothing.
    log_slope, midpoint : array, shape (N,), or None
        Of the gates; None for none at all.
    gated : array of bool, shape (N,), or None
        Compartments with a gate, where not all have one.
    leak : array, shape (N,), or float
    integration, positive : str
    dtype : torch.dtype
    """

    def __init__(
        self,
        parent: Any,
        excitatory: Bank | None,
        inhibitory: Bank | None,
        coupling: Any,
        log_slope: Any = None,
        midpoint: Any = None,
        gated: Any = None,
        *,
        excited_by: Sequence[str] = ("input",),
        inhibited_by: Sequence[str] = ("input",),
        leak: Any = 1.0,
        integration: str = "shunting",
        positive: str = "softplus",
        dtype: torch.dtype = torch.float64,
    ) -> None:
        super().__init__()
        if integration not in INTEGRATIONS:
            raise ValueError(f"integration {integration!r} is none of {', '.join(INTEGRATIONS)}")
        parents = [int(p) for p in parent]
        self.size = len(parents)
        self.parent = torch.tensor(parents)
        self.roots = torch.tensor([n for n, p in enumerate(parents) if p < 0])
        depth = [0] * self.size
        for n in range(self.size):
            above = parents[n]
            while above >= 0:
                depth[n], above = depth[n] + 1, parents[above]
        self.stages = [torch.tensor([n for n in range(self.size) if depth[n] == d]) for d in range(max(depth) + 1)]
        self.excitatory, self.inhibitory = excitatory, inhibitory
        self.excited_by, self.inhibited_by = tuple(excited_by), tuple(inhibited_by)
        self.coupling = parameter(coupling, dtype)
        self.log_slope = None if log_slope is None else parameter(log_slope, dtype)
        self.midpoint = None if midpoint is None else parameter(midpoint, dtype)
        self.gated = torch.as_tensor(np.ones(self.size, bool) if gated is None else np.array(gated))
        self.leak = torch.broadcast_to(torch.as_tensor(np.array(leak), dtype=dtype), (self.size,))
        self.integration, self.positive, self.dtype = integration, POSITIVE[positive], dtype

    def _drive(self, bank: Bank | None, x: Tensor) -> tuple[Tensor, Tensor]:
        """Summed input (B, N) and summed conductance (N,) of a bank."""
        if bank is None:
            return x.new_zeros(x.shape[0], self.size), x.new_zeros(self.size)
        weight = bank.conductance()
        return x @ weight.T, weight.sum(dim=1)

    def gate(self, voltage: Tensor, nodes: Tensor) -> Tensor:
        """Output of some compartments."""
        if self.log_slope is None or self.midpoint is None:
            return voltage
        slope = torch.exp(self.log_slope[nodes])
        gate = (torch.tanh(slope * (voltage - self.midpoint[nodes])) + 1) / 2
        return torch.where(self.gated[nodes], gate, voltage)

    def forward(self, excitation: Tensor, inhibition: Tensor) -> tuple[Tensor, Tensor]:
        """Voltage and output of every compartment, (B, N) each, from the activities that drive the two banks."""
        e, e_total = self._drive(self.excitatory, excitation)
        i, i_total = self._drive(self.inhibitory, inhibition)
        g = self.positive(self.coupling)
        current = torch.zeros_like(e)  # from the children: sum of g_c a_c
        conductance = torch.zeros_like(e_total)  # of the children: sum of g_c
        voltage, output = torch.zeros_like(e), torch.zeros_like(e)
        for nodes in reversed(self.stages):  # distal to proximal, the somas last
            if self.integration == "shunting":
                total = self.leak[nodes] + e[:, nodes] + i[:, nodes] + conductance[nodes]
                v = (e[:, nodes] + current[:, nodes]) / total
            else:
                v = e[:, nodes] - i[:, nodes] + current[:, nodes]
                if self.integration == "normalised_additive":
                    v = v / (self.leak[nodes] + e_total[nodes] + i_total[nodes] + conductance[nodes])
            a = self.gate(v, nodes)
            voltage = voltage.index_copy(1, nodes, v)
            output = output.index_copy(1, nodes, a)
            above = self.parent[nodes]
            if int(above.min()) >= 0:
                current = current.index_add(1, above, g[nodes] * a)
                conductance = conductance.index_add(0, above, g[nodes])
        return voltage, output


class Network(nn.Module):
    """Populations in evaluation order, and a decoder of linear layers with rectification between them.

    Parameters
    ----------
    cells : mapping of str to Cells
        In evaluation order.
    readout : sequence of str
        Populations whose somas the decoder reads.
    weights, biases : sequence of array, shapes (n_out, n_in) and (n_out,)
        Of the decoder, one pair per layer.
    dtype : torch.dtype
    """

    def __init__(
        self,
        cells: Mapping[str, Cells],
        readout: Sequence[str],
        weights: Sequence[Any],
        biases: Sequence[Any],
        dtype: torch.dtype = torch.float64,
    ) -> None:
        super().__init__()
        self.names = tuple(cells)
        self.cells = nn.ModuleList(cells.values())
        self.readout = tuple(readout)
        self.weights = nn.ParameterList([parameter(w, dtype) for w in weights])
        self.biases = nn.ParameterList([parameter(b, dtype) for b in biases])
        self.voltage: dict[str, Tensor] = {}
        self.output: dict[str, Tensor] = {}

    def forward(self, x: Tensor) -> Tensor:
        """Logits, (B, n_outputs); voltages and outputs of the compartments stay readable."""
        activity = {"input": x}
        for name, cells in zip(self.names, self.cells, strict=True):
            excitation = torch.cat([activity[source] for source in cells.excited_by], dim=1)
            inhibition = torch.cat([activity[source] for source in cells.inhibited_by], dim=1)
            self.voltage[name], self.output[name] = cells(excitation, inhibition)
            activity[name] = self.output[name][:, cells.roots]
        h = torch.cat([activity[name] for name in self.readout], dim=1)
        for depth, (weight, bias) in enumerate(zip(self.weights, self.biases, strict=True)):
            h = (torch.relu(h) if depth else h) @ weight.T + bias
        return h

    def loss(self, x: Tensor, labels: Tensor) -> Tensor:
        """Mean softmax cross-entropy of a batch."""
        return functional.cross_entropy(self(x), labels)
