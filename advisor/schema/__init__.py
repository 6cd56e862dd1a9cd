"""The frozen records that cross borders between rooms. Imports neither torch nor anything that does I/O."""

from .base import Record
from .bench import BenchEntry, BenchRecord
from .device import Core, Cpu, Device, ExecPath, Figure, Gpu, Memory, Power, PowerMode, Restrictions, Source
from .estimate import UNITS, Basis, Estimate, Gain, GainVerdict, Measurement, Metric, Seen, Verdict
from .explanation import Comparison, Counterfactual, Explanation, FigureChange, Flip, Replay, RuleChange, Version
from .goal import BUDGETS, Budget, DataFacts, Goal, GoalKind, Limit
from .intake import Ability, Action, Intake, ModelInput, Near, Profiled
from .lesson import Lesson
from .plan import AnyStep, Plan, Step
from .probe import LayerNoise, Probed, ProbeRecord, alike, at_risk
from .recommendation import Candidate, LimitCheck, Preview, ReadyMade, Recommendation, Wanted
from .rule import CERTAINTY, AddedRules, Finding, Rule, RuleCases, RuleSource, TraceNode, Truth
from .run import Artefact, DataRecord, PreviewCheck, RunRecord, StepRecord
from .search import SearchRecord, Sensitivity, Trial
from .vendor import VendorComparison, VendorEstimate, VendorReport
from .workload import (
    CONV_KINDS,
    ITEM_BITS,
    MAC_KINDS,
    NO_MODEL,
    WEIGHTED_KINDS,
    Op,
    OpKind,
    Storage,
    Tensor,
    Weight,
    Workload,
)

__all__ = [
    "Ability", "Action", "AddedRules", "AnyStep", "Artefact", "BUDGETS", "Basis", "BenchEntry", "BenchRecord", "Budget",
    "CERTAINTY", "CONV_KINDS", "Candidate", "Comparison", "Core", "Counterfactual", "Cpu", "DataFacts", "DataRecord",
    "Device", "Estimate", "ExecPath", "Explanation", "Figure", "FigureChange", "Finding", "Flip", "Gain", "GainVerdict",
    "Goal", "GoalKind", "Gpu", "ITEM_BITS", "Intake", "LayerNoise", "Lesson", "Limit", "LimitCheck", "MAC_KINDS",
    "Measurement", "Memory", "Metric", "ModelInput", "NO_MODEL", "Near", "Op", "OpKind", "Plan", "Power", "PowerMode",
    "Preview", "PreviewCheck", "ProbeRecord", "Probed", "Profiled", "ReadyMade", "Recommendation", "Record", "Replay",
    "Restrictions", "Rule", "RuleCases", "RuleChange", "RuleSource", "RunRecord", "SearchRecord", "Seen", "Sensitivity",
    "Source", "Step", "StepRecord", "Storage", "Tensor", "TraceNode", "Trial", "Truth", "UNITS", "VendorComparison",
    "VendorEstimate", "VendorReport", "Verdict", "Version", "WEIGHTED_KINDS", "Wanted", "Weight", "Workload",
    "alike", "at_risk",
]  # fmt: skip
