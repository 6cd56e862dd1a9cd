import pytest
from hypothesis import given
from hypothesis import strategies as st

from advisor.prediction.demand import demand, padded_macs, unaligned
from advisor.prediction.efficiency import entry_for
from advisor.prediction.latency import predict_latency, timing, widened
from advisor.prediction.query import Query
from advisor.prediction.rates import rate_of
from advisor.prediction.unit_class import is_little, thread_share, unit_class
from advisor.schema import Basis, Core, Cpu, Gpu, Restrictions

from .networks import board, conv_net, figure, op, plain, pointwise


def ask(device, network=None, plan=None):
    network = network or conv_net()
    return Query(plan or plain(device.paths[0].runtime, device.paths[0].unit), network, network, device)


def test_a_roofline_by_hand():
    device, network = board(gmacs=50, gbs=5), pointwise((256, 256), side=28)
    query = ask(device, network)
    entry, rate = entry_for("ncnn", "arm-v8-big"), rate_of("fp32", query)
    mode = entry.modes["fp32"]
    macs, moved = 256 * 256 * 784, 4 * (2 * 256 * 784 + 256 * 256)
    gmacs = 50 * 4**-entry.thread_loss
    compute_ms = macs / (gmacs * 1e6 * mode.compute["conv_1x1"])
    stream_ms = moved / (5 * 0.6 * 1e6 * mode.stream["default"])
    assert rate.gmacs == pytest.approx(gmacs)
    assert timing(query).total_ms == pytest.approx(max(compute_ms, stream_ms) + mode.overhead_us / 1e3)


@given(st.floats(1, 500), st.floats(1.0, 8.0))
def test_more_peak_is_never_slower(gmacs, factor):
    slow, fast = (predict_latency(ask(board(gmacs=g))) for g in (gmacs, gmacs * factor))
    assert fast.mid <= slow.mid * (1 + 1e-9)


@given(st.floats(0.2, 100), st.floats(1.0, 8.0))
def test_more_bandwidth_is_never_slower(gbs, factor):
    slow, fast = (predict_latency(ask(board(gbs=g))) for g in (gbs, gbs * factor))
    assert fast.mid <= slow.mid * (1 + 1e-9)


@given(st.integers(8, 256), st.integers(8, 256), st.integers(0, 128))
def test_more_macs_are_never_faster(wide, out, more):
    small, large = (predict_latency(ask(board(), pointwise((wide, o)))) for o in (out, out + more))
    assert small.mid <= large.mid * (1 + 1e-9)


@given(st.integers(1, 3), st.floats(1, 200), st.floats(0.5, 50))
def test_intervals_are_ordered_and_finite(threads, gmacs, gbs):
    estimate = predict_latency(ask(board(gmacs=gmacs, gbs=gbs), plan=plain(threads=threads)))
    assert 0 < estimate.low <= estimate.mid <= estimate.high < float("inf")


def test_more_threads_help_but_less_than_in_proportion():
    network = pointwise((512, 512))
    one, four = (predict_latency(ask(board(gbs=1000), network, plain(threads=t))).mid for t in (1, 4))
    assert 2.5 < one / four < 4.0


def test_channels_are_padded_to_the_alignment():
    load = demand(pointwise((20, 33), side=1), "rknn")
    assert padded_macs(load, 16)[0] == 32 * 48
    assert padded_macs(load, 1)[0] == 20 * 33
    image = demand(conv_net(channels=16), "rknn")
    assert padded_macs(image, 16)[0] == image.macs[0]  # three image channels have their own layout


@pytest.mark.parametrize(
    ("channels", "expected"), [((64, 64), False), ((64, 60), True), ((60, 64), True), ((3, 64), False)]
)
def test_unaligned_channels_are_marked(channels, expected):
    assert bool(unaligned(demand(pointwise(channels, side=2), "ncnn"), 8)[0]) is expected


def test_unknown_operations_widen_and_are_named():
    network = pointwise((64, 64))
    strange = op(1, "unknown", (1,), (1,)).model_copy(update={"name": "aten.mystery"})
    odd = network.model_copy(update={"ops": (*network.ops, strange)})
    known, unknown = predict_latency(ask(board(), network)), predict_latency(ask(board(), odd))
    assert "aten.mystery" in unknown.note
    assert unknown.high / unknown.mid > known.high / known.mid


def test_a_missing_peak_widens_and_no_peak_is_no_answer():
    from advisor.techniques.static_int8.preview import preview
    from advisor.techniques.static_int8.step import StaticInt8

    network = pointwise((64, 64))
    plan = plain().model_copy(update={"steps": (StaticInt8(),)})
    known, missing = (
        predict_latency(Query(plan, network, preview(StaticInt8(), network), board(int8=peak)))
        for peak in (100.0, None)
    )
    assert missing.high / missing.mid > known.high / known.mid
    bare = board()
    bare = bare.model_copy(update={"paths": (bare.paths[0].model_copy(update={"peak_gmacs": {}}),)})
    assert predict_latency(ask(bare)) is None


def test_float_networks_have_no_latency_where_only_integers_run():
    device = board(runtime="hailort", unit="npu", restrictions=Restrictions(integer_only=True))
    assert predict_latency(ask(device)) is None


def test_weights_beyond_the_chip_are_streamed():
    from advisor.techniques.static_int8.preview import preview
    from advisor.techniques.static_int8.step import StaticInt8

    network = pointwise((512, 512))
    plan = plain("hailort", "npu").model_copy(update={"steps": (StaticInt8(),)})
    times = []
    for kb in (10_000, 10):
        device = board(
            runtime="hailort", unit="npu", restrictions=Restrictions(integer_only=True, weight_capacity=True)
        )
        device = device.model_copy(update={"memory": device.memory.model_copy(update={"on_chip_kb": figure(kb)})})
        times.append(predict_latency(Query(plan, network, preview(StaticInt8(), network), device)))
    assert times[1].mid > times[0].mid
    assert "streamed" in times[1].note


@pytest.mark.parametrize(
    ("arch", "isa", "cores", "expected"),
    [
        ("x86_64", ("avx2",), (), "x86-avx2"),
        ("x86_64", ("avx2", "avx512", "avx512_vnni"), (), "x86-vnni"),
        ("x86_64", ("avx2", "avx_vnni"), (), "x86-vnni"),
        ("x86_64", ("avx2", "avx512", "avx512_vnni", "avx_vnni", "amx"), (), "x86-amx"),
        ("amd64", ("AVX512", "AMX_INT8"), (), "x86-amx"),
        ("x86_64", ("sse2",), (), "x86-sse"),
        ("aarch64", ("neon",), ("Cortex-A53",), "arm-v8-little"),
        ("aarch64", ("neon",), ("Cortex-A72", "Cortex-A53"), "arm-v8-big"),
        ("aarch64", ("neon", "asimdhp", "dotprod"), ("Cortex-A76",), "arm-dotprod-big"),
        ("aarch64", ("neon", "asimdhp"), ("Carmel",), "arm-fp16-big"),
        ("aarch64", ("neon", "dotprod", "i8mm"), ("Cortex-A720",), "arm-i8mm-big"),
        ("armv7", ("neon",), ("Cortex-A7",), "arm-v7-little"),
        ("riscv64", (), ("U74",), "cpu-riscv64"),
    ],
)
def test_cpus_are_sorted_by_what_their_kernels_use(arch, isa, cores, expected):
    device = board()
    cpu = Cpu(arch=arch, isa=isa, cores=tuple(Core(name=n, count=4) for n in cores))
    assert unit_class(device.model_copy(update={"cpu": cpu}), device.paths[0]) == expected


def test_other_units_have_their_own_classes():
    gpu, npu, mcu = board(unit="gpu"), board(unit="npu"), board(unit="mcu", kind="mcu")
    assert unit_class(gpu, gpu.paths[0]) == "gpu-other"
    cuda = gpu.model_copy(update={"gpu": Gpu(name="Ampere", cuda_cc=8.7)})
    assert unit_class(cuda, cuda.paths[0]) == "gpu-cuda"
    assert unit_class(npu, npu.paths[0]) == "npu"
    assert unit_class(mcu, mcu.paths[0]) == "mcu"


@pytest.mark.parametrize(
    ("core", "little"),
    [("Cortex-A53", True), ("Cortex-A57", False), ("Cortex-A55", True), ("Cortex-A510", True), ("Cortex-A78AE", False)],
)
def test_little_cores_are_told_from_big_ones(core, little):
    assert is_little(core) is little


def test_fast_cores_come_first():
    device = board()
    cores = (
        Core(name="Cortex-A55", count=4, freq_ghz=figure(1.8)),
        Core(name="Cortex-A76", count=4, freq_ghz=figure(2.4)),
    )
    device = device.model_copy(update={"cpu": Cpu(arch="aarch64", cores=cores)})
    share, used = thread_share(device, device.paths[0], 4)
    assert (round(share, 3), used) == (round(2.4 / (2.4 + 0.9), 3), 4)


def test_widening_is_in_quadrature_and_never_narrows():
    assert widened(0.5, 2.0, ()) == pytest.approx((0.5, 2.0))
    low, high = widened(0.5, 2.0, (2.0,))
    assert high == pytest.approx(2.0**1.4142136, rel=1e-5)
    assert low == pytest.approx(1 / high)


def test_fitted_figures_say_so():
    estimate = predict_latency(ask(board()))
    assert estimate.basis is Basis.FITTED
    assert estimate.n > 30
