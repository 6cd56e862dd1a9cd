"""The list of profiles: shipped ones, folders in ADVISOR_PROFILES, a file of the user's own, and this machine."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from advisor.errors import DeviceError, nearest
from advisor.resources import data_dir
from advisor.schema import Device

from .cores import load_cores
from .expand import Shared
from .host import detect_host
from .inherit import resolve
from .validate import to_device
from .vocabulary import Vocabulary, load_vocabulary
from .yamlfile import read_mapping

HOST = "host"
VARIABLE = "ADVISOR_PROFILES"  # folders of further profiles, separated like PATH; they override shipped ones


@dataclass(frozen=True)
class _Library:
    """What loading one profile may need: files by id, shared sources and cores, the vocabulary."""

    index: Mapping[str, Path]
    shared: Shared
    words: Vocabulary


def folders() -> tuple[Path, ...]:
    """Return the shipped folder and the user's ones, in the order in which they override."""
    extra = []
    for text in filter(None, os.environ.get(VARIABLE, "").split(os.pathsep)):
        folder = Path(text).expanduser()
        if not folder.is_dir():
            raise DeviceError(
                f"the folder {text!r} does not exist", where=f"environment variable {VARIABLE}", remedy="Correct it."
            )
        extra.append(folder)
    return (data_dir("profiles"), *extra)


def load_device(name: str) -> Device:
    """Return the device of this id or alias, of a .yaml file, or of this machine for 'host'."""
    wanted = _normal(name)
    if wanted == HOST:
        return detect_host()
    library = _library()
    if name.lower().endswith((".yaml", ".yml")):
        return _load(Path(name).expanduser(), library)
    index = library.index
    path = index.get(wanted)
    if path is None or _is_abstract(path):
        aliases = _aliases(index)
        if wanted not in aliases:
            known = [*_concrete(index), *aliases, HOST]
            raise DeviceError(f"unknown device {name!r}", remedy=_suggest(wanted, known, library))
        path = index[aliases[wanted]]
    return _load(path, library)


def _suggest(wanted: str, known: list[str], library: _Library) -> str:
    """Name the ids that contain the word ('jetson'), else its maker's list, else the nearest ids."""
    containing = [name for name in known if len(wanted) > 2 and wanted in name]
    if len(containing) > 1:
        return f"Did you mean one of {', '.join(containing[:6])}?"
    for path in library.index.values():
        if path.parent.name == wanted and not _is_abstract(path):
            return f"See `advisor devices list --vendor '{_load(path, library).vendor}'`."
    return nearest(wanted, known) or "See `advisor devices list`, or give the path of a .yaml profile."


def list_devices() -> tuple[Device, ...]:
    """Return every profile that is not abstract, in order of vendor and id; this machine is not among them."""
    library = _library()
    devices = (_load(path, library) for path in _concrete(library.index).values())
    return tuple(sorted(devices, key=lambda device: (device.vendor.lower(), device.id)))


@dataclass(frozen=True)
class Checked:
    """What a check of all profiles found."""

    profiles: int
    aliases: int
    problems: tuple[DeviceError, ...]


def check_devices() -> Checked:
    """Load every profile, abstract parents by way of their children, and look for aliases that are given twice."""
    library = _library()
    problems: list[DeviceError] = []
    profiles = 0
    for path in library.index.values():
        try:
            if not _is_abstract(path):
                profiles += 1
                _load(path, library)
        except DeviceError as error:
            problems.append(error)
    try:
        aliases = len(_aliases(library.index))
    except DeviceError as error:
        aliases = 0
        problems.extend([error] if str(error) not in map(str, problems) else [])
    return Checked(profiles, aliases, tuple(problems))


def alias_map() -> dict[str, str]:
    """Return the id behind every alias."""
    return _aliases(_index(folders()))


def _index(where: tuple[Path, ...]) -> dict[str, Path]:
    """Map ids to files: the id of a profile is its file's name."""
    index: dict[str, Path] = {}
    for folder in where:
        own: dict[str, Path] = {}
        for path in sorted([*folder.rglob("*.yaml"), *folder.rglob("*.yml")]):
            if path.name.startswith("_"):
                continue
            if path.stem in own:
                raise DeviceError(f"two profiles of the id {path.stem!r}", where=f"{own[path.stem]} and {path}")
            own[path.stem] = path
        index.update(own)
    return index


def _is_abstract(path: Path) -> bool:
    return bool(read_mapping(path).get("abstract"))


def _concrete(index: Mapping[str, Path]) -> dict[str, Path]:
    return {device_id: path for device_id, path in index.items() if not _is_abstract(path)}


def _aliases(index: Mapping[str, Path]) -> dict[str, str]:
    found: dict[str, str] = {}
    for device_id, path in _concrete(index).items():
        aliases = read_mapping(path).get("aliases") or ()
        for alias in aliases if isinstance(aliases, list) else ():
            key = _normal(str(alias))
            if key in index or found.get(key, device_id) != device_id:
                taken = key if key in index else found[key]
                raise DeviceError(f"the alias {alias!r} already means {taken!r}", where=f"{path}: aliases")
            found[key] = device_id
    return found


def _library() -> _Library:
    where = folders()
    return _Library(_index(where), Shared(_shared_sources(where), load_cores(where)), load_vocabulary(where))


def _load(path: Path, library: _Library) -> Device:
    if not path.is_file():
        raise DeviceError(f"the profile {str(path)!r} does not exist", remedy="Give the path of a .yaml file.")
    if _is_abstract(path):
        raise DeviceError("an abstract profile is no device", where=str(path), remedy="Extend it in a profile.")
    return to_device(resolve(path, library.index), path.stem, library.shared, library.words)


def _shared_sources(where: tuple[Path, ...]) -> dict[str, object]:
    sources: dict[str, object] = {}
    for folder in where:
        if (folder / "_sources.yaml").is_file():
            sources.update(read_mapping(folder / "_sources.yaml"))
    return sources


def _normal(name: str) -> str:
    """Write 'Raspberry Pi 5', 'raspberry_pi_5' and 'RASPBERRY-PI-5' alike."""
    return re.sub(r"[\s_]+", "-", name.strip().lower())
