"""Small hand-made networks and devices whose sizes, peaks and times can be worked out on paper."""

from typing import Any

from advisor.schema import (
    Core,
    Cpu,
    Device,
    ExecPath,
    Figure,
    Memory,
    Op,
    OpKind,
    Plan,
    Power,
    Restrictions,
    Source,
    Storage,
    Tensor,
    Weight,
    Workload,
)  # fmt: skip


def conv_net(channels: int = 16, side: int = 8, *, norm: bool = True) -> Workload:
    """3x3 convolution 3 -> channels, batch norm, ReLU, then a linear layer over the flattened map to 10 classes."""
    area, width = side * side, channels * side * side
    tensors = [
        Tensor(id=0, shape=(1, 3, side, side)),
        Tensor(id=1, shape=(1, channels, side, side)),
        Tensor(id=2, shape=(1, channels, side, side)),
        Tensor(id=3, shape=(1, channels, side, side)),
        Tensor(id=4, shape=(1, width), alias_of=3),
        Tensor(id=5, shape=(1, 10)),
    ]
    weights = [
        Weight(name="conv.weight", shape=(channels, 3, 3, 3), role="weight"),
        Weight(name="fc.weight", shape=(10, width), role="weight"),
        Weight(name="fc.bias", shape=(10,), role="bias"),
    ]
    conv = {"kernel": (3, 3), "stride": (1, 1), "groups": 1, "in_channels": 3, "out_channels": channels}
    ops = [op(0, OpKind.CONV, (0,), (1,), ("conv.weight",), 27 * channels * area, **conv)]
    if norm:
        names = tuple(f"bn.{n}" for n in ("weight", "bias", "running_mean", "running_var"))
        roles = ("norm", "norm", "buffer", "buffer")
        weights += [
            Weight(name=n, shape=(channels,), role=r, counted=r != "buffer") for n, r in zip(names, roles, strict=True)
        ]
        ops.append(op(1, OpKind.NORM_BATCH, (1,), (2,), names))
    relu_in = 2 if norm else 1
    ops += [
        op(2, OpKind.ACTIVATION, (relu_in,), (3,), function="relu"),
        op(3, OpKind.VIEW, (3,), (4,), function="reshape"),
        op(4, OpKind.LINEAR, (4,), (5,), ("fc.weight", "fc.bias"), 10 * width, in_features=width, out_features=10),
    ]
    return Workload(
        name="tiny", inputs=(0,), outputs=(5,), tensors=tuple(tensors), weights=tuple(weights), ops=tuple(ops)
    )


def op(index: int, kind: OpKind, inputs: tuple[int, ...], outputs: tuple[int, ...], weights: tuple[str, ...] = (),
       macs: int = 0, **attrs: Any) -> Op:  # fmt: skip
    """Build an operation."""
    return Op(
        index=index, kind=kind, name=str(kind), inputs=inputs, outputs=outputs, weights=weights, macs=macs, attrs=attrs
    )


def pointwise(macs_per_pixel: tuple[int, int] = (64, 64), side: int = 28) -> Workload:
    """One 1x1 convolution."""
    wide, out = macs_per_pixel
    macs = wide * out * side * side
    conv = op(0, OpKind.CONV_1X1, (0,), (1,), ("w",), macs, in_channels=wide, out_channels=out, groups=1)
    return Workload(
        name="pointwise", inputs=(0,), outputs=(1,),
        tensors=(Tensor(id=0, shape=(1, wide, side, side)), Tensor(id=1, shape=(1, out, side, side))),
        weights=(Weight(name="w", shape=(out, wide, 1, 1), role="weight"),),
        ops=(conv,),
    )  # fmt: skip


def stored_as(workload: Workload, **storage: Any) -> Workload:
    """Store every weight of role 'weight' in another form."""
    weights = tuple(
        w.model_copy(update={"storage": Storage(**storage)}) if w.role == "weight" else w for w in workload.weights
    )
    fields = {name: getattr(workload, name) for name in Workload.model_fields}
    return Workload(**{**fields, "weights": weights})


def figure(value: float) -> Figure:
    """Return a figure of the test bench."""
    return Figure(value=value, source="bench")


def board(
    *, gmacs: float = 50.0, int8: float | None = 100.0, gbs: float = 5.0, runtime: str = "ncnn", unit: Any = "cpu",
    cores: int = 4, os: bool = True, power: float | None = None, restrictions: Restrictions | None = None,
    **fields: Any,
) -> Device:  # fmt: skip
    """Build an Arm board with one path."""
    peaks = {"fp32": figure(gmacs)} | ({"int8": figure(int8)} if int8 else {})
    path = ExecPath(
        runtime=runtime,
        unit=unit,
        precisions=("fp32", "int8"),
        peak_gmacs=peaks,
        restrictions=restrictions or Restrictions(),
    )
    base: dict[str, Any] = {
        "id": "board", "name": "Board", "vendor": "None", "kind": "sbc", "os": os,
        "cpu": Cpu(arch="aarch64", cores=(Core(name="Cortex-A72", count=cores, freq_ghz=figure(1.5)),), isa=("neon",)),
        "memory": Memory(bandwidth_gbs=figure(gbs)),
        "power": Power(typical_w=figure(power) if power else None),
        "paths": (path,),
        "sources": {"bench": Source(what="test bench", where="tests")},
    }  # fmt: skip
    return Device(**{**base, **fields})


def plain(runtime: str = "ncnn", unit: str = "cpu", threads: int | None = None) -> Plan:
    """Return the plan that changes the runtime only."""
    return Plan(runtime=runtime, unit=unit, threads=threads)
