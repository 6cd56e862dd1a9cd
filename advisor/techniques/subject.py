"""What a technique's `apply` receives and returns; imports nothing heavy, so that any technique may use it.

`apply.py` of a technique offers: `STAGE` ("torch" or "onnx": the form it changes), `needs(step)`, which also refuses
settings that cannot be carried out, and `apply(step, subject) -> Change`. Where training needs scaffolding that the
result must not keep, `finish(step, module)` removes it; `conversion(step)` names the step that makes an ONNX file of
it. `training(step)` says how the module is trained where that differs from a recovery; `TAUGHT` marks steps that learn
from the original. The subject is never changed: modules are copied, files written anew into `folder`.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from advisor.schema import ExecPath, Workload

Stage = Literal["torch", "onnx"]
Need = Literal["nothing", "calibration", "labels"]


@dataclass(frozen=True)
class Subject:
    """The model on its way through a plan: a torch module at first, an ONNX file once it has been exported.

    `calibration(n)` yields float32 NCHW batches of the model's batch size, up to n images spread over the classes;
    `labelled()` yields (images, labels) of training data once through; either is None where there are no such data.
    """

    input_shape: tuple[int, ...]
    folder: Path
    module: Any = None
    onnx: Path | None = None
    workload: Workload | None = None
    path: ExecPath | None = None
    built: dict[str, Any] | None = None  # what the module was built from where that is not the original
    calibration: Callable[[int], Iterator[Any]] | None = None
    labelled: Callable[[], Iterator[tuple[Any, Any]]] | None = None
    seed: int = 0


@dataclass(frozen=True)
class Change:
    """What a technique made: the new module or file, a sentence, details, and another input if it changed.

    `built` says of a module that was not made from the original what it was built from, for its stored weights.
    """

    done: str
    module: Any = None
    onnx: Path | None = None
    details: dict[str, Any] = field(default_factory=dict)
    input_shape: tuple[int, ...] | None = None
    built: dict[str, Any] | None = None
