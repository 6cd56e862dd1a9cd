"""The plans that were ruled out, grouped by what rules them out, with what would have changed it."""

import re
from collections import defaultdict
from collections.abc import Iterable

from advisor.schema import Candidate, Finding, Metric, Recommendation, TraceNode

from .page import Items, Line, Span
from .reasons import rule_mark
from .words import METRIC_WORDS

_MOST_NAMES = 3
_MOST_TURNS = 2
_CAPABILITY = re.compile(r"[<>]| holds | is |\d\.\d")
_FACT = re.compile(r"[a-z]+\.[a-z][a-z0-9_]*")


def rejected_block(recommendation: Recommendation) -> Items:
    """List what rules plans out, most plans first; reasons that meet the same plans share an entry."""
    rejected: dict[str, list[Candidate]] = defaultdict(list)
    for candidate in recommendation.candidates:
        for reason in candidate.rejected_by:
            rejected[reason.split(":", 1)[0]].append(candidate)
    shared: dict[tuple[int, ...], list[str]] = defaultdict(list)
    for key, candidates in rejected.items():
        shared[tuple(candidate.number for candidate in candidates)].append(key)
    ordered = sorted(shared.items(), key=lambda item: -len(item[0]))
    total = sum(candidate.status == "rejected" for candidate in recommendation.candidates)
    title = f"Ruled out: {total} of {len(recommendation.candidates)} plans"
    return Items(tuple(_entry(keys, rejected[keys[0]]) for _, keys in ordered), title)


def _entry(keys: list[str], candidates: list[Candidate]) -> Line:
    parts: list[str | Span] = [Span(_named(candidates), "strong")]
    for key in keys:
        parts.append("\n")
        limit = key.removeprefix("limit ")
        if limit != key:
            parts.append(f"Limit on {METRIC_WORDS[Metric(limit)]}: {_nearest_miss(Metric(limit), candidates)}.")
        else:
            finding = next(f for f in candidates[0].findings if f.rule == key and f.rejects)
            parts += [finding.reason, rule_mark(finding), Span(_would_pass(finding), "muted")]
    return tuple(parts)


def _named(candidates: list[Candidate]) -> str:
    paths = dict.fromkeys(candidate.plan.path for candidate in candidates)
    labels = list(dict.fromkeys(candidate.plan.label for candidate in candidates))
    rest = len(labels) - _MOST_NAMES
    more = f" and {rest} more" if rest > 0 else ""
    count = f"{len(candidates)} plans" if len(candidates) > 1 else "1 plan"
    return f"{count} on {', '.join(paths)}: {', '.join(labels[:_MOST_NAMES])}{more}"


def _nearest_miss(metric: Metric, candidates: list[Candidate]) -> str:
    """Quote the limit check of the candidate that comes nearest."""
    checks = [c for one in candidates for c in one.limits if c.met is False and c.limit.metric is metric]
    best = max(checks, key=lambda check: check.probability or 0.0)
    return best.needed if len(checks) == 1 else f"at best, {best.needed}"


def _would_pass(finding: Finding) -> str:
    turns = turning_facts(finding.trace)[:_MOST_TURNS]
    return f" Would pass if {' or '.join(turns)}." if turns else ""


def turning_facts(trace: TraceNode | None) -> tuple[str, ...]:
    """Return what would turn an outcome, the most telling kind alone.

    A capability or figure ('dev.cuda_cc >= 8') tells more than another identity ('dev.vendor != 'nvidia''), and that
    more than another plan.
    """
    turns = tuple(dict.fromkeys(_turn(node) for node in _leaves(trace) if node.passes_if))
    outside = tuple(turn for turn in turns if not turn.startswith("plan."))
    return tuple(filter(_CAPABILITY.search, outside)) or outside or turns


def _leaves(trace: TraceNode | None) -> Iterable[TraceNode]:
    if trace is None:
        return
    if not trace.children:
        yield trace
    for child in trace.children:
        yield from _leaves(child)


def _turn(node: TraceNode) -> str:
    """Write a comparison with the value that would turn it: 'dev.cuda_cc >= 6.1'."""
    fact = _FACT.search(node.text)
    if fact is None or _FACT.match(node.passes_if):
        return node.passes_if
    if node.passes_if in ("true", "false"):
        return f"{fact[0]} is {node.passes_if}"
    return f"{fact[0]} {node.passes_if}"
