"""The Python interface in ten lines: `api.py [MODEL DEVICE]`, by default timm:mobilenetv2_100 on raspberry-pi-4b."""

import sys

import advisor

goal = advisor.Goal(kind="latency", limits=(advisor.Limit(metric=advisor.Metric.ACCURACY, bound=1.0),))
model, device = sys.argv[1:3] if len(sys.argv) > 2 else ("timm:mobilenetv2_100", "raspberry-pi-4b")
answer = advisor.recommend(model, target=device, goal=goal)
if answer.recommended is None:
    sys.exit("\n".join(answer.nearest))
print(answer.recommended.plan.label, "on", answer.recommended.plan.path)
for metric, estimate in answer.recommended.estimates.items():
    print(f"{metric.value}: {estimate.mid:.3g} ({estimate.low:.3g} to {estimate.high:.3g}, {estimate.basis.value})")
for sentence in advisor.explain(answer, why_not="static_int8").answer:
    print(sentence)
