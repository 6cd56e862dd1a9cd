"""What bounds the time of a network: hand-computed on one convolution, and as experts know it on real networks."""

import pytest

from advisor.devices import load_device
from advisor.facts import bound_facts
from advisor.schema import Device, ExecPath, Figure, Memory, Op, OpKind, Tensor, Weight, Workload
from advisor.schema.device import Restrictions

NAMES = ("rt.compute_bound", "rt.weight_bound", "rt.activation_bound")


def figure(value: float) -> Figure:
    return Figure(value=value, basis="assumed")


def path(gmacs: float | None, **changes: object) -> ExecPath:
    peaks = {} if gmacs is None else {"fp32": figure(gmacs), "int8": figure(gmacs)}
    return ExecPath(runtime="onnxruntime", unit="cpu", precisions=("fp32", "int8"), peak_gmacs=peaks, **changes)


def device(gbs: float | None) -> Device:
    return load_device("raspberry-pi-4b").model_copy(
        update={"memory": Memory(bandwidth_gbs=None if gbs is None else figure(gbs))}
    )


def layers(*widths: tuple[int, int, int]) -> Workload:
    """A row of operations; each has (MACs, weights, elements of its output), and reads the output before it."""
    kinds = (OpKind.CONV, OpKind.LINEAR, OpKind.ELEMENTWISE)
    ops = tuple(
        Op(index=i, kind=kinds[i % 3], name=str(i), inputs=(i,), outputs=(i + 1,), weights=(str(i),), macs=macs)
        for i, (macs, _, _) in enumerate(widths)
    )
    tensors = (Tensor(id=0, shape=(1,)), *(Tensor(id=i + 1, shape=(w[2],)) for i, w in enumerate(widths)))
    weights = tuple(Weight(name=str(i), shape=(w[1],), role="weight") for i, w in enumerate(widths))
    return Workload(name="row", inputs=(0,), outputs=(len(widths),), ops=ops, tensors=tensors, weights=weights)


# 1 GMAC/s and 4 GB/s: one MAC takes as long as one fp32 element. One element of input comes to every first operation.
CASES = {
    "arithmetic": (((1000, 10, 10),), (1.0, 0.0, 0.0)),
    "weights": (((100, 1000, 10),), (0.0, 1.0, 0.0)),
    "activations": (((100, 10, 1000),), (0.0, 0.0, 1.0)),
    "shares are of time": (((3000, 10, 0), (0, 900, 100)), (0.75, 0.25, 0.0)),
}


@pytest.mark.parametrize("case", CASES)
def test_the_longest_of_arithmetic_weights_and_activations_bounds_an_operation(case):
    widths, expected = CASES[case]
    facts = bound_facts(layers(*widths), device(4.0), path(1.0))
    assert tuple(facts[name] for name in NAMES) == pytest.approx(expected)


def test_integers_move_a_quarter_of_the_bytes():
    row = layers((500, 1000, 0))
    assert bound_facts(row, device(4.0), path(1.0))["rt.weight_bound"] == 1.0
    integers = path(1.0, restrictions=Restrictions(integer_only=True))
    assert bound_facts(row, device(4.0), integers)["rt.compute_bound"] == 1.0


@pytest.mark.parametrize(
    ("gbs", "gmacs", "restrictions"),
    [(None, 1.0, Restrictions()), (4.0, None, Restrictions()), (4.0, 1.0, Restrictions(weight_capacity=True))],
    ids=["no bandwidth", "no peak", "weights stay on chip"],
)
def test_nothing_is_said_where_the_roofline_does_not_hold(gbs, gmacs, restrictions):
    assert bound_facts(layers((10, 10, 10)), device(gbs), path(gmacs, restrictions=restrictions)) == {}


@pytest.mark.real
@pytest.mark.parametrize(
    ("network", "board", "runtime", "bound"),
    [
        ("resnet18", "raspberry-pi-4b", "onnxruntime", "rt.compute_bound"),
        ("mobilenetv2_100", "rk3588", "rknn", "rt.activation_bound"),
    ],
)
def test_what_bounds_real_networks(network, board, runtime, bound):
    from advisor import profile

    board_profile = load_device(board)
    way = next(p for p in board_profile.paths if p.runtime == runtime)
    assert bound_facts(profile(f"timm:{network}"), board_profile, way)[bound] > 0.6
