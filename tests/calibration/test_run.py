import pytest

from advisor.calibration.artefacts import FORMS
from advisor.calibration.collect import REFERENCE, Collected
from advisor.calibration.probes import STACKS, probes
from advisor.calibration.run import condensed
from advisor.schema.calibration import Calibration

from .samples import samples

MACHINE = {"cpu": "A", "onnxruntime": "9.9", "load_average": "0.1"}


@pytest.mark.parametrize(("spread", "told"), [(1.05, False), (1.6, True)])
def test_a_busy_machine_is_told(spread, told):
    found = condensed(Collected(tuple(samples()), {1: spread}, {1: 1.0}), [1], MACHINE)
    assert any("busy" in remark for remark in found.remarks) is told


def test_a_calibration_survives_being_written():
    found = condensed(Collected(tuple(samples()), {1: 1.0}, {1: 1.0}), [1], MACHINE)
    assert Calibration.model_validate_json(found.model_dump_json()) == found
    assert found.runtime_version == "9.9"
    assert {error.form for error in found.errors} <= set(FORMS)


def test_the_calibration_set_is_of_one_piece():
    every, quick = probes(), probes(quick=True)
    names = [probe.name for probe in every]
    assert len(set(names)) == len(names)
    assert {probe.name for probe in quick} < set(names)
    assert REFERENCE in {probe.name for probe in quick}
    assert {probe.family for probe in every} >= STACKS


@pytest.mark.parametrize("probe", [p for p in probes() if p.name != p.family], ids=lambda p: p.name)
def test_every_stack_and_block_is_a_network_that_can_be_profiled(probe):
    from advisor.calibration.probes import built
    from advisor.profiling import profile_module

    assert profile_module(built(probe), probe.input_shape).macs > 0
