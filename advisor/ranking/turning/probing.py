"""Who would win if a fact or the goal were different: asked many times over, so only what can change is asked again."""

from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import Any

from advisor.rules import RuleBase, evaluate
from advisor.rules.expressions import Expr
from advisor.rules.vocabulary import PER_CANDIDATE
from advisor.schema import Candidate, Finding, Goal, Recommendation, Truth

from ..rank import winner_of
from ..store import kept, restored
from ..what_if import case_facts
from .breakpoints import conditions


class Probe:
    """The decision as it stands, and what single changes would make of its winner.

    `recommendation` must have been decided by `rules`: what no change touches is taken from it.
    """

    def __init__(self, recommendation: Recommendation, rules: RuleBase) -> None:
        self.now, self.rules = recommendation, rules
        self.candidates = sorted(recommendation.candidates, key=lambda c: c.number)
        self.own = [restored(c.facts) for c in self.candidates]
        self.case = case_facts(recommendation, recommendation.goal, {})
        self._parts: dict[frozenset[str], RuleBase] = {}
        self._known: dict[tuple[frozenset[str], tuple[Any, ...]], Mapping[int, Candidate]] = {}
        self._readings: dict[frozenset[str], tuple[tuple[Expr, ...], tuple[Expr, ...]]] = {}
        self._said = [{f.rule: f for f in c.findings} for c in self.candidates]
        self._numbers = frozenset(c.number for c in self.candidates)

    @cached_property
    def readers(self) -> dict[str, tuple[str, ...]]:
        """The rules about candidates that read each fact."""
        found: dict[str, list[str]] = {}
        for entry in self.rules:
            if entry.rule.scope == "candidate" and not entry.rule.deprecated:
                for name in entry.names:
                    found.setdefault(name, []).append(entry.rule.id)
        return {name: tuple(ids) for name, ids in found.items()}

    @cached_property
    def case_names(self) -> tuple[str, ...]:
        """The facts of the case that rules about candidates read."""
        return tuple(sorted(name for name in self.readers if not name.startswith(PER_CANDIDATE)))

    def winner(self, goal: Goal | None = None, changed: Mapping[str, Any] | None = None) -> int | None:
        """Return who wins under another goal or other facts; estimates stay as they are."""
        goal = goal or self.now.goal
        case = case_facts(self.now, goal, dict(changed or {}))
        names = frozenset(n for n in {*case, *self.case} if case.get(n) != self.case.get(n))
        turned = self._asked(names, case)
        if not turned and goal == self.now.goal:
            return self.now.winner
        candidates = [turned.get(c.number, c) for c in self.candidates]
        scored = self._numbers - turned.keys() if goal == self.now.goal else frozenset()
        return winner_of(candidates, goal, self.now.baseline, scored)

    def _asked(self, names: frozenset[str], case: Mapping[str, Any]) -> Mapping[int, Candidate]:
        """Return the candidates for which rules that read these facts have other consequences, by their numbers."""
        if not any(name in self.readers for name in names):
            return {}
        answers = self._answers(names, case)
        if answers == self._answers(names, self.case):
            return {}
        if (names, answers) not in self._known:
            self._known[names, answers] = self._evaluated(names, case)
        return self._known[names, answers]

    def _answers(self, names: frozenset[str], case: Mapping[str, Any]) -> tuple[Any, ...]:
        """Return what the parts of conditions that read these facts say: where they agree, so do all rules."""
        of_case, of_plans = self._reading(names)
        read = tuple({name for part in of_plans for name in part.names})
        said = [part.run(case) for part in of_case]
        for own in self.own if of_plans else ():
            facts = {name: own.get(name, case.get(name)) for name in read}
            said += [part.run(facts) for part in of_plans]
        return tuple(said)

    def _reading(self, names: frozenset[str]) -> tuple[tuple[Expr, ...], tuple[Expr, ...]]:
        """Return the parts of conditions that read these facts: those of the case alone, and those of plans too."""
        if names not in self._readings:
            rules = sorted({rule for name in names for rule in self.readers.get(name, ())})
            parts = tuple(part for part in conditions(self.rules, rules) if names & set(part.names))
            of_plans = tuple(part for part in parts if any(n.startswith(PER_CANDIDATE) for n in part.names))
            self._readings[names] = (tuple(part for part in parts if part not in of_plans), of_plans)
        return self._readings[names]

    def _evaluated(self, names: frozenset[str], case: Mapping[str, Any]) -> Mapping[int, Candidate]:
        part = self._part(frozenset(rule for name in names for rule in self.readers.get(name, ())))
        turned = {}
        for candidate, own, said in zip(self.candidates, self.own, self._said, strict=True):
            after = kept(evaluate(part, {**case, **own}, "candidate"))
            if _consequences(said[rule] for rule in part.compiled if rule in said) != _consequences(after):
                others = tuple(f for f in candidate.findings if f.rule not in part.compiled)
                turned[candidate.number] = candidate.model_copy(update={"findings": others + after})
        return turned

    def _part(self, wanted: frozenset[str]) -> RuleBase:
        """Return the rules wanted with those that they override or that override them, and so on."""
        if wanted not in self._parts:
            linked, row = set(wanted), set(wanted)
            while row:
                row = {other for rule in row for other in self._links.get(rule, ())} - linked
                linked |= row
            self._parts[wanted] = self.rules.of(entry for entry in self.rules if entry.rule.id in linked)
        return self._parts[wanted]

    @cached_property
    def _links(self) -> dict[str, set[str]]:
        found: dict[str, set[str]] = {}
        for entry in self.rules:
            for other in entry.rule.overrides:
                found.setdefault(entry.rule.id, set()).add(other)
                found.setdefault(other, set()).add(entry.rule.id)
        return found


def _consequences(findings: Iterable[Finding]) -> frozenset[tuple[Any, ...]]:
    """Return what the decision takes from findings: rejections, weights and bounds, not words."""
    return frozenset((f.rule, f.rejects, f.weight, f.low) for f in findings if f.truth is Truth.TRUE)
