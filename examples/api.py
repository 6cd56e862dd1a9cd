"""The Python interface in ten lines: `api.py timm:mobilenetv2_100 raspberry-pi-4b`."""

import sys

import advisor

goal = advisor.Goal(kind="latency", limits=(advisor.Limit(metric=advisor.Metric.ACCURACY, bound=1.0),))
answer = advisor.recommend(sys.argv[1], target=sys.argv[2], goal=goal)
if answer.recommended is None:
    sys.exit("\n".join(answer.nearest))
print(answer.recommended.plan.label, "on", answer.recommended.plan.path)
for metric, estimate in answer.recommended.estimates.items():
    print(f"{metric.value}: {estimate.mid:.3g} ({estimate.low:.3g} to {estimate.high:.3g}, {estimate.basis.value})")
for sentence in advisor.explain(answer, why_not="static_int8").answer:
    print(sentence)
