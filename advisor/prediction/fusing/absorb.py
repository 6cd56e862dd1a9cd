"""Activations and residual sums that become part of the layer before them."""

from advisor.schema import CONV_KINDS, MAC_KINDS, WEIGHTED_KINDS, OpKind

from .graph import Graph, Node
from .style import FusionStyle

_POINTWISE = frozenset({OpKind.ACTIVATION, OpKind.ELEMENTWISE, OpKind.QUANTIZE})
SUMS = frozenset({"add", "iadd"})


def absorb(graph: Graph, style: FusionStyle, *, sums: bool = True) -> None:
    """Absorb what `style` says, in order of execution; without `sums` activations only."""
    readers = graph.readers()
    places: dict[int, int] = {}
    groups: list[Node | None] = []
    for node in graph.nodes:
        if node.attrs.get("summary"):
            _free(node, style)
        candidate = node.kind in _POINTWISE and (sums or node.function not in SUMS)
        place = _host(node, groups, places, readers, style) if candidate else None
        group = groups[place] if place is not None else None
        if group is None or place is None:
            groups.append(node)
            place = len(groups) - 1
        else:
            take(group, node)
            if place < max(places.get(t, -1) for t in group.inputs):  # it waits for what it reads now
                groups[place] = None
                groups.append(group)
                place = len(groups) - 1
        for tensor in node.outputs:
            places[tensor] = place
    graph.nodes = [group for group in groups if group is not None]


def _free(node: Node, style: FusionStyle) -> None:
    """Free what a runtime would fuse in a network known by its sums, where layers and activations are in no order."""
    if (node.kind is OpKind.ACTIVATION and node.function in style.activations) or (
        node.kind is OpKind.ELEMENTWISE and node.function in SUMS and style.residual_add
    ):
        node.kind = OpKind.VIEW


def _host(
    node: Node, groups: list[Node | None], places: dict[int, int], readers: dict[int, int], style: FusionStyle
) -> int | None:
    """Return the place of the operation that executes `node` along with its own work, or None; late ones first."""
    if len(node.outputs) != 1:
        return None
    for place, tensor in sorted(((places[t], t) for t in node.inputs if t in places), reverse=True):
        group = groups[place]
        if group is None or readers[tensor] != 1 or tensor not in group.outputs or len(group.outputs) != 1:
            continue
        if _fits(node, group, style):
            return place
    return None


def _fits(node: Node, group: Node, style: FusionStyle) -> bool:
    if style.chains and (group.kind in MAC_KINDS or group.kind in _POINTWISE):
        return True
    int8 = group.precision == "int8"
    if node.kind is OpKind.ACTIVATION and int8 and group.kind is OpKind.ELEMENTWISE:
        return node.function in style.activations_int8  # clipping is part of writing an integer result
    if group.activated or group.kind not in WEIGHTED_KINDS:
        return False
    if node.kind is OpKind.ACTIVATION and group.kind is OpKind.LINEAR and style.linear_activations is not None:
        return not int8 and node.function in style.linear_activations
    if node.kind is OpKind.ACTIVATION:
        return node.function in (style.activations_int8 if int8 else style.activations)
    adds = style.residual_add_int8 if int8 else style.residual_add
    if group.kind not in CONV_KINDS or group.layout or group.fused:  # blocked layouts deal with sums themselves
        return False
    return adds and node.function in SUMS and len(node.inputs) == 2


def take(group: Node, node: Node) -> None:
    """Make `node` part of `group`."""
    group.inputs += [t for t in node.inputs if t not in group.outputs]
    if node.kind is not OpKind.QUANTIZE:
        group.fused.append(node.function or str(node.kind))
    group.activated = node.kind is OpKind.ACTIVATION
    group.outputs = node.outputs
