"""What each rule says, as a short digest, so that a decision can tell later which rules have changed."""

import hashlib
import json
from collections.abc import Mapping

from advisor.rules import RuleBase
from advisor.schema import Rule, RuleChange

# What a rule decides with; texts and sources may change without changing a decision.
_DECIDING = (
    "kind",
    "scope",
    "certainty",
    "when",
    "demand",
    "step",
    "metric",
    "low",
    "high",
    "overrides",
    "same_evidence",
)
_DIGITS = 8


def knowledge_version(rules: RuleBase) -> str:
    """Return what a decision notes of the knowledge that it rests on: the version, and a digest of rules and facts."""
    return f"{rules.version} {rules.digest[:12]}"


def rule_digests(rules: RuleBase) -> dict[str, str]:
    """Return a digest of every rule that is in force, by its id."""
    return {rule.id: _digest(rule) for rule in rules.rules if not rule.deprecated}


def _digest(rule: Rule) -> str:
    said = json.dumps(rule.model_dump(mode="json", include=set(_DECIDING)), sort_keys=True)
    return hashlib.sha256(said.encode()).hexdigest()[:_DIGITS]


def rule_changes(stored: Mapping[str, str], now: Mapping[str, str]) -> tuple[RuleChange, ...]:
    """Name the rules that are new, gone, or say something else."""
    found = []
    for rule in sorted({*stored, *now}):
        if stored.get(rule) != now.get(rule):
            what = "new" if rule not in stored else "gone" if rule not in now else "changed"
            found.append(RuleChange.model_validate({"rule": rule, "what": what}))
    return tuple(found)
