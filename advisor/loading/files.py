"""What kind of file this is, judged by its content; nothing in it is executed."""

import zipfile
from enum import StrEnum
from pathlib import Path

from advisor.errors import ModelLoadError, nearest

from .archives import check_archive
from .tar import check_tar, is_tar


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
    b"GGUF": "a GGUF file",
    b"\x93NUMPY": "an array of numpy",
    b"\x7fELF": "a program",
    b"%PDF": "a PDF document",
    b"\x89PNG": "an image",
    b"\xff\xd8\xff": "an image",
    b"x\x01": "a compressed file, perhaps of joblib",
    b"x\x9c": "a compressed file, perhaps of joblib",
    b"x\xda": "a compressed file, perhaps of joblib",
}
_PACKED = {
    b"\x1f\x8b": "gunzip",
    b"BZh": "bunzip2",
    b"\xfd7zXZ": "unxz",
    b"\x28\xb5\x2f\xfd": "unzstd",
    b"7z\xbc\xaf": "7z x",
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
    for magic, tool in _PACKED.items():
        if head.startswith(magic):
            raise ModelLoadError(
                "the file is compressed", where=str(path), remedy=f"Unpack it first ({tool}) and give what is in it."
            )
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
    if path.suffix.lower() == ".safetensors" or (
        head[8:9] == b"{" and int.from_bytes(head[:8], "little") < path.stat().st_size
    ):
        return Kind.SAFETENSORS
    if head[:1] == b"\x80" and len(head) > 1 and head[1] <= 5:
        return Kind.LEGACY_TORCH
    if is_tar(path):
        check_tar(path)
        return Kind.LEGACY_TORCH
    if path.suffix.lower() == ".onnx":
        return Kind.ONNX
    raise ModelLoadError(f"the file is {_guess(head)}, not a model", where=str(path), remedy=_ACCEPTED)


def _archive(path: Path) -> Kind:
    check_archive(path)
    with zipfile.ZipFile(path) as archive:
        entries = archive.namelist()
    names = {name.split("/", 1)[-1] for name in entries}
    if any(n.startswith("models/") and n.endswith(".json") for n in names) or "archive_format" in names:
        return Kind.EXPORTED
    if "serialized_exported_program.json" in names:
        return Kind.EXPORTED
    if "constants.pkl" in names and any(n.startswith("code/") for n in names):
        return Kind.TORCHSCRIPT
    if "data.pkl" in names:
        return Kind.TORCH
    if entries and all(name.endswith(".npy") for name in entries):
        raise ModelLoadError(
            "the file holds arrays of numpy (.npz), not a network",
            where=f"{path}: {', '.join(entries[:5])}",
            remedy="Put the arrays into the network in Python and save it with torch.save(model.state_dict(), FILE).",
        )
    if inside := [name for name in entries if Path(name).suffix.lower() in MODEL_SUFFIXES]:
        raise ModelLoadError(
            "the file is a zip archive with model files in it",
            where=f"{path}: {', '.join(inside[:5])}",
            remedy="Unpack it (unzip) and give one of them.",
        )
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
