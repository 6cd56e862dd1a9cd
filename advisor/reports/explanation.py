"""The page of an explanation: the answer in sentences, the rules with their traces, and what a change would flip."""

from collections import defaultdict

from advisor.schema import Explanation, Finding, TraceNode, Truth

from .page import Block, Branch, Column, Items, Line, Page, Span, Table, Tone, Tree, filled
from .reasons import rule_mark
from .recommendation import candidate_box, predictions

_TRUTH_TONES: dict[Truth, Tone] = {Truth.TRUE: "good", Truth.FALSE: "bad", Truth.UNKNOWN: "warn"}
_MOST_FLIPS = 15
_MOST_PLANS = 2


def explanation_page(explanation: Explanation) -> Page:
    """Lay out the answer to one question."""
    after, candidate = explanation.after, explanation.candidate
    blocks: list[Block] = [Items(tuple(explanation.answer), "Answer")]
    if after is not None and after.recommended is not None:
        blocks.append(candidate_box(after, after.recommended, f"Then: plan {after.recommended.number}"))
    elif candidate is not None:
        blocks.append(predictions(candidate))
    blocks.append(_flips(explanation))
    blocks += [_finding_tree(finding) for finding in explanation.findings]
    return Page(explanation.question, filled(blocks))


def _flips(explanation: Explanation) -> Table:
    """Tabulate the changed answers, those that most plans share first."""
    groups: dict[tuple[str, str, str], list[str]] = defaultdict(list)
    for flip in explanation.flips:
        groups[flip.what, flip.before, flip.after].append(flip.plan)
    ordered = sorted(groups.items(), key=lambda item: (not _rejecting(item[0]), -len(item[1])))
    columns = (Column("rule or limit"), Column("before"), Column("after"), Column("plans", wrap=True))
    rows = tuple((*change, _few(plans)) for change, plans in ordered[:_MOST_FLIPS])
    rest = len(ordered) - len(rows)
    return Table(columns, rows, "What changes its answer", f"{rest} more with --json." if rest > 0 else "")


def _rejecting(change: tuple[str, str, str]) -> bool:
    return bool({"rejects", "missed"} & {*change[1:]})


def _few(plans: list[str]) -> str:
    rest = len(plans) - _MOST_PLANS
    return "; ".join(plans[:_MOST_PLANS]) + (f" and {rest} more" if rest > 0 else "")


def _finding_tree(finding: Finding) -> Tree:
    """Show a rule with the condition that decided and the sources that it rests on."""
    label: Line = (Span(finding.kind, _kind_tone(finding)), f": {finding.reason}", rule_mark(finding))
    children = [trace_branch(finding.trace)] if finding.trace else []
    for source in finding.sources:
        recalled = "" if source.seen else " (recalled, not opened)"
        children.append(Branch(Span(f"source: {source.ref}{recalled}", "muted")))
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
