"""How far the outputs of two sessions lie apart on the same random inputs."""

import numpy as np

from advisor.errors import NotApplicable
from advisor.schema import Record

from .runtime import Session

INPUTS = 4
SLACK = 0.02  # of the largest output: what other orders of sums and other roundings may move in float arithmetic
SLACK_INT8 = 0.15  # the same where both compute in integers, rounded at other places


class Agreement(Record):
    """Differences of all outputs over all inputs, and the largest output of the reference."""

    largest: float
    mean: float
    scale: float
    inputs: int
    same_first: int  # inputs on which the largest output is the same one

    def holds(self, slack: float) -> bool:
        """Whether the largest difference is within a share of the largest output."""
        return bool(np.isfinite(self.largest)) and self.largest <= slack * max(self.scale, 1e-6)


def compare_outputs(reference: Session, candidate: Session, *, seed: int = 0, inputs: int = INPUTS) -> Agreement:
    """Run both on the same inputs, normally distributed as normalised images are; other shapes agree in nothing."""
    random = np.random.default_rng(seed)
    differences, scale, same = [], 0.0, 0
    for _ in range(inputs):
        batch = random.standard_normal(reference.input_shape).astype(np.float32)
        expected, found = reference.outputs(batch), candidate.outputs(batch)
        if len(expected) != len(found) or any(a.size != b.size for a, b in zip(expected, found, strict=True)):
            return Agreement(largest=np.inf, mean=np.inf, scale=0, inputs=inputs, same_first=0)
        for one, other in zip(expected, found, strict=True):
            differences.append(np.abs(one.astype(np.float64).ravel() - other.astype(np.float64).ravel()))
            scale = max(scale, float(np.abs(one).max(initial=0)))
        same += int(np.argmax(expected[0]) == np.argmax(found[0]))
    every = np.concatenate(differences)
    return Agreement(
        largest=float(every.max(initial=0)),
        mean=float(every.mean()) if every.size else 0.0,
        scale=scale,
        inputs=inputs,
        same_first=same,
    )


def refuse_others(agreement: Agreement, runtime: str, source: str) -> None:
    """Refuse a float file whose outputs differ by more than rounding can explain."""
    if agreement.holds(SLACK):
        return
    raise NotApplicable(
        f"the file for {runtime} computes something else: outputs differ by up to {agreement.largest:.3g}, the largest "
        f"is {agreement.scale:.3g}",
        where=source,
        remedy="It was not kept. Use another runtime, and report the model to that runtime's authors.",
    )
