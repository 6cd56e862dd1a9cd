"""A small builder of workloads by hand, independent of the profiler."""

from math import prod

from advisor.devices import load_device
from advisor.schema import Device, ExecPath, Goal, Op, OpKind, Restrictions, Tensor, Weight, Workload
from advisor.techniques.registry import Case


class Net:
    def __init__(self, *shape: int) -> None:
        self.tensors = [Tensor(id=0, shape=shape)]
        self.weights: list[Weight] = []
        self.ops: list[Op] = []

    def shape(self, tensor: int) -> tuple[int, ...]:
        return self.tensors[tensor].shape

    def tensor(self, *shape: int) -> int:
        self.tensors.append(Tensor(id=len(self.tensors), shape=shape))
        return len(self.tensors) - 1

    def weight(self, name: str, *shape: int, role: str = "weight", counted: bool = True) -> str:
        if name not in {w.name for w in self.weights}:
            self.weights.append(Weight(name=name, shape=shape, role=role, counted=counted))
        return name

    def op(self, kind: OpKind, inputs: tuple[int, ...], *shape: int, weights=(), macs=0, name="", **attrs) -> int:
        made = self.tensor(*shape)
        module = weights[0].rsplit(".", 1)[0] if weights else f"{kind}{len(self.ops)}"
        self.ops.append(
            Op(
                index=len(self.ops),
                kind=kind,
                name=name or str(kind),
                module=module,
                inputs=inputs,
                outputs=(made,),
                weights=tuple(weights),
                macs=macs,
                attrs=attrs,
            )
        )
        return made

    def conv(self, x: int, name: str, out: int, kernel=3, stride=1, groups=1, bias=False) -> int:
        batch, channels, height, width = self.shape(x)
        pad = kernel // 2
        size = [(side + 2 * pad - kernel) // stride + 1 for side in (height, width)]
        weights = [self.weight(f"{name}.weight", out, channels // groups, kernel, kernel)]
        if bias:
            weights.append(self.weight(f"{name}.bias", out, role="bias"))
        if groups == 1:
            kind = OpKind.CONV if kernel > 1 else OpKind.CONV_1X1
        else:
            kind = OpKind.CONV_DEPTHWISE if groups == channels else OpKind.CONV_GROUPED
        macs = batch * out * prod(size) * channels // groups * kernel * kernel
        attrs = {
            "kernel": (kernel, kernel), "stride": (stride, stride), "padding": (pad, pad), "dilation": (1, 1),
            "groups": groups, "in_channels": channels, "out_channels": out,
        }  # fmt: skip
        return self.op(kind, (x,), batch, out, *size, weights=weights, macs=macs, **attrs)

    def bn(self, x: int, name: str) -> int:
        channels = self.shape(x)[1]
        weights = [self.weight(f"{name}.{leaf}", channels, role="norm") for leaf in ("weight", "bias")]
        for leaf in ("running_mean", "running_var"):
            weights.append(self.weight(f"{name}.{leaf}", channels, role="buffer", counted=False))
        return self.op(OpKind.NORM_BATCH, (x,), *self.shape(x), weights=weights)

    def act(self, x: int, function="relu") -> int:
        return self.op(OpKind.ACTIVATION, (x,), *self.shape(x), function=function)

    def block(self, x: int, name: str, out: int, **settings) -> int:
        return self.act(self.bn(self.conv(x, f"{name}.conv", out, **settings), f"{name}.bn"))

    def add(self, *xs: int, function="add") -> int:
        shape = max((self.shape(x) for x in xs), key=prod)
        return self.op(OpKind.ELEMENTWISE, xs, *shape, function=function)

    def concat(self, *xs: int) -> int:
        batch, _, *rest = self.shape(xs[0])
        return self.op(OpKind.CONCAT, xs, batch, sum(self.shape(x)[1] for x in xs), *rest, dim=1)

    def mean(self, x: int, keep=False) -> int:
        batch, channels = self.shape(x)[:2]
        shape = (batch, channels, 1, 1) if keep else (batch, channels)
        return self.op(OpKind.REDUCE, (x,), *shape, function="mean", dims=(2, 3), keepdim=keep)

    def view(self, x: int, function: str, *shape: int, **attrs) -> int:
        return self.op(OpKind.VIEW, (x,), *shape, function=function, **attrs)

    def linear(self, x: int, name: str, out: int, bias=True) -> int:
        *rows, features = self.shape(x)
        weights = [self.weight(f"{name}.weight", out, features)]
        if bias:
            weights.append(self.weight(f"{name}.bias", out, role="bias"))
        macs = prod(rows) * features * out
        return self.op(
            OpKind.LINEAR, (x,), *rows, out, weights=weights, macs=macs, in_features=features, out_features=out
        )

    def norm(self, x: int, name: str) -> int:
        weights = [self.weight(f"{name}.{leaf}", self.shape(x)[-1], role="norm") for leaf in ("weight", "bias")]
        return self.op(OpKind.NORM_LAYER, (x,), *self.shape(x), weights=weights, name="layer_norm")

    def done(self, *outputs: int) -> Workload:
        return Workload(
            name="net",
            inputs=(0,),
            outputs=outputs or (len(self.tensors) - 1,),
            tensors=tuple(self.tensors),
            weights=tuple(self.weights),
            ops=tuple(self.ops),
        )


def plain() -> Workload:
    """Two convolutions with batch norm, pooled, and a classifier: 3 -> 16 -> 32 -> 10 at 8 x 8."""
    net = Net(1, 3, 8, 8)
    x = net.block(0, "one", 16)
    x = net.block(x, "two", 32, stride=2)
    net.linear(net.mean(x), "fc", 10)
    return net.done()


def residual() -> Workload:
    """A stem of 16 channels, one block 16 -> 32 -> 16 added to it, a classifier."""
    net = Net(1, 3, 8, 8)
    stem = net.block(0, "stem", 16)
    x = net.block(stem, "inner", 32)
    x = net.bn(net.conv(x, "outer.conv", 16), "outer.bn")
    net.linear(net.mean(net.act(net.add(x, stem))), "fc", 10)
    return net.done()


def inverted() -> Workload:
    """Expansion, depthwise, squeeze-and-excitation, projection."""
    net = Net(1, 3, 16, 16)
    x = net.block(0, "stem", 16, stride=2)
    x = net.block(x, "expand", 64, kernel=1)
    x = net.block(x, "depth", 64, groups=64)
    gate = net.act(net.conv(net.mean(x, keep=True), "squeeze", 16, kernel=1, bias=True))
    gate = net.act(net.conv(gate, "excite", 64, kernel=1, bias=True), "sigmoid")
    x = net.add(x, gate, function="mul")
    x = net.bn(net.conv(x, "project", 24, kernel=1), "project_bn")
    net.linear(net.mean(x), "fc", 10)
    return net.done()


def transformer(tokens=4, width=32, heads=4) -> Workload:
    """One attention block with fused queries, keys and values, and an MLP of four times the width."""
    net = Net(1, tokens, width)
    dim = width // heads
    x = net.linear(net.norm(0, "norm1"), "qkv", 3 * width)
    x = net.view(x, "reshape", 1, tokens, 3, heads, dim)
    x = net.view(x, "permute", 3, 1, heads, tokens, dim, dims=(2, 0, 3, 1, 4))
    q, k, v = (net.view(x, "select", 1, heads, tokens, dim, dim=0) for _ in range(3))
    macs = 2 * heads * tokens * tokens * dim
    x = net.op(OpKind.ATTENTION, (q, k, v), 1, heads, tokens, dim, macs=macs, heads=heads, head_dim=dim, tokens=tokens)
    x = net.view(x, "permute", 1, tokens, heads, dim, dims=(0, 2, 1, 3))
    x = net.view(x, "reshape", 1, tokens, width)
    x = net.add(net.linear(x, "proj", width), 0)
    y = net.act(net.linear(net.norm(x, "norm2"), "fc1", 4 * width), "gelu")
    x = net.add(net.linear(y, "fc2", width), x)
    net.linear(net.view(x, "select", 1, width, dim=1), "head", 10)
    return net.done()


NETS = {"plain": plain, "residual": residual, "inverted": inverted, "transformer": transformer}


def path(**restrictions) -> ExecPath:
    return ExecPath(
        runtime="onnxruntime", unit="cpu", precisions=("fp32", "int8"), restrictions=Restrictions(**restrictions)
    )


def case(workload: Workload, device: Device | str = "raspberry-pi-4b", facts=None, **goal) -> Case:
    known = load_device(device) if isinstance(device, str) else device
    return Case(workload, known, Goal(**goal), facts or {})


def shapes(workload: Workload) -> dict[str, tuple[int, ...]]:
    return {w.name: w.shape for w in workload.weights}
