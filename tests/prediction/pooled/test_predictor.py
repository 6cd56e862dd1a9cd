"""How sure the pooled model says that it is."""

import pytest

from advisor.devices import load_device
from advisor.prediction.engine import predict_all
from advisor.schema import Metric, Plan

from ..networks import pointwise


@pytest.mark.parametrize(
    ("device", "first"),
    [("x86-avx512-vnni", "pooled measurements"), ("unpublished with AMX", "roofline")],
)
def test_efficiencies_fitted_to_a_class_come_before_what_another_class_teaches(device, first):
    if device == "unpublished with AMX":
        found = load_device("azure-d64s-v6").model_copy(update={"id": "unpublished"})
    else:
        found = load_device(device)
    network = pointwise((256, 256))
    plan = Plan(runtime="ncnn", unit="cpu", threads=1)
    answers = predict_all(plan, network, network, found, {})[Metric.LATENCY]
    assert answers[0].estimate.predictor == first
    assert {a.estimate.predictor for a in answers} >= {"pooled measurements", "roofline"}
