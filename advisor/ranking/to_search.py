"""Which plan a search for the strongest setting within a limit of accuracy starts from."""

from advisor.schema import Candidate, Metric, Recommendation

_ONLY = f"limit {Metric.ACCURACY.value}"


def to_search(recommendation: Recommendation) -> Candidate | None:
    """Return the recommended candidate, or the best one that changes the network.

    A plan that is only predicted to lose too much is no worse a start than others: weaker settings of it will be tried.
    """
    chosen = recommendation.recommended
    if chosen is not None and chosen.plan.steps:
        return chosen
    able = [
        candidate
        for candidate in recommendation.candidates
        if candidate.plan.steps
        and candidate.appliable
        and all(reason.startswith(_ONLY) for reason in candidate.rejected_by)
    ]
    return max(able, key=lambda one: (one.utility or 0.0, -one.number), default=None)
