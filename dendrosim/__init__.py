"""dendrosim: biophysical dendritic neurons that learn with local rules.

The public API, imported on first use so that ``import dendrosim`` stays fast.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

_HOME = {
    "Morphology": "morphology.tree",
    "Compartments": "morphology.compartments",
    "Passive": "membrane",
    "Synapses": "biophysics.synapses",
    "steady_state": "biophysics.steady",
    "State": "biophysics.steady",
    "exact_gradient": "biophysics.gradient",
    "Gradient": "biophysics.gradient",
    "transfer_resistance": "biophysics.impedance",
    "fit_passive": "biophysics.fitting",
    "PassiveFit": "biophysics.fitting",
    "InputResistance": "biophysics.fitting",
    "Attenuation": "biophysics.fitting",
    "Gate": "biophysics.gates",
    "SynapseKind": "biophysics.presets",
    "simulate": "biophysics.time.simulate",
    "Trace": "biophysics.time.trace",
    "Snapshot": "biophysics.time.trace",
    "Spikes": "biophysics.time.inputs",
    "Waveform": "biophysics.time.inputs",
    "Clamp": "biophysics.time.inputs",
    "Connections": "biophysics.time.connections",
    "Exponential": "biophysics.time.kinetics",
    "Alpha": "biophysics.time.kinetics",
    "DifferenceOfExponentials": "biophysics.time.kinetics",
    "NMDA": "biophysics.time.kinetics",
    "Instantaneous": "biophysics.time.kinetics",
    "HodgkinHuxley": "biophysics.time.mechanisms",
    "IntegrateAndFire": "biophysics.time.firing",
    "AdaptiveIntegrateAndFire": "biophysics.time.firing",
    "ExponentialIntegrateAndFire": "biophysics.time.firing",
    "Channel": "biophysics.time.channel",
    "LeakConductance": "biophysics.time.mechanisms",
    "TrajectoryGradient": "biophysics.time.adjoint",
    "FastSigmoid": "biophysics.time.surrogates",
    "Triangle": "biophysics.time.surrogates",
    "ArcTangent": "biophysics.time.surrogates",
    "Network": "networks.network",
    "Neurons": "networks.neurons",
    "Learner": "plasticity.learner",
    "Deliveries": "plasticity.deliveries",
    "NeuronLearner": "plasticity.neuron",
    "OnlineLearner": "plasticity.online",
    "Run": "training.run",
    "train": "training.train",
    "credit_fidelity": "diagnostics.credit_of",
    "time_fidelity": "diagnostics.time_fidelity",
    "TimeFidelity": "diagnostics.time_fidelity",
    "CreditFidelity": "diagnostics.credit_of",
    "fidelity": "diagnostics.fidelity_of",
    "Fidelity": "diagnostics.fidelity_report",
    "__version__": "about",
    "cite": "about",
    "show_versions": "about",
}
_MODULES = {
    "diagnostics": "diagnostics",
    "errors": "errors",
    "exchange": "exchange",
    "grow": "morphology.growth",
    "losses": "losses",
    "networks": "networks",
    "neuromorpho": "morphology.neuromorpho",
    "plasticity": "plasticity",
    "plotting": "plotting",
    "runs": "runs",
    "tasks": "tasks",
    "teaching": "teaching",
    "training": "training",
}

__all__ = [
    "NMDA",
    "AdaptiveIntegrateAndFire",
    "Alpha",
    "ArcTangent",
    "Attenuation",
    "Channel",
    "Clamp",
    "Compartments",
    "Connections",
    "CreditFidelity",
    "Deliveries",
    "DifferenceOfExponentials",
    "Exponential",
    "ExponentialIntegrateAndFire",
    "FastSigmoid",
    "Fidelity",
    "Gate",
    "Gradient",
    "HodgkinHuxley",
    "InputResistance",
    "Instantaneous",
    "IntegrateAndFire",
    "LeakConductance",
    "Learner",
    "Morphology",
    "Network",
    "NeuronLearner",
    "Neurons",
    "OnlineLearner",
    "Passive",
    "PassiveFit",
    "Run",
    "Snapshot",
    "Spikes",
    "State",
    "SynapseKind",
    "Synapses",
    "TimeFidelity",
    "Trace",
    "TrajectoryGradient",
    "Triangle",
    "Waveform",
    "__version__",
    "cite",
    "credit_fidelity",
    "diagnostics",
    "errors",
    "exact_gradient",
    "exchange",
    "fidelity",
    "fit_passive",
    "grow",
    "losses",
    "networks",
    "neuromorpho",
    "plasticity",
    "plotting",
    "runs",
    "show_versions",
    "simulate",
    "steady_state",
    "tasks",
    "teaching",
    "time_fidelity",
    "train",
    "training",
    "transfer_resistance",
]

if TYPE_CHECKING:
    from . import diagnostics, errors, exchange, losses, networks, plasticity, plotting, runs, tasks, teaching, training
    from .about import __version__, cite, show_versions
    from .biophysics.fitting import Attenuation, InputResistance, PassiveFit, fit_passive
    from .biophysics.gates import Gate
    from .biophysics.gradient import Gradient, exact_gradient
    from .biophysics.impedance import transfer_resistance
    from .biophysics.presets import SynapseKind
    from .biophysics.steady import State, steady_state
    from .biophysics.synapses import Synapses
    from .biophysics.time.adjoint import TrajectoryGradient
    from .biophysics.time.channel import Channel
    from .biophysics.time.connections import Connections
    from .biophysics.time.firing import AdaptiveIntegrateAndFire, ExponentialIntegrateAndFire, IntegrateAndFire
    from .biophysics.time.inputs import Clamp, Spikes, Waveform
    from .biophysics.time.kinetics import NMDA, Alpha, DifferenceOfExponentials, Exponential, Instantaneous
    from .biophysics.time.mechanisms import HodgkinHuxley, LeakConductance
    from .biophysics.time.simulate import simulate
    from .biophysics.time.surrogates import ArcTangent, FastSigmoid, Triangle
    from .biophysics.time.trace import Snapshot, Trace
    from .diagnostics.credit_of import CreditFidelity, credit_fidelity
    from .diagnostics.fidelity_of import fidelity
    from .diagnostics.fidelity_report import Fidelity
    from .diagnostics.time_fidelity import TimeFidelity, time_fidelity
    from .membrane import Passive
    from .morphology import growth as grow
    from .morphology import neuromorpho
    from .morphology.compartments import Compartments
    from .morphology.tree import Morphology
    from .networks.network import Network
    from .networks.neurons import Neurons
    from .plasticity.deliveries import Deliveries
    from .plasticity.learner import Learner
    from .plasticity.neuron import NeuronLearner
    from .plasticity.online import OnlineLearner
    from .training.run import Run
    from .training.train import train


def __getattr__(name: str) -> Any:
    from importlib import import_module

    if name in _MODULES:
        value = import_module("." + _MODULES[name], __name__)
    elif name in _HOME:
        value = getattr(import_module("." + _HOME[name], __name__), name)
    else:
        raise AttributeError(f"module 'dendrosim' has no attribute {name!r}; it has: {', '.join(__all__)}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
