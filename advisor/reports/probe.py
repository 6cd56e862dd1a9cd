"""The part of a recommendation that tells what the probe saw: plans, layers and groups."""

from advisor.schema import Probed, ProbeRecord, Recommendation

from .page import Block, Column, Items, Line, Paragraph, Span, Table

_PLANS, _LAYERS, _GROUPS = 12, 6, 5  # rows that are shown


def probe_blocks(recommendation: Recommendation) -> tuple[Block, ...]:
    """Lay out the probe; nothing where there was none."""
    probe = recommendation.probe
    if probe is None:
        return ()
    return _told(probe), _plans(recommendation, probe), _layers(probe), _groups(probe), Items(probe.notes)


def _told(probe: ProbeRecord) -> Paragraph:
    judged = f"{probe.images} images that no calibration and no training saw"
    if probe.labelled and probe.original is not None:
        what = f"{probe.metric} of the unchanged model {probe.original:.2f} {probe.unit} on {judged}"
    else:
        what = (
            f"{judged}, without labels: agreement is how many answers stay those of the unchanged model, which is no "
            "accuracy"
        )
    if probe.seen:
        what += (
            ". They are of the part for training: a network that was trained on them loses more on others, which the "
            "predictions reckon with; a folder val/ of images that it never saw tells more"
        )
    return Paragraph(f"{probe.spent_s:.0f} s in {probe.runtime}; {what}.", "Probe")


def _plans(recommendation: Recommendation, probe: ProbeRecord) -> Table:
    columns = (
        Column("plan", wrap=True), Column("answers\nthat stay", right=True), Column("points", right=True),
        Column("95 % interval", right=True), Column("trained"),
    )  # fmt: skip
    known = [one for one in probe.probed if one.known]
    missing = [one for one in probe.probed if not one.known]
    note = f"{len(known) - _PLANS} more in --json. " if len(known) > _PLANS else ""
    note += "Their predictions above are updated by it. " if known else ""
    for reason in dict.fromkeys(one.reason for one in missing):
        note += f"Not looked at, {reason}: {', '.join(one.plan.label for one in missing if one.reason == reason)}. "
    return Table(columns, tuple(_plan(one) for one in known[:_PLANS]), "What plans do to this model", note)


def _plan(one: Probed) -> tuple[Line, ...]:
    stay = "-" if one.agreement is None else f"{one.agreement:.1f} %"
    points = "-" if one.delta is None else f"{one.delta:+.2f}"
    span = "-" if one.low is None or one.high is None else f"{one.low:+.2f} to {one.high:+.2f}"
    trained = f"{one.epochs} of {one.planned} epochs" if one.planned else "no"
    return one.plan.label, stay, points, span, trained


def _layers(probe: ProbeRecord) -> Table:
    columns = (
        Column("layer", wrap=True), Column("share of\nthe error", right=True), Column("answers\nthat stay", right=True),
        Column("weights", right=True), Column("inputs", right=True), Column("", wrap=True),
    )  # fmt: skip
    rows = tuple(
        (one.layer, f"{one.share:.0%}", f"{one.agreement:.1f} %", _ratio(one.weight_ratio), _ratio(one.input_ratio),
         Span("at risk", "warn") if one.at_risk else "")
        for one in probe.layers[:_LAYERS]
    )  # fmt: skip
    whole = "" if probe.whole_sqnr_db is None else f"All layers together leave {probe.whole_sqnr_db:.1f} dB. "
    note = whole + (
        "One layer at a time in int8. Weights: largest over smallest range of a channel; inputs: largest over their "
        "99.9th percentile. With --max-drop, `apply` keeps layers in float until the limit holds."
    )
    return Table(columns, rows, "Layers that int8 harms most", note if rows else "")


def _groups(probe: ProbeRecord) -> Table:
    columns = (Column("group", wrap=True), Column("technique"), Column("answers\nthat stay", right=True))
    rows = tuple((one.part, one.technique, f"{one.agreement:.1f} %") for one in probe.groups[:_GROUPS])
    note = "One group at a time, untrained." if rows else ""
    return Table(columns, rows, "Groups that pruning and low rank harm most", note)


def _ratio(value: float | None) -> str:
    return "-" if value is None else f"{value:.0f}" if value >= 100 else f"{value:.2g}"
