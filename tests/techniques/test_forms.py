"""Plans for runtimes whose files cannot hold every form of weights."""

import pytest

from advisor.devices import load_device
from advisor.facts import plan_precision
from advisor.techniques.combine import candidates

from .builder import case, transformer


@pytest.mark.parametrize("forms", [("fp32", "int8"), ("fp32",), ("fp32", "w8", "fp16")])
def test_only_plans_that_the_files_can_hold_are_made(forms):
    board = load_device("raspberry-pi-4b")
    paths = tuple(path.model_copy(update={"forms": forms}) for path in board.paths)
    plans = candidates(case(transformer(), board.model_copy(update={"paths": paths})))
    assert {plan_precision(plan) for plan in plans} <= {"fp32", *forms}
    assert {plan_precision(plan) for plan in plans} >= {form for form in forms if form != "fp16"}


def test_paths_that_say_nothing_get_every_form():
    found = {plan_precision(plan) for plan in candidates(case(transformer()))}
    assert {"fp16", "int8", "int8-dynamic", "w8", "w4"} <= found
