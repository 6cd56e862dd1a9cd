"""One flat, typed vocabulary for rules: facts about the model, the device, the goal and a candidate plan.

The names, types and meanings are those of `knowledge/facts.yaml`. A fact that cannot be determined is left out of the
dictionary, which means unknown. This room judges nothing.
"""

from .abilities import abilities, several_inputs, structure_is_fixed
from .device import device_facts, path_facts
from .goal import goal_facts
from .intake import describe
from .model import model_facts
from .plan import PlanContext, facts_of_steps, memory_facts, plan_facts, plan_precision
from .probe import probe_facts
from .roofline import bound_facts

__all__ = [
    "PlanContext", "abilities", "bound_facts", "describe", "device_facts", "facts_of_steps", "goal_facts",
    "memory_facts", "model_facts", "path_facts", "plan_facts", "plan_precision", "probe_facts", "several_inputs",
    "structure_is_fixed",
]  # fmt: skip
