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


def test_a_network_that_cannot_be_followed_is_refused():
    from torchvision.models import shufflenet_v2_x0_5

    from advisor.errors import NotApplicable

    with pytest.raises(NotApplicable, match="prune_channels"):
        pruned(shufflenet_v2_x0_5(), (1, 3, 64, 64))
