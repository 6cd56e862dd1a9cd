"""Asking every rule about every pair, with the engine that recommendations use, and counting how often it is right."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import Any

from advisor.rules import RuleBase, evaluate
from advisor.schema import Finding, Rule, Truth

from .claims import Claim, claim_of
from .origins import drawn_from
from .pair import ACCURACY, LATENCY, Pair
from .settings import Judged
from .weighing import quantile, weights_of

_GOALS = {LATENCY: "latency", ACCURACY: "accuracy"}
_ADVISED = "prefer"  # it advises nothing that a requirement rejects
_ENDS = (0.1, 0.5, 0.9)


@dataclass(frozen=True)
class Agreement:
    """What the evidence says of one rule; `low`, `mid` and `high` are the 10, 50 and 90 % quantiles of what was seen.

    Verdicts: holds, contradicted, explained (contradicted, and the rule says when it is wrong), few (too few pairs to
    judge), silent (no pair). `drawn` tells that the rule was drawn from these very measurements: they do not test it.
    `undecided` counts pairs on which the condition was unknown; `note` says for want of what.
    """

    rule: str
    kind: str
    metric: str
    claim: str
    verdict: str
    n: int = 0
    models: int = 0
    devices: int = 0
    hit_rate: float | None = None
    low: float | None = None
    mid: float | None = None
    high: float | None = None
    drawn: bool = False
    undecided: int = 0
    note: str = ""
    sources: tuple[str, ...] = ()

    def as_data(self) -> dict[str, Any]:
        """Return it for a file."""
        return {**asdict(self), "sources": list(self.sources)}


@dataclass
class _Heard:
    """The pairs that a rule spoke about, and what it lacked where it could not tell."""

    pairs: list[Pair] = field(default_factory=list)
    lacked: Counter[str] = field(default_factory=Counter)
    undecided: int = 0


def judge(base: RuleBase, pairs: Iterable[Pair], judged: Judged) -> tuple[Agreement, ...]:
    """Hold all rules that claim something measurable against the pairs; in the order of the rules."""
    claims = {e.rule.id: claim for e in base if (claim := claim_of(e.rule, judged)) and not e.rule.deprecated}
    heard: dict[str, _Heard] = defaultdict(_Heard)
    for pair in pairs:
        facts = {**pair.facts, "user.goal": _GOALS.get(pair.metric, "size")}
        findings = evaluate(base, facts, "candidate")
        improper = any(f.kind == "require" and f.rejects for f in findings)
        for finding in findings:
            claim = None if improper and finding.kind == _ADVISED else claims.get(finding.rule)
            if claim is not None and claim.metric == pair.metric and _about(base, finding.rule) == pair.changed:
                _hear(heard[finding.rule], finding, pair)
    return tuple(agreement(base.get(rule).rule, claims[rule], heard[rule], judged) for rule in claims)


def _about(base: RuleBase, rule: str) -> str:
    """Tell whether a rule speaks of what a plan changes, or of the unit alone."""
    return "plan" if any(name.startswith("plan.") for name in base.get(rule).names) else "unit"


def _hear(heard: _Heard, finding: Finding, pair: Pair) -> None:
    """Count a pair: of a requirement only what it would reject, and nothing that another rule sets aside."""
    if finding.truth is Truth.UNKNOWN or (finding.truth is Truth.TRUE and finding.missing):
        heard.undecided += 1
        heard.lacked.update(finding.missing)
    elif finding.truth is Truth.TRUE and finding.weight > 0 and (finding.kind != "require" or finding.rejects):
        heard.pairs.append(pair)


def agreement(rule: Rule, claim: Claim, heard: _Heard, judged: Judged) -> Agreement:
    """Sum up what one rule's pairs show."""
    pairs, lacking = heard.pairs, _lacking(heard)
    if not pairs:
        return Agreement(
            rule.id, rule.kind, claim.metric, claim.words, "silent", undecided=heard.undecided, note=lacking
        )
    weights = weights_of(pairs)
    seen = [pair.observed for pair in pairs]
    rate = sum(w for w, value in zip(weights, seen, strict=True) if claim.holds(value))
    sources = tuple(sorted({pair.source for pair in pairs}))
    low, mid, high = (quantile(seen, weights, share) for share in _ENDS)
    verdict = "few" if len(pairs) < judged.pairs else "holds" if rate >= judged.hit_rate else _missed(rule)
    return Agreement(
        rule.id, rule.kind, claim.metric, claim.words, verdict, n=len(pairs), models=len({p.model for p in pairs}),
        devices=len({p.device for p in pairs}), hit_rate=round(rate, 3), low=_short(low), mid=_short(mid),
        high=_short(high), drawn=drawn_from(rule, sources), undecided=heard.undecided,
        note=_note(rule, verdict, lacking), sources=sources,
    )  # fmt: skip


def _missed(rule: Rule) -> str:
    return "explained" if rule.wrong_when else "contradicted"


def _note(rule: Rule, verdict: str, lacking: str) -> str:
    return rule.wrong_when if verdict == "explained" else lacking


def _lacking(heard: _Heard) -> str:
    """Name the facts that the undecided pairs lack most often."""
    if not heard.lacked:
        return ""
    ordered = sorted(heard.lacked.items(), key=lambda item: (-item[1], item[0]))
    return "undecided pairs lack " + ", ".join(name for name, _ in ordered[:3])


def _short(value: float) -> float:
    return float(f"{value:.3g}")
