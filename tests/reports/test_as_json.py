import json
import math

from advisor.reports.as_json import as_json
from advisor.rules.problems import Problem
from advisor.schema import Basis, Estimate, Metric, Recommendation

from . import builders


def test_a_recommendation_survives_the_trip():
    written = json.loads(as_json(builders.recommendation()))
    assert Recommendation.model_validate(written) == builders.recommendation()


def test_figures_that_are_not_finite_become_null():
    estimate = Estimate(metric=Metric.LATENCY, low=1.0, mid=2.0, high=math.inf, basis=Basis.ASSUMED, predictor="test")
    written = json.loads(as_json(estimate), parse_constant=lambda name: f"not JSON: {name}")
    assert (written["low"], written["high"]) == (1.0, None)


def test_sets_dataclasses_and_paths_are_written(tmp_path):
    value = {"set": frozenset({"b", "a"}), "problem": Problem("error", "load", "", "m"), "path": tmp_path}
    written = json.loads(as_json(value))
    assert written["set"] == ["a", "b"]
    assert written["problem"]["severity"] == "error"
    assert written["path"] == str(tmp_path)
