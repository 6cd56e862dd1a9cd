"""What kind of file this is, judged by its content; nothing in it is executed."""

import hashlib
import zipfile
from enum import StrEnum
from pathlib import Path

from advisor.errors import ModelLoadError, nearest


class Kind(StrEnum):
    """The kinds of file that are told apart."""

    TORCH = "torch checkpoint"
    LEGACY_TORCH = "torch checkpoint of the old format"
    SAFETENSORS = "safetensors"
    ONNX = "ONNX"
    TORCHSCRIPT = "TorchScript archive"
    EXPORTED = "torch.export archive (.pt2)"


MODEL_SUFFIXES = (".pt", ".pth", ".bin", ".ckpt", ".tar", ".safetensors", ".onnx")
_MAGIC = {
    b"\x89HDF": "a Keras or HDF5 file",
    b"\x1f\x8b": "a gzip archive",
    b"GGUF": "a GGUF file",
    b"\x7fELF": "a program",
    b"%PDF": "a PDF document",
    b"\x89PNG": "an image",
    b"\xff\xd8\xff": "an image",
}
_ACCEPTED = "Give an .onnx file, a .pt, .pth or .safetensors checkpoint, or timm:NAME."


def existing_file(path: Path) -> Path:
    """Return the path if it is a file that can be read, or explain what is wrong with it."""
    try:
        if path.is_dir():
            inside = sorted(p.name for p in path.iterdir() if p.suffix in MODEL_SUFFIXES)[:5]
            remedy = f"Give one of the files in it: {', '.join(inside)}." if inside else _ACCEPTED
            raise ModelLoadError("the model is a directory, not a file", where=str(path), remedy=remedy)
        if not path.is_file():
            raise ModelLoadError("no such model file", where=str(path), remedy=_near(path))
        with path.open("rb") as file:
            if not file.read(1):
                raise ModelLoadError("the model file is empty", where=str(path), remedy="Copy or download it again.")
    except OSError as error:
        raise ModelLoadError("the model file cannot be read", where=f"{path}: {error.strerror or error}") from error
    return path


def recognise(path: Path) -> Kind:
    """Tell the kind of a file by its first bytes and, for archives, by the names inside."""
    with path.open("rb") as file:
        head = file.read(16)
    if head[:2] == b"PK":
        return _archive(path)
    for magic, what in _MAGIC.items():
        if head.startswith(magic):
            raise ModelLoadError(
                f"the file is {what}, which is no model of a known kind", where=str(path), remedy=_ACCEPTED
            )
    if head[4:8] == b"TFL3":
        raise ModelLoadError(
            "the file is a TensorFlow Lite model, which cannot be compressed any more",
            where=str(path),
            remedy="Give the network it was converted from (.onnx or a torch checkpoint).",
        )
    if head[8:9] == b"{" and int.from_bytes(head[:8], "little") < path.stat().st_size:
        return Kind.SAFETENSORS
    if head[:1] == b"\x80" and len(head) > 1 and head[1] <= 5:
        return Kind.LEGACY_TORCH
    if path.suffix.lower() == ".onnx":
        return Kind.ONNX
    raise ModelLoadError(f"the file is {_guess(head)}, not a model", where=str(path), remedy=_ACCEPTED)


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _archive(path: Path) -> Kind:
    try:
        with zipfile.ZipFile(path) as archive:
            names = {name.split("/", 1)[-1] for name in archive.namelist()}
    except (zipfile.BadZipFile, OSError, ValueError) as error:
        raise ModelLoadError(
            "the file is a damaged archive, perhaps cut off", where=str(path), remedy="Copy or download it again."
        ) from error
    if any(n.startswith("models/") and n.endswith(".json") for n in names) or "archive_format" in names:
        return Kind.EXPORTED
    if "serialized_exported_program.json" in names:
        return Kind.EXPORTED
    if "constants.pkl" in names and any(n.startswith("code/") for n in names):
        return Kind.TORCHSCRIPT
    if "data.pkl" in names:
        return Kind.TORCH
    raise ModelLoadError("the file is a zip archive without a model in it", where=str(path), remedy=_ACCEPTED)


def _near(path: Path) -> str:
    folder = path.parent
    if not folder.is_dir():
        return f"The folder {folder} does not exist either."
    hint = nearest(path.name, [p.name for p in folder.iterdir()])
    return hint or _ACCEPTED


def _guess(head: bytes) -> str:
    try:
        head.decode()
    except UnicodeDecodeError:
        return "of a kind that is not recognised"
    return "a text file"
