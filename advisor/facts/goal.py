"""Facts that come from what the user asked for and brought along."""

from typing import Any

from advisor.schema import Goal, Metric

_LIMITS = {
    Metric.ACCURACY: "user.max_drop_pp",
    Metric.LATENCY: "user.latency_ms",
    Metric.SIZE: "user.size_mb",
    Metric.MEMORY: "user.memory_mb",
    Metric.ENERGY: "user.energy_mj",
    Metric.FLASH: "user.flash_mb",
}


def goal_facts(goal: Goal) -> dict[str, Any]:
    """Return the `user.*` and `data.*` facts; without a data folder the counts of images are unknown."""
    facts: dict[str, Any] = {"user.goal": goal.kind, "user.budget": goal.budget, "user.batch": goal.batch}
    for metric, name in _LIMITS.items():
        if (bound := goal.bound(metric)) is not None:
            facts[name] = bound
    facts["data.train_pipeline"] = goal.budget == "train"
    data = goal.data
    if data.images:
        facts |= {
            "data.images_n": data.images,
            "data.labelled_n": data.labelled,
            "data.calib_n": data.calibration or data.images,
            "data.train_n": data.train,
            "data.test_n": data.test,
        }
        if data.classes is not None:
            facts["data.classes_n"] = data.classes
    elif goal.budget == "none":
        facts |= {"data.images_n": 0, "data.labelled_n": 0, "data.calib_n": 0, "data.train_n": 0, "data.test_n": 0}
    return facts
