"""advisor: recommends, explains, applies and verifies compression of vision networks for embedded devices."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"
__all__ = [
    "Goal", "Limit", "Metric", "apply", "counterfactual", "explain", "identify", "predict_table", "profile",
    "recommend", "replay", "verify",
]  # fmt: skip

if TYPE_CHECKING:
    from advisor.bulk import predict_table
    from advisor.pipeline import apply, identify, profile, recommend, verify
    from advisor.questions import counterfactual, explain, replay
    from advisor.schema import Goal, Limit, Metric

_HOME = dict.fromkeys(("apply", "identify", "profile", "recommend", "verify"), "advisor.pipeline")
_HOME |= dict.fromkeys(("counterfactual", "explain", "replay"), "advisor.questions")
_HOME["predict_table"] = "advisor.bulk"
_HOME |= dict.fromkeys(("Goal", "Limit", "Metric"), "advisor.schema")


def __getattr__(name: str) -> Any:
    """Import the public functions when they are first used: `import advisor` and `advisor --help` stay fast."""
    if name not in _HOME:
        raise AttributeError(f"module 'advisor' has no attribute {name!r}")
    return getattr(import_module(_HOME[name]), name)


def __dir__() -> list[str]:
    """List the public names."""
    return sorted(__all__)
