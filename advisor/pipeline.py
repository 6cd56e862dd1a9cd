"""The journeys: functions of the rooms called in order, nothing else. Questions about an answer are in `questions`."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from advisor import cache
from advisor.devices import load_device
from advisor.devices.power import in_power_mode
from advisor.errors import GoalError, NotApplicable, UnknownNetwork
from advisor.facts.abilities import unknown_network
from advisor.learning.outcomes import kept, taught
from advisor.progress import Progress
from advisor.ranking.store import load_recommendation, restored, save_recommendation
from advisor.rules import RuleBase
from advisor.rules.sources import rules_in_use
from advisor.rules.sources import told as told_rules
from advisor.schema import Device, Goal, Intake, ProbeRecord, Profiled, Recommendation, RunRecord, Workload

if TYPE_CHECKING:
    from torch import nn

    from advisor.execution.search import Asked
    from advisor.onboard import Board

    Model = str | Path | nn.Module

__all__ = [
    "apply",
    "identify",
    "load_recommendation",
    "opened",
    "profile",
    "recommend",
    "save_recommendation",
    "verify",
]


def profile(model: "Model", *, batch: int = 1, **options: Any) -> Workload:
    """Profile a model: a name, a file or an nn.Module. Options are those of `advisor.loading.load`."""
    return opened(model, batch, options).workload


def identify(model: "Model", *, batch: int = 1, **options: Any) -> Intake:
    """Say what a model is and what can be done with it, also where the network behind a file of weights is unknown."""
    try:
        return opened(model, batch, options).intake
    except UnknownNetwork as error:
        return error.intake.model_copy(update={"abilities": unknown_network()})


def opened(model: "Model", batch: int, options: dict[str, Any]) -> Profiled:
    """Open and profile a model, or remember it."""
    key = cache.key(model, options, batch)
    found = cache.read(key)
    if found is None:
        from advisor.intake import open_model

        found = open_model(model, batch, options)
        cache.write(key, found)
        spec = dict(found.spec)  # a stored plan names the model in these words when it is questioned
        cache.write(cache.key(spec.pop("spec", ""), spec, int(spec.pop("batch", batch))), found)
    return found


def recommend(  # noqa: PLR0913  (what may be asked, by name)
    model: "Model",
    target: str,
    *,
    goal: Goal | None = None,
    data: Any = None,
    rules: tuple[Path, ...] = (),
    outcomes: str | None = None,
    probe_s: float | None = None,
    probe: ProbeRecord | None = None,
    progress: Progress | None = None,
    **options: Any,
) -> Recommendation:
    """Rank compression plans for a model on a device.

    With `probe_s` the plans are first looked at on the user's images for about so many seconds, and what is predicted
    of the accuracy is updated; `probe` is such a look of earlier.
    `rules` are folders with rules of one's own, `outcomes` names the store of earlier outcomes where it is not the
    usual one. Options are those of `advisor.loading.load`.
    """
    from advisor.execution.data import data_facts
    from advisor.runtimes import check_installed

    if probe_s is not None and data is None:
        raise GoalError("a probe needs images", remedy="Name them with --data; they need no labels.")
    goal = goal or Goal()
    base = rules_in_use(rules)
    device = load_device(target)  # a misspelt device should fail before a large model is opened
    check_installed(device, goal)
    if goal.power_mode is not None:
        device = in_power_mode(device, goal.power_mode)
    device, learnt = taught(device, outcomes)
    if data is not None:
        goal = goal.model_copy(update={"data": data_facts(data)})
    profiled = opened(model, goal.batch, options)
    decide = partial(_decide, profiled, device, goal, base, learnt, progress)
    if probe_s is not None:
        probe = _probed(decide(None), profiled, device, data, probe_s, progress)
    return decide(probe)


def _probed(
    first: Recommendation, profiled: Profiled, device: Device, data: Any, seconds: float, progress: Progress | None
) -> ProbeRecord:
    """Look at the plans of a first recommendation on the user's images."""
    from advisor.execution.probe.run import probe
    from advisor.loading import load

    return probe(first, load(**profiled.spec), device, data, budget_s=seconds, seed=first.goal.seed, progress=progress)


def _decide(
    profiled: Profiled,
    device: Device,
    goal: Goal,
    base: RuleBase,
    learnt: tuple[str, ...],
    progress: Progress | None,
    probe: ProbeRecord | None,
) -> Recommendation:
    from advisor.ranking.decision import recommend_for

    return recommend_for(
        profiled.workload,
        device,
        goal,
        base,
        random_weights=profiled.intake.random_weights,
        model_spec=profiled.spec,
        intake=profiled.intake,
        notes=(*profiled.intake.notes, *filter(None, (device.power.thermal,)), *learnt, *told_rules(base)),
        probe=probe,
        progress=progress,
    )


def apply(  # noqa: PLR0913  (what may be asked, by name)
    plan: "Recommendation | Model",
    *,
    data: Any = None,
    out: Path,
    number: int | None = None,
    target: str | None = None,
    goal: Goal | None = None,
    limit: "Asked | None" = None,
    seed: int = 0,
    resume: bool = False,
    restart: bool = False,
    record: bool = True,
    outcomes: str | None = None,
    progress: Progress | None = None,
    **options: Any,
) -> RunRecord:
    """Carry a plan out: a recommendation, a stored one, or a model for which one is made first (`target`, `goal`).

    Without `data` only plans that need no images are made and carried out. With a `limit` the strongest setting of the
    plan that keeps within it is searched for. `resume` goes on with a run that something stopped, `restart` begins it
    anew. What came of it is recorded in the store of outcomes unless `record` is False.
    """
    from advisor.execution import apply_plan
    from advisor.execution.hardware import helping
    from advisor.execution.working import begun
    from advisor.loading import load
    from advisor.profiling import profile as profile_loaded
    from advisor.ranking.evaluate import predict_anew, predict_here
    from advisor.ranking.to_search import to_search
    from advisor.runtimes import measured_in

    if isinstance(plan, str | Path) and str(plan).endswith(".json"):
        plan = load_recommendation(Path(plan))
    if not isinstance(plan, Recommendation):
        goal = goal or Goal()
        if data is None:
            goal = goal.model_copy(update={"budget": "none"})
        plan = recommend(plan, target or "host", goal=goal, data=data, outcomes=outcomes, progress=progress, **options)
        stopped = begun(Path(out)) if resume and number is None else None
        if stopped is not None:  # what is free on this machine may have changed, and with it the first plan
            number = next((c.number for c in plan.candidates if c.plan == stopped.plan), None)
    first = plan.recommended if limit is None else to_search(plan)
    chosen = first if number is None else plan.by_number.get(number)
    if chosen is None:
        what = "no plan meets the limits" if number is None else f"there is no candidate {number}"
        raise NotApplicable(what, remedy=f"Choose one of 0 to {max(plan.by_number)} with --plan.")
    loaded = load(**plan.model_spec)
    workload = profile_loaded(loaded, batch=plan.goal.batch)
    (device, _), (host, _) = (taught(load_device(name), outcomes) for name in (plan.device, "host"))
    facts, probe, base = restored(plan.facts), plan.probe, rules_in_use(())
    runtime = measured_in(chosen.plan, plan.device)
    predicted_here, gains_here = predict_here(chosen.plan, workload, facts, host, probe, runtime)
    run = apply_plan(
        chosen.plan,
        loaded,
        data_dir=data,
        out=Path(out),
        device=device,
        predicted=chosen.estimates,
        predicted_here=predicted_here,
        gains_here=gains_here,
        preview=chosen.preview,
        candidate=chosen.number,
        seed=seed,
        resume=resume,
        restart=restart,
        limit=limit,
        predict=lambda settled: predict_anew(settled, workload, device, base, facts, host, probe, runtime),
        progress=progress,
    )
    if not record or helping():
        return run
    bare = chosen.plan.model_copy(update={"steps": ()})
    unchanged, _ = predict_here(bare, workload, facts, host, runtime=runtime)
    findings = chosen.findings if run.search is None else ()  # a search settles on another plan
    return kept(run, host, outcomes, by="apply", unchanged=unchanged, findings=findings, rules=base)


def verify(
    run_dir: Path,
    *,
    data: Any = None,
    measured: Path | None = None,
    board: "Board | None" = None,
    record: bool = True,
    outcomes: str | None = None,
    progress: Progress | None = None,
) -> RunRecord:
    """Measure a run's artefacts again and compare with what was predicted; `data` says where its images are now.

    Instead of this machine, a `board` may measure them, or have `measured` them already (results.json of its kit);
    then the prediction for that device is judged. What came of it is recorded in the store of outcomes unless `record`
    is False.
    """
    from advisor.onboard import verify_measured, verify_on
    from advisor.verification import verify_run

    if board is not None:
        run = verify_on(Path(run_dir), board, progress)
    elif measured is not None:
        run = verify_measured(Path(run_dir), measured)
    else:
        run = verify_run(Path(run_dir), data=data, progress=progress)
    return kept(run, load_device("host"), outcomes, by="verify") if record else run
