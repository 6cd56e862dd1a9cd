"""What is known while channels are followed through a workload: layouts, spans of weights, variables."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from advisor.schema import Op, Weight, Workload

from .editing import bias_of
from .layouts import Channels, Layout, Segment, Segments, Shape, Span


@dataclass
class Analysis:
    """The result: layouts of tensors by id, spans of weights by name and dimension, and the variables."""

    layouts: dict[int, Layout] = field(default_factory=dict)
    spans: dict[str, dict[int, Span]] = field(default_factory=dict)
    channels: Channels = field(default_factory=Channels)
    producers: dict[int, list[int]] = field(default_factory=dict)  # variable -> indices of operations that make it
    uses: dict[int, list[int]] = field(default_factory=dict)  # variable -> indices of operations that touch it


class Trace:
    """The analysis in the making; the handlers of operations write through its methods."""

    def __init__(self, workload: Workload, heads: Mapping[int, tuple[int, int]]) -> None:
        """Start with nothing known; `heads` as in `analyse`."""
        self.workload = workload
        self.heads = heads
        self.found = Analysis()
        self.channels = self.found.channels

    def shape(self, tensor: int) -> Shape:
        """Return the shape of a tensor."""
        return self.workload.tensor[tensor].shape

    def layout(self, tensor: int) -> Layout | None:
        """Return where the channels are in a tensor, None where there are none."""
        return self.found.layouts.get(tensor)

    def pin(self, tensor: int, reason: str) -> None:
        """Forbid the channels in a tensor to shrink."""
        layout = self.layout(tensor)
        if layout:
            self.channels.pin(layout.segments, reason)

    def pin_inputs(self, op: Op, reason: str) -> None:
        """Forbid it for everything that an operation reads."""
        for tensor in op.inputs:
            self.pin(tensor, reason)

    def put(self, op: Op, tensor: int, layout: Layout) -> None:
        """Say where the channels are in a result."""
        self.found.layouts[tensor] = layout
        self.touch(op, layout.segments)

    def touch(self, op: Op, segments: Segments) -> None:
        """Note that an operation reads or writes these channels."""
        for segment in segments:
            uses = self.found.uses.setdefault(segment.variable, [])
            if not uses or uses[-1] != op.index:
                uses.append(op.index)

    def start(self, op: Op, weight: Weight, width: int, groups: int, dim: int) -> Segments:
        """Start a variable for the outputs of a layer, or take the one of the layer that shares its weight."""
        known = self.found.spans.get(weight.name, {}).get(dim)
        if known is not None:
            self.produced(op, known.segments)
            return known.segments
        heads = self.heads.get(op.index)
        if heads:
            count, places = heads
            segments = (Segment(self.channels.new(count), count, places),) * (width // (count * places))
        else:
            segments = (Segment(self.channels.new(width), width),)
            if groups > 1:
                self.channels.block(segments[0].variable, groups)
        self.span(weight, dim, Span(segments))
        bias = bias_of(self.workload, op)
        if bias is not None and bias.shape == (width,):
            self.span(bias, 0, Span(segments))
        elif bias is not None:
            self.channels.pin(segments, f"{bias.name} is only a part of what is added")
        self.produced(op, segments)
        return segments

    def produced(self, op: Op, segments: Segments) -> None:
        """Note that a layer with weights makes these channels."""
        for segment in segments:
            makers = self.found.producers.setdefault(segment.variable, [])
            if op.index not in makers:
                makers.append(op.index)

    def span(self, weight: Weight, dim: int, span: Span) -> None:
        """Say which channels lie along a dimension of a weight; a shared weight joins them."""
        spans = self.found.spans.setdefault(weight.name, {})
        if dim in spans:
            self.channels.join(spans[dim].segments, span.segments, f"{weight.name} is shared by layers that differ")
        else:
            spans[dim] = span

    def vectors(self, op: Op, segments: Segments) -> None:
        """Let vectors as long as the channels (norms, biases, slopes) follow them."""
        places = sum(s.places for s in segments)
        for name in op.weights:
            weight = self.workload.weight.get(name)
            if weight is None or weight.elements <= 1 or (len(weight.shape) > 1 and weight.role == "weight"):
                continue
            dims = [i for i, size in enumerate(weight.shape) if size > 1]
            if len(dims) == 1 and weight.shape[dims[0]] == places:
                self.span(weight, dims[0], Span(segments))
            else:
                self.channels.pin(segments, f"{name} has no plain channel axis")
