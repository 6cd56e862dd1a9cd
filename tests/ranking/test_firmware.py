"""A network that does not fit a device without an operating system is refused, and told why."""

import pytest

from advisor.facts import device_facts, goal_facts, model_facts
from advisor.ranking.evaluate import Evaluator
from advisor.rules import load_rules
from advisor.schema import Cpu, Goal, Memory, Metric, Plan
from advisor.techniques.static_int8.step import StaticInt8
from tests.prediction.networks import board, conv_net, figure

NETWORK = conv_net(channels=64, side=32)
PLAN = Plan(steps=(StaticInt8(signedness="s8s8"),), runtime="tflite-micro", unit="mcu")


def candidate(sram_kb, flash_kb):
    device = board(
        runtime="tflite-micro", unit="mcu", kind="mcu", os=False, cpu=Cpu(arch="armv7e-m", isa=("dsp",)),
        memory=Memory(sram_kb=figure(sram_kb), flash_kb=figure(flash_kb)),
    )  # fmt: skip
    facts = model_facts(NETWORK) | device_facts(device) | goal_facts(Goal())
    return Evaluator(NETWORK, device, load_rules(), facts).candidate(0, PLAN)


def rejecting(found):
    return {finding.rule for finding in found.findings if finding.rejects}


@pytest.mark.parametrize(
    ("sram_kb", "flash_kb", "rules"),
    [(512, 2048, set()), (40, 2048, {"MC-01c"}), (512, 256, {"MC-01a"}), (40, 256, {"MC-01a", "MC-01c"})],
)
def test_what_does_not_fit_is_refused(sram_kb, flash_kb, rules):
    assert rejecting(candidate(sram_kb, flash_kb)) & {"MC-01a", "MC-01c"} == rules


def test_the_reason_names_need_and_capacity():
    found = candidate(40, 2048)
    reason = next(finding.reason for finding in found.findings if finding.rule == "MC-01c")
    assert "41.0 kB" in reason  # 40 x 1024
    assert found.estimates[Metric.MEMORY].mid * 1e6 > 40 * 1024


def test_facts_of_the_plan_repeat_the_estimates():
    found = candidate(512, 2048)
    assert found.facts["plan.arena_bytes"] == found.estimates[Metric.MEMORY].mid * 1e6
    assert found.facts["plan.flash_bytes"] == found.estimates[Metric.FLASH].mid * 1e6
