import pytest

from advisor.prediction.fusion import fold
from advisor.prediction.query import Query
from advisor.prediction.size import FileSize, format_of, size_bytes
from advisor.prediction.size import figures as size_figures
from advisor.prediction.storage import stored_bytes, weight_bytes
from advisor.prediction.written import written
from advisor.schema import OpKind, Storage, Tensor, Weight, Workload
from advisor.techniques.half.preview import preview as preview_half
from advisor.techniques.half.step import Half
from advisor.techniques.prune_channels.step import PruneChannels
from advisor.techniques.static_int8.preview import preview
from advisor.techniques.static_int8.step import StaticInt8
from advisor.techniques.weight_only.step import WeightOnly

from .networks import board, conv_net, op, plain, stored_as


@pytest.mark.parametrize(
    ("shape", "storage", "expected"),
    [
        ((64, 32, 3, 3), {}, 64 * 32 * 9 * 4),
        ((64, 32, 3, 3), {"dtype": "float16"}, 64 * 32 * 9 * 2),
        ((64, 32, 3, 3), {"dtype": "int8", "granularity": "per_channel"}, 64 * 32 * 9 + 64 * 5),
        ((64, 32, 3, 3), {"dtype": "int8", "granularity": "per_tensor"}, 64 * 32 * 9 + 5),
        ((64, 32), {"dtype": "int4", "granularity": "group", "group_size": 32}, 64 * 32 // 2 + 64 * 4 + 32),
        ((3, 3), {"dtype": "int4", "granularity": "group", "group_size": 4}, 5 + 3 * 4 + 2),
        ((64,), {"dtype": "int32"}, 64 * 4),
        ((64, 32, 3, 3), {"density": 0.2, "pattern": "unstructured"}, 64 * 32 * 9 * 4),
    ],
    ids=["fp32", "fp16", "int8 per channel", "int8 per tensor", "int4 groups", "odd int4", "int32 bias", "zeros"],
)
def test_weight_bytes_by_hand(shape, storage, expected):
    assert weight_bytes(Weight(name="w", shape=shape, role="weight", storage=Storage(**storage))) == expected


def test_the_file_holds_the_folded_weights_and_its_graph():
    network = conv_net(channels=16, side=8)
    # Folding leaves the kernel, a new bias of 16, and the linear layer.
    weights = 4 * (16 * 27 + 16 + 10 * 16 * 64 + 10)
    estimate = FileSize().estimate(Query(plain(), network, network, board()))
    assert estimate.mid * 1e6 > weights
    assert estimate.low * 1e6 >= weights
    assert (estimate.mid * 1e6 - weights) < 50_000


def test_pytorch_files_keep_the_norms():
    network = conv_net()
    estimate = FileSize().estimate(Query(plain("pytorch"), network, network, board()))
    assert estimate.mid * 1e6 >= stored_bytes(network.weights)


def test_sparsity_leaves_the_file_as_it_is():
    network = conv_net()
    sparse = stored_as(network, density=0.2, pattern="unstructured")
    sizes = [FileSize().estimate(Query(plain(), network, w, board())).mid for w in (network, sparse)]
    assert sizes[0] == sizes[1]


def test_int8_files_approach_a_quarter_for_large_layers():
    network = conv_net(channels=256, side=16)
    after = preview(StaticInt8(), network)
    plan = plain().model_copy(update={"steps": (StaticInt8(),)})
    before = FileSize().estimate(Query(plain(), network, network, board())).mid
    assert 0.24 < FileSize().estimate(Query(plan, network, after, board())).mid / before < 0.28


def test_every_format_has_figures_that_cost_something():
    network = preview(StaticInt8(), conv_net())
    for name, overhead in size_figures().formats.items():
        weights, extra = size_bytes(network, overhead)
        assert weights > 0, name
        assert extra > 0, name
        assert 0 < overhead.margin < 0.6, name  # of what the format adds


@pytest.mark.parametrize(
    ("steps", "runtime", "form"),
    [
        ((WeightOnly(),), "onnxruntime", "onnx-w8"),
        ((WeightOnly(bits=4, group_size=32),), "onnxruntime", "onnx-w4"),
        ((StaticInt8(),), "openvino", "openvino-ir"),
        ((), "pytorch", "safetensors"),
    ],
)
def test_runtime_and_technique_decide_the_form(steps, runtime, form):
    network = conv_net()
    assert format_of(Query(plain(runtime).model_copy(update={"steps": steps}), network, network, board())) == form


def test_the_interval_of_a_small_file_is_wide_for_what_the_format_adds():
    small, large = (FileSize().estimate(Query(plain(), n, n, board())) for n in (conv_net(8, 8), conv_net(1024, 32)))
    widths = [(one.high - one.low) / one.mid for one in (small, large)]
    assert widths[0] > 3 * widths[1]


def test_the_last_step_that_decides_a_format_wins():
    network = conv_net()
    plan = plain().model_copy(update={"steps": (PruneChannels(ratio=0.3), StaticInt8())})
    assert format_of(Query(plan, network, network, board())) == "onnx-int8"
    assert format_of(Query(plain(), network, network, board())) == "onnx"
    assert format_of(Query(plain("pytorch"), network, network, board())) == "safetensors"


def test_a_half_precision_file_is_little_more_than_half():
    network = conv_net(channels=256, side=16)
    plan = plain().model_copy(update={"steps": (Half(),)})
    before = FileSize().estimate(Query(plain(), network, network, board())).mid
    after = FileSize().estimate(Query(plan, network, preview_half(Half(), network), board())).mid
    assert 0.5 < after / before < 0.51


def test_weights_that_no_operation_reads_are_not_written():
    network = conv_net(norm=False)
    unread = Weight(name="steps", shape=(1000,), role="buffer", counted=False)
    fields = {name: getattr(network, name) for name in Workload.model_fields}
    larger = Workload(**{**fields, "weights": (*network.weights, unread)})
    assert written(larger).weights == written(network).weights


@pytest.mark.parametrize(("rows", "expected"), [(16, 4 * 3 * 16), (20_000, 4 * 3 * 4 + 8 * 20_000)])
def test_small_position_tables_are_computed_and_large_ones_kept(rows, expected):
    """A table of 4 x 3 values, read in `rows` places, is added to the logits of as many tokens."""
    table = Weight(name="table", shape=(4, 3), role="weight")
    index = Weight(name="index", shape=(rows,), role="buffer", counted=False, storage=Storage(dtype="int64"))
    names = ("table", "index")
    ops = (
        op(0, OpKind.MOVE, (), (1,), names, function="gather"),
        op(1, OpKind.ELEMENTWISE, (0, 1), (2,), names, function="add"),
    )
    tensors = tuple(Tensor(id=i, shape=(rows, 3)) for i in range(3))
    network = Workload(name="positions", inputs=(0,), outputs=(2,), tensors=tensors, weights=(table, index), ops=ops)
    assert written(network).weights == expected


def test_quantizing_adds_pairs_and_scales():
    after = written(fold(preview(StaticInt8(), conv_net())))
    before = written(fold(conv_net()))
    assert before.pairs == before.quantized == 0
    assert after.quantized == 2
    assert after.channels == 16 + 10
    assert after.bias_channels == 16 + 10
    assert after.pairs >= 3  # image, feature map, logits
    assert after.nodes == before.nodes - 1  # clipping is part of the range
