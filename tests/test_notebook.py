"""A real notebook: what its cells show, and what is left when one is interrupted."""

from __future__ import annotations

import inspect

import pytest

nbformat = pytest.importorskip("nbformat", reason="needs nbclient and ipykernel, of the extra docs")
nbclient = pytest.importorskip("nbclient", reason="needs nbclient and ipykernel, of the extra docs")
pytest.importorskip("ipykernel", reason="needs nbclient and ipykernel, of the extra docs")

CELLS = {
    "setup": """
        %matplotlib inline
        import numpy as np
        import dendrosim as ds
        rng = np.random.default_rng(0)
        x = rng.random((60, 8))
        task = ds.tasks.Task.from_arrays("mine", x, (x[:, 0] > 0.5).astype(int), x, (x[:, 0] > 0.5).astype(int))
        network = ds.Network.dendritic(8, 2, cells=[4], branching=[2], excitatory=4, inhibitory=2)
        options = {"batch_size": 12, "epochs": 3, "validation": 0.2}
    """,
    "morphology": "cell = ds.Morphology.load('ball_and_stick')\ncell",
    "printed": "print(cell)",
    "network": "network",
    "trained": "run = ds.train(network, task, **options)\nrun",
    "hidden": "_ = ds.train(network, task, progress=False, **options)",
    "figure": "cell.plot();",
    "interrupted": """
        import os, signal

        class Stop(ds.training.Callback):
            name, every = "stop", 1
            def on_epoch(self, moment):
                if moment.epoch == 2:
                    os.kill(os.getpid(), signal.SIGINT)

        ds.train(network, task, checkpoint="half.h5", callbacks=[Stop()], **options)
    """,
    "resumed": """
        Stop.on_epoch = lambda self, moment: None
        more = ds.train(network, task, checkpoint="half.h5", callbacks=[Stop()], resume=True, **options)
        print((more.history["train_loss"] == run.history["train_loss"]).all(), more.epochs)
    """,
}


@pytest.fixture(scope="module")
def outputs(tmp_path_factory):
    """What each cell left, by name."""
    made = {name: nbformat.v4.new_code_cell(inspect.cleandoc(code), id=name) for name, code in CELLS.items()}
    made["interrupted"].metadata["tags"] = ["raises-exception"]
    notebook = nbformat.v4.new_notebook(cells=list(made.values()))
    folder = tmp_path_factory.mktemp("notebook")
    client = nbclient.NotebookClient(notebook, timeout=120, kernel_name="python3")
    client.execute(cwd=str(folder))
    return {cell.id: cell.outputs for cell in notebook.cells}


def shown(outputs, kind):
    """Everything of one media type that a cell displayed."""
    return [one.data[kind] for one in outputs if "data" in one and kind in one.data]


def text(outputs):
    """What a cell printed, on either stream."""
    return "".join(one.text for one in outputs if one.output_type == "stream")


@pytest.mark.parametrize(
    ("name", "says"), [("morphology", "ball_and_stick"), ("network", "layer1"), ("trained", "mine")]
)
def test_objects_show_cards(outputs, name, says):
    (html,) = (one for one in shown(outputs[name], "text/html") if "dendrosim-card" in one)
    assert says in html
    assert "<svg" in html


def test_print_is_text(outputs):
    assert "ball_and_stick: soma" in text(outputs["printed"])
    assert not shown(outputs["printed"], "text/html")


def test_a_training_shows_how_far_it_is_and_complains_of_nothing(outputs):
    widgets = shown(outputs["trained"], "application/vnd.jupyter.widget-view+json")
    bars = widgets or text(outputs["trained"])  # without ipywidgets a line of text
    assert bars
    assert "Warning" not in text(outputs["trained"])
    assert outputs["hidden"] == []


def test_a_figure_is_shown(outputs):
    assert len(shown(outputs["figure"], "image/png")) == 1


def test_an_interrupted_training_goes_on_with_the_same_bits(outputs):
    (error,) = (one for one in outputs["interrupted"] if one.output_type == "error")
    assert error.ename == "KeyboardInterrupt"
    assert "True 3" in text(outputs["resumed"])
