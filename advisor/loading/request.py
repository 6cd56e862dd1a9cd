"""What the user asked for, checked, and where a network comes from."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from advisor.digests import sha256
from advisor.errors import ModelLoadError
from advisor.schema import ModelInput


@dataclass(frozen=True)
class Request:
    """The options of `load`, checked."""

    arch: str | None
    checkpoint: Path | None
    inputs: tuple[ModelInput, ...] | None
    trust: bool
    allow_packages: tuple[str, ...]
    batch: int
    digests: Mapping[str, str]
    check: bool = True

    @property
    def shape(self) -> tuple[int, ...] | None:
        """The shape of the first input, if one was asked for."""
        return self.inputs[0].shape if self.inputs else None

    def spec(self, spec: str, inputs: tuple[ModelInput, ...], files: tuple[Path, ...]) -> dict[str, Any]:
        """Return what `load` needs to open the same model again, from any working directory."""
        found: dict[str, Any] = {"spec": spec, "input_shape": written(inputs), "batch": inputs[0].shape[0]}
        if self.arch:
            found["arch"] = self.arch
        if self.checkpoint:
            found["checkpoint"] = str(self.checkpoint.resolve())
        if self.trust:
            found["trust"] = True
        if self.allow_packages:
            found["allow_packages"] = list(self.allow_packages)
        if files:
            found["sha256"] = {str(f.resolve()): sha256(f) for f in files}
        return found

    def compare_digests(self, files: tuple[Path, ...]) -> None:
        """Refuse files that changed since they were recorded."""
        for file in files:
            expected = self.digests.get(str(file.resolve()))
            if expected is not None and sha256(file) != expected:
                raise ModelLoadError(
                    "the model file has changed since it was recorded",
                    where=str(file),
                    remedy="Restore the file, or start again from the changed model.",
                )


@dataclass(frozen=True)
class Origin:
    """Where a network comes from."""

    name: str
    source: str
    kind: str  # in words
    spec: str = ""  # what `load` takes for the same network; the source where empty
    files: tuple[Path, ...] = ()
    format: str = "torch"
    arch: str | None = None
    recognised: str = ""  # how the architecture is known
    twins: tuple[str, ...] = ()
    random: bool = False
    notes: tuple[str, ...] = ()


def written(inputs: tuple[ModelInput, ...]) -> list[Any]:
    """Write inputs as JSON that `load` takes back: figures for a plain one, records otherwise."""
    if len(inputs) == 1 and not inputs[0].name and not inputs[0].dtype:
        return list(inputs[0].shape)
    return [one.model_dump(mode="json") for one in inputs]
