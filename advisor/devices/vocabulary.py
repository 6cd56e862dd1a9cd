"""The closed lists of names that profiles may use for runtimes, instruction sets and architectures."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from advisor.errors import DeviceError

from .yamlfile import read_mapping

FILE = "_vocabulary.yaml"


@dataclass(frozen=True)
class Vocabulary:
    """Names with a short meaning each."""

    runtimes: dict[str, str]
    isa: dict[str, str]
    arch: dict[str, str]


def load_vocabulary(folders: Sequence[Path]) -> Vocabulary:
    """Join the vocabularies of all profile folders, so that a user's folder may add a runtime."""
    joined: dict[str, dict[str, str]] = {"runtimes": {}, "isa": {}, "arch": {}}
    for folder in folders:
        path = folder / FILE
        if not path.is_file():
            continue
        for group, names in read_mapping(path).items():
            if group not in joined or not isinstance(names, dict):
                raise DeviceError(
                    f"unknown group {group!r} of names", where=str(path), remedy=f"Groups are {', '.join(joined)}."
                )
            joined[group].update({str(name): str(meaning) for name, meaning in names.items()})
    return Vocabulary(**joined)
