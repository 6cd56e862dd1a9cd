import numpy as np
import pytest

from advisor.techniques.prune_channels.step import PruneChannels
from advisor.techniques.subject import Subject

from .digits import digits_dir, grey, trained

pytestmark = pytest.mark.real


def subject(module, shape, labelled=None, seed=0):
    from advisor.profiling import profile_module

    workload = profile_module(module, shape, name="net", source="")
    return Subject(shape, folder=None, module=module, workload=workload, labelled=labelled, seed=seed)


def pruned(module, shape, **settings):
    from advisor.techniques.prune_channels.apply import apply

    return apply(PruneChannels(ratio=0.5, epochs=0, **settings), subject(module, shape))


def weights(module):
    return {name: tensor.numpy() for name, tensor in module.state_dict().items()}


def digits_batches():
    from advisor.execution.data import open_data
    from advisor.execution.images import ImageReader

    reader, data = ImageReader(grey(), 1), open_data(digits_dir(), 10)
    return lambda: reader.batches(data.train[:256], 32)


def test_the_channels_of_largest_norm_stay_and_coupled_layers_agree():
    before, change = weights(trained()), pruned(trained(), (1, 1, 16, 16))
    after = weights(change.module)
    assert change.details["widths"] == {"0": [16, 8], "3": [32, 16], "6.conv1": [32, 16], "6.conv2": [32, 16]}
    kept = [next(i for i in range(16) if np.array_equal(before["0.weight"][i], row)) for row in after["0.weight"]]
    score = [(before["0.weight"][i] ** 2).sum() + before["1.weight"][i] ** 2
             + (before["3.weight"][:, i] ** 2).sum() for i in range(16)]  # fmt: skip
    assert np.array_equal(after["1.bias"], before["1.bias"][kept])  # the norm lost the same channels
    assert after["3.weight"].shape == (16, 8, 3, 3)
    assert np.mean([score[i] for i in kept]) > np.mean(score)


def test_random_choice_follows_the_seed():
    from advisor.techniques.prune_channels.apply import apply

    step = PruneChannels(ratio=0.5, epochs=0, criterion="random")
    rows = [
        weights(apply(step, subject(trained(), (1, 1, 16, 16), seed=seed)).module)["0.weight"] for seed in (1, 1, 2)
    ]
    assert np.array_equal(rows[0], rows[1])
    assert not np.array_equal(rows[0], rows[2])


def test_criteria_keep_different_channels_but_the_same_widths():
    from advisor.techniques.prune_channels.apply import apply

    found = {}
    for criterion in ("l1", "taylor", "random"):
        step = PruneChannels(ratio=0.5, epochs=0, criterion=criterion)
        given = subject(trained(), (1, 1, 16, 16), labelled=digits_batches())
        found[criterion] = weights(apply(step, given).module)
    shapes = [{name: array.shape for name, array in state.items()} for state in found.values()]
    assert shapes[0] == shapes[1] == shapes[2]
    assert not np.array_equal(found["taylor"]["0.weight"], found["random"]["0.weight"])


@pytest.mark.parametrize("name", ["resnet18", "mobilenetv2_100", "efficientnet_b0", "regnetx_002", "convnext_atto"])
def test_known_architectures_are_cut_to_the_previewed_widths(name):
    import timm
    import torch

    from advisor.profiling import profile_module
    from advisor.techniques.prune_channels.preview import preview

    module, shape = timm.create_model(name), (1, 3, 64, 64)
    step = PruneChannels(ratio=0.5, epochs=0)
    change = pruned(module, shape)
    expected = preview(step, profile_module(module, shape, name=name, source=""))
    actual = profile_module(change.module, shape, name=name, source="")
    assert (actual.macs, actual.params) == (expected.macs, expected.params)
    with torch.inference_mode():
        assert change.module.eval()(torch.zeros(shape)).shape == (1, 1000)


def test_saved_weights_restore_grouped_and_depthwise_networks(tmp_path):
    import timm
    import torch

    from advisor.execution.pruned import save_weights, with_weights

    module, shape = timm.create_model("mobilenetv2_100", num_classes=4), (1, 3, 64, 64)
    cut = pruned(module, shape).module.eval()
    save_weights(cut, module, tmp_path / "w.safetensors")
    again = with_weights(module, tmp_path / "w.safetensors")
    batch = torch.randn(shape)
    with torch.inference_mode():
        torch.testing.assert_close(cut(batch), again(batch))


def small_mobile():
    """Return an untrained network of two inverted bottlenecks with gates, whose norms are not all alike."""
    import torch
    from timm.models.mobilenetv3 import MobileNetV3

    torch.manual_seed(0)
    blocks = [["ds_r1_k3_s1_c16"], ["ir_r2_k3_s2_e4_c24_se0.25"]]
    arch = [[_block(text) for text in stage] for stage in blocks]
    module = MobileNetV3(arch, in_chans=1, num_classes=10, stem_size=16, num_features=64).eval()
    for part in module.modules():
        if isinstance(part, torch.nn.BatchNorm2d):
            torch.nn.init.uniform_(part.weight, 0.1, 1.0)
    return module


def _block(text):
    from timm.models._efficientnet_builder import decode_arch_def

    return decode_arch_def([[text]])[0][0]


SMALL = {"cnn": trained, "mobile": small_mobile}
CRITERIA = ("l1", "l2", "group_max", "filter_l1", "lamp", "fpgm", "bn_scale", "taylor", "random")


def resolved(module, shape, **settings):
    """Return the resolved step, its change, and the counts previewed and made."""
    from advisor.profiling import profile_module
    from advisor.techniques.prune_channels.apply import apply, resolve
    from advisor.techniques.prune_channels.preview import preview

    given = subject(module, shape, labelled=digits_batches())
    step = resolve(PruneChannels(**{"ratio": 0.5, "epochs": 0, "round_to": 2, **settings}), given)
    change = apply(step, given)
    expected, actual = preview(step, given.workload), profile_module(change.module, shape)
    return step, change, (expected.macs, expected.params), (actual.macs, actual.params), given.workload


@pytest.mark.parametrize("allocation", ["uniform", "global", "isomorphic"])
@pytest.mark.parametrize("net", SMALL)
@pytest.mark.parametrize("target", ["macs", "params"])
def test_the_share_asked_for_really_goes_and_the_preview_says_so(net, allocation, target):
    step, change, expected, actual, before = resolved(
        SMALL[net](), (1, 1, 16, 16), allocation=allocation, target=target
    )
    assert actual == expected
    gone = 1 - (actual[0] / before.macs if target == "macs" else actual[1] / before.params)
    assert gone == pytest.approx(0.5, abs=0.06)
    assert step.widths
    assert f"{gone:.0%} of {'MACs' if target == 'macs' else 'parameters'}" in change.done


@pytest.mark.parametrize("criterion", CRITERIA)
@pytest.mark.parametrize("net", SMALL)
def test_every_criterion_fills_in_widths_that_are_cut(net, criterion):
    _, _, expected, actual, _ = resolved(
        SMALL[net](), (1, 1, 16, 16), allocation="global", target="macs", criterion=criterion
    )
    assert actual == expected


def test_allocations_differ_where_the_weights_do():
    widths = {
        allocation: dict(resolved(small_mobile(), (1, 1, 16, 16), allocation=allocation, target="macs")[0].widths)
        for allocation in ("uniform", "global", "isomorphic")
    }
    assert widths["uniform"] != widths["global"] != widths["isomorphic"]


@pytest.mark.parametrize("criterion", ["bn_scale", "taylor"])
def test_channels_that_say_nothing_go_first(criterion):
    import copy

    import torch

    from advisor.techniques.prune_channels.apply import apply

    module = copy.deepcopy(trained())
    with torch.no_grad():  # half of what the second convolution gives is silent, though its kernels are the largest
        module[6].bn1.weight[::2] = 0
        module[6].bn1.bias[::2] = 0
        module[6].conv1.weight[::2] *= 10
    step = PruneChannels(ratio=0.5, criterion=criterion, epochs=0, keep=("0", "3"))
    images = torch.from_numpy(next(digits_batches()())[0])
    outputs = {}
    for chosen in (criterion, "filter_l1"):
        given = subject(module, (1, 1, 16, 16), labelled=digits_batches())
        change = apply(step.model_copy(update={"criterion": chosen}), given)
        with torch.inference_mode():
            outputs[chosen], wanted = change.module(images), module(images)
    torch.testing.assert_close(outputs[criterion], wanted, rtol=1e-4, atol=1e-4)
    assert not torch.allclose(outputs["filter_l1"], wanted, atol=1e-2)


def test_rounds_end_at_the_widths_of_one_round():
    from advisor.techniques.prune_channels.apply import apply, resolve, rounds

    given = subject(trained(), (1, 1, 16, 16))
    step = resolve(PruneChannels(ratio=0.5, target="macs", iterations=3, epochs=4, round_to=2), given)
    counts = []
    for one in rounds(step):
        given = subject(apply(one, given).module, (1, 1, 16, 16))
        counts.append(given.workload.macs)
    before = subject(trained(), (1, 1, 16, 16)).workload.macs
    assert counts == sorted(counts, reverse=True)
    assert counts[0] > counts[-1]
    assert counts[-1] / before == pytest.approx(0.5, abs=0.06)
    assert dict(step.widths)["6.conv1"] == given.module[6].conv1.out_channels


def test_coupled_layers_that_torch_pruning_loses_are_cut_by_the_preview():
    import torch
    from torchvision.models import shufflenet_v2_x0_5

    from advisor.profiling import profile_module
    from advisor.techniques.prune_channels.preview import preview

    module, shape = shufflenet_v2_x0_5(), (1, 3, 64, 64)
    change = pruned(module, shape)
    expected, actual = preview(PruneChannels(ratio=0.5, epochs=0), profile_module(module, shape)), change.module
    assert profile_module(actual, shape).macs == expected.macs
    with torch.inference_mode():
        assert actual(torch.zeros(shape)).shape == (1, 1000)


def test_a_criterion_that_needs_the_other_graph_is_refused_there():
    from torchvision.models import shufflenet_v2_x0_5

    from advisor.errors import NotApplicable

    with pytest.raises(NotApplicable, match="lamp needs Torch-Pruning") as caught:
        pruned(shufflenet_v2_x0_5(), (1, 3, 64, 64), criterion="lamp")
    assert "l2" in caught.value.remedy


def test_a_forward_pass_with_fixed_widths_is_refused():
    import torch
    from torch import nn

    from advisor.errors import NotApplicable

    class Fixed(nn.Module):
        def __init__(self):
            super().__init__()
            self.one, self.two = nn.Conv2d(1, 32, 3), nn.Linear(32, 10)

        def forward(self, x):
            found = self.one(x).mean((2, 3))
            if found.shape[1] != 32:
                raise ValueError("32 channels, please")
            return self.two(found)

    torch.manual_seed(0)
    with pytest.raises(NotApplicable, match="32 channels, please"):
        pruned(Fixed().eval(), (1, 1, 16, 16))


def test_a_scan_finds_the_group_that_matters_in_the_time_it_has():
    import copy

    import torch

    from advisor.techniques.prune_channels.scan import group_names, sensitivity

    module, shape = copy.deepcopy(trained()), (1, 1, 16, 16)
    with torch.no_grad():  # the residual branch says nothing
        module[6].bn2.weight *= 0
        module[6].bn2.bias *= 0
    images = torch.from_numpy(next(digits_batches()())[0])
    with torch.inference_mode():
        wanted = module(images).argmax(1)

    def agreement(network):
        with torch.inference_mode():
            return float((network(images).argmax(1) == wanted).float().mean())

    workload, ticks = subject(module, shape).workload, []
    names = group_names(workload)
    found = sensitivity(
        module, workload, shape, None, agreement, ratios=(0.5, 0.75), tick=lambda *said: ticks.append(said)
    )
    assert set(found) == set(names)
    assert all(scores[0.0] == 1 and set(scores) == {0.0, 0.5, 0.75} for scores in found.values())
    assert found["6.conv1"][0.75] == 1 > found["0"][0.75]
    assert ticks[-1][:2] == (2 * len(names), 2 * len(names))
    assert sensitivity(module, workload, shape, ["0"], agreement, seconds=-1) == {"0": {0.0: 1.0}}
