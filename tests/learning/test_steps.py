"""Steps between precisions come from networks that were measured in both."""

from dataclasses import replace

import pytest

from advisor.learning.steps import steps
from advisor.prediction.pooled.evidence import read_evidence


def rows(count, *, fp16, int8, runtime="a"):
    row = next(r for r in read_evidence() if r.unit == "npu")
    return [
        replace(row, runtime=runtime, network=f"net{i}", precision=precision, ms=str(ms * (i + 1)))
        for i in range(count)
        for precision, ms in (("fp16", fp16), ("int8", int8))
    ]


def test_the_middle_of_the_ratios_of_one_network_on_one_device():
    found = steps(rows(20, fp16=3, int8=1) + rows(20, fp16=5, int8=1, runtime="b"))
    assert found["npu"]["fp16/int8"] == pytest.approx((3, 4, 5, 40))
    assert found["npu"]["int8/fp16"][1] == pytest.approx(0.267, abs=0.001)


def test_few_networks_and_networks_of_one_precision_give_no_step():
    alone = [row for row in rows(30, fp16=3, int8=1) if row.precision == "fp16"]
    assert steps(rows(10, fp16=3, int8=1)) == {}
    assert steps(alone) == {}


def test_the_shipped_steps_are_those_of_the_evidence(tmp_path):
    from advisor.learning.steps import main
    from advisor.resources import data_dir

    main(tmp_path / "steps.yaml")
    shipped = data_dir("knowledge") / "prediction" / "precision_steps.yaml"
    assert (tmp_path / "steps.yaml").read_text() == shipped.read_text()
