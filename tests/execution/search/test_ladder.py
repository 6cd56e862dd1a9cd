"""The settings that a search goes through."""

import pytest

from advisor.execution.search.ladder import dial, ladder
from advisor.schema import Plan
from advisor.techniques.distil.step import Distil
from advisor.techniques.half.step import Half
from advisor.techniques.low_rank.step import LowRank
from advisor.techniques.prune_channels.step import PruneChannels
from advisor.techniques.prune_transformer.step import PruneTransformer
from advisor.techniques.qat.step import QAT
from advisor.techniques.resolution.step import LowerResolution
from advisor.techniques.sparsify.step import Sparsify
from advisor.techniques.static_int8.step import StaticInt8
from advisor.techniques.weight_only.step import WeightOnly

PRUNE, RANKS, INT8 = PruneChannels(ratio=0.5, epochs=3), LowRank(method="auto"), StaticInt8()
STUDENT = Distil(student="timm:regnetx_002")


def plan(*steps):
    return Plan(steps=steps, runtime="onnxruntime")


@pytest.mark.parametrize(
    ("step", "weaker", "stronger"),
    [
        (PRUNE, lambda s: s.ratio, lambda s: s.ratio),
        (PruneChannels(ratio=0.33), lambda s: s.ratio, lambda s: s.ratio),
        (RANKS, lambda s: -s.rank_ratio, lambda s: -s.rank_ratio),
        (LowRank(rule="energy", energy=0.93), lambda s: -s.energy, lambda s: -s.energy),
        (Sparsify(sparsity=0.75), lambda s: s.sparsity, lambda s: s.sparsity),
        (PruneTransformer(mlp_ratio=0.5, head_ratio=0.25), lambda s: s.mlp_ratio, lambda s: s.head_ratio),
        (LowerResolution(height=64, width=96), lambda s: -s.height, lambda s: -s.width),
        (WeightOnly(bits=4, group_size=128), lambda s: -s.bits, lambda s: s.group_size),
        (INT8, lambda s: -len(s.float_layers), lambda s: s.method == "minmax"),
    ],
)
def test_a_dial_goes_from_weak_to_strong_and_holds_the_step_itself(step, weaker, stronger):
    settings = dial(step)
    assert step in settings
    assert len(settings) == len({one.model_dump_json() for one in settings}) >= 2
    for measure in (weaker, stronger):
        assert [measure(one) for one in settings] == sorted(measure(one) for one in settings)


@pytest.mark.parametrize("step", [STUDENT, QAT(), Half()])
def test_some_steps_have_one_setting(step):
    assert dial(step) == ()


def test_the_first_rung_is_nothing_and_the_plan_is_among_them():
    found = ladder(plan(PRUNE, INT8))
    assert found.rungs[0] == ()
    assert found.rungs[found.asked] == (PRUNE,)
    assert [rung[0].ratio for rung in found.rungs[1:]] == [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8]


def test_several_dials_turn_together_and_steps_without_one_stay():
    found = ladder(plan(STUDENT, PRUNE, RANKS, QAT()))
    assert found.rungs[0] == (STUDENT, QAT())
    shares = [(rung[1].ratio, rung[2].rank_ratio) for rung in found.rungs if len(rung) == 4]
    assert shares == sorted(shares, key=lambda pair: (pair[0], -pair[1]))
    assert len(shares) >= 6
    assert PRUNE in found.rungs[found.asked]


def test_quantization_is_given_up_step_by_step():
    tails = ladder(plan(PRUNE, INT8)).tails
    assert tails[0] == (INT8,)
    assert tails[-1] == ()
    assert [(t[0].method, t[0].bias_correction) for t in tails[1:-1]] == [("percentile", False), ("mse", True)]


def test_a_plan_without_dials_has_one_rung_and_one_tail():
    found = ladder(plan(STUDENT))
    assert (found.rungs, found.asked, found.tails) == (((STUDENT,),), 0, ((),))
