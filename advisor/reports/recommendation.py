"""The page of a recommendation: the decision first, then the ranking, then everything that was ruled out and why."""

from advisor.schema import Candidate, LimitCheck, Metric, Recommendation

from . import words
from .intake import limits_line, opened_line
from .page import Block, Box, Column, Facts, Items, Line, Page, Paragraph, Span, Table, Tone, filled
from .probe import probe_blocks
from .reasons import reasons, steps, warnings
from .rejections import rejected_block

_OF_SOME = (Metric.FLASH, Metric.THROUGHPUT)  # told where they exist; other metrics are said to be unknown
_FATE_TONES: dict[str, Tone] = {"recommended": "good", "dominated": "muted"}


def recommendation_page(recommendation: Recommendation, top: int = 10) -> Page:
    """Lay out a recommendation; `top` is the number of plans in the ranking."""
    blocks = (
        header(recommendation),
        decision(recommendation),
        ranking(recommendation, top),
        *probe_blocks(recommendation),
        ready_made(recommendation),
        rejected_block(recommendation),
        Items(recommendation.unknown, "Unknown, and worth measuring next"),
        Items(recommendation.notes, "Notes"),
        provenance(recommendation),
    )
    return Page(f"{recommendation.model} on {recommendation.device}", filled(blocks))


def header(recommendation: Recommendation) -> Facts:
    """Say what was asked: the model, the device, the goal and the data."""
    facts, original = recommendation.facts, recommendation.original
    device = [str(facts[name]) for name in ("dev.kind", "dev.vendor") if name in facts]
    if "dev.confidence" in facts:
        device.append(f"profile: {facts['dev.confidence']}")
    pairs: list[tuple[str, Line]] = [
        ("model", (Span(recommendation.model, "strong"), ": ", words.original_line(facts, original))),
        ("device", (Span(recommendation.device, "strong"), ": ", ", ".join(device) or "no facts")),
        ("goal", words.goal(recommendation.goal)),
    ]
    if recommendation.intake is not None:
        pairs[1:1] = [
            (label, line)
            for label, line in (
                ("opened", opened_line(recommendation.intake)),
                ("limits", limits_line(recommendation.intake)),
            )
            if line
        ]
    data = recommendation.goal.data
    if data.images:
        pairs.append(("data", f"{data.images} images, {data.labelled} labelled: {data.train} train, {data.test} test"))
    return Facts(tuple(pairs))


def decision(recommendation: Recommendation) -> Box:
    """Show the winner, or say which limit binds."""
    winner = recommendation.recommended
    if winner is None:
        told = Items(recommendation.nearest or ("Every plan was ruled out; the reasons are below.",))
        return Box("No plan meets the limits", (told,), "bad")
    return candidate_box(recommendation, winner, f"Recommended: plan {winner.number}")


def candidate_box(recommendation: Recommendation, candidate: Candidate, title: str) -> Box:
    """Show one candidate with its predictions, reasons, steps and warnings."""
    plan = candidate.plan
    threads = f", {plan.threads} threads" if plan.threads else ""
    remark = f" - {candidate.remark}" if candidate.remark else ""
    what: Line = (Span(plan.label, "strong"), f" on {plan.path}{threads}", Span(remark, "warn"))
    blocks: tuple[Block, ...] = (
        Paragraph(what),
        predictions(candidate),
        Items(tuple(_limit_line(check) for check in candidate.limits), "Limits"),
        reasons(candidate),
        steps(recommendation, candidate),
        warnings(recommendation, candidate),
    )
    tone: Tone = "good" if candidate.status == "recommended" else "plain"
    return Box(title, filled(blocks), tone)


def predictions(candidate: Candidate) -> Table:
    """Tabulate the estimates with their intervals, their gains and what each rests on."""
    columns = (
        Column("predicted"),
        Column("", right=True),
        Column("80 % interval"),
        Column("gain"),
        Column("rests on", wrap=True),
    )
    told = [metric for metric in Metric if metric not in _OF_SOME or metric in candidate.estimates]
    rows = tuple(_prediction_row(candidate, metric) for metric in told)
    baselines = tuple(dict.fromkeys(g.baseline for m, g in candidate.gains.items() if m is not Metric.ACCURACY))
    note = f"Gain: cost of the unchanged model on {' or '.join(baselines)} over that of this plan." if baselines else ""
    apart = (words.parts(candidate.estimates[m]) for m in (Metric.MEMORY, Metric.FLASH) if m in candidate.estimates)
    known = candidate.estimates.get(Metric.ACCURACY)
    beside = words.published(known) if known is not None else ""
    return Table(columns, rows, note=" ".join(filter(None, (note, *apart, beside))))


def _prediction_row(candidate: Candidate, metric: Metric) -> tuple[Line, ...]:
    estimate, gain = candidate.estimates.get(metric), candidate.gains.get(metric)
    name = words.METRIC_WORDS[metric]
    if estimate is None:
        return name, "-", "-", "-", Span("cannot be predicted here", "muted")
    gained: Line = "-"
    if gain is not None and metric is not Metric.ACCURACY:
        gained = Span(words.gain(gain), "good" if gain.mid > 1 else "bad" if gain.mid < 1 else "plain")
    value = Span(words.amount(estimate.mid, metric), "strong")
    return name, value, words.interval(estimate), gained, words.basis(estimate)


def _limit_line(check: LimitCheck) -> Line:
    if check.met is None:
        return words.limit(check.limit), ": ", Span("unknown", "warn"), f", {check.needed}"
    verdict = Span("met", "good") if check.met else Span("missed", "bad")
    chance = "" if check.probability is None else f" (chance {check.probability:.0%})"
    return words.limit(check.limit), ": ", verdict, f"{chance}, {check.needed}"


def ranking(recommendation: Recommendation, top: int) -> Table:
    """Tabulate the plans that are possible, best first; without one, those that only miss a limit."""
    possible = [c for c in recommendation.candidates if c.status != "rejected"]
    title, shown = "Ranking", possible[:top]
    if not possible:
        title = "Plans that miss only a limit"
        shown = [c for c in recommendation.candidates if all(r.startswith("limit ") for r in c.rejected_by)][:top]
    metric = words.leading_metric(recommendation.goal)
    columns = (
        Column("#", right=True),
        Column("plan", wrap=True),
        Column("runtime", wrap=True),
        Column("latency\nms", right=True),
        Column(f"{words.METRIC_WORDS[metric]}\ngain", right=True),
        Column("size\nMB", right=True),
        Column("top-1\npp", right=True),
        Column("status"),
    )
    rest = len(possible) - len(shown)
    note = f"{rest} more with --top {len(possible)}." if rest > 0 else ""
    return Table(columns, tuple(_ranking_row(c, metric) for c in shown), title, note)


def ready_made(recommendation: Recommendation) -> Table:
    """Tabulate what smaller published networks would give in the winner's place."""
    columns = (
        Column("network"),
        Column("top-1 %", right=True),
        Column("latency\nms", right=True),
        Column("points", right=True),
        Column("against the plan", wrap=True),
    )
    rows = tuple(
        (one.network, f"{one.top1:.1f}", words.number(one.latency.mid, Metric.LATENCY),
         words.number(one.accuracy.mid, Metric.ACCURACY), one.verdict)
        for one in recommendation.ready_made
    )  # fmt: skip
    note = "Published weights of ImageNet in the plan's runtime and precision; on other data they are trained anew."
    return Table(columns, rows, "A smaller ready-made network would give", note if rows else "")


def _ranking_row(candidate: Candidate, metric: Metric) -> tuple[Line, ...]:
    gain = candidate.gains.get(metric)
    figures = [_middle(candidate, one) for one in (Metric.LATENCY, Metric.SIZE, Metric.ACCURACY)]
    return (
        str(candidate.number),
        Span(candidate.plan.label, "strong" if candidate.status == "recommended" else "plain"),
        words.where(candidate.plan),
        figures[0],
        words.ratio(gain.mid) if gain else "-",
        figures[1],
        figures[2],
        Span(words.fate(candidate), _FATE_TONES.get(candidate.status, "plain")),
    )


def _middle(candidate: Candidate, metric: Metric) -> str:
    estimate = candidate.estimates.get(metric)
    return "-" if estimate is None else words.number(estimate.mid, metric)


def provenance(recommendation: Recommendation) -> Paragraph:
    """Say which versions decided."""
    text = (
        f"advisor {recommendation.engine}, knowledge {recommendation.knowledge}, profile {recommendation.profile}, "
        f"{recommendation.created}"
    )
    return Paragraph(Span(text, "muted"))
