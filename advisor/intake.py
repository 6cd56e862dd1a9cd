"""Opening a model and profiling it in one go: what the journeys need of it, as one record."""

from typing import Any

from advisor.facts import describe, model_facts
from advisor.loading import load
from advisor.profiling import profile
from advisor.schema import Profiled


def open_model(model: Any, batch: int, options: dict[str, Any]) -> Profiled:
    """Open and profile; the pass that profiles also tells whether the input fits, so loading makes none."""
    loaded = load(model, batch=batch, check=False, **options)
    workload = profile(loaded, batch=batch)
    facts = model_facts(workload, random_weights=loaded.random_weights)
    return Profiled(intake=describe(loaded, workload, facts), workload=workload, spec=loaded.spec)
