"""The page of one rule."""

from collections.abc import Iterator

from advisor.rules.catalogue import KINDS, ORIGINS, PLACE
from advisor.rules.expressions import Expr
from advisor.rules.in_words import clauses
from advisor.rules.load import Compiled
from advisor.schema import Rule

from .known import Known
from .rule_cases import cases
from .rule_ties import places, ties
from .text import anchor, block, code, orphan, plain, source, statements, table

_SCOPES = {"candidate": "every candidate plan", "case": "the case as a whole, whatever the plan"}
_METRICS = {"latency_ms": "latency", "size_mb": "size of the file", "memory_mb": "memory", "energy_mj": "energy"}


def rule_page(entry: Compiled, known: Known) -> str:
    """Write the page."""
    return "\n".join(_page(entry, known)).rstrip() + "\n"


def _page(entry: Compiled, known: Known) -> Iterator[str]:
    rule = entry.rule
    yield from orphan(f"{rule.id}: {plain(rule.title)}")
    if rule.deprecated:
        yield from (f"**Deprecated.** {plain(rule.deprecated)}", "")
    yield from (f"> {_said(rule.reason)}", "")
    yield from table(("", ""), _identity(rule))
    yield from ("## When it applies", "")
    yield from _condition(entry.when, known)
    if entry.demand:
        yield from ("## What must hold then", "")
        yield from _condition(entry.demand, known)
    yield from _effect(rule)
    texts = {"Why it is believed": rule.why_sure, "What it prevents": rule.guards, "When it is wrong": rule.wrong_when}
    for title, text in texts.items():
        if text:
            yield from (f"## {title}", "", plain(text), "")
    yield from _agreement(rule, known)
    yield from cases(entry, known)
    yield from ties(rule, known)
    yield from places(entry, known)
    yield from ("## Sources", "")
    yield from _sources(rule, known)


def _said(reason: str) -> str:
    """Write the reason with the names of facts where a case puts their values."""
    pieces = PLACE.split(reason)
    words = [plain(pieces[0])]
    for name, after in zip(pieces[1::3], pieces[3::3], strict=True):
        gap = " " if after.startswith(" ") else ""
        words.append(f"{'' if words[-1] == '' else ' '}{code(name)}{gap}{plain(after)}")
    return "".join(words).strip()


def _identity(rule: Rule) -> Iterator[tuple[str, str]]:
    yield "What it does", f"{rule.kind}: {KINDS[rule.kind]}"
    yield "Asked of", _SCOPES[rule.scope]
    yield "Certainty", f"{rule.certainty} (weight {rule.weight:g})"
    yield "Origin", "; ".join(f"**{mark}** {ORIGINS[mark]}" for mark in rule.origin.split("+"))
    yield "Group", f"[{rule.group}](../rules.md#{rule.group})"
    yield "Since", f"knowledge base {rule.since}"


def _condition(expr: Expr, known: Known) -> Iterator[str]:
    yield from statements(clauses(expr, known.phrases))
    yield ""
    yield from block(expr.text)


def _effect(rule: Rule) -> Iterator[str]:
    if rule.step:
        yield from ("## The step", "", plain(rule.step), "")
    if rule.metric:
        yield from ("## The effect", "", bounds(rule), "")


def bounds(rule: Rule) -> str:
    """Write what an estimate rule claims."""
    accuracy = rule.metric.startswith("accuracy")
    metric = "accuracy" if accuracy else _METRICS.get(rule.metric, rule.metric)
    if rule.low is None or rule.high is None:
        return f"It speaks of the {metric} and gives no figure."
    span = f"{rule.low:g} to {rule.high:g}"
    if accuracy:
        return f"The accuracy changes by {span} points; a loss is negative."
    return f"The {metric} of the unchanged model is {span} times that of the plan; above 1 the plan gains."


def _agreement(rule: Rule, known: Known) -> Iterator[str]:
    yield from ("## Agreement with measurements", "")
    found = known.agreement.get(rule.id)
    if not found or not found.get("n"):
        why = "; no pair of published measurements speaks about it" if found else ""
        note = f" ({plain(str(found['note']))})" if found and found.get("note") else ""
        yield from (f"It was not held against measurements{why}{note}.", "")
        return
    unit = "points" if str(found["metric"]).startswith("accuracy") else "times"
    yield from table(
        ("claim", "pairs", "networks", "devices", "right", "seen: 10, 50, 90 %", "verdict"),
        [
            (
                plain(str(found["claim"])),
                *(str(found[key]) for key in ("n", "models", "devices")),
                f"{found['hit_rate']:.0%}",
                f"{', '.join(f'{found[key]:g}' for key in ('low', 'mid', 'high'))} {unit}",
                plain(str(found["verdict"])),
            )
        ],
    )
    if found.get("drawn"):
        yield from ("The rule cites these measurements itself: they show that its figures fit them, no more.", "")
    if found.get("note"):
        yield from (plain(str(found["note"])), "")
    yield from ("How it is counted: [rules against the evidence](../rules-evidence.md).", "")


def _sources(rule: Rule, known: Known) -> Iterator[str]:
    keys = {row["source"] for row in known.sources}
    for one in rule.sources:
        key = one.ref.split(" ")[0].rstrip(",:;")
        place = f"[{plain(one.ref)}](../evidence-sources.md#{anchor(key)})" if key in keys else source(one.ref)
        claim = f": {plain(one.claim)}" if one.claim else ""
        yield f"- {place}{claim}{'' if one.seen else ' *(recalled, not opened)*'}"
