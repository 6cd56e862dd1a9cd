"""The stated weights of the score, read from `knowledge/ranking.yaml`."""

from functools import cache

from pydantic import Field

from advisor.resources import data_dir, read_record
from advisor.schema import GoalKind, Record
from advisor.schema.rule import RuleKind


class GoalWeights(Record):
    """What a halving of each cost is worth, and what a lost point costs."""

    latency_ms: float = Field(ge=0)
    size_mb: float = Field(ge=0)
    memory_mb: float = Field(ge=0)
    energy_mj: float = Field(ge=0)
    accuracy_per_pp: float = Field(ge=0)


class Ties(Record):
    """Differences too small to count: ratios for costs, points for accuracy."""

    latency_ms: float
    size_mb: float
    memory_mb: float
    energy_mj: float
    accuracy_pp: float


class Sizes(Record):
    """How much each kind of change counts when the smallest one is looked for."""

    point_pp: float = Field(gt=0)
    new_limit: float = Field(ge=0)
    switch: float = Field(ge=0)
    learned: float = Field(ge=0)
    by_hand: float = Field(ge=1)
    device: float = Field(ge=0)
    devices: int = Field(ge=0)


class Weights(Record):
    """All constants of the score; the file explains each."""

    goals: dict[GoalKind, GoalWeights]
    pessimism: float = Field(ge=0, le=1)
    cost_pessimism: float = Field(ge=0, le=1)
    guess_pessimism: float = Field(ge=0, le=1)
    unknown_cost: float = Field(ge=1)
    unstated_drop_pp: float = Field(ge=0)
    beyond_unstated: float = Field(ge=1)
    effort_per_doubling: float
    per_step: float
    rule_weight: float
    not_appliable: float
    limit_weight: float
    least_advantage: float = Field(ge=0)
    enough_chance: float = Field(gt=0, le=1)
    limit_margin: float = Field(ge=1)
    tie: Ties
    waiting: dict[RuleKind, float]
    changes: Sizes


@cache
def load_weights() -> Weights:
    """Read and check the shipped weights."""
    return read_record(data_dir("knowledge") / "ranking.yaml", Weights)
