"""Going through outcomes figure by figure: of which form and network each is, and none of them twice."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from advisor.schema import Metric

from .outcome import Figure, Outcome

PORTABLE = frozenset({Metric.SIZE, Metric.ACCURACY})  # the same wherever the file runs
UNKNOWN = "?"  # begins the key of a network that is not known
_SAME_SHAPE = frozenset({"static_int8", "dynamic_int8", "qat", "half", "weight_only", "sparsify"})


@dataclass(frozen=True)
class Reading:
    """A figure of an outcome; `unchanged`: of the model as it was, which was measured beside.

    `form` is the precision, of accuracy the techniques. A network that is not known is like no other.
    """

    outcome: Outcome
    figure: Figure
    form: str
    network: str
    unchanged: bool = False


def readings(outcomes: Iterable[Outcome]) -> Iterator[Reading]:
    """Yield every figure; size and accuracy of one artefact count once, however often it was measured again."""
    known: set[tuple[object, ...]] = set()
    for outcome in outcomes:
        for one in _of(outcome):
            if one.figure.metric in PORTABLE:
                key = (one.figure.metric, outcome.model_digest, one.network, outcome.form, one.figure.measured)
                if key in known:
                    continue
                known.add(key)
            yield one


def _of(outcome: Outcome) -> Iterator[Reading]:
    unknown = f"{UNKNOWN}{outcome.id}"
    for figure in outcome.figures:
        form = outcome.form if figure.metric is Metric.ACCURACY else outcome.precision
        yield Reading(outcome, figure, form, outcome.network or unknown)
    # Steps that leave MACs and parameters as they were leave both artefacts one network key.
    network = outcome.network if outcome.network and set(outcome.techniques) <= _SAME_SHAPE else unknown
    for figure in outcome.unchanged:
        yield Reading(outcome, figure, "fp32", network, unchanged=True)
