"""Profiles of models seen before, so that a second question about the same file needs neither torch nor a pass over it.

Entries are JSON in the user's cache folder (ADVISOR_CACHE names another one, `ADVISOR_CACHE=off` switches it off). The
key covers the content of the files, the options, the versions of the packages that read and trace models, and the code
that profiles them; whatever is damaged or does not fit is made anew.
"""

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from advisor.digests import sha256
from advisor.resources import data_dir
from advisor.schema import Profiled
from advisor.writing import write_text

_READERS = ("torch", "timm", "torchvision", "onnx", "onnxruntime", "safetensors")
_ROOMS = ("loading", "profiling", "facts", "schema")
_KEPT = 200  # entries; a profile takes 0.1 to 1 MB
_REMOTE = ("python:", "hf-hub:", "ultralytics:", "object:")  # what they give can change without a trace
_ROOT = Path(__file__).resolve().parent


def key(model: Any, options: Mapping[str, Any], batch: int) -> str | None:
    """Return the name of the entry for this model and these options; None for what must be opened each time."""
    arch = str(options.get("arch") or "")
    if _folder() is None or not isinstance(model, str | Path) or options.get("trust") or arch.startswith(_REMOTE):
        return None
    text = str(model)
    if text.startswith(_REMOTE):
        return None
    try:
        named = [Path(f).expanduser() for f in (text, options.get("checkpoint")) if f]
        content = [[str(file.resolve()), sha256(file)] for file in named if file.is_file()]
        asked = json.dumps([text, content, dict(options), batch, *_versions(), _code()], sort_keys=True, default=str)
    except OSError:
        return None
    return hashlib.sha256(asked.encode()).hexdigest()


def read(name: str | None) -> Profiled | None:
    """Return an entry whose files are still the same."""
    folder = _folder()
    if name is None or folder is None:
        return None
    path = folder / f"{name}.json"
    try:
        found = Profiled.model_validate_json(path.read_bytes())
        if any(sha256(Path(file)) != digest for file, digest in found.intake.sha256.items()):
            return None
        os.utime(path)
    except (OSError, ValidationError, ValueError):
        return None
    return found


def write(name: str | None, profiled: Profiled) -> None:
    """Keep an entry and drop those used longest ago; a folder that cannot be written is no error."""
    folder = _folder()
    if name is None or folder is None:
        return
    try:
        write_text(folder / f"{name}.json", profiled.model_dump_json())
        entries = sorted(folder.glob("*.json"), key=lambda path: path.stat().st_mtime, reverse=True)
        for old in entries[_KEPT:]:
            old.unlink(missing_ok=True)
    except OSError:
        return


def _folder() -> Path | None:
    from platformdirs import user_cache_path

    named = os.environ.get("ADVISOR_CACHE", "")
    if named.lower() in ("off", "0", "no"):
        return None
    return Path(named) if named else user_cache_path("advisor") / "profiles"


def _versions() -> Iterator[str]:
    for package in _READERS:
        try:
            yield version(package)
        except PackageNotFoundError:
            yield ""


def _code() -> str:
    """Return a digest of size and date of the code and index that profiles depend on."""
    files = [file for room in _ROOMS for file in (_ROOT / room).rglob("*.py")]
    files.append(data_dir("knowledge") / "architectures.json")
    state = sorted((str(f), f.stat().st_size, f.stat().st_mtime_ns) for f in files)
    return hashlib.sha256(json.dumps(state).encode()).hexdigest()
