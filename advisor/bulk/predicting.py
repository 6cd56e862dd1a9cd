"""One prediction per row: a published figure, the pooled model, or the engine that also serves `recommend`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from advisor.prediction.pooled.answer import EXPLAINED, answers
from advisor.prediction.pooled.pipelined import one_at_a_time
from advisor.prediction.pooled.published import CONFIDENCE, published
from advisor.prediction.pooled.store import pooled
from advisor.progress import Progress, Silent

from .engine import by_engine
from .resolving import Question, Unanswered, question

ADDED = ("low", "mid", "high", "basis", "confidence", "why")
_AT_ONCE = 512  # rows between two steps of the progress bar


@dataclass(frozen=True)
class Line:
    """A row and what was predicted for it: milliseconds of the whole batch, or the reason why nothing was."""

    row: Mapping[str, str]
    low: float | None = None
    mid: float | None = None
    high: float | None = None
    basis: str = ""
    confidence: float | None = None
    why: str = ""

    @property
    def added(self) -> dict[str, str]:
        """The new columns as text."""
        numbers = {name: getattr(self, name) for name in ("low", "mid", "high", "confidence")}
        text = {name: "" if value is None else f"{value:.4g}" for name, value in numbers.items()}
        return {**text, "basis": self.basis, "why": self.why}


def predict_rows(rows: Sequence[Mapping[str, str]], *, progress: Progress | None = None) -> list[Line]:
    """Predict every row of a table.

    Columns: device, and arch or model; unit, threads, runtime, precision, batch, input (1x3x224x224), metric (latency
    or throughput) where they are known; params_m and macs_g describe a network that has no known layers.
    Milliseconds are those of one inference at the row's batch.
    """
    listener = progress or Silent()
    listener.start("predicting", len(rows))
    lines: list[Line] = []
    for start in range(0, len(rows), _AT_ONCE):
        part = rows[start : start + _AT_ONCE]
        lines += _predicted(part)
        listener.advance(len(part))
    listener.finish()
    return lines


def _predicted(rows: Sequence[Mapping[str, str]]) -> list[Line]:
    found: dict[int, Line] = {}
    open_questions: list[tuple[int, Question]] = []
    for place, row in enumerate(rows):
        try:
            asked = question(row)
        except Unanswered as reason:
            found[place] = Line(row, why=str(reason))
            continue
        exact = _exact(row, asked)
        if exact is not None:
            found[place] = exact
        else:
            open_questions.append((place, asked))
    open_questions.sort(key=lambda item: item[1].setup.unit)
    for unit, items in groupby(open_questions, key=lambda item: item[1].setup.unit):
        for place, line in _from_model(unit, list(items), rows):
            found[place] = line
    return [found[place] for place in range(len(rows))]


def _exact(row: Mapping[str, str], asked: Question) -> Line | None:
    known = published(asked.device, asked.setup, asked.network)
    if known is None:
        return None
    batch = asked.setup.batch
    why = f"published measurements: {known.n} ({', '.join(known.sources)})"
    return Line(row, known.low * batch, known.ms * batch, known.high * batch, "published", CONFIDENCE, why)


def _from_model(
    unit: str, items: list[tuple[int, Question]], rows: Sequence[Mapping[str, str]]
) -> list[tuple[int, Line]]:
    """Answer what the pooled model can; the engine answers the rest."""
    model = pooled().units.get(unit)
    if model is None:
        return [(place, _by_engine(rows[place], asked)) for place, asked in items]
    setups = [one_at_a_time(model, asked.setup) for _, asked in items]
    replies = answers(model, [s for s, _ in setups], [a.network for _, a in items], [a.amounts for _, a in items])
    lines = []
    for (place, asked), (setup, factors), reply in zip(items, setups, replies, strict=True):
        if reply is None or asked.device.id == "host":
            lines.append((place, _by_engine(rows[place], asked)))
            continue
        mid = reply.ms * factors.mid * setup.batch
        remarks = [EXPLAINED[reply.support], reply.note, asked.remark, factors.note]
        low, high = mid * reply.low * factors.low, mid * reply.high * factors.high
        why = "; ".join(filter(None, remarks))
        lines.append((place, Line(rows[place], low, mid, high, "fitted", reply.confidence, why)))
    return lines


def _by_engine(row: Mapping[str, str], asked: Question) -> Line:
    try:
        estimate, confidence = by_engine(asked)
    except Unanswered as reason:
        return Line(row, why=str(reason))
    return Line(row, estimate.low, estimate.mid, estimate.high, str(estimate.basis), confidence, estimate.note)
