import pytest

from advisor.reports.order import STAGES, in_stages, places
from advisor.reports.page import plain
from advisor.reports.reasons import reasons, steps
from advisor.reports.rejections import rejected_block, turning_facts
from advisor.rules import load_rules
from advisor.schema import TraceNode, Truth

from . import builders


def leaf(text: str, passes_if: str) -> TraceNode:
    return TraceNode(text=text, shown=text, truth=Truth.TRUE, passes_if=passes_if)


def test_the_order_of_procedures_names_only_rules_that_exist():
    ids = {rule.id for rule in load_rules().rules}
    prefixes = {one.split("-")[0] for one in ids}
    assert set(places()) <= ids | prefixes


def test_every_procedure_of_the_rule_base_has_a_place():
    procedures = [rule.id for rule in load_rules().rules if rule.kind == "procedure"]
    assert [one for one in procedures if one not in places() and one.split("-")[0] not in places()] == []


def test_an_id_wins_over_its_prefix():
    staged = in_stages([builders.finding("RT-01", "procedure"), builders.finding("RT-09", "procedure")])
    assert {stage: [f.rule for f in staged[stage]] for stage in STAGES} == {
        "before": ["RT-01"], "during": [], "after": ["RT-09"],
    }  # fmt: skip


def test_the_plans_own_steps_stand_between_preparation_and_deployment():
    decision = builders.recommendation()
    winner = decision.recommended
    winner = winner.model_copy(
        update={
            "findings": tuple(builders.finding(rule, "procedure", step=rule) for rule in ("DP-01", "PR-13", "RT-01"))
        }
    )
    told = [plain(item).split(":")[0].split(" [")[0] for item in steps(decision, winner).items]
    assert told == ["RT-01", "prune 30% of channels", "fp16", "PR-13", "DP-01"]


def test_with_many_procedures_the_surest_are_told():
    decision = builders.recommendation()
    weak = [builders.finding(f"PR-{n}", "procedure", step=f"weak {n}", weight=0.35) for n in range(10, 30)]
    sure = builders.finding("VM-01", "procedure", step="sure")
    winner = decision.recommended.model_copy(update={"findings": (*weak, sure)})
    block = steps(decision, winner)
    assert plain(block.items[-1]).startswith("sure")
    assert block.note.startswith("11 more")


def test_rules_on_the_same_evidence_are_one_reason_and_set_aside_rules_none():
    decision = builders.recommendation()
    findings = (
        builders.finding("HW-01", "prefer", same_evidence="a"),
        builders.finding("HW-02", "prefer", same_evidence="a", weight=0.35),
        builders.finding("HW-03", "prefer", weight=0.0),
    )
    block = reasons(decision.recommended.model_copy(update={"findings": findings}))
    assert [plain(item).split()[0] for item in block.items] == ["HW-01"]


@pytest.mark.parametrize(
    ("text", "passes_if", "told"),
    [
        ("dev.cuda_cc < 6.1", ">= 6.1", "dev.cuda_cc >= 6.1"),
        ("rt.integer_only", "false", "rt.integer_only is false"),
        ("has(rt.precisions, 'int8')", "rt.precisions holds 'int8'", "rt.precisions holds 'int8'"),
        ("rt.unit in {'npu'}", "not in {'npu'}", "rt.unit not in {'npu'}"),
    ],
)
def test_what_would_have_passed_is_told(text, passes_if, told):
    assert turning_facts(leaf(text, passes_if)) == (told,)


def test_facts_outside_the_plan_come_before_the_plan_itself():
    device, plan = leaf("dev.cuda_cc < 6.1", ">= 6.1"), leaf("plan.precision == 'int8'", "!= 'int8'")
    both = TraceNode(text="both", shown="both", truth=Truth.TRUE, children=(plan, device))
    assert turning_facts(both) == ("dev.cuda_cc >= 6.1",)
    vendor = leaf("dev.vendor == 'nvidia'", "!= 'nvidia'")
    all_three = TraceNode(text="all", shown="all", truth=Truth.TRUE, children=(plan, vendor, device))
    assert turning_facts(all_three) == ("dev.cuda_cc >= 6.1",)
    assert turning_facts(vendor) == ("dev.vendor != 'nvidia'",)
    assert turning_facts(plan) == ("plan.precision != 'int8'",)


def test_reasons_that_meet_the_same_plans_share_an_entry():
    decision = builders.recommendation()
    twice = decision.candidates[-1]
    second = builders.finding("HW-05", "veto", rejects=True)
    twice = twice.model_copy(
        update={"findings": (*twice.findings, second), "rejected_by": (*twice.rejected_by, "HW-05: again")}
    )
    block = rejected_block(decision.model_copy(update={"candidates": (*decision.candidates[:-1], twice)}))
    assert len(block.items) == 2
    (entry,) = [plain(item) for item in block.items if "HW-02" in plain(item)]
    assert "HW-05" in entry
    assert entry.count("int8 static") == 1
