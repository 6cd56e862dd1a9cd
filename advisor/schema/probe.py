"""What a look at the user's own model and images showed before anything was recommended."""

from collections.abc import Iterable

from pydantic import Field

from .base import Record
from .plan import Plan
from .search import Sensitivity


class Probed(Record):
    """What one plan did to the model's answers on images that took part in nothing else.

    `delta` is the metric after minus before in points, `low..high` its paired 95 % interval; all three are None where
    the images bear no labels, and `agreement`, which is no accuracy, is all there is. `reason` says why nothing is
    known; both figures are None then.
    """

    plan: Plan
    images: int = 0
    agreement: float | None = Field(default=None, ge=0, le=100)  # percent of answers that stayed
    delta: float | None = None
    standard_error: float | None = None  # points
    low: float | None = None
    high: float | None = None
    epochs: int = 0  # that it was trained for here
    planned: int = 0  # epochs of the plan
    seconds: float = 0.0
    reason: str = ""

    @property
    def known(self) -> bool:
        """Whether anything was measured."""
        return self.agreement is not None or self.delta is not None


class LayerNoise(Record):
    """What rounding one layer to int8, all others in float, does to the outputs, and the ranges that explain it."""

    layer: str  # module path where the graph tells it; the name that `float_layers` takes
    sqnr_db: float  # signal over error of the network's outputs, decibels
    share: float = Field(ge=0, le=1)  # of the error of all layers
    agreement: float = Field(ge=0, le=100)  # percent of answers that stayed
    weight_ratio: float | None = None  # largest over smallest range of a weight's channels
    input_ratio: float | None = None  # largest over 99.9th percentile of the layer's inputs
    at_risk: bool = False


class ProbeRecord(Record):
    """A probe: what was measured on the original, on plans, and on single layers and groups."""

    budget_s: float
    spent_s: float = 0.0
    metric: str = "top-1"
    unit: str = "%"
    images: int = 0  # that judged; no calibration and no training saw them, and the test images are not among them
    calibration: int = 0
    labelled: bool = True
    seen: bool = False  # they are of the part for training, so that the network may have been trained on them
    original: float | None = None  # the metric of the unchanged model on them
    runtime: str = ""  # that executed the artefacts
    probed: tuple[Probed, ...] = ()
    layers: tuple[LayerNoise, ...] = ()  # the noisiest first
    whole_sqnr_db: float | None = None  # with every layer in int8
    act_range_max: float | None = None  # largest absolute input of a layer
    weight_ratio: float | None = None  # largest over smallest channel range within a layer, worst layer
    concat_ratio: float | None = None  # largest over smallest range of the inputs of a concatenation
    groups: tuple[Sensitivity, ...] = ()  # what taking one group away, untrained, leaves of the answers
    notes: tuple[str, ...] = ()

    def of(self, plan: Plan) -> Probed | None:
        """Return what was measured of a plan that makes the same network."""
        return next((one for one in self.probed if one.known and alike(one.plan, plan)), None)


def at_risk(layers: Iterable[LayerNoise]) -> tuple[str, ...]:
    """Return the names of the layers at risk, in the order of the alphabet."""
    return tuple(sorted(layer.layer for layer in layers if layer.at_risk))


def alike(one: Plan, other: Plan) -> bool:
    """Whether two plans make the same network; the sign of the integers is the runtime's and makes no other."""
    return len(one.steps) == len(other.steps) and all(
        left.model_dump(exclude={"signedness"}) == right.model_dump(exclude={"signedness"})
        for left, right in zip(one.steps, other.steps, strict=True)
    )
