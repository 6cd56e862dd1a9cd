"""The pages of the rule base: the list, and one rule."""

from collections.abc import Sequence
from typing import Any

from advisor.rules.catalogue import bounds
from advisor.rules.in_words import points
from advisor.rules.load import Compiled
from advisor.rules.phrases import Phrases
from advisor.schema import Rule

from .page import Block, Column, Facts, Items, Line, Page, Paragraph, Span, Table, filled
from .words import setting


def rules_page(rules: Sequence[Rule], version: str) -> Page:
    """List rules in one line each."""
    columns = (
        Column("rule"),
        Column("kind"),
        Column("certainty"),
        Column("origin"),
        Column("title", wrap=True),
    )
    rows = tuple((rule.id, rule.kind, rule.certainty, rule.origin, rule.title) for rule in rules)
    groups = ", ".join(dict.fromkeys(rule.group for rule in rules))
    note = f"{len(rules)} rules in {groups or 'no group'}; knowledge {version}. 'advisor rules show ID' tells all."
    return Page("Rules", (Table(columns, rows, note=note),))


def rule_page(entry: Compiled, phrases: Phrases) -> Page:
    """Show one rule with its reasons, its cases and its sources."""
    rule = entry.rule
    blocks: tuple[Block | None, ...] = (
        _identity(rule),
        Paragraph(rule.reason, "What it says"),
        Items(points(entry.when, phrases), "When"),
        Paragraph(rule.when, "Written as"),
        Items(points(entry.demand, phrases), "Demands") if entry.demand else None,
        Paragraph(rule.demand, "Written as") if rule.demand else None,
        Paragraph(rule.step, "Step") if rule.step else None,
        Paragraph(rule.why_sure, "Why it is believed") if rule.why_sure else None,
        Paragraph(rule.guards, "Prevents") if rule.guards else None,
        Paragraph(rule.wrong_when, "When it is wrong") if rule.wrong_when else None,
        _case("Fires on", rule.cases.fires),
        _case("Silent on", rule.cases.silent),
        Items(tuple(_source_lines(rule)), "Sources"),
    )
    return Page(f"{rule.id} {rule.title}", filled(blocks))


def _identity(rule: Rule) -> Facts:
    pairs: list[tuple[str, Line]] = [
        ("kind", f"{rule.kind}, asked of each {rule.scope}"),
        ("group", rule.group),
        ("certainty", f"{rule.certainty} ({rule.weight:g})"),
        ("origin", rule.origin),
        ("since", rule.since),
    ]
    if rule.metric:
        pairs.append(("bounds", bounds(rule)))
    if rule.overrides:
        pairs.append(("sets aside", ", ".join(rule.overrides)))
    if rule.deprecated:
        pairs.append(("deprecated", Span(rule.deprecated, "warn")))
    return Facts(tuple(pairs))


def _case(title: str, facts: dict[str, Any]) -> Items:
    return Items(tuple(f"{name} = {setting(value)}" for name, value in sorted(facts.items())), title)


def _source_lines(rule: Rule) -> list[Line]:
    lines: list[Line] = []
    for source in rule.sources:
        claim = f": {source.claim}" if source.claim else ""
        recalled = () if source.seen else (Span(" (recalled, not opened)", "warn"),)
        lines.append((source.ref, claim, *recalled))
    return lines
