"""The whole decision for one workload, device and goal, as a record that can be stored and questioned."""

import hashlib
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from advisor import __version__
from advisor.devices import profile_digest
from advisor.facts import device_facts, goal_facts, model_facts, probe_facts
from advisor.progress import Progress, Silent
from advisor.rules import RuleBase, evaluate
from advisor.schema import Candidate, Device, Goal, Intake, Plan, ProbeRecord, Recommendation, Workload
from advisor.techniques.combine import candidates
from advisor.techniques.registry import Case
from advisor.uncollected import uncollected

from .evaluate import Evaluator, preview_of
from .information import weigh_unknowns
from .nearest import nearest
from .rank import decide
from .ready_made import ready_made
from .renumber import renumber
from .rule_digests import knowledge_version, rule_digests
from .store import kept
from .unknowns import most_wanted
from .weights import load_weights
from .yardstick import compared

FORMAT = 2  # of the stored record


def recommend_for(  # noqa: PLR0913  (what is known of the model, by name)
    workload: Workload,
    device: Device,
    goal: Goal,
    rules: RuleBase,
    *,
    random_weights: bool | None = None,
    model_spec: dict[str, Any] | None = None,
    intake: Intake | None = None,
    notes: tuple[str, ...] = (),
    probe: ProbeRecord | None = None,
    progress: Progress | None = None,
) -> Recommendation:
    """Propose plans, evaluate and rank them. Torch is not needed: the workload is all there is to know of the model.

    `probe` is what a look at the user's own model and images showed.
    """
    facts = model_facts(workload, random_weights=random_weights) | device_facts(device) | goal_facts(goal)
    if probe is not None:
        facts |= probe_facts(probe)
    plans = candidates(Case(workload, device, goal, facts))
    evaluator = Evaluator(workload, device, rules, facts, probe)
    # "Change the runtime only"; where the goal asks for the framework itself, that is "change nothing".
    reference = next((i for i, plan in enumerate(plans) if i and not plan.steps), 0)
    with uncollected():
        evaluated = compared(_evaluated(plans, evaluator, progress or Silent()), load_weights())
    ranked, winner = renumber(*decide(evaluated, goal, reference), baselines=reference + 1)
    case_findings = evaluate(rules, facts, "case")
    made = Recommendation(
        version=FORMAT,
        engine=__version__,
        knowledge=knowledge_version(rules),
        added_rules=rules.added,
        profile=profile_version(device),
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        model=workload.name,
        model_source=workload.source,
        model_spec=model_spec or {"workload": hashlib.sha256(workload.model_dump_json().encode()).hexdigest()},
        intake=intake,
        device=device.id,
        goal=goal,
        facts=facts,
        original=preview_of(workload, "fp32"),
        candidates=ranked,
        winner=winner,
        baseline=reference,
        case_findings=kept(case_findings),
        nearest=nearest(ranked, goal),
        ready_made=ready_made(next((c for c in ranked if c.number == winner), None), workload, device, facts),
        wanted=most_wanted(ranked, case_findings),
        probe=probe,
        rule_digests=rule_digests(rules),
        notes=notes,
    )
    return weigh_unknowns(made, rules)


def _evaluated(plans: Sequence[Plan], evaluator: Evaluator, progress: Progress) -> Iterator[Candidate]:
    progress.start("weighing plans", len(plans))
    for number, plan in enumerate(plans):
        yield evaluator.candidate(number, plan)
        progress.advance()
    progress.finish()


def profile_version(device: Device) -> str:
    """Return what a decision notes of the profile that it rests on."""
    return f"{device.id} {device.version} {profile_digest(device)[:12]}"
