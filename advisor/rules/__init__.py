"""The expert system: a typed condition language, three-valued evaluation with traces, and the rule base.

It holds no rule itself; rules are files under `knowledge/rules/`. It ranks nothing and knows no model; of devices it
knows what the `situations` of the checks are made of.

- the language: `vocabulary` holds the facts, `parse` reads conditions into `expressions` and minds their `dimensions`;
- asking: `load` reads the rules of the `sources` (`mistakes` says what is wrong), `evaluate` makes findings with their
  `traces`; `relevant`, `partial` and `memory` save asking what is settled;
- words: `wording` writes values, `in_words` conditions with `phrases` and `quantities`, `catalogue` the page of all;
- keeping them right: `cases`, `whole_cases` and `conflicts` are run by `trials`, `branches` and `coverage` count what
  is reached in the `situations` there are, `linting` compares `regions` and looks up `references`, `problems` are what
  it reports; `skeleton` begins a rule.
"""

from .evaluate import evaluate, explain
from .load import RuleBase, load_rules
from .vocabulary import FactSpec, Vocabulary, load_vocabulary

__all__ = ["FactSpec", "RuleBase", "Vocabulary", "evaluate", "explain", "load_rules", "load_vocabulary"]
