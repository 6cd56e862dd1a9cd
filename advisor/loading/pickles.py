"""Opening torch checkpoints without running code that they carry.

torch's restricted unpickler does the reading. Before it, the byte code is followed without executing it: layers may
only be created empty and filled with state, as torch.save writes them, tensors must fit into their data, and nothing
else is called. For each file the unpickler is given the names that the file uses and that may be rebuilt
(`safe_names`). After it, what was built is looked through object by object (`contents`).
"""

import pickle
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

import torch
from torch.serialization import safe_globals

from advisor.errors import ModelLoadError

from .archives import check_archive, check_sums
from .contents import check_contents
from .harmless import NUMBERS
from .legacy import open_legacy
from .legacy_tar import tar_as_archive
from .packages import is_package_name
from .pickle_code import Survey, follow
from .pickle_values import Refused
from .refusals import calls_refusal, names_refusal
from .safe_names import is_enumeration, resolve
from .tar import is_tar


def read_pickle(path: Path, *, legacy: bool, trust: bool, allow_packages: tuple[str, ...] = ()) -> Any:
    """Return what torch.save stored; `trust` runs whatever code the file asks for.

    `allow_packages` names installed packages whose layer classes the file may use.
    """
    for package in allow_packages:
        if not is_package_name(package):
            raise ModelLoadError(
                f"{package!r} is no installed package",
                remedy="Give --allow-package the name to import, such as ultralytics, and install the package first.",
            )
    if trust:
        return _guarded(path, lambda: _trusted(path), trust=True)
    return _guarded(path, lambda: (_read_legacy if legacy else _read_archive)(path, allow_packages))


def _trusted(path: Path) -> Any:
    try:
        return torch.load(path, map_location="cpu", weights_only=False)
    except RuntimeError as error:
        if "Invalid magic number" not in str(error):
            raise
    with path.open("rb") as file:  # pickle.dump, not torch.save
        return pickle.load(file)


def _read_archive(path: Path, packages: tuple[str, ...]) -> Any:
    check_archive(path)
    survey = follow(torch._C.PyTorchFileReader(str(path)).get_record("data.pkl"))
    allowed = _allow(path, survey, packages)
    with zipfile.ZipFile(path) as archive:
        root = archive.namelist()[0].split("/", 1)[0]  # where torch's reader looks, whatever else is in the archive
        held = {info.filename: info.file_size for info in archive.infolist()}
        for stored in survey.stored:
            if stored.bytes > held.get(f"{root}/data/{stored.key}", 0):
                raise Refused(
                    f"the data {stored.key!r} of a tensor is shorter than the {stored.bytes} bytes asked of it"
                )
        check_sums(archive, path)
        source = _with_code(archive, survey.code) if survey.rewritten else path
    return _load(path, source, allowed)


def _with_code(archive: zipfile.ZipFile, code: bytes) -> BinaryIO:
    """Copy the archive with this byte code in place of its own."""
    copied = tempfile.TemporaryFile()  # noqa: SIM115  # the caller reads it
    with zipfile.ZipFile(copied, "w") as target:
        for info in archive.infolist():
            is_code = info.filename.partition("/")[2] == "data.pkl"
            target.writestr(info.filename, code if is_code else archive.read(info))
    copied.seek(0)
    return copied


def _read_legacy(path: Path, packages: tuple[str, ...]) -> Any:
    if is_tar(path):
        code, archive = tar_as_archive(path)
        return _load(path, archive, _allow(path, follow(code), packages))
    old = open_legacy(path)
    allowed = _allow(path, old.survey, packages)
    for stored in old.survey.stored:
        if stored.bytes > old.data_bytes:
            raise Refused(f"the data of a tensor is shorter than the {stored.bytes} bytes asked of it")
    return _load(path, old.in_protocol_2(path) if old.rewritten else path, allowed)


def _load(path: Path, source: Path | BinaryIO, allowed: dict[str, Any]) -> Any:
    """Let torch read the checkpoint with these names and no others, and look through what it built."""
    with safe_globals([(value, name) for name, value in allowed.items()]):
        stored = torch.load(source, map_location="cpu", weights_only=True)
    check_contents(stored, path, frozenset(map(id, allowed.values())))
    return stored


def _allow(path: Path, survey: Survey, packages: tuple[str, ...]) -> dict[str, Any]:
    """Return what this file may rebuild by the names it uses; raise if it asks for more."""
    known = torch._weights_only_unpickler._get_allowed_globals()
    wanted = sorted(survey.names - known.keys())
    allowed = {name: found for name in wanted if (found := resolve(name, packages)) is not None}
    if refused := [name for name in wanted if name not in allowed]:
        raise names_refusal(path, refused)
    if "numpy.dtype" in allowed:  # torch asks for the class of each of its objects
        allowed |= {f"numpy.dtypes.{type(number).__name__}": type(number) for number in NUMBERS}
    tricks = {name for name, plain in survey.called.items() if not (plain and is_enumeration(allowed.get(name)))}
    tricks |= {name for name in survey.created if not isinstance(allowed.get(name), type)}
    if tricks:
        raise calls_refusal(path, sorted(tricks))
    return allowed


def _guarded(path: Path, read: Callable[[], Any], trust: bool = False) -> Any:
    """Turn every failure into an error that says what to do; hostile bytes can raise anything."""
    try:
        return read()
    except ModelLoadError:
        raise
    except (ModuleNotFoundError, AttributeError) as error:
        raise ModelLoadError(
            "the network's class cannot be imported",
            where=f"{path}: {_first_line(error)}",
            remedy="Put the folder of its source file on PYTHONPATH, or save a state dict and give --arch.",
        ) from error
    except Exception as error:
        option = "" if trust else "if it is complete and you trust its author, use --trust; else "
        raise ModelLoadError(
            "the checkpoint cannot be read" if trust else "the checkpoint cannot be read safely",
            where=f"{path}: {_first_line(error)}",
            remedy=f"Copy or download it again; {option}save it again with a current torch.",
        ) from error


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    text = lines[0] if lines else type(error).__name__
    return text if len(text) <= 240 else text[:240] + "..."
