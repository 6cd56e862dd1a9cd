"""Follow channels through a workload: which tensors and weights hold the channels of which layers.

Every output of a convolution or linear layer starts a channel variable; operations keep, join or pin variables. What is
not understood is pinned with a reason, so that a width is changed only where every tensor that holds it is known.
"""

from collections.abc import Mapping

from advisor.schema import CONV_KINDS, Op, OpKind, Weight, Workload

from . import moves
from .editing import main_weight, number
from .layouts import Layout, Segment, Segments, Span
from .trace import Analysis, Trace

_PLAIN = frozenset({OpKind.ACTIVATION, OpKind.POOL, OpKind.RESIZE, OpKind.QUANTIZE, OpKind.SOFTMAX})


def analyse(workload: Workload, heads: Mapping[int, tuple[int, int]] | None = None) -> Analysis:
    """Run over all operations.

    `heads` gives, by operation index, heads and head width of linear layers that feed attention: their channels are
    then followed head by head and not one by one.
    """
    trace = Trace(workload, heads or {})
    for op in workload.ops:
        _visit(trace, op)
    for tensor in workload.outputs:
        trace.pin(tensor, "reaches an output of the network")
    return trace.found


def _visit(trace: Trace, op: Op) -> None:
    """Sort an operation by kind."""
    for tensor in op.inputs:
        layout = trace.layout(tensor)
        if layout:
            trace.touch(op, layout.segments)
    if not op.inputs and op.kind not in (OpKind.VIEW, OpKind.MOVE):
        return  # it computes a constant
    if op.kind in CONV_KINDS:
        _conv(trace, op)
    elif op.kind is OpKind.LINEAR:
        _linear(trace, op)
    elif op.kind in (OpKind.NORM_BATCH, OpKind.NORM_LAYER):
        _norm(trace, op)
    elif op.kind in _PLAIN:
        _plain(trace, op)
    elif op.kind is OpKind.ELEMENTWISE:
        _elementwise(trace, op)
    elif op.kind is OpKind.CONCAT:
        _concat(trace, op)
    elif op.kind in (OpKind.VIEW, OpKind.MOVE):
        _move(trace, op)
    elif op.kind is OpKind.REDUCE:
        _reduce(trace, op)
    elif op.kind in (OpKind.MATMUL, OpKind.ATTENTION):
        _product(trace, op)
    else:
        trace.pin_inputs(op, f"read by {op.name}")


def _conv(trace: Trace, op: Op) -> None:
    weight = main_weight(trace.workload, op)
    if weight is None or len(op.outputs) != 1 or len(trace.shape(op.inputs[0])) < 3:
        trace.pin_inputs(op, f"{op.module or op.name} is not a plain convolution")
        return
    source = trace.layout(op.inputs[0])
    if source is not None and source.dim != 1:
        trace.pin(op.inputs[0], f"{op.module or op.name} convolves along the channels")
        source = None
    groups = number(op.attrs.get("groups"), 1)
    channels_in, channels_out = trace.shape(op.inputs[0])[1], trace.shape(op.outputs[0])[1]
    if groups > 1 and groups == channels_in == channels_out:
        _depthwise(trace, op, weight, source)
        return
    transposed = op.kind is OpKind.CONV_TRANSPOSED
    if groups > 1 and source is not None:
        source = _blocked(trace, op, source, groups, transposed)
    segments = trace.start(op, weight, channels_out, groups, 1 if transposed else 0)
    if source is not None:
        trace.span(weight, 0 if transposed else 1, Span(source.segments, 1 if transposed else groups))
    if transposed and groups > 1:
        trace.channels.pin(segments, "grouped transposed convolution")
    trace.put(op, op.outputs[0], Layout(1, segments))


def _blocked(trace: Trace, op: Op, source: Layout, groups: int, transposed: bool) -> Layout | None:
    """Ask for equal shares in the groups of a grouped convolution, or pin."""
    if transposed or len(source.segments) > 1 or source.segments[0].repeat > 1:
        trace.channels.pin(source.segments, f"{op.module or op.name} groups joined channels")
        return None if transposed else source
    trace.channels.block(source.segments[0].variable, groups)
    return source


def _depthwise(trace: Trace, op: Op, weight: Weight, source: Layout | None) -> None:
    if source is None:
        return
    trace.span(weight, 0, Span(source.segments))
    trace.vectors(op, source.segments)
    trace.produced(op, source.segments)
    trace.put(op, op.outputs[0], Layout(1, source.segments))


def _linear(trace: Trace, op: Op) -> None:
    weight = main_weight(trace.workload, op)
    source, shape = trace.layout(op.inputs[0]), trace.shape(op.inputs[0])
    features = trace.shape(op.outputs[0])[-1]
    if weight is None or sorted(weight.shape) != sorted((features, shape[-1])) or len(op.outputs) != 1:
        trace.pin_inputs(op, f"{op.module or op.name} is not a plain linear layer")
        return
    dim_out = 0 if weight.shape == (features, shape[-1]) and op.name != "MatMul" else 1
    segments = trace.start(op, weight, features, 1, dim_out)
    if source is not None and source.dim != len(shape) - 1:
        trace.pin(op.inputs[0], f"{op.module or op.name} mixes along another axis")
        trace.channels.pin(segments, "linear layer along another axis")
    elif source is not None:
        trace.span(weight, 1 - dim_out, Span(source.segments))
    trace.put(op, op.outputs[0], Layout(len(trace.shape(op.outputs[0])) - 1, segments))


def _norm(trace: Trace, op: Op) -> None:
    layout, rank = trace.layout(op.inputs[0]), len(trace.shape(op.inputs[0]))
    if layout is None:
        return
    grouped = "group" in op.name.lower() and number(op.attrs.get("groups"), 0) != 1
    if grouped or (op.kind is OpKind.NORM_LAYER and op.weights and layout.dim not in (1, rank - 1)):
        trace.channels.pin(layout.segments, f"{op.module or op.name} normalises groups of channels")
    trace.vectors(op, layout.segments)
    trace.put(op, op.outputs[0], layout)


def _plain(trace: Trace, op: Op) -> None:
    layout = trace.layout(op.inputs[0]) if op.inputs else None
    if layout is None:
        return
    before = trace.shape(op.inputs[0])
    if op.kind is OpKind.SOFTMAX and layout.dim == moves.positive(op.attrs.get("dim", -1), len(before)):
        trace.channels.pin(layout.segments, "softmax over the channels")
    trace.vectors(op, layout.segments)
    for tensor in op.outputs:
        after = trace.shape(tensor)
        if len(after) == len(before) and after[layout.dim] == before[layout.dim]:
            trace.put(op, tensor, layout)
        else:
            trace.channels.pin(layout.segments, f"{op.name} changes the channel axis")


def _elementwise(trace: Trace, op: Op) -> None:
    rank = len(trace.shape(op.outputs[0]))
    held = [(t, layout) for t in op.inputs if (layout := trace.layout(t))]
    if not held:
        return
    first, lead = held[0]
    place = lead.dim - len(trace.shape(first))
    for tensor, layout in held[1:]:
        if layout.dim - len(trace.shape(tensor)) == place:
            trace.channels.join(lead.segments, layout.segments, f"{op.name} joins channels of different layers")
        else:
            trace.channels.pin(lead.segments + layout.segments, f"{op.name} joins different axes")
    for tensor in op.inputs:
        shape = trace.shape(tensor)
        if trace.layout(tensor) is None and -place <= len(shape) and shape[place] > 1:
            trace.channels.pin(lead.segments, f"{op.name} adds something that is not made of channels")
    trace.vectors(op, lead.segments)
    trace.put(op, op.outputs[0], Layout(rank + place, lead.segments))


def _concat(trace: Trace, op: Op) -> None:
    rank = len(trace.shape(op.outputs[0]))
    dim = moves.positive(op.attrs.get("dim", 1), rank)
    held = [trace.layout(t) for t in op.inputs]
    if not any(held):
        return
    along = [layout for layout in held if layout is not None]
    if op.weights or op.attrs.get("function") == "stack" or any(layout.dim != along[0].dim for layout in along):
        trace.pin_inputs(op, "concatenated with something that is not made of channels")
    elif along[0].dim == dim:
        _stack(trace, op, dim, held)
    else:
        for layout in along[1:]:
            trace.channels.join(along[0].segments, layout.segments, "concatenated along another axis")
        if len(along) < len(held):
            trace.pin_inputs(op, "concatenated with something that is not made of channels")
        trace.put(op, op.outputs[0], along[0])


def _stack(trace: Trace, op: Op, dim: int, held: list[Layout | None]) -> None:
    """Lay segments side by side; a part without channels of its own fixes all others.

    Its place in the row could be followed, but Torch-Pruning, which cuts the real network, loses it there.
    """
    if not all(held):
        trace.pin_inputs(op, "concatenated with something that is not made of channels")
    row: Segments = ()
    for tensor, layout in zip(op.inputs, held, strict=True):
        if layout is not None:
            row += layout.segments
            continue
        width = trace.shape(tensor)[dim]
        fixed = (Segment(trace.channels.new(width), width),)
        trace.channels.pin(fixed, "not made by a layer with weights")
        row += fixed
    trace.put(op, op.outputs[0], Layout(dim, row))


def _move(trace: Trace, op: Op) -> None:
    if op.inputs and trace.layout(op.inputs[0]) is None:
        if op.weights:
            trace.pin_inputs(op, f"{op.name} mixes weights in")
        return
    if not op.inputs:
        _parameter(trace, op)
        return
    source = trace.layout(op.inputs[0])
    assert source is not None
    results = moves.follow(op, source, trace.shape(op.inputs[0]), [trace.shape(t) for t in op.outputs])
    for tensor, layout in zip(op.outputs, results, strict=True):
        if layout is None:
            trace.channels.pin(source.segments, f"{op.attrs.get('function') or op.name} cuts through the channels")
        else:
            trace.put(op, tensor, layout)
    for tensor in op.inputs[1:]:
        trace.pin(tensor, f"{op.name} reads it as an index or a pattern")


def _parameter(trace: Trace, op: Op) -> None:
    """Treat a view of a parameter (layer scale) as channels of its own that join where they are used."""
    weights = [w for name in op.weights if (w := trace.workload.weight.get(name)) and w.elements > 1]
    if len(weights) != 1 or len(op.outputs) != 1:
        return
    shape = trace.shape(op.outputs[0])
    dims, places = [i for i, n in enumerate(shape) if n > 1], [i for i, n in enumerate(weights[0].shape) if n > 1]
    if len(dims) != 1 or len(places) != 1 or shape[dims[0]] != weights[0].shape[places[0]]:
        return
    segments = (Segment(trace.channels.new(shape[dims[0]]), shape[dims[0]]),)
    trace.span(weights[0], places[0], Span(segments))
    trace.put(op, op.outputs[0], Layout(dims[0], segments))


def _reduce(trace: Trace, op: Op) -> None:
    layout = trace.layout(op.inputs[0]) if op.inputs else None
    if layout is None:
        return
    for tensor in op.outputs:
        known, kept = moves.reduced(op, layout, trace.shape(op.inputs[0]), trace.shape(tensor))
        if kept is not None:
            trace.put(op, tensor, kept)
        elif not known:
            trace.channels.pin(layout.segments, f"{op.name} reduces axes that are not stated")


def _product(trace: Trace, op: Op) -> None:
    """Keep channels that count independent products (heads); pin all others."""
    held = [(t, layout) for t in op.inputs if (layout := trace.layout(t))]
    if not held:
        return
    lead = held[0][1]
    place = lead.dim - len(trace.shape(held[0][0]))
    reason = f"{op.name} multiplies along it"
    batch_like = place <= -3 and all(
        (layout := trace.layout(t)) is not None and layout.dim - len(trace.shape(t)) == place for t in op.inputs
    )
    if not batch_like:
        trace.pin_inputs(op, reason)
        return
    for _, layout in held[1:]:
        trace.channels.join(lead.segments, layout.segments, reason)
    for tensor in op.outputs:
        if len(trace.shape(tensor)) + place >= 0:
            trace.put(op, tensor, Layout(len(trace.shape(tensor)) + place, lead.segments))
