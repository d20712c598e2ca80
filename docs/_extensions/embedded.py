"""The interactive figure of the page on notebooks, with plotly's program beside it: nothing comes from elsewhere."""

from __future__ import annotations

from pathlib import Path
from typing import Any


def figure() -> Any:
    """A cell under ten stimuli, inhibition growing from none."""
    import numpy as np

    import dendrosim as ds

    compartments = ds.Morphology.load("ca1_pyramidal").compartments(ds.Passive(E_leak=-70.0), max_length=30.0)
    synapses = ds.Synapses.scatter(compartments, excitatory=150, inhibitory=50, seed=0)
    inhibition = np.linspace(0.0, 1.0, 10)
    x = np.where(synapses.sign > 0, 0.5, inhibition[:, None])
    state = ds.steady_state(compartments, synapses, x)
    names = [f"{share:.2f}" for share in inhibition]
    return ds.plotting.interactive(
        compartments, state.voltage, names=names, label="voltage", unit="mV", minimum_diameter=3.0, megabytes=3.0
    )


def write(app: Any, error: Exception | None) -> None:
    """Write the page once the site is there."""
    if error is None and app.builder.format == "html":
        import dendrosim as ds

        folder = Path(app.outdir) / "_static" / "interactive"
        folder.mkdir(parents=True, exist_ok=True)
        ds.plotting.write_interactive(figure(), folder / "cell.html", title="A cell to turn", plotlyjs="directory")
