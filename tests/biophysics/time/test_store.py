"""Recordings in files: what they hold, how they grow, and what a killed process leaves."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

import dendrosim as ds
from dendrosim.biophysics.time import engine
from dendrosim.errors import FileFormatError, ParameterError

SCRIPT = """
import numpy as np, dendrosim as ds
def arguments(duration):
    cell = ds.Compartments(np.arange(-1, 19), leak=1.0, coupling=20.0, capacitance=20.0, leak_reversal=-70.0)
    synapses = ds.Synapses(cell, [3, 9, 15], sign=[1, 1, -1], conductance=3.0)
    spikes = ds.Spikes.poisson(np.full((2, 3), 80.0), duration, seed=1)
    return (cell, synapses, spikes), dict(
        dt=0.0625, duration=duration, record=[0, 19], record_synapses=[2, 0], every=3, block=25.0,
        mechanisms=ds.IntegrateAndFire(threshold=-66.0, reset=-68.0), kinetics=("alpha", "exponential"),
    )
"""
MADE: dict[str, Any] = {}
exec(SCRIPT, MADE)
arguments = MADE["arguments"]


def same(a: ds.Trace, b: ds.Trace) -> None:
    for name in ("time", "voltage", "conductance", "spike_time", "spike_compartment", "spike_stimulus", "compartment"):
        np.testing.assert_array_equal(getattr(a, name), getattr(b, name))


def test_a_file_holds_what_memory_would(tmp_path: Path) -> None:
    given, options = arguments(200.0)
    plain = ds.simulate(*given, **options)
    stored = ds.simulate(*given, **options, store=tmp_path / "run.h5")
    assert plain.spike_time.size > 3
    same(plain, stored)
    same(plain, ds.Trace.load(tmp_path / "run.h5"))
    for name in ("voltage", "p", "q", "mechanism", "activity"):
        np.testing.assert_array_equal(getattr(plain.final, name), getattr(stored.final, name))
    with h5py.File(tmp_path / "run.h5") as file:
        np.testing.assert_array_equal(file["voltage"][:].swapaxes(0, 1), plain.voltage)
        assert "mV" in file["voltage"].attrs["description"]


def test_an_interrupted_run_goes_on_bit_for_bit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given, options = arguments(200.0)
    plain = ds.simulate(*given, **options)
    calls = []
    original = engine.Engine.advance

    def interrupted(self: Any, start: int, count: int) -> Any:
        calls.append(start)
        if len(calls) == 5:
            raise KeyboardInterrupt
        return original(self, start, count)

    monkeypatch.setattr(engine.Engine, "advance", interrupted)
    with pytest.raises(KeyboardInterrupt):
        ds.simulate(*given, **options, store=tmp_path / "run.h5")
    part = ds.Trace.load(tmp_path / "run.h5")
    assert 0 < part.n_steps < plain.n_steps
    np.testing.assert_array_equal(part.voltage, plain.voltage[:, : part.time.size])
    ours = plain.spike_time <= part.n_steps * part.dt
    np.testing.assert_array_equal(part.spike_time, plain.spike_time[ours])
    same(plain, ds.simulate(*given, **options, store=tmp_path / "run.h5", resume=True))
    same(plain, ds.simulate(*given, **options, store=tmp_path / "run.h5", resume=True))  # nothing is left to do


def test_a_killed_process_loses_at_most_a_block(tmp_path: Path) -> None:
    path, duration = tmp_path / "run.h5", 30_000.0
    code = f"{SCRIPT}\ngiven, options = arguments({duration})\nds.simulate(*given, **options, store={str(path)!r})"
    child = subprocess.Popen([sys.executable, "-c", code], env=os.environ | {"NUMBA_NUM_THREADS": "1"})
    until = time.monotonic() + 300
    while time.monotonic() < until and not (path.exists() and ds.Trace.load(path).n_steps > 0):
        assert child.poll() is None, "the simulation was over before it could be killed"
        time.sleep(0.05)
    with h5py.File(path) as file:  # any reader, while it is written
        steps = int(file["progress"][:, 1].max())
        seen = file["voltage"][: steps // 3 + 1].copy()
    assert steps > 0
    child.send_signal(signal.SIGKILL)
    child.wait()
    part = ds.Trace.load(path)
    assert 0 < part.n_steps < duration / 0.0625
    assert part.n_steps % 400 == 0
    assert np.isfinite(part.voltage).all()
    assert (part.voltage[:, -1] != 0).all()
    with h5py.File(path) as file:
        assert file["voltage"].shape[0] == duration / 0.0625 // 3 + 1
    given, options = arguments(duration)
    again = ds.simulate(*given, **{**options, "duration": part.n_steps * 0.0625})
    np.testing.assert_array_equal(part.voltage, again.voltage)
    np.testing.assert_array_equal(seen, again.voltage[:, : len(seen)].swapaxes(0, 1))
    ours = again.spike_time <= part.n_steps * 0.0625
    np.testing.assert_array_equal(part.spike_time, again.spike_time[ours])
    whole = ds.simulate(*given, **options, store=path, resume=True)
    assert whole.n_steps == duration / 0.0625
    same(whole, ds.simulate(*given, **options))


def test_a_torn_checkpoint_is_not_used(tmp_path: Path) -> None:
    given, options = arguments(100.0)
    whole = ds.simulate(*given, **options, store=tmp_path / "run.h5")
    with h5py.File(tmp_path / "run.h5", "r+") as file:
        last = int(np.argmax(file["progress"][:, 0]))
        file["checkpoint"][last, 5] ^= 255
    part = ds.Trace.load(tmp_path / "run.h5")
    assert part.n_steps == whole.n_steps - 400
    same(whole, ds.simulate(*given, **options, store=tmp_path / "run.h5", resume=True))


def test_files_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    given, options = arguments(50.0)
    path = tmp_path / "run.h5"
    ds.simulate(*given, **options, store=path)
    with pytest.raises(ParameterError, match="exists; give another store="):
        ds.simulate(*given, **options, store=path)
    with pytest.raises(ParameterError, match="another simulation"):
        ds.simulate(*given, **{**options, "kinetics": "alpha"}, store=path, resume=True)
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    with pytest.raises(FileFormatError):
        ds.Trace.load(path)
    path.write_text("no")
    with pytest.raises(FileFormatError, match="no HDF5 file"):
        ds.Trace.load(path)
    with pytest.raises(FileNotFoundError):
        ds.Trace.load(tmp_path / "none.h5")


def test_no_room_is_said_before_anything_is_computed(tmp_path: Path) -> None:
    code = f"""
import resource
{SCRIPT}
resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, 1_000_000))
given, options = arguments(100_000.0)
ds.simulate(*given, **options, store={str(tmp_path / "run.h5")!r})
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert re.search(r"OSError: .*run.h5 cannot be made, it needs [\d.]+ MB: .*record less", done.stderr), done.stderr
    assert list(tmp_path.iterdir()) == []


def test_paths_that_cannot_be_written_are_told(tmp_path: Path) -> None:
    given, options = arguments(1.0)
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match=r"run.h5 cannot be written: a file is in the way; choose another folder"):
        ds.simulate(*given, **options, store=tmp_path / "file" / "run.h5")
