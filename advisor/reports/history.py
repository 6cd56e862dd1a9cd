"""The pages of what came of plans: the list of outcomes, how good predictions were, and what was shared."""

from collections.abc import Sequence
from itertools import groupby

from advisor.learning.outcomes.doubts import Doubt
from advisor.learning.outcomes.outcome import Outcome
from advisor.learning.outcomes.repair import Repaired
from advisor.learning.outcomes.tally import Kept, Rate, Row, Tally
from advisor.schema import Metric
from advisor.units import counted
from advisor.verification.causes import known_causes

from . import words
from .page import Block, Column, Facts, Items, Line, Page, Paragraph, Span, Table, Tone, filled

_ID = 8  # characters of an id that people see
_TONES: dict[str, Tone] = {"as promised": "good", "below": "bad", "above": "warn", "few": "muted"}
_EMPTY = "No outcomes yet: 'advisor apply' and 'advisor verify' record them."


def history_page(outcomes: Sequence[Outcome], place: str, shown: int) -> Page:
    """List outcomes, the latest first."""
    listed = list(reversed(outcomes))
    columns = (
        Column("id"),
        Column("recorded"),
        Column("measured on", wrap=True),
        Column("model", wrap=True),
        Column("plan", wrap=True),
        Column("hits", right=True),
        Column("missed", wrap=True),
    )
    rest = len(listed) - shown
    note = f"{rest} earlier ones with --limit {len(listed)}." if rest > 0 else ""
    table = Table(columns, tuple(_listed(one) for one in listed[:shown]), note=note)
    blocks: tuple[Block | None, ...] = (
        Facts((("store", place), ("outcomes", str(len(outcomes))))),
        table,
        None if listed else Paragraph(_EMPTY),
    )
    return Page("History", filled(blocks))


def _listed(outcome: Outcome) -> tuple[Line, ...]:
    judged = [figure for figure in outcome.figures if figure.hit is not None]
    missed = ", ".join(words.METRIC_WORDS[figure.metric] for figure in judged if not figure.hit)
    where = f"{outcome.device}{' (imported)' if outcome.elsewhere else ''}"
    hits = f"{sum(bool(f.hit) for f in judged)} of {len(judged)}"
    return (outcome.id[:_ID], outcome.recorded[:10], where, outcome.model or "-", outcome.form, hits, missed or "-")


def accuracy_page(found: Tally, place: str) -> Page:
    """Say how good predictions were, per device, technique, basis and metric."""
    pairs = (("store", place), ("outcomes", str(found.outcomes)))
    blocks: list[Block | None] = [Facts(pairs)]
    blocks += [_device(name, tuple(rows)) for name, rows in groupby(found.rows, key=lambda row: row.device)]
    blocks.append(_rules(found.rules))
    blocks.append(Items(tuple(_cause(key, count) for key, count in found.causes.items()), "Likely causes of misses"))
    blocks.append(
        Items(tuple(_doubt(one) for one in found.set_aside), "Set aside: predictions learn nothing from these")
    )
    blocks.append(None if found.outcomes else Paragraph(_EMPTY))
    return Page("How good predictions were", filled(tuple(blocks)))


def _device(name: str, rows: Sequence[Row]) -> Table:
    columns = (
        Column("technique", wrap=True),
        Column("metric"),
        Column("rests on", wrap=True),
        Column("n", right=True),
        Column("in interval", right=True),
        Column("verdict"),
        Column("error", right=True),
        Column("bias", right=True),
    )
    lines = tuple(
        (
            row.technique.replace("_", " "),
            words.METRIC_WORDS[row.metric],
            row.basis + (f", {row.seen} taught" if row.seen else ""),
            str(row.hits.n),
            _share(row.hits),
            Span(row.verdict, _TONES[row.verdict]),
            _error(abs(row.median_error), row.metric, sign=""),
            _error(row.bias, row.metric, sign="+"),
        )
        for row in rows
    )
    note = (
        "In interval: share of measurements with its 95 % interval; 80 % are promised, of exact predictions all. "
        "Error and bias of what was measured against the predicted middle are medians."
    )
    return Table(columns, lines, f"On {name}", note)


def _share(rate: Rate) -> str:
    return f"{rate.share:.0%}\n({rate.low:.0%} to {rate.high:.0%})"


def _error(value: float, metric: Metric, *, sign: str) -> str:
    return f"{value:{sign}.1f} pp" if metric is Metric.ACCURACY else f"{value:{sign}.0%}"


def _rules(rules: Sequence[Kept]) -> Table:
    columns = (
        Column("rule"),
        Column("promises", wrap=True),
        Column("n", right=True),
        Column("networks", right=True),
        Column("held", right=True),
        Column("certainty", right=True),
        Column("verdict"),
    )
    rows = tuple(
        (
            one.rule,
            "; ".join(_claim(text) for text in one.claims),
            str(one.held.n),
            str(one.models),
            _share(one.held),
            f"{one.certainty}\n{one.promised:.0%}",
            Span(one.verdict, _TONES[one.verdict]),
        )
        for one in rules
    )
    return Table(columns, rows, "Rules: how often what they promised held")


def _claim(text: str) -> str:
    """Write 'latency: not slower' of 'latency_ms: not slower'."""
    metric, _, claim = text.partition(": ")
    known = {m.value: word for m, word in words.METRIC_WORDS.items()}
    return f"{known.get(metric, metric)}: {claim}"


def _cause(key: str, count: int) -> str:
    known = known_causes().get(key)
    return f"{known.title if known else key}: {counted(count, 'miss') if count == 1 else f'{count} misses'}"


def _doubt(doubt: Doubt) -> str:
    return f"{doubt.outcome[:_ID]} {words.METRIC_WORDS[doubt.metric]}: {doubt.reason}"


def repaired_page(found: Repaired) -> Page:
    """Say what a repair saved."""
    broken = " and what followed them" if found.broken_off else ""
    pairs = (
        ("saved", counted(found.saved, "outcome")),
        ("could not be read", f"{counted(found.lost, 'row')}{broken}"),
        ("the damaged file", str(found.kept_as)),
    )
    return Page("Store repaired", (Facts(pairs),))
