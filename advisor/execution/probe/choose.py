"""Which plans a probe looks at: those that may be recommended, each network once, untrained ones first."""

from collections.abc import Iterable

from advisor.schema import Candidate, Metric, Plan, Recommendation, Step, alike

DEFAULT_S = 180.0  # seconds that a probe takes unless told otherwise
MOST = 16
_BY_ACCURACY = f"limit {Metric.ACCURACY.value}"


def chosen(recommendation: Recommendation) -> tuple[tuple[Plan, ...], tuple[Plan, ...]]:
    """Return the plans to look at, best first: those that are not trained, and those that are.

    A plan that only its predicted loss has ruled out is looked at: the prediction is what is in doubt.
    """
    plans: list[Plan] = []
    for candidate in sorted(recommendation.candidates, key=_rank):
        if _possible(candidate) and not any(alike(candidate.plan, known) for known in plans):
            plans.append(candidate.plan)
    trained = [plan for plan in plans if epochs_of(plan.steps)]
    untrained = [plan for plan in plans if not epochs_of(plan.steps)]
    return tuple(untrained[:MOST]), tuple(trained[:MOST])


def _rank(candidate: Candidate) -> tuple[bool, bool, int]:
    return candidate.status == "rejected", candidate.status == "dominated", candidate.number


def _possible(candidate: Candidate) -> bool:
    """Whether the plan changes the network, can be carried out, and is that network still."""
    steps = candidate.plan.steps
    return (
        bool(steps)
        and candidate.appliable
        and not any(getattr(step, "student", None) for step in steps)  # another network, to be trained from its start
        and all(reason.startswith(_BY_ACCURACY) for reason in candidate.rejected_by)
    )


def epochs_of(steps: Iterable[Step]) -> int:
    """Return the epochs of all steps."""
    return sum(int(getattr(step, "epochs", 0)) for step in steps)


def shortened(steps: tuple[Step, ...], epochs: int) -> tuple[Step, ...]:
    """Return the steps with their trainings cut to about so many epochs in all, each at least one."""
    share = min(1.0, epochs / max(1, epochs_of(steps)))
    return tuple(
        step.model_copy(update={"epochs": max(1, int(step.epochs * share))}) if getattr(step, "epochs", 0) else step  # type: ignore[attr-defined]
        for step in steps
    )
