"""What rules refer to: other rules, facts of their scope, metrics, and names in profiles."""

import re
from collections.abc import Iterator

from advisor.resources import data_dir
from advisor.schema import Metric

from ..load import RuleBase
from ..problems import Problem
from ..references import known_names, strangers
from ..vocabulary import PER_CANDIDATE
from .table import found

_ID = re.compile(r"\b[A-Z]{2}-\d{2,3}[a-z]?\b")
_FILE = re.compile(r"\bknowledge/([\w./-]*\w)")
_STEM = len("HW-05")  # rules that were split share it


def overrides(base: RuleBase) -> Iterator[Problem]:
    """Overridden rules share the scope and form no circle; that they exist is seen when rules are loaded."""
    for entry in base:
        for target in entry.rule.overrides:
            if target == entry.rule.id:
                yield found("overrides", entry, "it overrides itself")
            elif target in base.compiled and base.get(target).rule.scope != entry.rule.scope:
                yield found("overrides", entry, f"{target} is asked of another scope", target)
        if _reaches(base, entry.rule.id, entry.rule.id, set()):
            yield found("overrides", entry, "the rules that it overrides override it in turn", *entry.rule.overrides)


def scopes(base: RuleBase) -> Iterator[Problem]:
    """A rule asked once per case cannot depend on the candidate."""
    for entry in base:
        late = [name for name in entry.names if name.startswith(PER_CANDIDATE)]
        if entry.rule.scope == "case" and late:
            yield found("scope", entry, f"a rule of scope case reads {', '.join(late)}")


def metrics(base: RuleBase) -> Iterator[Problem]:
    """Estimates speak of a metric that is predicted."""
    known = {metric.value for metric in Metric}
    for entry in base:
        if entry.rule.metric and entry.rule.metric not in known:
            yield found("metric", entry, f"{entry.rule.metric!r} is not one of {', '.join(sorted(known))}")


def names_in_profiles(base: RuleBase) -> Iterator[Problem]:
    """Runtimes, devices and cores that rules name exist in the profiles."""
    known = known_names()
    for entry in base:
        for expr in (entry.when, entry.demand):
            for stranger in strangers(expr, known) if expr else ():
                yield found("reference", entry, stranger)


def mentions(base: RuleBase) -> Iterator[Problem]:
    """Rules that texts mention and files of the knowledge that sources name exist; a part of an id stands for all."""
    ids = set(base.compiled) | {rule[:_STEM] for rule in base.compiled}
    prefixes = {rule[:2] for rule in base.compiled}
    for entry in base:
        rule = entry.rule
        texts = (rule.title, rule.reason, rule.step, rule.why_sure, rule.guards, rule.wrong_when, rule.deprecated)
        for mentioned in dict.fromkeys(_ID.findall(" ".join(texts))):
            if mentioned[:2] in prefixes and mentioned not in ids:
                yield found("reference", entry, f"a text mentions {mentioned}, which is no rule")
        for file in dict.fromkeys(_FILE.findall(" ".join(source.ref for source in rule.sources))):
            if not (data_dir("knowledge") / file).exists():
                yield found("reference", entry, f"a source names knowledge/{file}, which does not exist")


def _reaches(base: RuleBase, start: str, goal: str, seen: set[str]) -> bool:
    for target in base.compiled[start].rule.overrides if start in base.compiled else ():
        if target == goal and start != goal:
            return True
        if target not in seen and _reaches(base, target, goal, seen | {target}):
            return True
    return False
