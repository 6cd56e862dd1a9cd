"""Accuracy change of a plan in percentage points: priors by technique and family, summed over the steps.

Published deltas describe trained networks, mostly on ImageNet. The architecture table answers for students.
"""

from math import sqrt

from advisor.schema import Basis, Estimate, Metric, Step

from .imagenet import published_top1
from .priors import Prior, Span, figures, prior_for, situation
from .query import Query, register

_HARMLESS = frozenset({"half"})
_WORST = -100.0


def _span(query: Query, step: Step, prior: Prior) -> Span:
    """Return the prior's figures for one step, widened where the published ones come from another world."""
    here = situation(query, step)
    low, mid, high = prior.at(here)
    limits = figures()
    if here["small_images"] and not prior.when.get("small_images"):
        low, high = mid + (low - mid) * limits.small_images.widen, mid + (high - mid) * limits.small_images.widen
    epochs = getattr(step, "epochs", 0)
    if 0 < epochs < limits.short_training.epochs and mid < 0:
        low = mid + (low - mid) * limits.short_training.widen_low
    return low, mid, high


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
            basis=Basis.ASSUMED if all("assumed" in prior.sources for _, prior in found) else Basis.PUBLISHED,
            n=min(counts) if counts else None,
            note="; ".join(prior.note for _, prior in found) + _random(query),
        )  # fmt: skip

    def absence(self, query: Query) -> str:
        """Explain the absence."""
        missing = [s.technique for s in query.plan.steps if prior_for(s, situation(query, s)) is None]
        return f"no published effect of {', '.join(missing)} is known" if missing else ""


@register
class StudentTable:
    """Published accuracies of original and student, and the usual gain of distillation."""

    name = "published architectures"
    metric = Metric.ACCURACY

    def supports(self, query: Query) -> float | None:
        """Answer for distillation where both architectures are published and all other steps have a prior."""
        step = query.step("distil")
        others = [s for s in query.plan.steps if s is not step]
        if step is None or any(prior_for(s, situation(query, s)) is None for s in others):
            return None
        known = published_top1(query.before.name) and published_top1(str(getattr(step, "student", "")))
        return 0.7 if known and getattr(step, "size", None) is None else None  # published for one size alone

    def estimate(self, query: Query) -> Estimate:
        """Return student minus original, with the gain of a teacher, plus the other steps."""
        step = query.step("distil")
        student, original = published_top1(str(getattr(step, "student", ""))), published_top1(query.before.name)
        if step is None or student is None or original is None:
            raise ValueError("a student's accuracy was asked where it is not published")
        gain = figures().distillation
        # What is taught is at best what the teacher knows: a student with the better published recipe is a swap, and
        # its advantage is that of the recipe, not that of distillation (KD-10).
        first = (
            student.low - original.mid,
            min(student.mid - original.mid + min(gain.mid, gain.cap), 0.0),
            min(max(student.high, student.mid + gain.cap) - original.mid, gain.cap),
        )
        others = [
            (s, prior) for s in query.plan.steps if s is not step and (prior := prior_for(s, situation(query, s)))
        ]
        spans = [(min(first), first[1], max(first)), *(_span(query, s, prior) for s, prior in others)]
        low, mid, high = _sum(spans, len(spans))
        return Estimate(
            metric=self.metric, low=low, mid=mid, high=high, basis=Basis.PUBLISHED, predictor=self.name,
            n=student.n + original.n, references=("TIMM", gain.source, *(s for _, p in others for s in p.sources)),
            note=f"ImageNet top-1 of the student {student.mid:.1f} %, of the original {original.mid:.1f} %, and "
            f"{gain.mid:.1f} points for a teacher; other data and shorter training can differ" + _random(query),
        )  # fmt: skip

    def absence(self, query: Query) -> str:
        """Explain the absence."""
        return "the accuracies of original and student are not both in the table of architectures"
