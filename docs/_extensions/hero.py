"""The picture of the landing page, once for light and once for dark pages."""

from __future__ import annotations

from pathlib import Path
from typing import Any

CELLS = ("purkinje", "pyramidal_l5", "ca1_pyramidal")


def draw(folder: Path, name: str, ink: str, colours: Any) -> None:
    """Three cells, coloured by how much of a steady voltage reaches the soma."""
    import matplotlib as mpl

    mpl.use("agg")
    import matplotlib.pyplot as plt
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import Normalize

    import dendrosim as ds

    with ds.plotting.style():
        figure, panels = plt.subplots(
            1, 3, figsize=(5.2, 4.3), layout="constrained", width_ratios=[1.25, 0.75, 0.8], facecolor="none"
        )
        for cell, panel in zip(CELLS, panels, strict=True):
            morphology = ds.Morphology.load(cell)
            if "axon" in morphology.regions:
                morphology = morphology.prune(region="axon")
            compartments = morphology.compartments(ds.Passive(), max_length=10.0)
            reaching = ds.steady_state(compartments).attenuation_to_soma[0]
            ds.plotting.plot_morphology(
                compartments, reaching, ax=panel, cmap=colours, norm=Normalize(0.0, 1.0), colorbar=False,
                scale_bar=False, legend=False,
            )  # fmt: skip
            panel.set_facecolor("none")
        bar = figure.colorbar(
            ScalarMappable(Normalize(0.0, 1.0), colours), ax=panels, location="bottom", shrink=0.5, aspect=40, pad=0.02
        )
        bar.set_label("share of a steady voltage that reaches the soma", color=ink)
        bar.ax.tick_params(colors=ink)
        bar.outline.set_visible(False)
        figure.savefig(folder / f"hero-{name}.png", dpi=240, transparent=True)
        plt.close(figure)


def draw_both(app: Any) -> None:
    """Draw what is not there; the folder is one that Git ignores."""
    import matplotlib as mpl
    from matplotlib.colors import ListedColormap

    folder = Path(app.srcdir) / "generated"
    folder.mkdir(exist_ok=True)
    viridis = mpl.colormaps["viridis"]
    # each map stops short of the colour of its paper
    for name, ink, colours in (
        ("light", "#33383d", ListedColormap(viridis(range(0, 225)))),
        ("dark", "#d5dbe0", ListedColormap(viridis(range(60, 256)))),
    ):
        if not (folder / f"hero-{name}.png").is_file():
            draw(folder, name, ink, colours)
