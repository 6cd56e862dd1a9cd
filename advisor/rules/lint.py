"""Checks of the rule base beyond loading: `python -m advisor.rules.lint [FOLDER ...]` exits with 1 on errors."""

import re
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path

from advisor.schema import Metric

from .cases import run_cases
from .catalogue import is_stale
from .load import Compiled, RuleBase, collect
from .problems import Problem, Severity, from_error
from .references import known_names, strangers
from .regions import can_hold, signature
from .vocabulary import PER_CANDIDATE

Check = Callable[[RuleBase], Iterator[Problem]]
_NUMBER = r"\d+(?:\.\d+)?"
_UNITS = r"(?:%|(?:x|times|points?|pp|[kMG]?B|[kM]iB|ms|fps|W)\b)"
_FIGURE = re.compile(rf"(?<![\w.:]){_NUMBER}(?:\s?(?:to|-)\s?{_NUMBER})?\s?{_UNITS}")


def lint(base: RuleBase) -> tuple[Problem, ...]:
    """Check everything that needs all rules at once, and run every rule's cases."""
    found = [problem for check in CHECKS for problem in check(base)]
    return (*found, *run_cases(base))


def _problem(entry: Compiled, code: str, message: str, severity: Severity = "error") -> Problem:
    return Problem(severity, code, entry.rule.id, message, f"{entry.path.parent.name}/{entry.path.name}")


def _names(base: RuleBase) -> Iterator[Problem]:
    """Id, file name and group agree; one prefix belongs to one group."""
    groups: dict[str, str] = {}
    for entry in base:
        rule, prefix = entry.rule, entry.rule.id[:2]
        if not re.fullmatch(re.escape(rule.id) + r"-[a-z0-9]+(-[a-z0-9]+)*\.yaml", entry.path.name):
            yield _problem(entry, "file-name", f"the file is not called {rule.id}-<slug>.yaml")
        if entry.path.parent.name != rule.group:
            yield _problem(entry, "group", f"group {rule.group!r} lies in the folder {entry.path.parent.name!r}")
        if groups.setdefault(prefix, rule.group) != rule.group:
            yield _problem(entry, "prefix", f"{prefix} rules belong to {groups[prefix]!r}, this one to {rule.group!r}")


def _overrides(base: RuleBase) -> Iterator[Problem]:
    """Overridden rules exist, share the scope and form no circle."""
    for entry in base:
        for target in entry.rule.overrides:
            if target == entry.rule.id or target not in base.compiled:
                yield _problem(entry, "overrides", f"{target} is no other rule")
            elif base.get(target).rule.scope != entry.rule.scope:
                yield _problem(entry, "overrides", f"{target} is asked of another scope")
        if _reaches(base, entry.rule.id, entry.rule.id, set()):
            yield _problem(entry, "overrides", "the rules that it overrides override it in turn")


def _reaches(base: RuleBase, start: str, goal: str, seen: set[str]) -> bool:
    for target in base.compiled[start].rule.overrides if start in base.compiled else ():
        if target == goal and start != goal:
            return True
        if target not in seen and _reaches(base, target, goal, seen | {target}):
            return True
    return False


def _conditions(base: RuleBase) -> Iterator[Problem]:
    """No condition is impossible, none is certain, none says the same twice or contradicts another."""
    same = defaultdict(list)
    for entry in base:
        if entry.rule.deprecated:
            continue
        if not can_hold(entry.when, base.vocabulary):
            yield _problem(entry, "unreachable", f"no legal facts make it true: {entry.when.text}")
        elif not can_hold(entry.when, base.vocabulary, positive=False):
            yield _problem(entry, "always", f"no legal facts make it false: {entry.when.text}", "warning")
        if entry.demand and not can_hold(entry.demand, base.vocabulary):
            yield _problem(entry, "unreachable", f"no legal facts meet the demand: {entry.demand.text}")
        same[entry.rule.scope, signature(entry.when)].append(entry)
    for group in same.values():
        for i, entry in enumerate(group):
            for other in group[:i]:
                yield from _compare(entry, other)


def _compare(entry: Compiled, other: Compiled) -> Iterator[Problem]:
    rule, first = entry.rule, other.rule
    if (rule.kind, rule.demand, rule.step, rule.metric) == (first.kind, first.demand, first.step, first.metric):
        yield _problem(entry, "duplicate", f"{first.id} has the same condition and consequence")
    against = {"veto": {"prefer", "require"}, "prefer": {"veto", "avoid"}, "require": {"veto"}, "avoid": {"prefer"}}
    settled = rule.id in first.overrides or first.id in rule.overrides
    if first.kind in against.get(rule.kind, ()) and not settled:
        yield _problem(entry, "contradiction", f"{first.id} ({first.kind}) has the same condition; one must override")


def _scopes(base: RuleBase) -> Iterator[Problem]:
    """A rule asked once per case cannot depend on the candidate."""
    for entry in base:
        late = [name for name in entry.names if name.startswith(PER_CANDIDATE)]
        if entry.rule.scope == "case" and late:
            yield _problem(entry, "scope", f"a rule of scope case reads {', '.join(late)}")


def _honesty(base: RuleBase) -> Iterator[Problem]:
    """Figures shown to the user were seen at their source, and the survey is cited only for what it says."""
    for entry in base:
        rule = entry.rule
        if not any(source.seen for source in rule.sources):
            if figure := _FIGURE.search(re.sub(r"\{[^}]*\}", "", rule.reason)):
                yield _problem(entry, "recalled", f"{figure[0]!r} in the reason rests on recalled sources", "warning")
            if rule.low is not None or rule.high is not None:
                yield _problem(entry, "recalled", "low and high rest on recalled sources", "warning")
        if "survey" in f"{rule.title} {rule.reason} {rule.step}".lower() and "S1" not in rule.origin:
            yield _problem(entry, "survey", f"names the survey, but its origin is {rule.origin}", "warning")
        for source in rule.sources:
            if not source.ref.strip():
                yield _problem(entry, "source", "a source without reference")
        if not rule.why_sure or not rule.guards:
            yield _problem(entry, "rationale", "why_sure and guards say what a user wants to know", "warning")


def _estimates(base: RuleBase) -> Iterator[Problem]:
    """Estimates speak of a metric that is predicted."""
    known = {metric.value for metric in Metric}
    for entry in base:
        if entry.rule.metric and entry.rule.metric not in known:
            yield _problem(entry, "metric", f"{entry.rule.metric!r} is not one of {', '.join(sorted(known))}")


def _references(base: RuleBase) -> Iterator[Problem]:
    """Runtimes, devices and cores that rules name exist in the profiles."""
    known = known_names()
    for entry in base:
        for expr in (entry.when, entry.demand):
            for stranger in strangers(expr, known) if expr else ():
                yield _problem(entry, "reference", stranger, "warning")


CHECKS: tuple[Check, ...] = (_names, _overrides, _conditions, _scopes, _honesty, _estimates, _references)


def main(arguments: list[str]) -> int:
    """Print every problem of the shipped rules and of further folders; return the exit code."""
    base, errors = collect([Path(argument) for argument in arguments])
    problems = [*map(from_error, errors), *lint(base)]
    if not arguments and is_stale(base):
        message = "docs/rules.md is missing or stale; run python -m advisor.rules.catalogue"
        problems.append(Problem("warning", "catalogue", "", message))
    for problem in problems:
        print(problem)
    count = sum(problem.severity == "error" for problem in problems)
    print(f"{len(base)} rules, {count} errors, {len(problems) - count} warnings; {base.version} {base.digest}")
    return 1 if count else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
