import pytest

from advisor.prediction.memory import ProcessMemory, figures, held_weights, ratio_spread, share_of
from advisor.prediction.query import Query
from advisor.prediction.ratio import gain
from advisor.schema import Cpu, Metric
from advisor.techniques.static_int8.preview import preview
from advisor.techniques.static_int8.step import StaticInt8
from advisor.techniques.weight_only.preview import preview as weight_only
from advisor.techniques.weight_only.step import WeightOnly

from .networks import board, conv_net, plain


# In blocks of channels the result of the convolution and the same in plain order are alive together.
@pytest.mark.parametrize(("isa", "elements"), [("avx512", 16 * 64 + 16 * 64), ("neon", 3 * 64 + 16 * 64)])
def test_a_process_holds_baseline_weights_and_live_activations(isa, elements):
    network = conv_net(channels=16, side=8)
    share = figures().process["onnxruntime"]
    live = 4 * elements
    convolutions, others = 4 * (16 * 27 + 16), 4 * (10 * 16 * 64 + 10)  # a bias comes with the folded batch norm
    held = share.convolutions * convolutions + share.weights * others
    expected = share.baseline_mb + share.fixed_mb + (held + share.activations * live) / 1e6
    device = board(runtime="onnxruntime", cpu=Cpu(arch="any", cores=(), isa=(isa,)))
    estimate = ProcessMemory().estimate(Query(plain("onnxruntime"), network, network, device))
    assert estimate.mid == pytest.approx(expected)
    assert estimate.low < estimate.mid < estimate.high


def test_ncnn_holds_small_convolutions_in_winograds_form_also_of_integers():
    network, step = conv_net(channels=64, side=32), StaticInt8()
    held, share = held_weights(network), figures().process["ncnn"]
    assert held.winograd == 4 * (64 * 27 + 64)
    assert held.convolutions == 0
    parts = []
    for form, after in (("ncnn", network), ("ncnn int8", preview(step, network))):
        plan = plain("ncnn").model_copy(update={"steps": (step,) if "int8" in form else ()})
        query, share = Query(plan, network, after, board(runtime="ncnn")), figures().process[form]
        parts.append(ProcessMemory().estimate(query).parts)
        weights = share.winograd * held.winograd + share.weights * held.others  # integers count as floats do
        assert parts[-1]["weights"] == pytest.approx(weights / 1e6)
    assert parts[1]["weights"] < parts[0]["weights"]


def test_the_form_decides_how_often_weights_are_held():
    network, step = conv_net(channels=64, side=32), StaticInt8()
    plan = plain("onnxruntime").model_copy(update={"steps": (step,)})
    query = Query(plan, network, preview(step, network), board(runtime="onnxruntime"))
    assert share_of(query) == figures().process["onnxruntime int8"]
    assert held_weights(query.after).others < held_weights(network).others / 3.9


@pytest.mark.parametrize(("runtime", "share"), [("onnxruntime", 1.0), ("ncnn", 0.3)])
def test_integer_weights_that_become_floats_when_a_file_is_opened_are_held_as_floats(runtime, share):
    network, step = conv_net(channels=64, side=32), WeightOnly()
    plan = plain(runtime).model_copy(update={"steps": (step,)})
    after = weight_only(step, network)
    parts = [
        ProcessMemory().estimate(Query(which, network, what, board(runtime=runtime))).parts["weights"]
        for which, what in ((plan, after), (plain(runtime), network))
    ]
    assert parts[0] / parts[1] == pytest.approx(share, abs=0.05)


def test_the_runtime_and_the_model_are_told_apart():
    network = conv_net()
    estimate = ProcessMemory().estimate(Query(plain("onnxruntime"), network, network, board(runtime="onnxruntime")))
    assert estimate.parts["runtime"] == figures().process["onnxruntime"].baseline_mb
    assert sum(estimate.parts.values()) == pytest.approx(estimate.mid)


def test_an_unknown_runtime_is_assumed_with_a_wide_interval():
    network = conv_net()
    known, unknown = (
        ProcessMemory().estimate(Query(plain(r), network, network, board(runtime=r)))
        for r in ("onnxruntime", "brand-new")
    )
    assert unknown.basis == "assumed"
    assert unknown.high / unknown.low > known.high / known.low


def test_pytorch_costs_more_than_onnxruntime():
    network = conv_net()
    torch_mb, ort_mb = (
        ProcessMemory().estimate(Query(plain(r), network, network, board(runtime=r))).mid
        for r in ("pytorch", "onnxruntime")
    )
    assert torch_mb > 3 * ort_mb


def test_here_a_runtime_takes_the_python_that_it_runs_in():
    network = conv_net()
    device = board(runtime="executorch")
    there, here = (
        ProcessMemory().estimate(Query(plain("executorch"), network, network, one)).parts["runtime"]
        for one in (device, device.model_copy(update={"id": "host"}))
    )
    assert here == figures().here["executorch"].baseline_mb > 10 * there


@pytest.mark.parametrize(("runtime", "spread"), [("onnxruntime", None), ("brand-new", None), ("onnxruntime", 1.0)])
def test_a_ratio_of_two_forms_is_known_no_better_than_they_err_apart(runtime, spread):
    network, step = conv_net(channels=64, side=32), StaticInt8()
    device = board(runtime=runtime) if spread is None else board(runtime=runtime, os=False)
    steps = plain(runtime).model_copy(update={"steps": (step,)})
    base = Query(plain(runtime), network, network, device)
    candidate = Query(steps, network, preview(step, network), device)
    known = figures().ratio.get(runtime, figures().ratio_default) if spread is None else spread
    assert ratio_spread(candidate) == known
    left, right = (ProcessMemory().estimate(query) for query in (base, candidate))
    found = gain(Metric.MEMORY, base, candidate, left, right)
    assert found.low <= found.mid / known <= found.mid * known <= found.high
