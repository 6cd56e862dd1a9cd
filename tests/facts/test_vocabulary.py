"""The published schema of facts: every fact says its type, its unit or legal values, and how it is obtained."""

import pytest

from advisor.rules import load_vocabulary

VOCABULARY = load_vocabulary()


@pytest.mark.parametrize("name", VOCABULARY)
def test_a_fact_says_how_it_is_obtained(name):
    spec = VOCABULARY[name]
    assert len(spec.how) >= len("`--goal`")
    assert ("told by the user" in spec.how) == (spec.origin == "asked")


@pytest.mark.parametrize("name", [n for n, spec in VOCABULARY.items() if spec.type == "number"])
def test_a_number_has_a_unit_or_is_a_share_or_a_ratio(name):
    spec = VOCABULARY[name]
    bare = name.endswith(("ratio", "range_max", "cuda_cc", "weight_decay"))
    assert spec.unit or spec.bounds or bare


def test_no_fact_of_the_candidate_is_asked():
    assert [n for n, spec in VOCABULARY.items() if n.startswith(("rt.", "plan.")) and spec.origin == "asked"] == []
