"""Telling the tar archives that torch wrote before 0.1.10 from others; what is in them is read elsewhere."""

import tarfile
from pathlib import Path

from advisor.errors import ModelLoadError

_MEMBERS = ("sys_info", "pickle", "storages", "tensors")


def is_tar(path: Path) -> bool:
    """Tell whether this is a tar archive of any kind."""
    with path.open("rb") as file:
        return file.read(262)[257:262] == b"ustar"


def check_tar(path: Path) -> None:
    """Raise unless the archive is one that torch wrote."""
    try:
        with tarfile.open(path, "r:") as tar:
            names = tar.getnames()
    except (tarfile.TarError, OSError, ValueError, EOFError) as error:
        raise ModelLoadError(
            "the file is a damaged tar archive", where=f"{path}: {error}", remedy="Copy or download it again."
        ) from error
    if not set(_MEMBERS) <= set(names):
        raise ModelLoadError(
            "the file is a tar archive without a model that torch.save wrote",
            where=f"{path}: {', '.join(names[:5])}",
            remedy="Unpack it (tar -xf) and give the checkpoint in it.",
        )
