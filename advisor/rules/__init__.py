"""The expert system: a typed condition language, three-valued evaluation with traces, and the rule base.

It holds no rule itself; rules are files under `knowledge/rules/`. It ranks nothing and knows no model and no device.
"""

from .evaluate import evaluate, explain
from .load import RuleBase, load_rules
from .vocabulary import FactSpec, Vocabulary, load_vocabulary

__all__ = ["FactSpec", "RuleBase", "Vocabulary", "evaluate", "explain", "load_rules", "load_vocabulary"]
