"""Pairs of rules: the same said twice, advice that cancels out, demands and bounds that exclude each other.

Vetoes and demands decide before advice is weighed, so advice is only contradicted by a veto that covers all of it.
Advice for and against that holds together in part is weighed by certainty; that is an overlap, to be looked at.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations, permutations, product

from ..load import Compiled, RuleBase
from ..problems import Problem
from ..regions import Region, covers, meeting, region, signature
from ..vocabulary import Vocabulary
from .places import can_meet
from .table import found

_OPPOSED = {("prefer", "veto"), ("require", "veto"), ("prefer", "avoid"), ("avoid", "prefer")}


@dataclass(frozen=True)
class Subject:
    """A rule with the regions of its condition and of its demand."""

    entry: Compiled
    vocabulary: Vocabulary

    @property
    def id(self) -> str:
        """The rule's id."""
        return self.entry.rule.id

    @cached_property
    def when(self) -> Region:
        """Where the condition holds; empty where it has too many alternatives to compare."""
        return region(self.entry.when, self.vocabulary) or ()

    @cached_property
    def met(self) -> Region:
        """Where the demand holds, too."""
        demand = region(self.entry.demand, self.vocabulary) if self.entry.demand else None
        return meeting(self.when, demand or ())

    @cached_property
    def settings(self) -> Region:
        """What the condition says of the plan; empty if one alternative says nothing."""
        boxes = tuple(box.only(("plan.",)) for box in self.when)
        return boxes if all(box.extents or box.parts for box in boxes) else ()

    @property
    def consequence(self) -> tuple[object, ...]:
        """What follows where it holds. A warning is its text."""
        rule = self.entry.rule
        return rule.kind, rule.scope, rule.demand, rule.step, rule.metric, rule.reason if rule.kind == "warn" else ""


def pairs(base: RuleBase) -> Iterator[Problem]:
    """Compare every two rules of one scope that can be said to repeat or oppose each other."""
    subjects = [Subject(entry, base.vocabulary) for entry in base if not entry.rule.deprecated]
    equal = set()
    for first, second in _equal(subjects):
        equal |= {(first.id, second.id), (second.id, first.id)}
        yield from _same_condition(first, second)
    for inner, outer in _comparable(subjects):
        if (inner.id, outer.id) not in equal and not _apart(inner, outer):
            yield from _inside(inner, outer)
    kinds = _by(subjects, lambda subject: subject.entry.rule.kind)
    alike = (*combinations(kinds["require"], 2), *combinations(kinds["estimate"], 2))
    for first, second in (*alike, *product(kinds["prefer"], kinds["avoid"])):
        if not _apart(first, second):
            yield from _together(first, second)


def _comparable(subjects: list[Subject]) -> Iterator[tuple[Subject, Subject]]:
    """Pair rules of one consequence, and rules of opposed kinds, each as the inner and the outer one."""
    for group in _by(subjects, lambda subject: subject.consequence).values():
        yield from permutations(group, 2)
    kinds = _by(subjects, lambda subject: subject.entry.rule.kind)
    for inner, outer in sorted(_OPPOSED):
        yield from product(kinds[inner], kinds[outer])


def _by(subjects: list[Subject], key: Callable[[Subject], object]) -> dict[object, list[Subject]]:
    groups: dict[object, list[Subject]] = defaultdict(list)
    for subject in subjects:
        groups[key(subject)].append(subject)
    return groups


def _apart(one: Subject, other: Subject) -> bool:
    """Whether two rules are never weighed against each other."""
    a, b = one.entry.rule, other.entry.rule
    return a.scope != b.scope or a.id in b.overrides or b.id in a.overrides


def _equal(subjects: list[Subject]) -> Iterator[tuple[Subject, Subject]]:
    for group in _by(subjects, lambda s: (s.entry.rule.scope, signature(s.entry.when))).values():
        for i, subject in enumerate(group):
            yield from ((subject, other) for other in group[:i])


def _same_condition(one: Subject, other: Subject) -> Iterator[Problem]:
    rule, first = one.entry.rule, other.entry.rule
    if one.consequence == other.consequence:
        yield found("duplicate", one.entry, f"{first.id} has the same condition and consequence", first.id)
    opposed = (rule.kind, first.kind) in _OPPOSED or (first.kind, rule.kind) in _OPPOSED
    if opposed and not _apart(one, other):
        yield found(
            "contradiction", one.entry, f"{first.id} ({first.kind}) has the same condition; one must override", first.id
        )


def _inside(inner: Subject, outer: Subject) -> Iterator[Problem]:
    """Look for a rule that holds only where another one does, and says the same or the opposite."""
    kinds = (inner.entry.rule.kind, outer.entry.rule.kind)
    first = outer.entry.rule
    if inner.consequence == outer.consequence and covers(outer.when, inner.when):
        if kinds[0] in ("veto", "require") or not _adds(inner, outer):
            what = f"{first.id} holds wherever it does, with the same consequence"
            yield found("subsumed", inner.entry, what, first.id)
    elif kinds in _OPPOSED and covers(outer.when, inner.met if kinds[0] == "require" else inner.when):
        what = "whatever meets it" if kinds[0] == "require" else "every plan that it speaks of"
        verb = {"veto": "rules out", "avoid": "advises against", "prefer": "speaks for"}[kinds[1]]
        yield found("contradiction", inner.entry, f"{first.id} ({kinds[1]}) {verb} {what}; one must override", first.id)


def _adds(inner: Subject, outer: Subject) -> bool:
    """Whether advice within advice counts for something: other evidence, more certainty, or other bounds."""
    a, b = inner.entry.rule, outer.entry.rule
    other_evidence = not a.same_evidence or a.same_evidence != b.same_evidence
    return other_evidence or a.weight > b.weight or (a.low, a.high) != (b.low, b.high)


def _together(one: Subject, other: Subject) -> Iterator[Problem]:
    """Look for demands, bounds and advice that exclude each other where both rules hold."""
    a, b = one.entry.rule, other.entry.rule
    if a.kind == "require":
        if one.met and other.met and not meeting(one.met, other.met) and _can_meet(one, other):
            yield found("deadlock", one.entry, f"no plan meets its demand and that of {b.id}", b.id)
    elif a.kind == "estimate":
        if a.metric == b.metric and _exclude(one, other) and _can_meet(one, other):
            bounds = f"{_span(one)} and {_span(other)} of {a.metric}"
            yield found("disagree", one.entry, f"{b.id} can hold together with it: {bounds}", b.id)
    elif covers(one.settings, other.settings) and covers(other.settings, one.settings) and _can_meet(one, other):
        yield found("overlap", one.entry, f"{b.id} ({b.kind}) can hold together with this {a.kind}", b.id)


def _can_meet(one: Subject, other: Subject) -> bool:
    return bool(meeting(one.when, other.when)) and can_meet(one.entry.when, other.entry.when)


def _exclude(one: Subject, other: Subject) -> bool:
    (low, high), (least, most) = ((s.entry.rule.low, s.entry.rule.high) for s in (one, other))
    return (high is not None and least is not None and high < least) or (
        low is not None and most is not None and most < low
    )


def _span(subject: Subject) -> str:
    low, high = subject.entry.rule.low, subject.entry.rule.high
    return " to ".join("any" if value is None else f"{value:g}" for value in (low, high))
