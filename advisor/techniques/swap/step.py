"""Another architecture in place of the original: smaller, ready-made, and taught by nobody."""

from typing import Any, ClassVar

from pydantic import Field, model_validator

from advisor.schema import Step
from advisor.techniques.distil.presets import USUAL, preset


class Swap(Step):
    """Replace the network by one of the list of students, which learns from labels alone or is used as it is.

    `weights`: "pretrained" (those that timm publishes), the path of a file, or "random". With `epochs` it is trained,
    by the settings of the usual preset of knowledge/distillation.yaml where the plan does not say otherwise.
    """

    technique: ClassVar[str] = "swap"
    student: str  # timm:NAME
    size: int | None = Field(default=None, ge=32, multiple_of=32)  # side of its image; None: as it was published
    weights: str = Field(default="pretrained", min_length=1)
    epochs: int = Field(default=0, ge=0)
    learning_rate: float = Field(default_factory=lambda: preset(USUAL).learning_rate, gt=0)
    weight_decay: float = Field(default_factory=lambda: preset(USUAL).weight_decay, ge=0)
    batch: int = Field(default_factory=lambda: preset(USUAL).batch, ge=2)

    @model_validator(mode="after")
    def _random_weights_are_trained(self) -> "Swap":
        if self.weights == "random" and self.epochs == 0:
            raise ValueError("epochs: random weights need a training")
        return self

    @property
    def label(self) -> str:
        """Name shown to people."""
        size = f" at {self.size} px" if self.size else ""
        return f"swap for {self.student.removeprefix('timm:')}{size}"

    @property
    def trained(self) -> dict[str, Any]:
        """How it is trained, in the words of the executor's settings; it never stops early."""
        return {
            "optimizer": preset(USUAL).optimizer,
            "learning_rate": self.learning_rate,
            "weight_decay": self.weight_decay,
            "batch": self.batch,
            "patience": max(1, self.epochs),
        }
