"""Accuracy change of a plan in percentage points: published results of the network or priors, summed over the steps.

Published deltas describe trained networks, mostly on ImageNet. The architecture table answers for students.
"""

from math import sqrt
from statistics import NormalDist

from advisor.schema import Basis, Estimate, Metric, Step

from .accuracies.answer import NOTICEABLE, RUINOUS, Reply
from .accuracies.asked import pooled_reply, published_itself
from .imagenet import published_top1
from .priors import Prior, Span, figures, prior_for, situation
from .query import Query, register
from .risks import named_risks

_HARMLESS = frozenset({"half"})
_WORST = -100.0
_CASES = 4  # nearest published cases that an estimate names
_Z80 = NormalDist().inv_cdf(0.9)  # half width of a central 80 % interval in standard deviations


def _span(query: Query, step: Step, prior: Prior) -> Span:
    """Return the figures for one step, widened where the published ones come from another world."""
    here = situation(query, step)
    found = _own_results(query, step, prior)
    low, mid, high = prior.at(here) if found is None else (found.low, found.mid, found.high)
    limits = figures()
    if here["small_images"] and not prior.when.get("small_images"):
        low, high = mid + (low - mid) * limits.small_images.widen, mid + (high - mid) * limits.small_images.widen
    epochs = getattr(step, "epochs", 0)
    if 0 < epochs < limits.short_training.epochs and mid < 0:
        low = mid + (low - mid) * limits.short_training.widen_low
    return low, mid, high


def _own_results(query: Query, step: Step, prior: Prior) -> Reply | None:
    """Return the pooled figures where this very network was published with this recipe; its prior gives way then."""
    return pooled_reply(query, step) if prior.pooled and published_itself(query, step) else None


def _risks(low: float, mid: float, high: float) -> dict[str, float]:
    """Return the probabilities of losing more than 1 and 5 points, a normal half on either side of the middle."""
    found = {}
    for points in (NOTICEABLE, RUINOUS):
        half = (mid - low if -points < mid else high - mid) / _Z80
        found[points] = NormalDist(mid, half).cdf(-points) if half > 0 else float(mid < -points)
    return named_risks(found)


def _nearest(query: Query) -> tuple[str, ...]:
    """Return the nearest published cases of all steps."""
    replies = [pooled_reply(query, step) for step in query.plan.steps if step.technique not in _HARMLESS]
    return tuple(dict.fromkeys(case for reply in replies if reply for case in reply.cases))[:_CASES]


def _sum(spans: list[Span], lossy: int) -> Span:
    """Add the middles; independent errors add in quadrature, several lossy steps widen by the published residual."""
    mid = sum(s[1] for s in spans)
    further = figures().combination.widen if lossy > 1 else 0.0
    low = mid - sqrt(sum((s[1] - s[0]) ** 2 for s in spans)) - further
    high = mid + sqrt(sum((s[2] - s[1]) ** 2 for s in spans)) + further
    return max(low, _WORST), max(mid, _WORST), max(high, _WORST)


def _random(query: Query) -> str:
    if query.facts.get("model.random_weights") is True:
        return "; the weights are random, so the accuracy itself means nothing"
    return ""


@register
class Priors:
    """Sum of published effects of the plan's steps."""

    name = "accuracy priors"
    metric = Metric.ACCURACY

    def supports(self, query: Query) -> float | None:
        """Answer where every step has a prior."""
        if any(prior_for(step, situation(query, step)) is None for step in query.plan.steps):
            return None
        return 0.5

    def estimate(self, query: Query) -> Estimate:
        """Return the change in points."""
        if not query.plan.steps:
            return Estimate(metric=self.metric, low=0.0, mid=0.0, high=0.0, basis=Basis.EXACT, predictor=self.name,
                            note="nothing in the network changes" + _random(query))  # fmt: skip
        found = [(step, prior) for step in query.plan.steps if (prior := prior_for(step, situation(query, step)))]
        lossy = sum(step.technique not in _HARMLESS for step, _ in found)
        low, mid, high = _sum([_span(query, step, prior) for step, prior in found], lossy)
        sources = tuple(dict.fromkeys(s for _, prior in found for s in prior.sources))
        counts = [prior.n for _, prior in found if prior.n is not None]
        return Estimate(
            metric=self.metric, low=low, mid=mid, high=high, predictor=self.name, references=sources,
            basis=self._basis(query, found),
            n=min(counts) if counts else None,
            note="; ".join(self._note(query, step, prior) for step, prior in found) + _random(query),
            risks=_risks(low, mid, high), nearest=_nearest(query),
        )  # fmt: skip

    @staticmethod
    def _basis(query: Query, found: list[tuple[Step, Prior]]) -> Basis:
        if all("assumed" in prior.sources for _, prior in found):
            return Basis.ASSUMED
        lossy = [(step, prior) for step, prior in found if step.technique not in _HARMLESS]
        pooled = lossy and all(_own_results(query, step, prior) for step, prior in lossy)
        return Basis.FITTED if pooled else Basis.PUBLISHED

    @staticmethod
    def _note(query: Query, step: Step, prior: Prior) -> str:
        reply = _own_results(query, step, prior)
        return prior.note if reply is None else reply.basis

    def absence(self, query: Query) -> str:
        """Explain the absence."""
        missing = [s.technique for s in query.plan.steps if prior_for(s, situation(query, s)) is None]
        return f"no published effect of {', '.join(missing)} is known" if missing else ""


def _ready_made(query: Query) -> Step | None:
    """Return the step that puts another network in place of the original."""
    return query.step("distil") or query.step("swap")


def _published_training(step: Step) -> str:
    """Say what the published accuracy rests on."""
    if getattr(step, "weights", "") == "random":
        return "; the student starts from random weights, and this assumes a training as long as the published one"
    return "; other data and shorter training can differ"


@register
class StudentTable:
    """Published accuracies of original and ready-made network, and the usual gain where the original teaches it."""

    name = "published architectures"
    metric = Metric.ACCURACY

    def supports(self, query: Query) -> float | None:
        """Answer for another network where both architectures are published and all other steps have a prior."""
        step = _ready_made(query)
        others = [s for s in query.plan.steps if s is not step]
        if step is None or any(prior_for(s, situation(query, s)) is None for s in others):
            return None
        known = published_top1(query.before.name) and published_top1(str(getattr(step, "student", "")))
        return 0.7 if known and getattr(step, "size", None) is None else None  # published for one size alone

    def estimate(self, query: Query) -> Estimate:
        """Return student minus original, with the gain of a teacher if there is one, plus the other steps."""
        step = _ready_made(query)
        student, original = published_top1(str(getattr(step, "student", ""))), published_top1(query.before.name)
        if step is None or student is None or original is None:
            raise ValueError("a student's accuracy was asked where it is not published")
        gain = figures().distillation
        # What is taught is at best what the teacher knows: a student with the better published recipe is a swap, and
        # its advantage is that of the recipe, not that of distillation (KD-10).
        first = (student.low - original.mid, student.mid - original.mid, student.high - original.mid)
        if step.technique == "distil":
            first = (
                first[0],
                min(first[1] + min(gain.mid, gain.cap), 0.0),
                min(max(first[2], first[1] + gain.cap), gain.cap),
            )
        others = [
            (s, prior) for s in query.plan.steps if s is not step and (prior := prior_for(s, situation(query, s)))
        ]
        spans = [(min(first), first[1], max(first)), *(_span(query, s, prior) for s, prior in others)]
        low, mid, high = _sum(spans, len(spans))
        return Estimate(
            metric=self.metric, low=low, mid=mid, high=high, basis=Basis.PUBLISHED, predictor=self.name,
            n=student.n + original.n, references=("TIMM", gain.source, *(s for _, p in others for s in p.sources)),
            note=f"ImageNet top-1 of the student {student.mid:.1f} %, of the original {original.mid:.1f} %"
            + (f", and {gain.mid:.1f} points for a teacher" if step.technique == "distil" else "")
            + _published_training(step) + _random(query), risks=_risks(low, mid, high), nearest=_nearest(query),
        )  # fmt: skip

    def absence(self, query: Query) -> str:
        """Explain the absence."""
        return "the accuracies of original and student are not both in the table of architectures"
