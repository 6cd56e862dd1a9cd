"""PyTorch compiled ahead of time by AOTInductor. Artefacts are torch.export archives, as those of `pytorch`.

A compiled package is a library of machine code, and opening one runs it. So the archive is what is stored and shipped,
and every machine compiles it for itself: once, into the user's cache folder, named after the archive's digest.
"""

import os
import shutil
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from types import MappingProxyType
from typing import Any

from advisor.digests import sha256
from advisor.errors import NotApplicable, RunError, first_line

from .onnx_source import quantizes
from .pytorch import PyTorch, TorchSession, open_archive
from .runtime import Placement
from .silence import silent


class CompiledSession(TorchSession):
    """A compiled archive of one static shape."""

    def _opened(self, path: Path) -> tuple[Any, tuple[int, ...]]:
        return _compiled(path), open_archive(path).input_shape


class AotInductor:
    """The runtime `aotinductor` on the unit cpu."""

    name = "aotinductor"
    suffix = ".pt2"
    extra = ""
    module = "torch"
    remedy = "Install a C++ compiler (g++ or clang++), or name one in CXX."
    arithmetic: Mapping[str, str] = MappingProxyType(
        {
            "fp32": "f32",
        }
    )

    def available(self) -> bool:
        """Whether torch and a C++ compiler are installed."""
        return PyTorch().available() and compiler() is not None

    def version(self) -> str:
        """Version of torch."""
        return version("torch")

    def export(self, module: Any, input_shape: tuple[int, ...], target: Path, *, opset: int | None = None) -> Path:
        """Write a torch.export archive of one static shape."""
        return PyTorch().export(module, input_shape, target, opset=opset)

    def convert(self, onnx: Path, target: Path) -> Path:
        """Write a float ONNX file as a torch.export archive; simulated quantize nodes would gain nothing."""
        if quantizes(onnx):
            raise NotApplicable(
                "aotinductor runs float files only", where=str(onnx), remedy="Use onnxruntime for int8."
            )
        return PyTorch().convert(onnx, target)

    def files(self, path: Path) -> tuple[Path, ...]:
        """Return the archive."""
        return (path,)

    def load(self, path: Path, threads: int = 1) -> CompiledSession:
        """Compile an archive, or take what was compiled of it before."""
        return CompiledSession(path, threads)

    def placement(self, path: Path) -> Placement:
        """Count the operators of the archive; the compiler fuses those between the heavy ones."""
        return PyTorch().placement(path)


def compiler() -> str | None:
    """Return the C++ compiler that would be used."""
    named = os.environ.get("CXX")
    return shutil.which(named) if named else next(filter(None, map(shutil.which, ("g++", "clang++"))), None)


def _compiled(path: Path) -> Any:
    """Return the callable of a package in the cache, compiled now if it is not there."""
    import torch
    from platformdirs import user_cache_path

    if not path.is_file():
        raise RunError("the archive is missing", where=str(path), remedy="Convert the model again.")
    folder = user_cache_path("advisor") / "compiled"
    package = folder / f"{sha256(path)}-torch{version('torch')}.pt2"
    try:
        with silent():
            from torch._inductor import aoti_compile_and_package, aoti_load_package

            if not package.is_file():
                folder.mkdir(parents=True, exist_ok=True)
                partial = folder / f".{os.getpid()}-{package.name}"
                opened = open_archive(path)
                program = torch.export.export(opened.module, (torch.zeros(opened.input_shape),))
                with torch.no_grad():
                    aoti_compile_and_package(program, package_path=str(partial))
                os.replace(partial, package)
            return aoti_load_package(str(package))
    except RunError:
        raise
    except Exception as error:  # the compilers of torch and of C++ raise dozens of classes
        raise RunError(
            f"the archive cannot be compiled: {first_line(error)}", where=str(path), remedy="Use the runtime 'pytorch'."
        ) from error
