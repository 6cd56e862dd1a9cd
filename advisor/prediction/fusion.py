"""The graph as a runtime executes it: batch norm folded, activations and residual sums inside their layer.

A deliberately simple model of what runtimes do; which activations a runtime fuses is knowledge
(`knowledge/prediction/fusion.yaml`). The result is a Workload again, so that liveness and counting work on it.
"""

from dataclasses import dataclass, field
from functools import lru_cache

from advisor.schema import MAC_KINDS, WEIGHTED_KINDS, Op, OpKind, Record, Workload
from advisor.schema.identity import remembered
from advisor.techniques.folding import fold_batch_norm

from .figures import read_figures

_POINTWISE = frozenset({OpKind.ACTIVATION, OpKind.ELEMENTWISE, OpKind.QUANTIZE})
_SUMS = frozenset({"add", "iadd"})


class FusionStyle(Record):
    """What a runtime executes inside a layer.

    `chains`: any run of pointwise operations (rescaling between int8 and float included) becomes one kernel.
    """

    activations: tuple[str, ...] = ()
    activations_int8: tuple[str, ...] = ()
    residual_add: bool = False
    residual_add_int8: bool = False
    chains: bool = False
    batch_norm: bool = True  # folded into the layer before it
    source: str = ""


class FusionFile(Record):
    """The file `fusion.yaml`: styles by runtime; `default` for runtimes not named."""

    default: FusionStyle
    runtimes: dict[str, FusionStyle] = {}
    sources: dict[str, str] = {}


@lru_cache(maxsize=1)
def _styles() -> FusionFile:
    return read_figures("fusion", FusionFile)


def style_of(runtime: str) -> FusionStyle:
    """Return how this runtime fuses."""
    return _styles().runtimes.get(runtime, _styles().default)


@dataclass(slots=True)
class _Group:
    op: Op
    inputs: list[int]
    outputs: tuple[int, ...]
    functions: list[str] = field(default_factory=list)
    finished: bool = False  # an activation closes a layer: nothing but a pointwise chain may follow


def fuse(workload: Workload, runtime: str) -> Workload:
    """Return the graph that `runtime` executes; results are kept for the workloads seen last."""
    return _fused(workload, style_of(runtime))


@remembered(48)
def fold(workload: Workload) -> Workload:
    """Return the graph with batch norm folded; results are kept for the workloads seen last."""
    return fold_batch_norm(workload) if any(op.kind is OpKind.NORM_BATCH for op in workload.ops) else workload


@remembered(48)
def _fused(workload: Workload, style: FusionStyle) -> Workload:
    workload = fold(workload) if style.batch_norm else workload
    readers: dict[int, int] = dict.fromkeys(workload.outputs, 1)
    for op in workload.ops:
        for tensor in op.inputs:
            readers[tensor] = readers.get(tensor, 0) + 1
    groups: list[_Group] = []
    producer: dict[int, int] = {}
    for original in workload.ops:
        op = _unordered(original, style) if original.attrs.get("summary") else original
        place = _host(op, groups, producer, readers, style) if op.kind in _POINTWISE else None
        if place is None:
            groups.append(_Group(op, list(op.inputs), op.outputs))
            place = len(groups) - 1
        else:
            _absorb(groups[place], op)
        for tensor in op.outputs:
            producer[tensor] = place
    return _rebuilt(workload, groups)


def _unordered(op: Op, style: FusionStyle) -> Op:
    """Free what a runtime would fuse in a network known by its sums, where layers and activations are in no order."""
    function = str(op.attrs.get("function", ""))
    fused = (op.kind is OpKind.ACTIVATION and function in style.activations) or (
        op.kind is OpKind.ELEMENTWISE and function in _SUMS and style.residual_add
    )
    return op.model_copy(update={"kind": OpKind.VIEW}) if fused else op


def _host(
    op: Op, groups: list[_Group], producer: dict[int, int], readers: dict[int, int], style: FusionStyle
) -> int | None:
    """Return the place of the group that executes `op` along with its own work, or None."""
    # The last producer among the inputs runs last: only there are all other operands at hand.
    places = [(producer[t], t) for t in op.inputs if t in producer]
    if not places:
        return None
    place, tensor = max(places)
    group = groups[place]
    if readers[tensor] != 1 or tensor not in group.outputs or len(group.outputs) != 1 or len(op.outputs) != 1:
        return None
    return place if _fits(op, group, style) else None


def _fits(op: Op, group: _Group, style: FusionStyle) -> bool:
    if style.chains and (group.op.kind in MAC_KINDS or group.op.kind in _POINTWISE):
        return True
    int8 = group.op.precision == "int8"
    function = str(op.attrs.get("function", ""))
    if op.kind is OpKind.ACTIVATION and int8 and group.op.kind is OpKind.ELEMENTWISE:
        return function in style.activations_int8  # clipping is part of writing an integer result
    if group.finished or group.op.kind not in WEIGHTED_KINDS:
        return False
    if op.kind is OpKind.ACTIVATION:
        return function in (style.activations_int8 if int8 else style.activations)
    adds = style.residual_add_int8 if int8 else style.residual_add
    return adds and function in _SUMS and len(op.inputs) == 2 and not group.functions


def _absorb(group: _Group, op: Op) -> None:
    group.inputs += [t for t in op.inputs if t not in group.outputs]
    if op.kind is not OpKind.QUANTIZE:
        group.functions.append(str(op.attrs.get("function", op.kind)))
    group.finished = op.kind is OpKind.ACTIVATION
    group.outputs = op.outputs


def _rebuilt(workload: Workload, groups: list[_Group]) -> Workload:
    """Build the graph of the groups; operations that absorbed nothing stay the very records they were."""
    ops = tuple(group.op if group.outputs is group.op.outputs else _merged(group) for group in groups)
    fields = {name: getattr(workload, name) for name in Workload.model_fields}
    # The parts are valid records already; building without checks keeps fusion within a millisecond or two.
    return Workload.model_construct(**{**fields, "ops": ops})


def _merged(group: _Group) -> Op:
    changed: dict[str, object] = {"inputs": tuple(group.inputs), "outputs": group.outputs}
    if group.functions:
        changed["attrs"] = {**group.op.attrs, "fused": "+".join(group.functions)}
    return group.op.model_copy(update=changed)
