"""The page of an explanation: the answer in sentences, the rules with what made them true, and what a change flips."""

from collections import defaultdict

from advisor.schema import Explanation, FigureChange, Finding, TraceNode, Truth
from advisor.schema.rule import RuleKind

from . import words
from .page import Block, Branch, Column, Items, Line, Page, Span, Table, Tone, Tree, filled
from .reasons import rule_mark
from .recommendation import candidate_box, predictions

_TRUTH_TONES: dict[Truth, Tone] = {Truth.TRUE: "good", Truth.FALSE: "bad", Truth.UNKNOWN: "warn"}
_MOST_FLIPS = 15
_MOST_PLANS = 2
_GROUPS: tuple[tuple[str, tuple[RuleKind, ...]], ...] = (
    ("For and against", ("prefer", "avoid")),
    ("Figures that rules bound", ("estimate",)),
    ("Demands", ("require", "veto")),
    ("Warnings", ("warn",)),
    ("Steps", ("procedure",)),
)


def explanation_page(explanation: Explanation, *, trace: bool = False) -> Page:
    """Lay out the answer to one question; `trace` shows every part of each rule's condition."""
    after, candidate = explanation.after, explanation.candidate
    blocks: list[Block] = [Items(tuple(explanation.answer), "Answer"), _figures(explanation.figures)]
    if after is not None and after.recommended is not None:
        blocks.append(candidate_box(after, after.recommended, f"Then: plan {after.recommended.number}"))
    elif candidate is not None:
        blocks.append(predictions(candidate))
    blocks.append(_flips(explanation))
    if trace:
        blocks += [_finding_tree(finding) for finding in explanation.findings]
    else:
        blocks += _rules(explanation)
    return Page(explanation.question, filled(blocks))


def _figures(changes: tuple[FigureChange, ...]) -> Table:
    """Tabulate what the winner was predicted to take before and what the new one is."""
    columns = (Column("predicted"), Column("before"), Column("after"), Column("change", right=True))
    rows = tuple(_figure_row(change) for change in changes)
    return Table(columns, rows, "What becomes of the figures")


def _figure_row(change: FigureChange) -> tuple[Line, ...]:
    before, after, metric = change.before, change.after, change.metric
    shown = ["-" if one is None else words.with_interval(one) for one in (before, after)]
    if before is None or after is None:
        turned = "-"
    elif metric.value.startswith("accuracy"):
        turned = words.amount(after.mid - before.mid, metric)
    else:
        turned = f"{100 * (after.mid / before.mid - 1):+.0f} %" if before.mid else "-"
    return words.METRIC_WORDS[metric], shown[0], shown[1], turned


def _flips(explanation: Explanation) -> Table:
    """Tabulate the changed answers, those that most plans share first."""
    groups: dict[tuple[str, str, str], list[str]] = defaultdict(list)
    for flip in explanation.flips:
        groups[flip.what, flip.before, flip.after].append(flip.plan)
    ordered = sorted(groups.items(), key=lambda item: (not _rejecting(item[0]), -len(item[1])))
    columns = (Column("rule or limit"), Column("before"), Column("after"), Column("plans", wrap=True))
    rows = tuple((*change, _few(plans)) for change, plans in ordered[:_MOST_FLIPS])
    return Table(columns, rows, "What changes its answer", words.more(len(ordered) - _MOST_FLIPS))


def _rejecting(change: tuple[str, str, str]) -> bool:
    return bool({"rejects", "missed"} & {*change[1:]})


def _few(plans: list[str]) -> str:
    rest = len(plans) - _MOST_PLANS
    return "; ".join(plans[:_MOST_PLANS]) + (f" and {rest} more" if rest > 0 else "")


def _rules(explanation: Explanation) -> list[Block]:
    """List the rules by what they do, each with the facts that made it true and what it rests on."""
    rejecting = tuple(f for f in explanation.findings if f.rejects)
    blocks: list[Block] = [Items(tuple(_said(f, explanation) for f in rejecting), "Rules it out")]
    for title, kinds in _GROUPS:
        some = [f for f in explanation.findings if f.kind in kinds and not f.rejects]
        blocks.append(Items(tuple(_said(f, explanation) for f in some), title))
    return blocks


def _said(finding: Finding, explanation: Explanation) -> Line:
    parts: list[str | Span] = []
    if finding.rule in explanation.points:
        points = explanation.points[finding.rule]
        parts.append(Span(f"{points:+.2f} " if points else "(not counted) ", "good" if points > 0 else "warn"))
    met = finding.kind == "require" and not finding.rejects  # its reason speaks of the demand that is not met
    parts += [f"met: {finding.title}" if met else finding.reason, rule_mark(finding)]
    if finding.kind != "procedure":
        if facts := because(finding.trace):
            parts += ["\nbecause ", Span(", ".join(facts), "muted")]
        parts += ["\nrests on ", Span("; ".join(_source(s.ref, s.seen) for s in finding.sources), "muted")]
    return tuple(parts)


def _source(ref: str, seen: bool) -> str:
    return ref if seen else f"{ref} (recalled, not opened)"


def because(trace: TraceNode | None) -> tuple[str, ...]:
    """Return the parts of a condition that decided it, with the values of their facts."""
    if trace is None:
        return ()
    if not trace.children:
        return (trace.shown,)
    if len(trace.children) == 1:
        return tuple(f"not {text}" for text in because(trace.children[0]))
    deciding = [child for child in trace.children if child.truth is trace.truth] or list(trace.children)
    if " demands " in trace.text:
        deciding = list(trace.children)
    return tuple(text for child in deciding for text in because(child))


def _finding_tree(finding: Finding) -> Tree:
    """Show a rule with the condition that decided and the sources that it rests on."""
    label: Line = (Span(finding.kind, _kind_tone(finding)), f": {finding.reason}", rule_mark(finding))
    children = [trace_branch(finding.trace)] if finding.trace else []
    for source in finding.sources:
        children.append(Branch(Span(f"source: {_source(source.ref, source.seen)}", "muted")))
    return Tree(Branch(label, tuple(children)))


def _kind_tone(finding: Finding) -> Tone:
    if finding.rejects:
        return "bad"
    return {"prefer": "good", "avoid": "warn", "warn": "warn"}.get(finding.kind, "strong")  # type: ignore[return-value]


def trace_branch(node: TraceNode) -> Branch:
    """Turn a trace into a tree whose every node says whether it holds and what would turn it."""
    turn = f" (would change at {node.passes_if})" if node.passes_if else ""
    needs = f" (not known: {', '.join(node.needs)})" if node.needs and not node.children else ""
    label: Line = (Span(node.truth.value, _TRUTH_TONES[node.truth]), f" {_shown(node)}", Span(turn + needs, "muted"))
    return Branch(label, tuple(trace_branch(child) for child in node.children))


def _shown(node: TraceNode) -> str:
    """Join nodes show their word alone, because their parts follow below."""
    if not node.children:
        return node.shown
    if len(node.children) == 1:
        return "not"
    for word in (" demands ", " or ", " and "):
        if word in node.text:
            return {" demands ": "condition and demand", " or ": "any of", " and ": "all of"}[word]
    return node.shown
