"""Networks with made-up costs: times follow from a table, so that a fit can be held against what made them."""

from advisor.calibration.collect import Sample
from advisor.calibration.timer import NodeTime
from advisor.prediction.calibrated import op_times, total_ms
from advisor.prediction.op_terms import terms
from advisor.schema import Op, OpKind, Tensor, Weight, Workload
from advisor.schema.calibration import Cost, CostTable

# Milliseconds per unit; all other quantities cost nothing.
TRUE = CostTable(
    threads=1,
    constant_ms=0.05,
    costs=(
        Cost(
            name="conv blocked float",
            mmacs=0.01,
            row_mmacs=0,
            read_m=0,
            written_m=0.1,
            activated_m=0,
            weights_m=0.2,
            calls=0.01,
            n=9,
        ),
        Cost(
            name="conv plain float",
            mmacs=0.03,
            row_mmacs=0,
            read_m=0,
            written_m=0.5,
            activated_m=0,
            weights_m=0.2,
            calls=0.01,
            n=9,
        ),
        Cost(
            name="move reorder float",
            mmacs=0,
            row_mmacs=0,
            read_m=0.1,
            written_m=0.1,
            activated_m=0,
            weights_m=0,
            calls=0.002,
            n=9,
        ),
    ),
)


def convolutions(channels: int, side: int, count: int) -> Workload:
    """A chain of 3x3 convolutions of one width."""
    shape = (1, channels, side, side)
    attrs = {"kernel": (3, 3), "stride": (1, 1), "groups": 1, "in_channels": channels, "out_channels": channels}
    ops = tuple(
        Op(index=i, kind=OpKind.CONV, name="conv", inputs=(i,), outputs=(i + 1,), weights=(f"w{i}",), attrs=attrs,
           macs=9 * channels * channels * side * side)
        for i in range(count)
    )  # fmt: skip
    return Workload(
        name=f"{channels}@{side}", inputs=(0,), outputs=(count,), ops=ops,
        tensors=tuple(Tensor(id=i, shape=shape) for i in range(count + 1)),
        weights=tuple(Weight(name=f"w{i}", shape=(channels, channels, 3, 3), role="weight") for i in range(count)),
    )  # fmt: skip


def sample(channels: int, side: int, count: int, table: CostTable = TRUE, threads: int = 1) -> Sample:
    """A network with the times that `table` gives it, operation by operation."""
    network = convolutions(channels, side, count)
    found = terms(network, "onnxruntime", table.block)
    times, _ = op_times(network, table)
    names = [found.names[code] for code in found.classes]
    nodes = tuple(
        NodeTime("Conv" if name.startswith("conv") else "ReorderInput" if i == 0 else "ReorderOutput", float(ms),
                 channels * side * side)
        for i, (name, ms) in enumerate(zip(names, times, strict=True))
    )  # fmt: skip
    name = f"{channels}@{side}x{count}"
    return Sample(name, f"{channels}", "fp32", threads, network, total_ms(network, table), 0.0, nodes,
                  table.block)  # fmt: skip


def samples(table: CostTable = TRUE, threads: int = 1) -> list[Sample]:
    """Networks of aligned and unaligned widths."""
    shapes = ((16, 20, 2), (32, 28, 3), (64, 14, 4), (128, 14, 2), (256, 7, 3), (17, 20, 2), (45, 28, 3), (90, 14, 4))
    return [sample(*shape, table, threads) for shape in shapes]
