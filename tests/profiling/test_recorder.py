import pytest
import torch
from torch import nn
from torch.nn import functional as F

from advisor.profiling import profile_module
from advisor.schema import OpKind


class Net(nn.Module):
    """A module around one function of its input and two layers."""

    def __init__(self, forward, **layers):
        super().__init__()
        for name, layer in layers.items():
            setattr(self, name, layer)
        self._forward = forward

    def forward(self, x):
        return self._forward(self, x)


def kinds(workload, *without):
    return [op.kind for op in workload.ops if op.kind not in without]


def only(workload, kind):
    (op,) = [op for op in workload.ops if op.kind is kind]
    return op


CONVOLUTIONS = [
    # layer, input, kind, MACs by hand: output pixels x output channels x inputs per output
    (nn.Conv2d(3, 8, 3, padding=1), (1, 3, 10, 12), OpKind.CONV, 120 * 8 * 27),
    (nn.Conv2d(3, 8, 3, stride=2), (2, 3, 9, 9), OpKind.CONV, 2 * 16 * 8 * 27),
    (nn.Conv2d(8, 4, 1), (1, 8, 5, 5), OpKind.CONV_1X1, 25 * 4 * 8),
    (nn.Conv2d(8, 8, 3, padding=1, groups=8), (1, 8, 5, 5), OpKind.CONV_DEPTHWISE, 25 * 8 * 9),
    (nn.Conv2d(8, 16, 3, padding=1, groups=8), (1, 8, 5, 5), OpKind.CONV_DEPTHWISE, 25 * 16 * 9),
    (nn.Conv2d(8, 8, 3, padding=1, groups=2), (1, 8, 5, 5), OpKind.CONV_GROUPED, 25 * 8 * 36),
    (nn.Conv2d(4, 6, (1, 5), dilation=(1, 2)), (1, 4, 3, 20), OpKind.CONV, 3 * 12 * 6 * 20),
    (nn.ConvTranspose2d(4, 6, 2, stride=2), (1, 4, 5, 5), OpKind.CONV_TRANSPOSED, 25 * 4 * 24),
    (nn.Conv1d(4, 6, 3), (1, 4, 10), OpKind.CONV, 8 * 6 * 12),
]


@pytest.mark.parametrize(("layer", "shape", "kind", "macs"), CONVOLUTIONS)
def test_convolutions_have_the_kind_and_macs_counted_by_hand(layer, shape, kind, macs):
    workload = profile_module(layer, shape)
    op = only(workload, kind)
    assert workload.macs == op.macs == macs
    assert op.weights == ("weight", "bias")
    assert op.attrs["in_channels"] == layer.in_channels
    assert op.attrs["out_channels"] == layer.out_channels
    assert op.attrs["groups"] == layer.groups
    assert op.attrs["kernel"] == tuple(layer.kernel_size)
    assert op.attrs["stride"] == tuple(layer.stride)
    assert op.attrs["dilation"] == tuple(layer.dilation)
    assert op.attrs["padding"] == tuple(layer.padding)


@pytest.mark.parametrize("shape", [(5, 7), (2, 3, 7), (2, 3, 4, 7), (7,)])
@pytest.mark.parametrize("bias", [True, False])
def test_linear_layers_are_one_operation_whatever_the_rank(shape, bias):
    workload = profile_module(nn.Linear(7, 4, bias=bias), shape)
    op = only(workload, OpKind.LINEAR)
    assert workload.macs == torch.Size(shape).numel() * 4
    assert (op.attrs["in_features"], op.attrs["out_features"]) == (7, 4)
    assert op.weights[0] == "weight"


def test_products_of_activations_are_matmul_and_of_parameters_linear():
    def forward(module, x):  # (2, 6, 5)
        scores = x @ x.transpose(1, 2)  # (2, 6, 6)
        mixed = module.mix.weight @ x  # (4, 6) @ (2, 6, 5)
        return scores, mixed

    workload = profile_module(Net(forward, mix=nn.Linear(6, 4, bias=False)), (2, 6, 5))
    assert [(op.kind, op.macs) for op in workload.ops if op.macs] == [
        (OpKind.MATMUL, 2 * 6 * 6 * 5),
        (OpKind.LINEAR, 2 * 4 * 5 * 6),
    ]


@pytest.mark.parametrize("masked", [False, True])
def test_scaled_dot_product_attention_is_one_operation(masked):
    mask = torch.zeros(6, 9) if masked else None

    def forward(_, x):
        key = torch.cat([x, x[:, :, :3]], 2)
        return F.scaled_dot_product_attention(x, key, key[..., :5], attn_mask=mask)

    workload = profile_module(Net(forward), (2, 3, 6, 8))
    op = only(workload, OpKind.ATTENTION)
    assert op.macs == 2 * 3 * 6 * 9 * (8 + 5)
    assert (op.attrs["heads"], op.attrs["head_dim"], op.attrs["tokens"]) == (3, 8, 6)


def test_the_attention_inside_multihead_attention_is_found():
    layer = nn.TransformerEncoderLayer(16, 4, 32, batch_first=True)
    op = only(profile_module(layer, (2, 5, 16)), OpKind.ATTENTION)
    assert op.macs == 2 * 5 * 5 * 16 * 2


FUNCTIONS = [
    (nn.ReLU(), "relu"),
    (nn.ReLU(inplace=True), "relu"),
    (nn.ReLU6(), "relu6"),
    (nn.ReLU6(inplace=True), "relu6"),
    (nn.SiLU(inplace=True), "silu"),
    (nn.GELU(), "gelu"),
    (nn.Hardswish(), "hardswish"),
    (nn.Hardsigmoid(), "hardsigmoid"),
    (nn.Sigmoid(), "sigmoid"),
    (nn.LeakyReLU(0.1), "leaky_relu"),
    (nn.ELU(), "elu"),
    (nn.Tanh(), "tanh"),
    (nn.Mish(), "mish"),
    (nn.PReLU(), "prelu"),
    (nn.Softplus(), "softplus"),
    (nn.Hardtanh(-1, 1), "hardtanh"),
    (Net(lambda _, x: x.clamp(0, 6)), "relu6"),
    (Net(lambda _, x: x.clamp(min=0)), "relu"),
    (Net(lambda _, x: x * torch.sigmoid(x)), "silu"),
    (Net(lambda _, x: x * F.relu6(x + 3) / 6), "hardswish"),
    (Net(lambda _, x: x * F.hardsigmoid(x)), "hardswish"),
    (Net(lambda _, x: 0.5 * x * (1 + torch.erf(x / 2**0.5))), "gelu"),
]


@pytest.mark.parametrize(("layer", "function"), FUNCTIONS)
def test_activations_carry_their_name(layer, function):
    workload = profile_module(layer, (1, 2, 4, 4))
    assert [(op.kind, op.attrs["function"]) for op in workload.ops] == [(OpKind.ACTIVATION, function)]


OPERATIONS = [
    (nn.BatchNorm2d(2), OpKind.NORM_BATCH, "batch_norm"),
    (nn.LayerNorm(4), OpKind.NORM_LAYER, "layer_norm"),
    (nn.GroupNorm(1, 2), OpKind.NORM_LAYER, "group_norm"),
    (nn.Softmax(-1), OpKind.SOFTMAX, "softmax"),
    (nn.MaxPool2d(2), OpKind.POOL, "max_pool"),
    (nn.AvgPool2d(2), OpKind.POOL, "avg_pool"),
    (nn.AdaptiveAvgPool2d(2), OpKind.POOL, "adaptive_avg_pool"),
    (nn.AdaptiveAvgPool2d(1), OpKind.REDUCE, "mean"),
    (nn.Upsample(scale_factor=2), OpKind.RESIZE, "nearest"),
    (nn.Upsample(scale_factor=2, mode="bilinear"), OpKind.RESIZE, "bilinear"),
    (nn.ZeroPad2d(1), OpKind.MOVE, "pad"),
    (nn.Flatten(), OpKind.VIEW, "reshape"),
    (Net(lambda _, x: torch.cat([x, x], 1)), OpKind.CONCAT, "concat"),
    (Net(lambda _, x: x + x.detach() * 1), OpKind.ELEMENTWISE, "add"),
    (Net(lambda _, x: x.permute(0, 2, 3, 1)), OpKind.VIEW, "permute"),
    (Net(lambda _, x: x.transpose(1, 2).contiguous()), OpKind.MOVE, "copy"),
    (Net(lambda _, x: x.roll(1, 2)), OpKind.MOVE, "roll"),
]


@pytest.mark.parametrize(("layer", "kind", "function"), OPERATIONS)
def test_operations_have_kind_and_function(layer, kind, function):
    op = profile_module(layer, (1, 2, 4, 4)).ops[-1]
    assert (op.kind, op.attrs["function"]) == (kind, function)


def test_axes_are_counted_from_the_front_and_slices_have_ends():
    def forward(_, x):
        y = torch.cat([x.transpose(-1, 1), x.transpose(1, -1)], -3)
        return F.softmax(y[:, -2:], -1).mean((-1, -2))

    by_function = {op.attrs["function"]: op.attrs for op in profile_module(Net(forward), (1, 4, 4, 4)).ops}
    assert by_function["permute"]["dims"] == (0, 3, 2, 1)
    assert by_function["concat"]["dim"] == 1
    assert by_function["softmax"]["dim"] == 3
    assert by_function["mean"]["dims"] == (3, 2)
    assert [by_function["slice"][key] for key in ("dim", "start", "end")] == [1, 6, 8]


def test_an_unknown_operation_is_counted_and_reported():
    workload = profile_module(Net(lambda _, x: torch.fft.rfft(x).abs()), (1, 8))
    (op,) = [op for op in workload.ops if op.kind is OpKind.UNKNOWN]
    assert "fft" in op.name
    assert any("not known" in note for note in workload.notes)


def test_views_alias_and_in_place_results_alias_too():
    workload = profile_module(Net(lambda _, x: F.relu_((x + 1).flatten(1))), (1, 2, 3))
    total, *others = (workload.tensor[op.outputs[0]] for op in workload.ops)
    assert total.alias_of is None
    assert {t.alias_of for t in others} == {total.id}


def test_side_results_are_dropped():
    workload = profile_module(nn.Sequential(nn.BatchNorm2d(2), nn.MaxPool2d(2), nn.LayerNorm(2)), (1, 2, 4, 4))
    assert [len(op.outputs) for op in workload.ops] == [1, 1, 1]


def test_pooling_indices_that_are_read_stay():
    net = Net(lambda _, x: F.max_unpool2d(*F.max_pool2d(x, 2, return_indices=True), 2))
    workload = profile_module(net, (1, 2, 4, 4))
    assert len(workload.ops[0].outputs) == 2


def test_paths_of_modules_are_kept():
    workload = profile_module(nn.Sequential(nn.Sequential(nn.Conv2d(3, 2, 1), nn.ReLU()), nn.Flatten()), (1, 3, 2, 2))
    assert [op.module for op in workload.ops] == ["0.0", "0.1", "1"]
    assert workload.modules["0.0"] == "Conv2d"
    assert workload.modules[""] == "Sequential"


def test_shared_parameters_count_once_and_unused_ones_too():
    tied = nn.Linear(4, 4)
    net = Net(lambda m, x: m.b(m.a(x)), a=tied, b=tied, spare=nn.Linear(4, 3))
    workload = profile_module(net, (1, 4))
    assert workload.params == 20 + 15
    assert workload.macs == 32


def test_roles_of_weights():
    class Roles(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv = nn.Conv2d(3, 4, 2)
            self.norm = nn.BatchNorm2d(4)
            self.gamma = nn.Parameter(torch.ones(4, 1, 1).flatten())
            self.position = nn.Parameter(torch.zeros(1, 4, 3, 3))
            self.register_buffer("index", torch.zeros(9, dtype=torch.long), persistent=False)

        def forward(self, x):
            return self.norm(self.conv(x)) * self.gamma[:, None, None] + self.position

    weights = profile_module(Roles(), (1, 3, 4, 4)).weight
    roles = {name: (w.role, w.counted) for name, w in weights.items()}
    assert roles["conv.weight"] == ("weight", True)
    assert roles["conv.bias"] == ("bias", True)
    assert roles["norm.weight"] == roles["norm.bias"] == roles["gamma"] == ("norm", True)
    assert roles["position"] == ("embedding", True)
    assert roles["norm.running_mean"] == roles["index"] == ("buffer", False)
    assert weights["index"].storage.dtype == "int64"


def test_a_kernel_computed_from_a_parameter_still_names_it():
    net = Net(lambda m, x: F.conv2d(x, m.c.weight - m.c.weight.mean((1, 2, 3), keepdim=True)), c=nn.Conv2d(3, 4, 3))
    assert only(profile_module(net, (1, 3, 5, 5)), OpKind.CONV).weights == ("c.weight",)


@pytest.mark.parametrize(
    "result",
    [
        lambda x: (x + 1, x * 2),
        lambda x: [x + 1, [x * 2]],
        lambda x: {"a": x + 1, "b": (x * 2,)},
    ],
)
def test_outputs_are_flattened(result):
    workload = profile_module(Net(lambda _, x: result(x)), (1, 3))
    assert [workload.tensor[t].shape for t in workload.outputs] == [(1, 3), (1, 3)]


def test_the_module_is_not_changed():
    module = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Dropout()).train()
    before = {k: v.clone() for k, v in module.state_dict().items()}
    profile_module(module, (2, 3, 8, 8))
    assert module.training
    assert not any(m._forward_hooks or m._forward_pre_hooks for m in module.modules())
    assert all(torch.equal(v, before[k]) for k, v in module.state_dict().items())
    assert all(p.requires_grad for p in module.parameters())


def test_a_branch_on_values_falls_back_to_zeros_with_a_note():
    net = Net(lambda m, x: m.c(x) if x.sum() == 0 else x, c=nn.Conv2d(3, 2, 1))
    workload = profile_module(net, (1, 3, 4, 4))
    assert workload.macs == 96
    assert "real zeros" in workload.notes[0]


def test_half_precision_is_seen():
    workload = profile_module(nn.Sequential(nn.Linear(4, 2), nn.ReLU()).half(), (1, 4))
    assert {op.precision for op in workload.ops if op.kind is not OpKind.VIEW} == {"fp16"}
    assert {w.storage.dtype for w in workload.weights} == {"float16"}


def test_twice_the_batch_is_twice_the_work():
    module = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(144, 5))
    one, two = (profile_module(module, (n, 3, 8, 8)) for n in (1, 2))
    assert two.macs == 2 * one.macs
    assert two.params == one.params
    assert (one.batch, two.batch) == (1, 2)
