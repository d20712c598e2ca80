"""The public surface: what it is, and that reaching for a little of it imports little."""

from __future__ import annotations

import importlib
import pkgutil
import subprocess
import sys
from types import ModuleType

import pytest

import dendrosim as ds

PUBLIC = [
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
    "NMDA",
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
HEAVY = {"h5py", "matplotlib", "morphio", "networkx", "numba", "numpy", "pooch", "requests", "scipy", "sklearn", "tqdm"}


def imported_by(code: str) -> set[str]:
    """Top-level modules that a fresh interpreter has loaded after `code`."""
    program = f"import sys\n{code}\nprint(*{{name.partition('.')[0] for name in sys.modules}})"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_the_public_list_is_pinned():
    assert sorted(ds.__all__) == PUBLIC
    assert ds.__dir__() == PUBLIC


@pytest.mark.parametrize("name", PUBLIC)
def test_every_public_name_exists_and_says_what_it_is(name):
    value = getattr(ds, name)
    assert value is getattr(ds, name)
    assert name == "__version__" or value.__doc__


def test_no_submodule_hides_a_function_of_its_name():
    # importing a submodule binds it in its package, over what the package would have looked up lazily
    for module in pkgutil.walk_packages(ds.__path__, "dendrosim."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    public = {f"ds.{name}": getattr(ds, name) for name in PUBLIC}
    public |= {f"ds.plotting.{name}": getattr(ds.plotting, name) for name in ds.plotting.__all__}
    public |= {f"ds.grow.{name}": getattr(ds.grow, name) for name in ds.grow.__all__}
    public |= {f"ds.exchange.{name}": getattr(ds.exchange, name) for name in ds.exchange.__all__}
    public |= {f"ds.neuromorpho.{name}": getattr(ds.neuromorpho, name) for name in ds.neuromorpho.__all__}
    public |= {f"ds.tasks.{name}": getattr(ds.tasks, name) for name in ds.tasks.__all__}
    modules = {name for name, value in public.items() if isinstance(value, ModuleType)}
    assert modules == {
        "ds.diagnostics",
        "ds.errors",
        "ds.exchange",
        "ds.grow",
        "ds.losses",
        "ds.networks",
        "ds.neuromorpho",
        "ds.plasticity",
        "ds.plotting",
        "ds.runs",
        "ds.tasks",
        "ds.teaching",
        "ds.training",
    }


def test_an_unknown_name_lists_the_valid_ones():
    with pytest.raises(AttributeError, match=r"no attribute 'Morfology'; it has: NMDA, .*transfer_resistance"):
        _ = ds.Morfology


def test_import_alone_loads_nothing_heavy():
    assert not imported_by("import dendrosim") & HEAVY


@pytest.mark.parametrize(
    "code",
    [
        "dendrosim.__version__",
        "dendrosim.cite('swc')",
        "dendrosim.errors.ParameterError",
        "dendrosim.neuromorpho.search(species='mouse')",
    ],
)
def test_small_things_load_nothing_heavy(code):
    assert not imported_by(f"import dendrosim\n{code}") & HEAVY


def test_passive_parameters_need_no_numpy():
    assert not imported_by("import dendrosim\ndendrosim.Passive()") & HEAVY


def test_the_command_line_loads_nothing_heavy_for_its_version():
    code = "from dendrosim.cli import main\nmain(['--version'])"
    assert not imported_by(code) & HEAVY
