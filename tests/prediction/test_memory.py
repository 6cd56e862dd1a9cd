import pytest

from advisor.prediction.memory import ArenaMemory, ProcessMemory, figures
from advisor.prediction.query import Query
from advisor.prediction.storage import stored_bytes

from .networks import board, conv_net, plain


def test_a_process_holds_baseline_weights_and_live_activations():
    network = conv_net(channels=16, side=8)
    share = figures().process["onnxruntime"]
    # Fused convolution: 3 x 64 in and 16 x 64 out are alive together.
    live = 4 * (3 * 64 + 16 * 64)
    weights = stored_bytes(network.weights)
    expected = share.baseline_mb + share.fixed_mb + (share.weights * weights + share.activations * live) / 1e6
    estimate = ProcessMemory().estimate(Query(plain("onnxruntime"), network, network, board(runtime="onnxruntime")))
    assert estimate.mid == pytest.approx(expected)
    assert estimate.low < estimate.mid < estimate.high


def test_a_microcontroller_needs_ram_for_activations_alone():
    network = conv_net(channels=16, side=8)
    share = figures().arena_default
    device = board(runtime="tflite-micro", unit="mcu", kind="mcu", os=False)
    estimate = ArenaMemory().estimate(Query(plain("tflite-micro", "mcu"), network, network, device))
    live = 4 * (3 * 64 + 16 * 64)
    assert estimate.mid == pytest.approx(share.baseline_mb + share.fixed_mb + share.activations * live / 1e6)
    assert stored_bytes(network.weights) / 1e6 > estimate.mid  # 41 kB of weights would not fit into the answer


@pytest.mark.parametrize("os", [True, False])
def test_exactly_one_predictor_answers(os):
    query = Query(plain(), conv_net(), conv_net(), board(os=os))
    assert [p.supports(query) is not None for p in (ProcessMemory(), ArenaMemory())] == [os, not os]


def test_pytorch_costs_more_than_onnxruntime():
    network = conv_net()
    torch_mb, ort_mb = (
        ProcessMemory().estimate(Query(plain(r), network, network, board(runtime=r))).mid
        for r in ("pytorch", "onnxruntime")
    )
    assert torch_mb > 3 * ort_mb
