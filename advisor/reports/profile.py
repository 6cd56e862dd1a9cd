"""The page of a workload: where its multiply-accumulates, parameters and bytes lie."""

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from advisor.schema import ITEM_BITS, Op, Workload
from advisor.units import si, three

from . import words
from .page import Column, Facts, Items, Page, Span, Table, filled

By = Literal["op", "module"]
_BAR = 12  # characters of a full bar
_GRADES = " ▏▎▍▌▋▊▉█"


@dataclass
class _Sum:
    """Totals over a group of operations."""

    ops: int = 0
    macs: int = 0
    written: int = 0
    weights: set[str] = field(default_factory=set)


def profile_page(workload: Workload, facts: Mapping[str, Any], by: By = "op", top: int = 20) -> Page:
    """Lay out a profile by kind of operation or by module; `facts` are those of `advisor.facts.model_facts`."""
    blocks = (_header(workload, facts), _table(workload, by, top), Items(workload.notes, "Notes"))
    return Page(f"{workload.name}: profile", filled(blocks))


def _header(workload: Workload, facts: Mapping[str, Any]) -> Facts:
    unknown = int(facts.get("model.unknown_ops_n", 0))
    pairs = [
        (
            "model",
            words.model_line(dict(facts), workload.params, workload.macs, workload.stored_bytes, workload.input_shapes),
        ),
        ("operations", f"{len(workload.ops)} as traced" + (f", {unknown} of them unknown" if unknown else "")),
    ]
    if "model.peak_act_bytes" in facts:
        pairs.append(("activations", f"{words.megabytes(facts['model.peak_act_bytes'])} live at the peak"))
    if "model.ai" in facts:
        pairs.append(("intensity", f"{facts['model.ai']:.1f} MACs per byte moved"))
    if workload.source:
        pairs.append(("source", workload.source))
    return Facts(tuple(pairs))


def _table(workload: Workload, by: By, top: int) -> Table:
    sums = _summed(workload, _kind if by == "op" else _module_key(workload, top))
    ordered = sorted(sums.items(), key=lambda item: (-item[1].macs, -item[1].written))
    columns = (
        Column("operation" if by == "op" else "module", wrap=True),
        Column("ops", right=True),
        Column("MACs", right=True),
        Column("share"),
        Column("params", right=True),
        Column("weights MB", right=True, wrap=True),
        Column("written MB", right=True, wrap=True),
    )
    total = max(workload.macs, 1)
    rows = tuple(_row(workload, name, one, one.macs / total) for name, one in ordered[:top])
    rest = len(ordered) - len(rows)
    note = "Written: bytes of activations that the operations produce. Shared weights count in each group."
    return Table(columns, rows, note=f"{rest} more with --top {len(ordered)}. {note}" if rest > 0 else note)


def _row(workload: Workload, name: str, one: _Sum, share: float) -> tuple[str | tuple[str | Span, ...], ...]:
    weights = [workload.weight[key] for key in one.weights]
    params = sum(weight.elements for weight in weights if weight.counted)
    stored = sum((w.elements * ITEM_BITS[w.storage.dtype] + 7) // 8 for w in weights)
    share_cell = (Span(bar(share), "good"), f" {share:4.0%}")
    return (
        name,
        str(one.ops),
        si(one.macs),
        share_cell,
        si(params),
        three(stored / 1e6),
        three(one.written / 1e6),
    )


def _summed(workload: Workload, key: Callable[[Op], str]) -> dict[str, _Sum]:
    sums: dict[str, _Sum] = defaultdict(_Sum)
    for op in workload.ops:
        one = sums[key(op)]
        one.ops += 1
        one.macs += op.macs
        one.weights.update(name for name in op.weights if name in workload.weight)
        produced = (workload.tensor[i] for i in op.outputs if i in workload.tensor)
        one.written += sum(tensor.bytes for tensor in produced if tensor.alias_of is None)
    return sums


def _kind(op: Op) -> str:
    return op.kind.value


def _module_key(workload: Workload, most: int) -> Callable[[Op], str]:
    """Cut module paths at the greatest depth that leaves at most `most` groups."""

    def at(depth: int) -> Callable[[Op], str]:
        return lambda op: ".".join(op.module.split(".")[:depth]) or "(top level)"

    deepest = max((op.module.count(".") + 1 for op in workload.ops), default=1)
    fitting = [depth for depth in range(1, deepest + 1) if len({at(depth)(op) for op in workload.ops}) <= most]
    return at(max(fitting, default=1))


def bar(share: float) -> str:
    """Draw a share as a bar of fixed width."""
    eighths = round(max(0.0, min(1.0, share)) * _BAR * 8)
    full, rest = divmod(eighths, 8)
    return ("█" * full + (_GRADES[rest] if rest else "")).ljust(_BAR)
