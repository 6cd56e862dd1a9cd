"""From the record of a run to the outcome that is kept of it."""

import logging
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from advisor.errors import AdvisorError
from advisor.prediction.seen import network_key
from advisor.ranking.rule_digests import knowledge_version
from advisor.rules import RuleBase
from advisor.schema import Device, Estimate, Finding, Measurement, Metric, RunRecord, Step, Verdict

from .effects import effects
from .outcome import Figure, Outcome
from .places import place_of

MEASURED_ON = "measured_on"  # of a run's environment: the profile's id where a board measured, not this machine
_KEPT = ("load_average", "governor", "clock_mhz", "throttle_events", "throttled", "system", "python")
_PER_RUN = (Metric.LATENCY, Metric.MEMORY)  # measured of the unchanged model too


def outcome_of(
    run: RunRecord,
    host: Device,
    *,
    by: Literal["apply", "verify"],
    unchanged: Mapping[Metric, Estimate] | None = None,
    findings: Iterable[Finding] = (),
    rules: RuleBase | None = None,
) -> Outcome:
    """Return the outcome of a run.

    `unchanged` are the predictions for the unmodified model where the run was measured, `findings` what `rules` said
    of the plan.
    """
    seen = run.environment
    device = seen.get(MEASURED_ON, host.id)
    runtime = seen.get("runtime", run.plan.runtime)
    unit = seen.get("unit", "cpu" if device == host.id else run.plan.unit)
    return Outcome(
        recorded=datetime.now(UTC).isoformat(timespec="seconds"),
        by=by,
        device=device,
        machine=host.soc if device == host.id else "",
        target=run.device,
        model=Path(run.model).name,
        model_digest=run.model_digest,
        network=network_key(run.preview.macs, run.preview.params),
        techniques=run.done.techniques,
        steps=tuple(_settings(step) for step in run.done.steps),
        precision=run.preview.precision,
        runtime=f"{runtime}/{unit}",
        runtime_version=seen.get(runtime, ""),
        threads=_count(seen.get("threads", "")) or 1,
        random_weights=seen.get("random_weights") == "true",
        accuracy_metric=run.data.metric if run.data else "",
        figures=tuple(_figure(verdict, verdict.measured) for verdict in run.verdicts if verdict.measured is not None),
        unchanged=tuple(_unchanged(run, unchanged or {})),
        effects=effects(run, findings, rules, on_target=device == run.device),
        environment={name: seen[name] for name in _KEPT if name in seen},
        engine=run.engine,
        knowledge="" if rules is None else knowledge_version(rules),
    ).named()


def kept(run: RunRecord, host: Device, named: str | None = None, **known: Any) -> RunRecord:
    """Record the outcome of a run, and return the run with a note where that failed; nothing here stops a run.

    `named` is the store where it is not the usual one; what else is known goes to `outcome_of`.
    """
    place = place_of(named)
    if place is None:
        return run
    try:
        from .store import Store

        Store(place).add([outcome_of(run, host, **known)])
    except AdvisorError as error:
        said = f"{error.what}. {error.remedy}".rstrip()
    except Exception as error:  # the run is whole and measured: nothing about the store may take it away
        logging.getLogger(__name__).debug("recording failed", exc_info=True)
        said = f"{type(error).__name__}: {error}."
    else:
        return run
    return run.model_copy(update={"notes": (*run.notes, f"The outcome was not recorded: {said}")})


def _settings(step: Step) -> dict[str, Any]:
    """Return settings that are one value; lists of layers and widths are in the run's own record."""
    return {name: value for name, value in step.model_dump(mode="json").items() if not isinstance(value, list | dict)}


def _figure(verdict: Verdict, measured: Measurement) -> Figure:
    judged = {"hit": verdict.hit, "cause": verdict.cause, "rules": verdict.rules}
    return _filled(measured, measured.value, verdict.predicted).model_copy(update=judged)


def _filled(measured: Measurement, value: float, predicted: Estimate | None) -> Figure:
    shift = value - measured.value
    figure = Figure(
        metric=measured.metric, measured=value, measured_low=measured.low + shift, measured_high=measured.high + shift,
        conclusive=measured.conclusive, note="" if measured.conclusive else measured.note,
    )  # fmt: skip
    if predicted is None:
        return figure
    seen = predicted.seen
    return figure.model_copy(
        update={
            "basis": predicted.basis.value, "predictor": predicted.predictor, "low": predicted.low,
            "mid": predicted.mid, "high": predicted.high, "figures": predicted.figures,
            "raw": None if seen is None else (seen.low, seen.mid, seen.high),
        }
    )  # fmt: skip


def _unchanged(run: RunRecord, predicted: Mapping[Metric, Estimate]) -> Iterator[Figure]:
    """Yield what was measured of the unchanged model beside the plan's, where it was predicted."""
    if not run.done.steps:
        return  # it is the plan's own
    for measured in run.measurements:
        estimate, value = predicted.get(measured.metric), measured.baseline_value
        if measured.metric in _PER_RUN and estimate is not None and value:
            yield _filled(measured, value, estimate).model_copy(update={"hit": estimate.low <= value <= estimate.high})


def _count(text: str) -> int | None:
    return int(text) if text.isdigit() else None
