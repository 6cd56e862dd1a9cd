"""What a model is and what can be done with it, as found when it was opened."""

from typing import Any, Literal

from .base import Record
from .workload import Workload

Action = Literal["profile", "preview", "quantize", "prune"]


class ModelInput(Record):
    """One input of a network. An empty name means by position, an empty dtype that of the weights."""

    name: str = ""
    shape: tuple[int, ...]
    dtype: str = ""

    @property
    def text(self) -> str:
        """The input as it is written after --input."""
        label = f"{self.name}=" if self.name else ""
        return f"{label}{'x'.join(map(str, self.shape))}{f':{self.dtype}' if self.dtype else ''}"


class Ability(Record):
    """Whether something can be done with a model in this form, and why not."""

    action: Action
    possible: bool
    why: str = ""


class Near(Record):
    """An architecture that comes close to a file's weights."""

    arch: str
    similarity: float  # 0 to 1, share of the file's tensors with the same name and shape
    differs: tuple[str, ...] = ()


class Intake(Record):
    """What opening a model found out. `inputs` is empty where only weights of an unknown network were found."""

    name: str
    source: str
    kind: str  # in words: "pickled module", "state dict", "ONNX, opset 17" ...
    format: str  # torch | torchscript | exported | onnx | weights (of an unknown network)
    arch: str | None = None
    recognised: str = ""  # how the architecture is known: "named", "exact", "up to the classifier" ...
    twins: tuple[str, ...] = ()  # other architectures with the same weights
    nearest: tuple[Near, ...] = ()
    inputs: tuple[ModelInput, ...] = ()
    preprocessing: str = ""  # in words
    tensors: int = 0  # weights and buffers
    parameters: int = 0
    bytes: int = 0  # of the files
    sha256: dict[str, str] = {}  # file -> digest
    random_weights: bool = False
    quantized: bool | None = None
    task: str | None = None
    classes: int | None = None
    head: str | None = None  # module path or weight name of the last weighted layer
    outputs: tuple[tuple[int, ...], ...] = ()
    abilities: tuple[Ability, ...] = ()
    notes: tuple[str, ...] = ()


class Profiled(Record):
    """Everything that later rooms need of a model: what it is, its work, and how to open it again."""

    intake: Intake
    workload: Workload
    spec: dict[str, Any]
