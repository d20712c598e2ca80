"""The same cell in Jaxley: one backward Euler step that is very long, and its gradient by `jax.value_and_grad`."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any
from unittest import mock

import numpy as np
from cells import Floats, Problem

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import jax
    import jax.numpy as jnp
    import jaxley as jx
    from jaxley.channels import Channel, Leak
    from jaxley.integrate import build_init_and_step_fn

jax.config.update("jax_platform_name", "cpu")
jax.config.update("jax_enable_x64", True)

STEP = 1e12
"""ms. One step from any voltage then ends within rounding of the steady state of a linear cell."""


class Conductance(Channel):  # type: ignore[misc]
    """A constant conductance, S/cm2, to a reversal potential: Jaxley's way to drive compartments from outside."""

    def __init__(self, name: str) -> None:
        self.current_is_in_mA_per_cm2 = True
        super().__init__(name)
        self.channel_params = {f"{name}_g": 0.0, f"{name}_e": 0.0}
        self.channel_states: dict[str, Any] = {}
        self.current_name = f"i_{name}"

    def update_states(self, states: Any, dt: Any, v: Any, params: Any) -> dict[str, Any]:
        """Nothing changes."""
        return {}

    def compute_current(self, states: Any, v: Any, params: Any) -> Any:
        """Current density."""
        return params[f"{self._name}_g"] * (v - params[f"{self._name}_e"])

    def init_state(self, states: Any, v: Any, params: Any, delta_t: Any) -> dict[str, Any]:
        """Nothing to set."""
        return {}


class JaxleyPeer:
    """Axial conductances are set to those of the compartments; excitation and inhibition are one field each.

    Everything that does not depend on the stimulus is computed beforehand; what is timed is one compiled function from
    activities to voltages, or to voltages and the gradient in two fields, synaptic conductances of excitation and of
    inhibition per compartment. Compilation is not counted.
    """

    name = "Jaxley"

    def __init__(self, problem: Problem) -> None:
        self.problem, self.version = problem, jx.__version__
        self._build()
        compartments, synapses = problem.compartments, problem.synapses
        init, step = build_init_and_step_fn(self._cell)
        self._cell.to_jax()
        states, parameters = init([])
        parameters["axial_conductances"] = {"v": jnp.asarray(self._axial())}
        place = np.empty(problem.size, np.int64)  # of a compartment among Jaxley's; branch points stay out
        place[self._order] = np.arange(self._order.size)
        kinds = ((synapses.sign > 0, "excitation"), (synapses.sign < 0, "inhibition"))
        density = 0.1 / compartments.area[synapses.compartment]  # S/cm2 per nS
        wiring = [
            (
                name,
                jnp.asarray(place[synapses.compartment[which]]),
                jnp.asarray(synapses.source[which]),
                jnp.asarray((synapses.conductance * density)[which]),
            )
            for which, name in kinds
        ]
        n = self._order.size

        def fields(x: Any) -> list[Any]:
            return [jnp.zeros(n).at[at].add(g * x[source]) for _, at, source, g in wiring]

        def solve(conductances: list[Any]) -> Any:
            own = dict(parameters)
            for (name, *_), g in zip(wiring, conductances, strict=True):
                own[f"{name}_g"] = g
            return step(dict(states), own, {}, {}, delta_t=STEP)["v"]

        def soma(conductances: list[Any]) -> tuple[Any, Any]:
            voltage = solve(conductances)
            return voltage[0], voltage

        def both(x: Any) -> Any:
            (_, voltage), gradient = jax.value_and_grad(soma, has_aux=True)(fields(x))
            return voltage, gradient

        self._voltage, self._gradient = jax.jit(lambda x: solve(fields(x))), jax.jit(both)
        self._voltages, self._gradients = jax.jit(jax.vmap(lambda x: solve(fields(x)))), jax.jit(jax.vmap(both))

    def _build(self) -> None:
        problem = self.problem
        compartments, passive = problem.compartments, problem.passive
        sections = problem.morphology.sections
        piece = jx.Compartment()
        sizes = [1, *(run.size for run, _ in problem.runs)]
        with mock.patch.object(jx.Branch, "initialize", lambda branch: branch):  # solvers of single branches: not used
            branch = {size: jx.Branch(piece, ncomp=size) for size in set(sizes)}
        branches = [branch[size] for size in sizes]
        self._cell = cell = jx.Cell(branches, parents=[-1, *(sections.parent + 1).tolist()])
        self._order = np.concatenate([[0], *(run for run, _ in problem.runs)])
        for channel in (Leak(), Conductance("excitation"), Conductance("inhibition")):
            cell.insert(channel)
        cell.set("capacitance", passive.C_m)
        cell.set("Leak_gLeak", 1 / passive.R_m)
        cell.set("Leak_eLeak", passive.E_leak)
        cell.set("v", passive.E_leak)
        signs, reversals = problem.synapses.sign, problem.synapses.reversal
        for name, sign in (("excitation", 1), ("inhibition", -1)):
            cell.set(f"{name}_e", float(reversals[signs == sign][0]))
        cell.base.nodes["area"] = compartments.area[self._order]
        cell.base._init_view()

    def _axial(self) -> Floats:
        """Conductance of each of Jaxley's edges over the capacitance of the compartment that it leads to, 1/ms.

        Jaxley puts a branch point behind every branch that is not a tip. Where the compartments have none of their own
        (at the soma; where only the region changes) the near half of the connection gets no resistance to speak of.
        """
        compartments, order = self.problem.compartments, self._order
        edges = self._cell._comp_edges
        source, sink = edges["source"].to_numpy(), edges["sink"].to_numpy()
        n = order.size
        own = {tuple(pair): k for k, pair in enumerate(zip(source.tolist(), sink.tolist(), strict=True))}
        values = np.empty(len(edges))
        parent_of = {int(s): int(t) for s, t, kind in zip(source, sink, edges["type"], strict=True) if kind == 3}
        capacitance = np.append(compartments.capacitance[order], 1.0)  # branch points: any scale does
        for (a, b), k in own.items():
            if a < n and b < n:
                lower = b if compartments.parent[order[b]] == order[a] else a
                g = compartments.coupling[order[lower]]
            else:
                inner = a if a < n else b
                if parent_of.get(inner) == (b if a < n else a):  # the branch point at this compartment's far end
                    nodes = np.flatnonzero((compartments.parent == order[inner]) & (compartments.area == 0))
                    g = compartments.coupling[nodes[0]] if nodes.size else 1e9
                else:
                    g = compartments.coupling[order[inner]]
            values[k] = g / (capacitance[b] if b < n else 1.0)
        return values

    def _outside(self, at_compartments: Any) -> Floats:
        """Values in our order; branch points, which Jaxley does not return, are NaN."""
        out = np.full(self.problem.size, np.nan)
        out[self._order] = np.asarray(at_compartments)
        return out

    def voltage(self, x: Floats) -> Floats:
        """Steady voltages, shape (N,)."""
        return self._outside(self._voltage(x)[: self._order.size])

    def gradient(self, x: Floats) -> dict[str, Floats]:
        """Voltages and dL/dg of a synapse of activity 1 in every compartment, per nS, for excitation and inhibition."""
        voltage, (excitation, inhibition) = self._gradient(x)
        density = 0.1 / self.problem.compartments.area[self._order]
        return {
            "voltage": self._outside(voltage[: self._order.size]),
            "excitation": self._outside(excitation * density),
            "inhibition": self._outside(inhibition * density),
        }

    def calls(self, x: Floats) -> dict[str, tuple[Callable[[], Any], Callable[[], Any]]]:
        """Voltage and gradient of all stimuli x, shape (B, P): one after another, and as one batch."""

        def one_by_one(function: Any) -> Callable[[], Any]:
            return lambda: jax.block_until_ready([function(row) for row in x])

        def at_once(function: Any) -> Callable[[], Any]:
            return lambda: jax.block_until_ready(function(x))

        return {
            "one by one": (one_by_one(self._voltage), one_by_one(self._gradient)),
            "vmap": (at_once(self._voltages), at_once(self._gradients)),
        }
