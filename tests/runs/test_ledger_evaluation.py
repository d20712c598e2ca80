"""The evaluation paper in the ledger: every number of its tables is an entry that can be measured."""

from __future__ import annotations

from decimal import Decimal

import pytest

from dendrosim.errors import ParameterError
from dendrosim.runs.experiment import Experiment
from dendrosim.runs.ledger import Ledger
from dendrosim.runs.ledger_verdict import Published, Verdict, judge, judge_magnitude
from dendrosim.runs.reproduce import judged
from dendrosim.runs.shipped import shipped_ledger

# as the paper prints them: method or case, what, value, and standard deviation
TABLE_1 = """
BP accuracy 0.607
FA accuracy 0.345
DFA accuracy 0.297
frozen accuracy 0.349 0.002
BP gamma 1.0
FA gamma 0.48
DFA gamma 0.19
BP gap 0.257
FA gap -0.004
DFA gap -0.052
BP verdict pass
FA verdict fail
DFA verdict fail
"""
TABLE_2 = {  # FA and DFA: scale stable, reference valid
    "ResMLP,": "fail fail pass fail",
    "ResMLP without LN,": "fail fail pass pass",
    "ViT-Mini,": "fail fail fail fail",
    "StudentNet,": "fail fail pass pass",
}
TABLE_3 = """
SB accuracy 0.453 0.003
SB deep 0.322 0.008
SB nudge -1.93e-3
SB loss -0.447
FA accuracy 0.369 0.003
FA deep 0.423 0.006
FA nudge -2.09e-4
FA loss -0.128
CB accuracy 0.360 0.004
CB deep 0.679 0.010
CB nudge -4.26e-4
CB loss -0.121
DFA accuracy 0.360 0.002
DFA deep 0.152 0.013
DFA nudge -4.98e-5
DFA loss -0.095
"""
TABLE_4 = {"case 1,": "pass pass fail fail", "case 2,": "pass pass pass fail"}
TABLE_5 = {
    "DFA, RM-d256-L4,": "pass pass fail fail",
    "FA, RM-d512-L2,": "pass pass pass fail",
    "DFA, ViT-Mini,": "pass pass fail fail",
    "FA, ViT-Mini,": "pass pass fail fail",
    "BP, RM-d256-L4,": "pass pass pass pass",
}
TABLE_6 = """
BP accuracy 0.321 0.002
FA accuracy 0.133 0.013
DFA accuracy 0.088 0.001
BP growth 1.0
FA growth 15.6
DFA growth 1004
BP D1 pass
FA D1 pass
DFA D1 fail
BP |g_L| 9.5e-4
FA |g_L| 1.3e-6
DFA |g_L| 9.1e-9
BP D2 pass
FA D2 pass
DFA D2 fail
BP gap 0.143
FA gap -0.045
DFA gap -0.090
BP D3 pass
FA D3 fail
DFA D3 fail
BP verdict pass
FA verdict fail
DFA verdict fail
frozen accuracy 0.178 0.001
"""
WORDS = {"accuracy": "accuracy", "gamma": "aggregate cosine", "gap": "above frozen", "verdict": "verdict",
         "deep": "deep cosine", "nudge": "nudge", "loss": "change of training loss"}  # fmt: skip


@pytest.fixture(scope="module")
def ledger():
    return Ledger.load([path for path in shipped_ledger() if path.stem == "evaluation"])


def entries(ledger, item):
    (found,) = ledger.chosen([f"evaluation-{item}"])
    return {entry.name: entry for entry in found.entries}


@pytest.mark.parametrize(("item", "lines"), [("table1", TABLE_1), ("table3", TABLE_3), ("table6", TABLE_6)])
def test_every_number_of_a_table_is_an_entry(ledger, item, lines):
    found = entries(ledger, item)
    for line in lines.strip().splitlines():
        method, what, value, *sd = line.split()
        entry = found[f"{method}, {WORDS.get(what, what)}"]
        if value in ("pass", "fail"):
            assert entry.published.text == value, line
        else:
            assert (entry.published.low, entry.published.high) == (float(value),) * 2, line
        assert entry.published.sd == (float(sd[0]) if sd else None), line
        assert entry.published.n == 3


def test_every_tick_and_cross_is_an_entry(ledger):
    found = entries(ledger, "table2")
    for name, marks in TABLE_2.items():
        cells = [f"{name} {method}, {check}" for check in ("D1", "D2") for method in ("FA", "DFA")]
        assert [found[cell].published.text for cell in cells] == marks.split()
    for item, cases in (("table4", TABLE_4), ("table5", TABLE_5)):
        found = entries(ledger, item)
        for name, marks in cases.items():
            assert [found[f"{name} S{i}"].published.text for i in range(4)] == marks.split()


def test_numbers_of_the_text_and_of_appendices(ledger):
    numbers = {
        "table4": {"case 1, accuracy": 0.306, "case 1, aggregate cosine": 0.10, "case 2, accuracy": 0.345},
        "table5": {"frozen, ViT-Mini, accuracy": 0.570, "DFA, ViT-Mini, accuracy": 0.256,
                   "FA, ViT-Mini, accuracy": 0.163,
                   "frozen, StudentNet, accuracy": 0.908, "BP, StudentNet, accuracy": 0.796},
        "figure3": {"FA, cosine of block 0": 0.01, "FA, cosine of the deepest block": 0.95,
                    "DFA, cosine of block 0": 0.39, "BP, |g_L|": 4e-4,
                    "FA, |g_0|": 2e-5, "FA, |g_L|": 9e-7, "DFA, |g_0|": 4e-7, "DFA, |g_1|": 4e-9},
        "figure4": {"DFA, deep cosine after one epoch": -0.008, "DFA, |h_L| at the end": 1e8,
                    "FA, |h_L| at the end": 1e5},
        "figure6": {"DFA, deep cosine, 1e-4": -0.016, "DFA, deep cosine, 1e-2": 0.152, "DFA, |h_L|, 1e-4": 2.3e4,
                    "BP, accuracy, no penalty": 0.585, "BP, accuracy, 1e-2": 0.532, "BP, above frozen, 1e-2": 0.183,
                    "DFA, gain of accuracy by 1e-2": 0.059, "DFA, above frozen, 1e-2": 0.011},
        "appendixA": {"no penalty, accuracy": 0.372, "1e-4, accuracy": 0.377, "1e-2, accuracy": 0.369,
                      "no penalty, deep cosine": 0.325, "1e-4, deep cosine": 0.298, "1e-2, deep cosine": 0.423,
                      "no penalty, |h_L|": 9e4, "1e-4, |h_L|": 9e3, "1e-2, |h_L|": 1e4,
                      "no penalty, |g_L|": 2e-6, "1e-4, |g_L|": 1e-5, "1e-2, |g_L|": 2e-5},
        "appendixC": {"DFA, deep cosine of fresh feedback, 1e-2": -0.005,
                      "DFA, deep cosine of that checkpoint, 1e-2": 0.166,
                      "DFA, standard deviations above fresh feedback, 1e-2": 9.3},
    }  # fmt: skip
    for item, values in numbers.items():
        found = entries(ledger, item)
        assert {name: found[name].published.low for name in values} == values


def test_every_arm_exists_and_every_preset_is_of_an_experiment(ledger):
    arms = {}
    for item in ledger.items:
        for entry in item.entries:
            known = arms.setdefault(entry.experiment, {arm.name for arm in Experiment.load(entry.experiment).arms})
            assert {*entry.arms, *entry.minus} <= known, entry.name
    for experiments in ledger.presets.values():
        for experiment, preset in experiments.items():
            assert {arm for listed in preset.listed.values() for arm in listed} <= arms[experiment]


def test_gaps_have_their_baselines(ledger):
    """Whatever is compared with frozen blocks has those of its own block among the runs that are asked for."""
    for item in ledger.items:
        for entry in item.entries:
            listed = ledger.preset("full", entry.experiment).listed.values()
            blocks = {"3lin" in arm for arm in entry.arms}
            if getattr(entry.measure, "quantity", "") == "gap":
                assert {"3lin" in arm for arms in listed for arm in arms} >= blocks


def test_what_checks_say_is_judged_by_most_runs():
    fail, passed = Published.read("fail"), Published.read("pass")
    ones, zeros = interval(1.0, 1.0, 1.0), interval(0.0, 0.0, 0.0)
    assert [judge(fail, ones)[0], judge(fail, zeros)[0]] == [Verdict.REPRODUCED, Verdict.NOT]
    assert [judge(passed, ones)[0], judge(passed, zeros, confound="N")[0]] == [Verdict.NOT, Verdict.CONFOUNDED]
    assert judge(fail, interval(1.0, 1.0, 0.0))[0] is Verdict.UNDECIDED


def interval(*values):
    from dendrosim.diagnostics.intervals import mean_interval

    return mean_interval(values)


def test_magnitudes_are_compared_by_factors():
    told = Published.read(-2e-4)
    ours, verdict, why = judge_magnitude(told, [-1e-4, -1e-4], factor=3)
    assert (verdict, ours.mean, why) == (Verdict.REPRODUCED, pytest.approx(-1e-4), "2 times off, 3 times allowed")
    assert judge_magnitude(told, [-1e-4, -1e-4], factor=1.9)[1] is Verdict.NOT
    assert judge_magnitude(told, [-1e-4, 1e-4], factor=3)[1:] == (Verdict.NOT, "not all of its sign")
    # three seeds a factor of ten apart: the mean is geometric, and the interval agrees with anything
    ours, verdict, why = judge_magnitude(Published.read(1e8), [1e6, 1e7, 1e8], factor=3)
    assert (ours.mean, verdict) == (pytest.approx(1e7), Verdict.UNDECIDED)
    assert ours.low < 1e6 < 1e8 < ours.high
    # t(2) / sqrt(3) = 2.4841 standard deviations of the logarithms: 10 ** 2.4841
    assert why == "10 times off, the interval is 3e+02 times either way"
    near = [10 ** (6.9 + 0.1 * i) for i in range(3)]
    assert judge_magnitude(Published.read(2e7), near, factor=3, confound="epochs")[1] is Verdict.CONFOUNDED


def test_comparisons_of_magnitudes():
    wide, claim = [1e4, 1e5, 3e5], Published.read("> 90")
    assert judge(claim, interval(*wide))[0] is Verdict.UNDECIDED
    ours, verdict, why = judge_magnitude(claim, wide, factor=1)
    assert (verdict, why) == (Verdict.REPRODUCED, "the interval is above 90")
    assert ours.mean == pytest.approx((1e4 * 1e5 * 3e5) ** (1 / 3))
    assert judge_magnitude(Published.read("< 1e-8"), [2e-8, 3e-8], factor=1)[1] is Verdict.UNDECIDED
    assert judge_magnitude(Published.read("< 1e-8"), [2e-8, 2.1e-8], factor=1)[1] is Verdict.NOT


def test_numbers_are_printed_as_papers_do():
    texts = ["0.360", "4e8", "-1.93e-3", "-2.09e-4", "1004", "2.3e4", "0.0", "1e2", "0.10"]
    shown = ["0.360", "4e8", "-0.00193", "-2.09e-4", "1004", "2.3e4", "0.0", "100", "0.10"]
    assert [Published.read(Decimal(text)).text for text in texts] == shown


LEDGER = """
paper = "p"
[confounds]
epochs = "fewer epochs"
[[items]]
name = "t"
place = "Table 9"
title = "numbers"
experiment = "evaluation_student"
measure = "test_accuracy"
arm = "bp"
confound = ["epochs"]
entries = [{ name = "a", published = 4e8, within = "x3" }, { name = "b", published = "fail", confound = [] }]
"""


def written(path, **changes):
    text = LEDGER
    for old, new in changes.values():
        assert old in text
        text = text.replace(old, new)
    path.write_text(text, encoding="utf-8")
    return Ledger.load([path])


def test_entries_take_from_their_item_what_they_do_not_say(tmp_path):
    (item,) = written(tmp_path / "l.toml").items
    a, b = item.entries
    assert (a.source, a.what, a.arms, a.confound, a.factor, a.within) == (
        "Table 9",
        "a",
        ("bp",),
        "fewer epochs",
        3.0,
        None,
    )
    assert (b.confound, b.published.text, b.factor) == ("", "fail", None)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('["epochs"]', '["epoch"]', "unknown confound in .*'a'.* 'epoch'|epoch"),
        ('"x3"', '"3x"', "within = '3x' must be a number, or a factor"),
        ('"x3"', '"x0.5"', "a factor of 1 or more"),
        ("4e8", '"> 0"', "published = > 0 has no magnitude"),
        ("4e8", '"> 1e-4"', "published = '> 1e-4' leaves nothing open"),
        ('"fail"', '"failed"', "'pass', 'fail', or one such as"),
        ("[confounds]", 'shorter = ["epoch"]\n[confounds]', "shorter: .*'epoch'|did you mean 'epochs'"),
    ],
)
def test_what_is_wrong_is_said(tmp_path, old, new, message):
    with pytest.raises(ParameterError, match=message):
        written(tmp_path / "l.toml", one=(old, new))


def test_what_does_not_agree_after_a_shorter_training_is_no_miss(tmp_path):
    near, far = [3e8, 4e8, 5e8], [3.0, 4.0, 5.0]
    plain = written(tmp_path / "l.toml").items[0].entries[0]
    shorter = written(tmp_path / "s.toml", one=("[confounds]", 'shorter = ["epochs"]\n[confounds]')).items[0]
    assert shorter.entries[0].shorter == "fewer epochs"
    assert shorter.entries[1].shorter == ""
    assert [judged(one, near, False)[1] for one in (plain, shorter.entries[0])] == [Verdict.CONFOUNDED] * 2
    assert judged(plain, far, False)[1] is Verdict.NOT
    assert judged(shorter.entries[0], far, False)[1] is Verdict.SHORTENED
    assert judged(shorter.entries[1], [0.0, 0.0, 0.0], False)[1] is Verdict.NOT
