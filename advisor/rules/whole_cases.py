"""A user's own cases of several rules at once: `cases/*.yaml` in a folder of rules.

Each file maps a sentence to facts and to what the rules must say of them:

    An int8 plan on our board is refused:
      facts: {dev.id: our-board, plan.full_int8: true}
      rejects: [XA-01]        # vetoes and unmet demands; they fire, too
      fires: [HW-03a]         # hold, and are not set aside by another rule
      silent: [HW-05a]        # do not hold; facts that are not named are unknown, and that is not enough
      set_aside: [HW-03b]     # hold, but a rule that overrides them holds, too
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from advisor.errors import KnowledgeError, nearest
from advisor.schema import Finding

from .evaluate import SCOPES, Deed, deed_of, evaluate
from .load import RuleBase
from .mistakes import place_of, rule_like
from .yaml_reader import line_of, read_mapping

EXPECTATIONS = ("fires", "silent", "rejects", "set_aside")
_FIELDS = ("facts", *EXPECTATIONS)
_WANTED = {"fires": "firing", "silent": "silent", "rejects": "rejecting", "set_aside": "set aside"}
_ENOUGH: dict[str, tuple[Deed, ...]] = {
    "fires": ("fires", "rejects"), "silent": ("silent",), "rejects": ("rejects",), "set_aside": ("set aside",),
}  # fmt: skip
_INSTEAD: dict[Deed, str] = {
    "fires": "fires without rejecting", "rejects": "rejects", "set aside": "is set aside", "silent": "is silent",
}  # fmt: skip


@dataclass(frozen=True)
class WholeCase:
    """Facts, and for every expectation the rules that it is about."""

    name: str
    where: str
    facts: Mapping[str, Any]
    expected: Mapping[str, tuple[str, ...]]


def read_cases(folder: Path, base: RuleBase) -> tuple[WholeCase, ...]:
    """Read the cases of a folder of rules; a mistake is an error with file and line."""
    return tuple(case for path in sorted((folder / "cases").glob("*.yaml")) for case in _read(path, base))


def run_case(base: RuleBase, case: WholeCase) -> tuple[str, ...]:
    """Say which expectations fail; nothing if all hold."""
    found = {f.rule: f for scope in SCOPES for f in evaluate(base, case.facts, scope)}
    wrong = ((rule, word, _judged(found[rule], word)) for word in EXPECTATIONS for rule in case.expected[word])
    return tuple(f"{rule} should be {_WANTED[word]}, but {what}" for rule, word, what in wrong if what)


def _judged(finding: Finding, wanted: str) -> str:
    """Say what a rule does instead of what is wanted; empty if it does that."""
    deed = deed_of(finding)
    if deed == "unknown":
        return f"cannot be decided without {', '.join(finding.missing)}"
    return "" if deed in _ENOUGH[wanted] else _INSTEAD[deed]


def _read(path: Path, base: RuleBase) -> Iterator[WholeCase]:
    for name, record in read_mapping(path).items():
        where = f"{place_of(path)}:{line_of(path, name)}"
        if not isinstance(record, dict) or not isinstance(record.get("facts"), dict):
            raise KnowledgeError(f"the case {name!r} names no facts", where=where, remedy="Write facts: {NAME: VALUE}")
        for field in record:
            if field not in _FIELDS:
                raise KnowledgeError(f"unknown field {field!r}", where=where, remedy=nearest(field, _FIELDS))
        if wrong := base.vocabulary.complaints(record["facts"]):
            raise KnowledgeError(f"the case {name!r}: {wrong[0]}", where=where)
        expected = {word: _rules(record.get(word, []), base, where) for word in EXPECTATIONS}
        if not any(expected.values()):
            raise KnowledgeError(f"the case {name!r} expects nothing", where=where, remedy="Write fires: [RULE]")
        yield WholeCase(name, where, record["facts"], expected)


def _rules(given: Any, base: RuleBase, where: str) -> tuple[str, ...]:
    if not isinstance(given, list):
        raise KnowledgeError(f"{given!r} is not a list of rules", where=where, remedy="Write [RULE, RULE]")
    for rule in given:
        if rule not in base.compiled or base.get(rule).rule.deprecated:
            like = rule_like(str(rule), base.compiled)
            raise KnowledgeError(f"{rule!r} is no rule that is asked", where=where, remedy=like)
    return tuple(given)
