"""What an unfinished run has behind it: the order, and every finished round of a step with its files.

The journal is written whole after every round; a run that is resumed reads it and goes on behind the last round, or
inside a training behind the last epoch.
"""

import os
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from advisor.errors import RunError
from advisor.measurement.size import sha256
from advisor.schema import Plan, Step
from advisor.schema.base import Record
from advisor.schema.plan import AnyStep
from advisor.writing import write_bytes, write_text

from .checkpoints import Checkpoint

JOURNAL = "journal.json"
WORK = "work"  # folder of everything that is only needed to go on
TRIALS = "trials.json"  # in it: what a search has tried
ANEW = "Start anew with --restart."


class Header(Record):
    """What makes two runs the same: only with equal ones does a run go on."""

    plan: Plan
    model: str  # SHA-256 of the model's weights
    data: str | None  # SHA-256 of the images' names and sizes
    device: str
    seed: int
    max_drop: float | None = None  # limit of a search, in points


class Unit(Record):
    """A finished round of a step."""

    step: AnyStep  # as it was resolved
    seconds: float
    done: str
    details: dict[str, Any]
    files: dict[str, str] = {}  # by role: state, onnx, exported
    digests: dict[str, str] = {}


class Pages(Record):
    """The journal as it is stored."""

    version: int = 1
    header: Header
    environment: dict[str, str] = {}
    resolved: dict[str, AnyStep] = {}
    units: dict[str, Unit] = {}


class Journal:
    """The journal of one run in `folder`; a helping process keeps what it does to itself and works in `scratch`."""

    def __init__(self, folder: Path, pages: Pages, scratch: Path | None = None) -> None:
        """Take the run's folder and what stands in the journal."""
        self.folder, self.pages, self._scratch = folder, pages, scratch

    @property
    def work(self) -> Path:
        """The folder for files that are only needed on the way."""
        return self._scratch or self.folder / WORK

    @property
    def begun(self) -> bool:
        """Whether there is anything that would have to be done again."""
        work = self.folder / WORK
        tried = any(work.glob("*.epoch.pt")) or (work / TRIALS).is_file()
        return bool(self.pages.units or self.pages.resolved) or tried

    def unit(self, key: str) -> Unit | None:
        """Return a round that is finished."""
        return self.pages.units.get(key)

    def resolved(self, key: str) -> Step | None:
        """Return what a round was resolved to."""
        return self.pages.resolved.get(key)

    def resolve(self, key: str, step: Step) -> None:
        """Note what a round was resolved to, before it is carried out."""
        self._note({"resolved": {**self.pages.resolved, key: step}})

    def checkpoint(self, key: str) -> Checkpoint:
        """Return where the training of a round is stored."""
        return Checkpoint(self.folder / WORK / f"{key}.epoch.pt", key, writes=self._scratch is None)

    def finish(self, key: str, unit: Unit, module: Any = None, files: dict[str, Path] | None = None) -> None:
        """Store a finished round: the tensors of the module that it made, and its files in `work`."""
        found = dict(files or {})
        if self._scratch is not None:
            return
        if module is not None:
            found["state"] = self.work / f"{key}.safetensors"
            write_bytes(found["state"], packed(module))
        names = {role: path.name for role, path in found.items()}
        digests = {role: sha256(path) for role, path in found.items()}
        unit = unit.model_copy(update={"files": names, "digests": digests})
        self._note({"units": {**self.pages.units, key: unit}})
        self.checkpoint(key).path.unlink(missing_ok=True)

    def file(self, unit: Unit, role: str) -> Path | None:
        """Return a file of a finished round, refused where it is not as it was left."""
        name = unit.files.get(role)
        if name is None:
            return None
        path = self.folder / WORK / Path(name).name
        if not path.is_file() or sha256(path) != unit.digests.get(role):
            raise RunError(f"{name} is missing or damaged", where=str(path.parent), remedy=ANEW)
        return path

    def write(self) -> None:
        """Write the journal, whole or not at all."""
        if self._scratch is None:
            write_text(self.folder / JOURNAL, self.pages.model_dump_json(indent=1) + "\n")

    def _note(self, news: dict[str, Any]) -> None:
        self.pages = self.pages.model_copy(update=news)
        self.write()


def read_pages(folder: Path) -> Pages | None:
    """Read the journal of a folder, None where there is none."""
    path = folder / JOURNAL
    if not path.is_file():
        return None
    import advisor.techniques  # noqa: F401  (registers the steps that a stored plan names)

    try:
        return Pages.model_validate_json(path.read_text(encoding="utf-8"))
    except (ValueError, ValidationError, UnicodeDecodeError) as error:
        first = str(error).splitlines()[0]
        raise RunError(f"the journal cannot be read: {first}", where=str(path), remedy=ANEW) from error


def difference(begun: Header, asked: Header) -> str:
    """Say what differs between the order of an unfinished run and what is asked for now, empty if nothing does."""
    if begun.plan != asked.plan:
        return f"the plan was '{begun.plan.label}' on {begun.plan.path}, now it is '{asked.plan.label}' on " + (
            f"{asked.plan.path}" if begun.plan.label != asked.plan.label or begun.plan.path != asked.plan.path
            else f"{asked.plan.path} with other settings"
        )  # fmt: skip
    if begun.model != asked.model:
        return "the model's weights are others"
    # the seed before the images, whose parts it chooses
    for name, told in {"device": "device", "seed": "seed", "max_drop": "largest loss"}.items():
        if getattr(begun, name) != getattr(asked, name):
            return f"the {told} was {getattr(begun, name)}, now it is {getattr(asked, name)}"
    return "" if begun.data == asked.data else "the images are others"


def packed(module: Any) -> bytes:
    """Return all parameters and buffers of a module as the content of a safetensors file."""
    from safetensors.torch import save

    content: bytes = save(
        {name: tensor.detach().cpu().contiguous().clone() for name, tensor in module.state_dict().items()}
    )
    return content


def unpack(module: Any, path: Path) -> None:
    """Put stored tensors into a module of the same structure, in place."""
    from safetensors.torch import load_file

    try:
        module.load_state_dict(load_file(path))
    except (RuntimeError, OSError, ValueError, KeyError) as error:
        raise RunError(
            "the stored weights do not fit the network that the step makes now",
            where=str(path),
            remedy=f"This version may do it otherwise than the one that began. {ANEW}",
        ) from error


def weights_digest(module: Any, onnx: Path | None) -> str:
    """Return the SHA-256 of a model's tensors, or of its file; with weights beside the file, of all of them."""
    import hashlib

    if module is None:
        if onnx is None:
            return ""
        from advisor.loading.onnx_tensors import files_of

        digests = [sha256(file) for file in files_of(onnx)]
        return digests[0] if len(digests) == 1 else hashlib.sha256(":".join(digests).encode()).hexdigest()

    import torch

    found = hashlib.sha256()
    for name, tensor in sorted(module.state_dict().items()):
        found.update(f"{name} {tuple(tensor.shape)} {tensor.dtype}\n".encode())
        found.update(tensor.detach().cpu().contiguous().flatten().view(torch.uint8).numpy())
    return found.hexdigest()


def settle(path: Path, name: str) -> Path:
    """Give a file in the work folder the name of its round, so that no later round writes over it."""
    target = path.with_name(name)
    os.replace(path, target)
    return target
