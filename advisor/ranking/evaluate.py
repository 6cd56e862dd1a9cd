"""Everything that is known about each plan: preview, estimates, gains, facts and findings."""

from typing import Any, TypedDict

from advisor.errors import GoalError
from advisor.facts import (
    PlanContext,
    bound_facts,
    device_facts,
    memory_facts,
    path_facts,
    plan_facts,
    plan_precision,
    several_inputs,
    structure_is_fixed,
)
from advisor.prediction import predict_gain
from advisor.prediction.engine import most_confident, predict_all
from advisor.prediction.imagenet import published_lead
from advisor.prediction.probed import with_probe
from advisor.prediction.ratio import Answers
from advisor.profiling.liveness import peak_activation_bytes
from advisor.rules import RuleBase, evaluate
from advisor.schema import Candidate, Device, Estimate, ExecPath, Gain, Metric, Plan, Preview, ProbeRecord, Workload
from advisor.techniques import load_techniques, plan_effort, plan_needs, preview_plan
from advisor.techniques.registry import get

from .store import kept


class Predictions(TypedDict):
    """What is predicted for a plan: on the target, on this machine, and the gains here."""

    predicted: dict[Metric, Estimate]
    predicted_here: dict[Metric, Estimate]
    gains_here: dict[Metric, Gain]


def preview_of(workload: Workload, precision: str) -> Preview:
    """Summarise a workload: what a plan leaves of the network."""
    return Preview(
        macs=workload.macs,
        params=workload.params,
        weight_bytes=workload.stored_bytes,
        peak_activation_bytes=peak_activation_bytes(workload),
        input_shapes=workload.input_shapes,
        precision=precision,
        notes=workload.notes,
    )


class Evaluator:
    """Evaluates plans for one model, device and goal; previews and baselines are computed once."""

    def __init__(
        self,
        workload: Workload,
        device: Device,
        rules: RuleBase,
        case_facts: dict[str, Any],
        probe: ProbeRecord | None = None,
    ) -> None:
        """Take what is known of the case; `probe` is what a look at the user's own model showed."""
        self.workload, self.device, self.rules, self.case_facts = workload, device, rules, case_facts
        self.probe = probe
        self._previews: dict[str, Workload] = {}
        self._path_facts: dict[str, dict[str, Any]] = {}
        self._baselines: dict[tuple[str, int | None], Answers] = {}

    def candidate(self, number: int, plan: Plan) -> Candidate:
        """Evaluate one plan."""
        after = self._preview(plan)
        path = self._path(plan)
        precision = plan_precision(plan)
        preview = preview_of(after, precision)
        needs, effort = plan_needs(plan), plan_effort(plan)
        context = PlanContext(
            plan,
            self.workload,
            after,
            preview.weight_bytes,
            preview.peak_activation_bytes,
            needs,
            effort,
            self._lead(plan),
        )
        own = self._facts_of(path) | plan_facts(context)
        answers = with_probe(
            predict_all(plan, self.workload, after, self.device, self.case_facts | own), plan, self.probe
        )
        estimates = most_confident(answers)
        own |= memory_facts(self.device, estimates)
        facts = self.case_facts | own
        remark = self._cannot_apply(plan)
        return Candidate(
            number=number,
            plan=plan,
            preview=preview,
            estimates=estimates,
            gains=self._gains(plan, after, facts, answers),
            findings=kept(evaluate(self.rules, facts, "candidate")),
            effort=effort,
            appliable=not remark,
            remark=remark,
            facts=own,
        )

    def _lead(self, plan: Plan) -> float | None:
        students = [str(name) for step in plan.steps if (name := getattr(step, "student", None))]
        return published_lead(students[0], self.workload.name) if students else None

    def _cannot_apply(self, plan: Plan) -> str:
        """Say why this version cannot carry the plan out; empty if it can."""
        missing = [step.technique for step in plan.steps if not get(step.technique).applies]
        if missing:
            return f"this version recommends {', '.join(missing)} but cannot carry it out yet"
        entries = load_techniques().techniques
        inner = [step.technique for step in plan.steps if entries[step.technique].module]
        fixed = structure_is_fixed(self.workload.format)
        if inner and fixed:
            return f"{', '.join(inner)} {fixed}"
        return several_inputs(len(self.workload.inputs)) if plan.steps else ""

    def _path(self, plan: Plan) -> ExecPath:
        path = self.device.path(plan.runtime, plan.unit)
        if path is not None:
            return path
        # "Change nothing" exists on every device, also where its framework does not run: the rules say so.
        if plan.runtime == "pytorch":
            return ExecPath(runtime="pytorch", unit=plan.unit, precisions=())
        raise GoalError(f"{self.device.name} has no path {plan.path}")

    def _preview(self, plan: Plan) -> Workload:
        """Preview step by step; plans that begin alike share their beginnings."""
        workload, key = self.workload, ""
        for step in plan.steps:
            key += step.model_dump_json()
            if key not in self._previews:
                self._previews[key] = preview_plan(Plan(steps=(step,), runtime=plan.runtime), workload)
            workload = self._previews[key]
        return workload

    def _facts_of(self, path: ExecPath) -> dict[str, Any]:
        if path.label not in self._path_facts:
            bounds = bound_facts(self.workload, self.device, path)
            self._path_facts[path.label] = path_facts(self.workload, path) | bounds
        return self._path_facts[path.label]

    def _gains(self, plan: Plan, after: Workload, facts: dict[str, Any], answers: Answers) -> dict[Any, Gain]:
        baseline = baseline_plan(plan, self.device)
        unchanged = self._preview(baseline)
        key = (baseline.path, baseline.threads)
        if key not in self._baselines:
            self._baselines[key] = predict_all(baseline, self.workload, unchanged, self.device, facts)
        return predict_gain(
            plan, baseline, self.workload, unchanged, after, self.device, facts, known=(self._baselines[key], answers)
        )


def baseline_plan(plan: Plan, device: Device) -> Plan:
    """Return what a gain refers to: the unchanged model in the same runtime on the same unit.

    Where that path has no float arithmetic, the unchanged model on the first path that has.
    """
    path = device.path(plan.runtime, plan.unit)
    if path is None or not path.restrictions.integer_only:
        return Plan(runtime=plan.runtime, unit=plan.unit, threads=plan.threads)
    floating = [p for p in device.paths if not p.restrictions.integer_only and p.runtime != "pytorch"]
    if not floating:
        return Plan(runtime=plan.runtime, unit=plan.unit, threads=plan.threads)
    return Plan(runtime=floating[0].runtime, unit=floating[0].unit, threads=plan.threads)


def predict_here(
    plan: Plan,
    workload: Workload,
    facts: dict[str, Any],
    host: Device | None = None,
    probe: ProbeRecord | None = None,
    runtime: str = "onnxruntime",
) -> tuple[dict[Metric, Estimate], dict[Metric, Gain]]:
    """Predict the same steps for this machine: a runtime on its CPU, one thread unless the plan says otherwise.

    The gains are against the unchanged model there. `host` is this machine with what was learnt of it.
    """
    from advisor.devices import load_device

    host = host or load_device("host")
    here = plan.model_copy(update={"runtime": runtime, "unit": "cpu", "threads": plan.threads or 1})
    path = host.path(runtime, "cpu")
    if path is None:
        return {}, {}
    facts = facts | device_facts(host) | path_facts(workload, path)
    after, baseline = preview_plan(here, workload), here.model_copy(update={"steps": ()})
    answers = with_probe(predict_all(here, workload, after, host, facts), here, probe)
    unchanged = predict_all(baseline, workload, workload, host, facts)
    gains = predict_gain(here, baseline, workload, workload, after, host, facts, known=(unchanged, answers))
    return most_confident(answers), gains


def predict_anew(
    plan: Plan,
    workload: Workload,
    device: Device,
    rules: RuleBase,
    facts: dict[str, Any],
    host: Device | None = None,
    probe: ProbeRecord | None = None,
    runtime: str = "onnxruntime",
) -> Predictions:
    """Predict a plan whose settings became others than those that were ranked."""
    there = Evaluator(workload, device, rules, facts, probe).candidate(0, plan).estimates
    here, gains = predict_here(plan, workload, facts, host, probe, runtime)
    return {"predicted": there, "predicted_here": here, "gains_here": gains}
