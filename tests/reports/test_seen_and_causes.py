"""Reports say how often the like was seen, and what may have caused a miss."""

import pytest

from advisor.reports import words
from advisor.reports.markdown import to_markdown
from advisor.reports.run import run_page
from advisor.schema import Metric, Seen
from advisor.verification.causes import known_causes

from .builders import estimate, run


@pytest.mark.parametrize(
    ("seen", "said"),
    [(None, "roofline, n=12"), (Seen(times=4, low=1, mid=2, high=3), "roofline, n=12, seen here 4 times")],
)
def test_the_basis_tells_how_often_the_like_was_seen(seen, said):
    assert words.basis(estimate(Metric.LATENCY, 1, 2, 3).model_copy(update={"seen": seen})) == said


def missed(**fields):
    made = run(hit=False)
    verdict = made.verdicts[0].model_copy(update=fields)
    return to_markdown(run_page(made.model_copy(update={"verdicts": (verdict, *made.verdicts[1:])})))


def test_a_miss_shows_the_rules_of_its_cause_and_what_may_help():
    text = " ".join(missed(cause="fall_back", rules=("VM-06", "RT-05a")).split())
    assert "VM-06, RT-05a" in text
    assert known_causes()["fall_back"].title in text
    assert known_causes()["fall_back"].remedy in text


@pytest.mark.parametrize("cause", ["", "a cause of a later version"])
def test_without_a_known_cause_nothing_is_suggested(cause):
    assert "What may help" not in missed(cause=cause)
