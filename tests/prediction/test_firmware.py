import pytest

from advisor.prediction.engine import predict
from advisor.prediction.firmware import ArenaMemory, FirmwareFlash, counts, figures, kept_bytes, kernels_of
from advisor.prediction.memory import ProcessMemory
from advisor.prediction.query import Query
from advisor.prediction.storage import stored_bytes
from advisor.schema import Cpu, Metric, Plan
from advisor.techniques.static_int8.preview import preview
from advisor.techniques.static_int8.step import StaticInt8

from .networks import board, conv_net, plain

INT8 = StaticInt8(signedness="s8s8")


def controller(isa=("dsp",), **fields):
    cpu = Cpu(arch="armv7e-m", isa=isa)
    return board(runtime="tflite-micro", unit="mcu", kind="mcu", os=False, cpu=cpu, **fields)


def asked(network=None, device=None, steps=(INT8,)):
    network = network or conv_net(channels=16, side=8)
    after = preview(INT8, network) if steps else network
    return Query(Plan(steps=steps, runtime="tflite-micro", unit="mcu"), network, after, device or controller())


def test_ram_is_activations_scratch_and_bookkeeping():
    estimate = ArenaMemory().estimate(asked())
    live, scratch = 3 * 64 + 16 * 64, 2 * 28 * 2
    assert estimate.parts["activations"] * 1e6 == pytest.approx(live + scratch)
    assert estimate.mid == pytest.approx(sum(estimate.parts.values()))
    assert estimate.low < estimate.mid < estimate.high


def test_bookkeeping_grows_with_nodes_tensors_and_channels():
    kept = figures().ram["tflite-micro"].bookkeeping
    small, large = (counts(preview(INT8, conv_net(channels=c))) for c in (16, 32))
    assert large.channels - small.channels == 16
    assert kept_bytes(kept, large) - kept_bytes(kept, small) == 16 * kept.per_channel


def test_float_takes_four_times_the_activations():
    int8, fp32 = (ArenaMemory().estimate(asked(steps=steps)).parts["activations"] for steps in ((INT8,), ()))
    assert fp32 * 1e6 == pytest.approx(4 * (3 * 64 + 16 * 64))
    assert fp32 > 3.5 * int8


def test_flash_is_weights_graph_and_code():
    query = asked()
    estimate = FirmwareFlash().estimate(query)
    assert estimate.metric is Metric.FLASH
    assert estimate.mid == pytest.approx(sum(estimate.parts.values()))
    assert estimate.parts["runtime"] * 1e3 == figures().flash["tflite-micro"].code_kb
    assert estimate.parts["weights"] * 1e6 <= stored_bytes(query.after.weights)


def test_ram_and_flash_are_told_for_firmware_alone():
    network = conv_net()
    firmware = predict(plain("tflite-micro", "mcu"), network, network, controller(), {})
    process = predict(plain(), network, network, board(), {})
    assert {Metric.FLASH, Metric.MEMORY} <= set(firmware)
    assert Metric.FLASH not in process
    assert firmware[Metric.MEMORY].predictor == "arena"
    assert process[Metric.MEMORY].predictor == "process memory"


@pytest.mark.parametrize("os", [True, False])
def test_exactly_one_predictor_of_memory_answers(os):
    query = Query(plain(), conv_net(), conv_net(), board(os=os))
    assert [p.supports(query) is not None for p in (ProcessMemory(), ArenaMemory())] == [os, not os]


@pytest.mark.parametrize(
    ("isa", "expected"), [(("dsp",), "dsp"), (("dsp", "helium"), "helium"), (("pie",), "none"), ((), "none")]
)
def test_the_instruction_set_names_the_kernels(isa, expected):
    assert kernels_of(controller(isa)) == expected


def test_the_first_row_of_published_allocations_is_met():
    """The keyword network of MLPerf Tiny: 16004 bytes of activations, 7408 of bookkeeping, recorded on a Cortex-M7."""
    torch = pytest.importorskip("torch")
    from advisor.profiling import profile_module

    nn = torch.nn

    def conv(wide, out, kernel, **more):
        return [nn.Conv2d(wide, out, kernel, bias=False, **more), nn.BatchNorm2d(out), nn.ReLU()]

    layers = conv(1, 64, (10, 4), stride=2, padding=(5, 1))
    for _ in range(4):
        layers += conv(64, 64, 3, padding=1, groups=64) + conv(64, 64, 1)
    module = nn.Sequential(*layers, nn.AvgPool2d((25, 5)), nn.Flatten(), nn.Linear(64, 12), nn.Softmax(-1)).eval()
    estimate = ArenaMemory().estimate(asked(profile_module(module, (1, 1, 49, 10), name="keywords")))
    assert estimate.parts["activations"] * 1e6 == pytest.approx(16004, rel=0.001)
    assert estimate.parts["runtime"] * 1e6 == pytest.approx(7408, rel=0.03)
