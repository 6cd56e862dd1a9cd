"""What a technique's `apply` receives and returns; imports nothing heavy, so that any technique may use it.

`apply.py` of a technique offers `STAGE` ("torch" or "onnx": the form it changes), `needs(step)`, which also refuses
settings that cannot be carried out, and `apply(step, subject) -> Change`. The subject is never changed: modules are
copied, files written anew into `folder`. All else is optional, and called where it is there:

- `resolve(step, subject) -> Step`: a step whose outcome depends on weights or data becomes one that says it (widths,
  ranks, layers in float). It is called on the whole step, which the run records and previews so, and again on every
  round right before `apply`; a step that says everything already is returned as it is.
- `rounds(step) -> tuple[Step, ...]`: the resolved step is done as these, one after the other, each with its own epochs
  and on the network as the last one left it.
- `training(step) -> dict`: fields of `execution.training.Training` that differ from those of a recovery.
- `objective(step, student, teacher, images, hard) -> torch.nn.Module`: what the training minimizes, where that is not
  the mix of labels and softened outputs. `forward(student, teacher, images, targets)` returns a scalar; its parameters
  are trained along and are no part of the result; `hard(outputs, targets)` is the loss of the task; `images` is one
  batch, float32 NCHW, to find shapes with; `close()` takes its hooks off student and teacher. `student` and `teacher`
  are the modules themselves, so that hooks may be put on their layers; the teacher is in evaluation mode, its
  parameters take no gradient, and it resizes images to its own size where the student reads others.
- `finish(step, module)`: removes scaffolding that training needed and the result must not keep, in place.
- `after_training(step, module, batches)`: last changes to the finished module, in place, such as batch norms estimated
  anew; `batches` yields calibration images, float32 NCHW.
- `conversion(step) -> Step`: the step that makes an ONNX file of the trained module.
- `TAUGHT = True`: the step's network starts from nothing and learns from the original.
- `FRESH = True`: the step's network does not come from the original: its batch norms are not estimated anew.

A run that was stopped is resumed by calling `apply` and `finish` again and putting the stored tensors into the module
that they return. So both must give the same structure for the same subject and step, and whatever training changes must
stand in parameters and buffers. torch, numpy and Python draw the same random numbers each time.
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
    `labelled()` yields (images, labels) of training data once through, `selection()` those of the images held back to
    choose settings by; each is None where there are no such data.
    """

    input_shape: tuple[int, ...]
    folder: Path
    module: Any = None
    onnx: Path | None = None
    exported: Path | None = None  # the float file that `onnx` was made from
    workload: Workload | None = None
    path: ExecPath | None = None
    built: dict[str, Any] | None = None  # what the module was built from where that is not the original
    calibration: Callable[[int], Iterator[Any]] | None = None
    labelled: Callable[[], Iterator[tuple[Any, Any]]] | None = None
    selection: Callable[[], Iterator[tuple[Any, Any]]] | None = None
    preprocessing: Any = None  # loading.preprocessing.Preprocessing of the model
    seed: int = 0

    @property
    def symmetric(self) -> bool:
        """Whether the path that the model is for needs activations around zero."""
        return bool(self.path and self.path.restrictions.activation_symmetric)


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
