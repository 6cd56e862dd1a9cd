"""The page of a model: what it is, how it is known, and what can be done with it."""

from advisor.schema import Ability, Intake
from advisor.units import si

from . import words
from .page import Column, Facts, Items, Line, Page, Paragraph, Span, Table, filled

_ACTIONS = {
    "profile": "count its operations and predict its costs",
    "preview": "preview what compression makes of it",
    "quantize": "quantize it here",
    "prune": "prune and fine-tune it here",
}


def intake_page(intake: Intake) -> Page:
    """Lay out what opening a model found."""
    blocks = (
        Facts(tuple((label, value) for label, value in _pairs(intake) if value)),
        _nearest(intake),
        _abilities(intake),
        Items(intake.notes, "Notes"),
        _way_out(intake),
    )
    return Page(f"{intake.name}: what it is", filled(blocks))


def opened_line(intake: Intake) -> Line:
    """Say in one line what was opened and how the architecture is known."""
    parts = [intake.kind]
    if intake.arch and intake.recognised:
        parts.append(f"{intake.arch} ({intake.recognised})")
    if intake.quantized:
        parts.append("int8 already")
    if intake.random_weights:
        parts.append("random weights")
    return ", ".join(parts)


def limits_line(intake: Intake) -> Line:
    """Name what cannot be done with the model in this form; empty where everything can."""
    missing: dict[str, list[str]] = {}
    for ability in intake.abilities:
        if not ability.possible:
            missing.setdefault(ability.why, []).append(ability.action)
    told = "; ".join(f"no {' or '.join(actions)}: {why}" for why, actions in missing.items())
    return Span(told, "warn") if told else ""


def _pairs(intake: Intake) -> tuple[tuple[str, Line], ...]:
    classes = f", {intake.classes} classes" if intake.classes else ""
    known = f"{intake.arch} ({intake.recognised})" if intake.arch and intake.recognised else intake.arch
    return (
        ("source", intake.source),
        ("kind", intake.kind),
        ("network", Span(known, "strong") if known else Span("not recognised", "warn")),
        ("fits as well", ", ".join(intake.twins)),
        ("task", f"{intake.task}{classes}" if intake.task else "" if intake.format == "weights" else "not recognised"),
        ("head", intake.head or ""),
        ("input", ", ".join(one.text for one in intake.inputs)),
        ("images", intake.preprocessing),
        ("output", ", ".join(words.shape(one) for one in intake.outputs[:6])),
        ("weights", f"{si(intake.parameters)} parameters in {intake.tensors} tensors"),
        ("int8", {True: "yes, quantized already", False: "no", None: ""}[intake.quantized]),
        ("file", words.megabytes(intake.bytes) if intake.bytes else ""),
        ("sha256", ", ".join(digest[:16] for digest in intake.sha256.values())),
    )


def _nearest(intake: Intake) -> Table:
    columns = (Column("nearest"), Column("alike", right=True), Column("what differs", wrap=True))
    rows = tuple((near.arch, f"{near.similarity:.0%}", "; ".join(near.differs)) for near in intake.nearest)
    return Table(columns, rows, note="Alike: share of the tensors that have the same name and shape." if rows else "")


def _abilities(intake: Intake) -> Table | Paragraph:
    reasons = {ability.why for ability in intake.abilities}
    if len(reasons) == 1 and all(reasons):
        return Paragraph(("Nothing can be done with it so far: ", reasons.pop(), "."))
    return Table(
        (Column("can advisor ..."), Column(""), Column("why not", wrap=True)),
        tuple(_row(ability) for ability in intake.abilities),
    )


def _row(ability: Ability) -> tuple[Line, ...]:
    sign = Span("yes", "good") if ability.possible else Span("no", "bad")
    return _ACTIONS[ability.action], sign, ability.why


def _way_out(intake: Intake) -> Paragraph | None:
    if intake.format != "weights":
        return None
    return Paragraph(
        "Name the network with --arch timm:NAME or torchvision:NAME, or with --arch python:MODULE:FUNCTION --trust for "
        "a function of your own that returns it."
    )
