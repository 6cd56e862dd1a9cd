"""The cases of a rule, with the traces that show why it fires and why it is silent."""

from collections.abc import Iterator, Mapping
from typing import Any

from advisor.rules.load import Compiled
from advisor.rules.traces import trace
from advisor.rules.wording import show
from advisor.schema import TraceNode, Truth

from .known import Known
from .text import code, plain, table


def cases(entry: Compiled, known: Known) -> Iterator[str]:
    """Write both cases."""
    yield from ("## A case that fires it", "")
    yield from _case(entry, entry.rule.cases.fires, known, fires=True)
    yield from (f"It says: {plain(entry.reason.fill(entry.rule.cases.fires))}", "")
    yield from ("## A case that leaves it silent", "")
    yield from _case(entry, entry.rule.cases.silent, known, fires=False)


def _case(entry: Compiled, facts: Mapping[str, Any], known: Known, fires: bool) -> Iterator[str]:
    """Write the facts and what they make of each part; parts that hold the outcome say what would turn them."""
    vocabulary = known.base.vocabulary
    yield from table(
        ("fact", "value", "meaning"),
        [
            (code(name), plain(show(facts[name], vocabulary[name].unit)), plain(vocabulary[name].about))
            for name in sorted(facts)
        ],
    )
    when = trace(entry.when, facts, vocabulary, wanted=not fires)
    yield from _trace(when, "all in all")
    yield ""
    if entry.demand and when.truth is Truth.TRUE:
        yield from ("What it demands then:", "")
        yield from _trace(trace(entry.demand, facts, vocabulary, wanted=fires), "all in all")
        yield ""


def _trace(node: TraceNode, whole: str = "", depth: int = 0) -> Iterator[str]:
    """Write the parts with their values; `whole` names a root that would only repeat them."""
    turn = f", would turn with {code(node.passes_if)}" if node.passes_if else ""
    needs = f", needs {', '.join(map(code, node.needs))}" if node.needs and not node.children else ""
    said = whole if whole and node.children else code(node.shown)
    yield f"{'  ' * depth}- {said}: **{node.truth.value}**{turn}{needs}"
    for child in node.children:
        yield from _trace(child, depth=depth + 1)
