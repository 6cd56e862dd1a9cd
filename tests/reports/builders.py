"""Hand-made records for the tests of pages and commands: a decision with everything in it, and a run."""

from advisor.schema import (
    Basis,
    Candidate,
    Estimate,
    Explanation,
    Finding,
    Flip,
    Gain,
    Goal,
    Limit,
    LimitCheck,
    Measurement,
    Metric,
    Plan,
    Preview,
    PreviewCheck,
    Recommendation,
    RuleSource,
    RunRecord,
    StepRecord,
    TraceNode,
    Truth,
    Verdict,
)
from advisor.techniques.half.step import Half
from advisor.techniques.prune_channels.step import PruneChannels
from advisor.techniques.static_int8.step import StaticInt8

BASELINE = "tensorrt/gpu fp32"
PREVIEW = Preview(
    macs=4_089_184_256,
    params=25_557_032,
    weight_bytes=102_441_000,
    peak_activation_bytes=9_633_792,
    input_shapes=((1, 3, 224, 224),),
    precision="fp32",
)
UNTURNED = TraceNode(
    text="'int8' in rt.precisions",
    shown="'int8' in rt.precisions (fp16, fp32)",
    truth=Truth.FALSE,
    passes_if="rt.precisions holds 'int8'",
)


def estimate(metric: Metric, low: float, mid: float, high: float, basis: Basis = Basis.ROOFLINE) -> Estimate:
    return Estimate(metric=metric, low=low, mid=mid, high=high, basis=basis, predictor="test", n=12)


def finding(rule: str, kind: str, **more) -> Finding:
    base = {"rule": rule, "kind": kind, "title": rule, "origin": "X", "certainty": "strong", "truth": Truth.TRUE}
    return Finding(**base | {"reason": f"{rule} gives its reason here.", "weight": 0.9} | more)


def candidate(number: int, plan: Plan, latency: float, size: float, drop: float, **more) -> Candidate:
    estimates = {
        Metric.LATENCY: estimate(Metric.LATENCY, latency * 0.8, latency, latency * 1.3),
        Metric.SIZE: estimate(Metric.SIZE, size, size, size, Basis.EXACT),
        Metric.MEMORY: estimate(Metric.MEMORY, size + 20, size + 30, size + 40),
        Metric.ACCURACY: estimate(Metric.ACCURACY, -drop * 2, -drop, 0.0, Basis.PUBLISHED),
    }
    gains = {
        Metric.LATENCY: Gain(metric=Metric.LATENCY, baseline=BASELINE, low=1.6, mid=41 / latency, high=3.5),
        Metric.SIZE: Gain(metric=Metric.SIZE, baseline=BASELINE, low=102 / size, mid=102 / size, high=102 / size),
    }
    fields = {"number": number, "plan": plan, "preview": PREVIEW, "estimates": estimates, "gains": gains}
    return Candidate(**fields | more)


def recommendation(feasible: bool = True, candidates: int = 2) -> Recommendation:
    """A decision for resnet50 on a Jetson Nano; `candidates` is the number of plans that are not ruled out."""
    limit = Limit(metric=Metric.LATENCY, bound=33.0)
    winner = candidate(
        2,
        Plan(steps=(PruneChannels(ratio=0.3), Half()), runtime="tensorrt", unit="gpu"),
        14.2,
        36.1,
        0.4,
        status="recommended",
        pareto=True,
        utility=2.31,
        terms={"latency_ms": 1.5, "size_mb": 0.8},
        limits=(
            LimitCheck(limit=limit, estimate=None, met=True, probability=0.97, needed="latency 14.2 ms is within 33.0"),
        ),
        findings=(
            finding("HW-07", "prefer", sources=(RuleSource(ref="vendor/manual", claim="fp16 runs at twice the rate"),)),
            finding("PR-02", "avoid", weight=0.35, certainty="weak"),
            finding("DP-01", "procedure", step="Build the engine on the device itself."),
            finding("DA-04", "warn"),
            finding("LR-03", "prefer", truth=Truth.FALSE),
        ),
    )
    behind = {"status": "dominated", "dominated_by": 2}
    others = [
        candidate(number, Plan(steps=(Half(),), runtime="tensorrt", unit="gpu"), 20.0 + number, 51.1, 0.0, **behind)
        for number in range(3, 2 + candidates)
    ]
    limit_missed = LimitCheck(
        limit=limit, estimate=None, met=False, probability=0.1, needed="latency would have to fall from 41.0 to 33.0 ms"
    )
    unchanged = candidate(
        1,
        Plan(runtime="tensorrt", unit="gpu"),
        41.0,
        102.0,
        0.0,
        status="rejected",
        limits=(limit_missed,),
        rejected_by=("limit latency_ms: latency would have to fall from 41.0 to 33.0 ms",),
    )
    int8 = candidate(
        90,
        Plan(steps=(StaticInt8(),), runtime="tensorrt", unit="gpu"),
        30.0,
        25.7,
        0.8,
        status="rejected",
        findings=(finding("HW-02", "veto", rejects=True, trace=UNTURNED),),
        rejected_by=("HW-02: HW-02 gives its reason here.",),
    )
    possible = [winner, *others] if feasible else []
    return Recommendation(
        engine="0.1.0",
        knowledge="0.1.0 0123456789ab",
        profile="jetson-nano 1 0123456789ab",
        created="2026-11-23T02:00:00+00:00",
        model="resnet50",
        model_source="timm:resnet50",
        device="jetson-nano",
        goal=Goal(limits=(limit, Limit(metric=Metric.ACCURACY, bound=1.0))),
        facts={"model.family": "residual_cnn", "dev.kind": "gpu-soc", "dev.vendor": "nvidia", "dev.confidence": "good"},
        original=PREVIEW,
        candidates=(*possible, unchanged, int8),
        winner=2 if feasible else None,
        baseline=1,
        nearest=() if feasible else ("The limit of 33.0 ms on latency_ms binds.",),
        unknown=("model.act_range_max (asked by CA-03)",),
        notes=("Weights are random.",),
    )


def run(hit: bool | None = True) -> RunRecord:
    """A run whose latency is predicted and measured, and whose energy is not measured."""
    predicted = estimate(Metric.LATENCY, 2.0, 2.5, 3.2)
    measured = Measurement(
        metric=Metric.LATENCY,
        value=2.7,
        low=2.6,
        high=2.8,
        n=30,
        method="process time",
        machine="host",
        runtime="onnxruntime",
        baseline_value=5.1,
    )
    return RunRecord(
        engine="0.1.0",
        created="2026-11-23T02:00:00+00:00",
        model="digits",
        device="jetson-nano",
        on_this_machine=False,
        plan=Plan(steps=(StaticInt8(),), runtime="onnxruntime"),
        predicted={Metric.LATENCY: estimate(Metric.LATENCY, 6.0, 8.0, 11.0)},
        predicted_here={Metric.LATENCY: predicted},
        preview=PREVIEW,
        checks=(
            PreviewCheck(quantity="macs", previewed=1000, actual=1000),
            PreviewCheck(quantity="params", previewed=1000, actual=990, note="a bias was folded"),
        ),
        steps=(StepRecord(technique="static_int8", settings={}, seconds=1.5, done="quantized 5 of 5 layers"),),
        accuracy={"original": 98.2, "shipped": 97.9, "shipped_low": 96.5, "shipped_high": 98.8},
        verdicts=(
            Verdict(
                metric=Metric.LATENCY,
                predicted=predicted,
                measured=measured,
                hit=hit,
                explanation="Inside the interval.",
            ),
            Verdict(metric=Metric.ENERGY, predicted=None, measured=None, hit=None, explanation="No power sensor."),
        ),
        recipe=("trtexec --onnx=model.onnx --fp16",),
    )


def explanation() -> Explanation:
    both = TraceNode(
        text="rt.unit == 'gpu' and 'int8' in rt.precisions",
        shown="rt.unit (gpu) == 'gpu' and 'int8' in rt.precisions (fp16, fp32)",
        truth=Truth.FALSE,
        children=(
            TraceNode(text="rt.unit == 'gpu'", shown="rt.unit (gpu) == 'gpu'", truth=Truth.TRUE),
            UNTURNED,
            TraceNode(text="dev.x", shown="dev.x (unknown)", truth=Truth.UNKNOWN, needs=("dev.x",)),
        ),
    )
    return Explanation(
        question="why not #90",
        answer=("#90 'int8 static' on tensorrt/gpu is rejected.",),
        candidate=recommendation().candidates[-1],
        findings=(finding("HW-02", "veto", rejects=True, trace=both),),
        flips=(Flip(plan="#90 int8 static", what="HW-02", before="rejects", after="silent"),),
    )
