"""How many channels each group keeps: shares of MACs, rankings over groups, caps, rounds."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from advisor.errors import NotApplicable
from advisor.techniques.channels import channel_groups
from advisor.techniques.prune_channels.allocation import Ranked, cap_of
from advisor.techniques.prune_channels.apply import rounds
from advisor.techniques.prune_channels.preview import preview, pruning_widths
from advisor.techniques.prune_channels.step import PruneChannels
from advisor.techniques.recovery import epochs_of, way

from .builder import NETS, Net, inverted, plain, residual

HALF = PruneChannels(ratio=0.5, round_to=4)
CONVOLUTIONAL = [name for name in NETS if name != "transformer"]


def wide():
    """Four convolutions of 64 channels each."""
    net = Net(1, 3, 8, 8)
    x = 0
    for i in range(4):
        x = net.block(x, f"b{i}", 64)
    net.linear(net.mean(x), "fc", 10)
    return net.done()


def ranked(workload, scores, kind=lambda name: ""):
    """Return rankings by group: `scores` by first layer, ones elsewhere."""
    return {
        g.id: Ranked(np.asarray(scores.get(g.producers[0], np.ones(g.width))), kind(g.producers[0]))
        for g in channel_groups(workload)
    }


@pytest.mark.parametrize("net", CONVOLUTIONAL)
@pytest.mark.parametrize("target", ["macs", "params"])
def test_the_share_asked_for_is_met_as_nearly_as_single_channels_allow(net, target):
    workload = NETS[net]()
    after = preview(PruneChannels(ratio=0.5, target=target, round_to=1), workload)
    left = after.macs / workload.macs if target == "macs" else after.params / workload.params
    assert left == pytest.approx(0.5, abs=0.04)


def test_no_other_rounded_cut_is_nearer():
    workload, goal = wide(), 0.4
    shares = {
        1 - preview(PruneChannels(ratio=r / 200, round_to=8), workload).macs / workload.macs for r in range(1, 200)
    }
    found = 1 - preview(PruneChannels(ratio=goal, target="macs", round_to=8), workload).macs / workload.macs
    assert abs(found - goal) == pytest.approx(min(abs(share - goal) for share in shares))


def test_a_goal_out_of_reach_gives_the_deepest_cut():
    step = PruneChannels(ratio=0.99, target="macs", round_to=8)
    assert set(pruning_widths(wide(), step).values()) == {8}


def test_layers_that_are_kept_keep_their_width_and_others_give_more():
    step = PruneChannels(ratio=0.5, target="macs", round_to=1)
    free, kept = (pruning_widths(wide(), s) for s in (step, step.model_copy(update={"keep": ("b1.conv",)})))
    assert "b1.conv" in free
    assert "b1.conv" not in kept
    assert kept["b2.conv"] < free["b2.conv"]


def test_a_global_ranking_takes_where_scores_are_low_and_stops_at_the_cap():
    workload = wide()
    low = ranked(workload, {"b0.conv": np.linspace(0, 0.1, 64), "b1.conv": np.linspace(0.5, 1.5, 64)})
    step = PruneChannels(ratio=0.19, allocation="global", round_to=4)
    widths = pruning_widths(workload, step, low)
    assert widths["b0.conv"] == 64 - int(64 * cap_of(step)) == 16
    assert set(widths) == {"b0.conv"}
    assert pruning_widths(workload, step.model_copy(update={"cap": 0.5}), low)["b0.conv"] == 32


def test_isomorphic_rankings_compare_only_groups_of_one_kind():
    workload = wide()
    scores = {"b0.conv": np.linspace(0, 0.1, 64), "b1.conv": np.linspace(1, 2, 64)}
    kinds = {"b0.conv": "first", "b1.conv": "second"}
    step = PruneChannels(ratio=0.25, allocation="isomorphic", round_to=1, keep=("b2.conv", "b3.conv"))
    widths = pruning_widths(workload, step, ranked(workload, scores, lambda name: kinds.get(name, "")))
    assert widths == {"b0.conv": 48, "b1.conv": 48}


@given(ratio=st.floats(0.05, 0.9), seed=st.integers(0, 5), cap=st.floats(0.1, 0.9))
@pytest.mark.parametrize("allocation", ["global", "isomorphic"])
def test_rankings_stay_within_the_cap_and_in_multiples(allocation, ratio, seed, cap):
    workload, random = inverted(), np.random.default_rng(seed)
    scores = {g.producers[0]: random.random(g.width) for g in channel_groups(workload)}
    step = PruneChannels(ratio=ratio, target="macs", allocation=allocation, cap=cap, round_to=4)
    before = {path: g.width for g in channel_groups(workload) for path in g.producers}
    for path, width in pruning_widths(workload, step, ranked(workload, scores)).items():
        assert width % 4 == 0
        assert width >= (1 - cap) * before[path] - 1e-9


def test_without_weights_a_ranking_is_previewed_as_a_uniform_cut():
    uniform = PruneChannels(ratio=0.5, target="macs")
    assert preview(uniform.model_copy(update={"allocation": "global"}), wide()).macs == preview(uniform, wide()).macs


def test_widths_say_everything():
    step = PruneChannels(ratio=0.5, widths=(("one.conv", 5), ("two.conv", 32)))
    assert pruning_widths(plain(), step) == {"one.conv": 5}


@pytest.mark.parametrize("widths", [(("nowhere", 4),), (("one.conv", 17),), (("fc", 4),)])
def test_widths_of_another_network_are_refused(widths):
    with pytest.raises(NotApplicable) as caught:
        preview(PruneChannels(ratio=0.5, widths=widths), plain())
    assert caught.value.remedy


def test_rounds_go_most_of_the_way_at_first_and_all_of_it_in_the_end():
    step = PruneChannels(
        ratio=0.5, epochs=7, round_to=4, iterations=3, widths=tuple(pruning_widths(wide(), HALF).items())
    )
    workload, widths = wide(), []
    for one in rounds(step):
        workload = preview(one, workload)
        widths.append(workload.weight["b0.conv.weight"].shape[0])
    assert widths == [44, 36, 32]  # 19/27 and 26/27 of the way to 32, rounded up to multiples of 4
    assert sum(one.epochs for one in rounds(step)) == 7
    assert workload.macs == preview(HALF, wide()).macs


def test_a_step_of_several_rounds_that_was_not_resolved_is_refused():
    with pytest.raises(NotApplicable, match="not resolved"):
        rounds(PruneChannels(ratio=0.5, iterations=2))


@given(total=st.integers(0, 50), count=st.integers(1, 9))
def test_epochs_are_divided_without_loss_and_the_way_ends(total, count):
    assert sum(epochs_of(total, count)) == total
    assert way(count)[-1] == 1
    assert list(way(count)) == sorted(way(count))


@pytest.mark.parametrize(
    ("settings", "label"),
    [
        ({"ratio": 0.5}, "prune 50% of channels"),
        ({"ratio": 0.5, "target": "macs"}, "prune 50% of MACs"),
        ({"ratio": 0.3, "target": "params", "allocation": "global", "iterations": 3},
         "prune 30% of parameters, global in 3 rounds"),
    ],
)  # fmt: skip
def test_the_label_names_what_the_ratio_is_of(settings, label):
    assert PruneChannels(**settings).label == label


def test_a_residual_network_can_be_cut_by_parameters():
    after = preview(PruneChannels(ratio=0.3, target="params", round_to=1), residual())
    assert after.params / residual().params == pytest.approx(0.7, abs=0.06)
