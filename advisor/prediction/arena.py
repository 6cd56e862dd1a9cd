"""Planning of the RAM arena of a runtime without an operating system: offsets of all buffers, and their height.

The planner is the greedy one that TensorFlow Lite for Microcontrollers documents (docs/memory_management.md of
tensorflow/tflite-micro): the largest buffer first, each at the lowest offset where no buffer that is alive at the same
time lies. No planner does better than the bytes that are alive together, which `lower_bound` gives.
"""

from bisect import insort
from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

from advisor.profiling.liveness import in_place, lifetimes
from advisor.schema import Op, OpKind, Workload
from advisor.schema.identity import remembered

ALIGNMENT = 16  # bytes; the planner of TensorFlow Lite for Microcontrollers aligns every buffer to it
_DENSE = frozenset({OpKind.CONV, OpKind.CONV_GROUPED})


@dataclass(frozen=True, slots=True)
class Buffer:
    """Bytes that are needed from step `first` to step `last`, both included."""

    size: int
    first: int
    last: int


@dataclass(frozen=True)
class Arena:
    """A planned arena: bytes of the highest end, bytes no planner goes below, and the scratch bytes of one step."""

    height: int
    lower_bound: int
    scratch: int


def plan(buffers: Sequence[Buffer], alignment: int = ALIGNMENT) -> tuple[int, ...]:
    """Return an offset for every buffer; buffers that are alive together never overlap."""
    order = sorted(range(len(buffers)), key=lambda i: (-buffers[i].size, buffers[i].first, i))
    offsets = [0] * len(buffers)
    placed: list[tuple[int, int, int, int]] = []  # offset, end, first, last; sorted by offset
    for number in order:
        buffer, offset = buffers[number], 0
        for start, end, first, last in placed:
            if first > buffer.last or last < buffer.first:
                continue
            if start - offset >= buffer.size:
                break
            offset = max(offset, _aligned(end, alignment))
        offsets[number] = offset
        insort(placed, (offset, offset + buffer.size, buffer.first, buffer.last))
    return tuple(offsets)


def height(buffers: Sequence[Buffer], offsets: Sequence[int]) -> int:
    """Return the end of the highest buffer."""
    return max((offset + buffer.size for buffer, offset in zip(buffers, offsets, strict=True)), default=0)


def lower_bound(buffers: Sequence[Buffer]) -> int:
    """Return the largest sum of bytes that are alive at the same step."""
    change: dict[int, int] = {}
    for buffer in buffers:
        change[buffer.first] = change.get(buffer.first, 0) + buffer.size
        change[buffer.last + 1] = change.get(buffer.last + 1, 0) - buffer.size
    peak = alive = 0
    for step in sorted(change):
        alive += change[step]
        peak = max(peak, alive)
    return peak


@remembered(48)
def planned(fused: Workload, kernels: str, overwrites: bool) -> Arena:
    """Plan the arena of a fused graph; `kernels` names whose scratch buffers are needed, see `scratch_bytes`."""
    graph = in_place(fused) if overwrites else fused
    births, deaths = lifetimes(graph)
    buffers = [Buffer(graph.tensor[root].bytes, births[root], deaths[root]) for root in births]
    scratch = [Buffer(need, step, step) for step, op in enumerate(graph.ops) if (need := scratch_bytes(op, kernels))]
    everything = buffers + scratch
    return Arena(height(everything, plan(everything)), lower_bound(everything),
                 max((one.size for one in scratch), default=0))  # fmt: skip


def scratch_bytes(op: Op, kernels: str) -> int:
    """Bytes of working memory of one int8 layer in CMSIS-NN ('dsp': Cortex-M4, M7, M33; 'helium': M55, M85).

    Dense k x k convolutions gather columns: two in int16 (dsp), four in int8 rounded up to 16 (helium). A 1x1 layer
    needs none. Depthwise layers gather one window of all channels in int16 unless it is 3 x 3 (dsp), or four windows of
    124 channels (helium). Source: ARM-software/CMSIS-NN, arm_convolve_get_buffer_sizes_s8.c,
    arm_depthwise_conv_get_buffer_sizes_s8.c and the block size in arm_nn_math_types.h. Other kernels are not known.
    """
    window = op.attrs.get("kernel")
    if op.precision != "int8" or not isinstance(window, tuple) or kernels not in ("dsp", "helium"):
        return 0
    area, channels = prod(int(side) for side in window), size(op, "in_channels")
    if op.kind in _DENSE:
        column = area * channels // max(size(op, "groups"), 1)
        return 2 * _aligned(column, 4) * 2 if kernels == "dsp" else 4 * _aligned(column, 16)
    if op.kind is OpKind.CONV_DEPTHWISE:
        if kernels == "helium":
            return 4 * 124 * area
        return 0 if tuple(window) == (3, 3) else 2 * area * channels
    return 0


def size(op: Op, name: str) -> int:
    """Return an attribute that counts channels or groups; 0 where it is not known."""
    value = op.attrs.get(name)
    return int(value) if isinstance(value, int | float) else 0


@remembered(48)
def integer_interface(workload: Workload) -> Workload:
    """Return the graph with int8 images in and int8 results out, as firmware feeds it; float graphs stay as they are.

    The rescaling at the borders goes, and with it the float copies of the image and of the results.
    """
    replaced: dict[int, int] = {}
    gone: set[int] = set()
    readers: dict[int, int] = {}
    for op in workload.ops:
        for tensor in op.inputs:
            readers[tensor] = readers.get(tensor, 0) + 1
    for op in workload.ops:
        if op.kind is not OpKind.QUANTIZE or len(op.inputs) != 1 or len(op.outputs) != 1:
            continue
        source, result = op.inputs[0], op.outputs[0]
        if source in workload.inputs and readers[source] == 1:
            replaced[source] = result
            gone.add(op.index)
        elif result in workload.outputs and not readers.get(result):
            replaced[result] = source
            gone.add(op.index)
    if not gone:
        return workload
    fields = {name: getattr(workload, name) for name in Workload.model_fields}
    fields |= {
        "ops": tuple(op for op in workload.ops if op.index not in gone),
        "inputs": tuple(replaced.get(t, t) for t in workload.inputs),
        "outputs": tuple(replaced.get(t, t) for t in workload.outputs),
    }
    return Workload.model_construct(**fields)


def _aligned(count: int, multiple: int) -> int:
    return -(-count // multiple) * multiple
