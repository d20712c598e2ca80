"""Tasks in time: what is shown when, how much it varies, and what gives classes away."""

from __future__ import annotations

import numpy as np
import pytest

import dendrosim as ds
from dendrosim.errors import ParameterError

QUIET = {"noise": 0.0, "jitter": 0.0, "deletion": 0.0}


def counts(trials):
    """Spikes of every trial and input."""
    table = np.zeros((len(trials), trials.spikes.n_inputs), int)
    np.add.at(table, (trials.spikes.stimulus, trials.spikes.source), 1)
    return table


def sorted_times(spikes):
    order = np.lexsort((spikes.time, spikes.source))
    return spikes.source[order], spikes.time[order]


def test_without_noise_every_trial_is_the_pattern_of_its_class():
    task = ds.tasks.spike_patterns(3, n_classes=3, per_class=2, n_train=40, n_test=20, **QUIET)
    for part in (task.train, task.test):
        pattern = part.factors["pattern"]
        np.testing.assert_array_equal(part.y, task.pattern_class[pattern])
        for b in range(len(part)):
            shown, y = part.batch([b])
            assert y[0] == pattern[b] % 3
            for a, c in zip(sorted_times(shown), sorted_times(task.patterns[pattern[b]]), strict=True):
                np.testing.assert_array_equal(a, c)


def test_with_equal_counts_only_times_tell():
    task = ds.tasks.spike_patterns(rate=20.0, length=100.0, onset=5.0, per_class=4, n_train=30, n_test=1, **QUIET)
    assert (counts(task.train) == 2).all()
    for pattern in task.patterns:
        assert pattern.time.min() >= 5.0
        assert pattern.time.max() < 105.0


def test_patterns_are_poisson_otherwise():
    task = ds.tasks.spike_patterns(
        rate=30.0, length=100.0, equal_counts=False, per_class=50, n_inputs=100, n_train=1, n_test=1
    )
    table = np.stack([np.bincount(p.source, minlength=100) for p in task.patterns])  # 10,000 counts of mean 3
    assert table.mean() == pytest.approx(3.0, abs=4 * np.sqrt(3 / table.size))
    assert table.var() == pytest.approx(3.0, abs=0.2)


def test_jitter_deletion_and_noise_are_what_was_asked_for():
    # one spike of every input, 50 ms from either end of the trial, so that jitter takes none away
    shape = {"n_inputs": 400, "rate": 1000.0, "length": 1.0, "onset": 50.0, "n_train": 400, "n_test": 1}
    cued = ds.tasks.delayed_cue(1, **shape, delay=50.0, equal_counts=True, jitter=4.0, noise=0.0)
    spikes, n = cued.train.spikes, 400 * 400
    frozen = np.stack([p.time[np.argsort(p.source)] for p in cued.patterns])
    shift = spikes.time - frozen[cued.train.y[spikes.stimulus], spikes.source]
    assert len(spikes) == n
    assert shift.std() == pytest.approx(4.0, abs=4 * 4.0 / np.sqrt(2 * n))
    assert shift.mean() == pytest.approx(0.0, abs=4 * 4.0 / np.sqrt(n))
    kept = ds.tasks.spike_patterns(1, **shape, jitter=0.0, deletion=0.3, noise=0.0)
    assert len(kept.train.spikes) / n == pytest.approx(0.7, abs=4 * np.sqrt(0.21 / n))
    noisy = ds.tasks.spike_patterns(1, **shape, jitter=0.0, deletion=1.0, noise=5.0)
    table, mean = counts(noisy.train), 5e-3 * noisy.duration
    assert table.mean() == pytest.approx(mean, abs=4 * np.sqrt(mean / n))
    assert table.var() == pytest.approx(mean, rel=0.03)
    assert noisy.train.spikes.time.mean() == pytest.approx(noisy.duration / 2, rel=0.02)


def test_detection_shows_fresh_spikes_where_there_is_no_pattern():
    task = ds.tasks.spike_patterns(2, detect=True, per_class=3, n_train=300, n_test=50, **QUIET)
    pattern, y = task.train.factors["pattern"], task.train.y
    np.testing.assert_array_equal(y == 1, pattern >= 0)
    assert 0.4 < y.mean() < 0.6
    assert set(pattern[y == 1]) == {0, 1, 2}
    assert (counts(task.train) == 1).all()  # nothing but times tells
    fresh = np.isin(task.train.spikes.stimulus, np.flatnonzero(y == 0))
    times = task.train.spikes.time[fresh]
    assert np.unique(times).size == times.size
    known = np.concatenate([p.time for p in task.patterns])
    assert not np.isin(times, known).any()


@pytest.mark.parametrize("make", [ds.tasks.spike_patterns, ds.tasks.delayed_cue])
def test_seeds_decide_everything_and_parts_share_no_trial(make):
    a, b, other = make(5, n_train=60), make(5, n_train=60), make(6, n_train=60)
    assert a.hash == b.hash != other.hash
    assert not np.isin(a.train.spikes.time, a.test.spikes.time).any()
    longer = make(5, n_train=90)
    for p, q in zip(a.patterns, longer.patterns, strict=True):
        np.testing.assert_array_equal(p.time, q.time)
    assert longer.test.spikes.time.tobytes() == a.test.spikes.time.tobytes()
    assert (a.train.spikes.time < a.duration).all()
    assert set(a.train.y) == set(range(a.n_classes))


def test_a_batch_is_those_trials_in_that_order():
    trials = ds.tasks.delayed_cue(n_train=20, n_inputs=15).train
    asked = [7, 3, 7]
    spikes, y = trials.batch(asked)
    assert spikes.n_stimuli == 3
    np.testing.assert_array_equal(y, trials.y[asked])
    for b, trial in enumerate(asked):
        here, there = spikes.stimulus == b, trials.spikes.stimulus == trial
        np.testing.assert_array_equal(spikes.time[here], trials.spikes.time[there])
        np.testing.assert_array_equal(spikes.source[here], trials.spikes.source[there])
    for wrong in ([20], [-1], [], [0.5], [[0]]):
        with pytest.raises(ParameterError, match="trials="):
            trials.batch(wrong)


def test_after_a_cue_come_noise_and_distractors_and_then_the_outcome():
    plain = ds.tasks.delayed_cue(4, delay=90.0, n_train=50, n_test=5, **QUIET)
    assert (plain.answer, plain.outcome, plain.duration) == (60.0, 150.0, 150.0)
    assert plain.train.spikes.time.min() >= 10.0
    assert plain.train.spikes.time.max() < 60.0  # nothing happens in the delay
    busy = ds.tasks.delayed_cue(4, delay=90.0, n_distractors=2, n_train=50, n_test=5, **QUIET)
    np.testing.assert_array_equal(busy.train.y, plain.train.y)
    cue = busy.train.spikes.time < 60.0
    np.testing.assert_array_equal(busy.train.spikes.time[cue], plain.train.spikes.time)  # nor at the cue
    others = busy.patterns[2:]
    assert busy.pattern_class.tolist() == [0, 1, -1, -1, -1, -1]
    late = counts_between(busy.train, 60.0, 150.0)
    whole = [len(p) for p in others]
    assert (late > 0).all()
    assert late.max() <= 2 * max(whole)
    noisy = ds.tasks.delayed_cue(4, delay=90.0, noise=20.0, n_train=200, n_test=1, jitter=0.0)
    expected = 20e-3 * 90.0 * 100
    measured = counts_between(noisy.train, 60.0, 150.0)
    assert measured.mean() == pytest.approx(expected, abs=4 * np.sqrt(expected / 200))


def test_a_stream_is_one_trial_after_another():
    trials = ds.tasks.delayed_cue(n_train=20, n_inputs=15, delay=0.0).train
    asked = np.array([[7, 3], [0, 7], [5, 5]])
    spikes, y = trials.stream(asked, 75.0)
    assert spikes.n_stimuli == 2
    np.testing.assert_array_equal(y, trials.y[asked])
    for b in range(2):
        own = spikes.time[spikes.stimulus == b]
        expected = [75.0 * k + trials.spikes.time[trials.spikes.stimulus == asked[k, b]] for k in range(3)]
        np.testing.assert_array_equal(own, np.concatenate(expected))
    for wrong, period, message in (([1, 2], 10.0, r"trials has shape \(2,\)"), ([[1]], 0.0, "period=0.0 ms")):
        with pytest.raises(ParameterError, match=message):
            trials.stream(wrong, period)


def test_several_cues_may_mean_the_same():
    task = ds.tasks.delayed_cue(1, per_class=3, n_train=60, n_test=5, delay=0.0, **QUIET)
    cue = task.train.factors["pattern"]
    assert set(cue) == set(range(6))
    np.testing.assert_array_equal(task.train.y, cue % 2)
    shown, _ = task.train.batch([4])
    np.testing.assert_array_equal(np.sort(shown.time), np.sort(task.patterns[cue[4]].time))


def counts_between(trials, begin, end):
    inside = (trials.spikes.time >= begin) & (trials.spikes.time < end)
    return np.bincount(trials.spikes.stimulus[inside], minlength=len(trials))


def test_distractors_say_nothing_about_the_class():
    task = ds.tasks.delayed_cue(0, delay=100.0, n_distractors=1, n_train=4000, n_test=1, **QUIET)
    late = task.train.spikes.time >= task.answer
    table = np.zeros((4000, task.n_inputs))
    np.add.at(table, (task.train.spikes.stimulus[late], task.train.spikes.source[late]), 1)
    a, b = table[task.train.y == 0], table[task.train.y == 1]
    z = (a.mean(0) - b.mean(0)) / np.sqrt(a.var(0) / len(a) + b.var(0) / len(b) + 1e-12)
    assert np.abs(z).max() < 4.5


@pytest.mark.parametrize(
    ("make", "options", "message"),
    [
        ("spike_patterns", {"rate": 5.0}, r"equal_counts=True asks for 0.5 spikes .* such as 10 Hz for 100 ms"),
        ("spike_patterns", {"detect": True, "n_classes": 3}, r"n_classes=3 must be 2"),
        ("spike_patterns", {"deletion": 1.5}, r"deletion=1.5 .*<= 1"),
        ("spike_patterns", {"jitter": -1.0}, r"jitter=-1.0 ms .*>= 0"),
        ("spike_patterns", {"per_class": 0}, r"per_class=0 .*at least 1"),
        ("delayed_cue", {"delay": -5.0}, r"delay=-5.0 ms .*>= 0"),
        ("delayed_cue", {"n_classes": 1}, r"n_classes=1 .*at least 2"),
        ("delayed_cue", {"n_distractors": -1}, r"n_distractors=-1 .*at least 0"),
    ],
)
def test_impossible_options_are_errors(make, options, message):
    with pytest.raises(ParameterError, match=message):
        getattr(ds.tasks, make)(**options)


def test_trials_need_a_class_each():
    with pytest.raises(ParameterError, match=r"y has shape \(3,\); expected \(2,\), one class per trial"):
        ds.tasks.Trials(ds.Spikes([1.0, 2.0], [0, 0], [0, 1]), np.zeros(3, int))
    with pytest.raises(ParameterError, match="classes are whole numbers"):
        ds.tasks.Trials(ds.Spikes([1.0, 2.0], [0, 0], [0, 1]), [0.5, 1.5])
    with pytest.raises(ParameterError, match="different lengths"):
        ds.tasks.spike_patterns(n_train=4, n_test=1).train.stream([[0], [1, 2]], 110.0)


def test_a_cell_hears_a_batch():
    task = ds.tasks.spike_patterns(n_inputs=20, n_train=6, n_test=2)
    cell = ds.Compartments([-1, 0], leak=5.0, coupling=20.0, capacitance=100.0, leak_reversal=-70.0)
    synapses = ds.Synapses(cell, np.ones(20, int), sign=1, conductance=0.5)
    spikes, _ = task.train.batch(np.arange(6))
    trace = ds.simulate(cell, synapses, spikes, dt=0.5, duration=task.duration)
    assert trace.voltage.shape == (6, 221, 1)
    assert (trace.voltage[:, -1] > -70.0).all()
    assert repr(task.train).startswith("<Trials: 6 trials, ")
    assert repr(task) == "TemporalTask('spike_patterns': 6 + 2 trials of 110 ms, 20 inputs, 2 classes)"
