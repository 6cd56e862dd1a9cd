"""Reading one YAML file into a mapping: fast, strict about duplicate keys, with errors that name file and line."""

from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from advisor.errors import DeviceError

_LIMIT_BYTES = 512 * 1024  # a profile is a few kB; a larger file is a mistake or an attack
_Base: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # libyaml where it is built in, ten times faster


class _Loader(_Base):  # type: ignore[misc]
    """Safe loader that refuses a key given twice, which YAML would resolve silently."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """Build the mapping after looking for duplicates."""
        seen: set[Any] = set()
        for key_node, _ in node.value:
            if key_node.tag == "tag:yaml.org,2002:merge":
                continue
            key = key_node.value
            if isinstance(key, str) and key in seen:
                raise yaml.MarkedYAMLError(problem=f"the key {key!r} is given twice", problem_mark=key_node.start_mark)
            if isinstance(key, str):
                seen.add(key)
        result: dict[Any, Any] = super().construct_mapping(node, deep=deep)
        return result


def read_mapping(path: Path) -> dict[str, Any]:
    """Return the mapping in a YAML file; callers must not change it, it is shared between calls."""
    try:
        stat = path.stat()
    except OSError as error:
        raise DeviceError(
            "the profile cannot be read", where=f"{path}: {error.strerror}", remedy="Check the path."
        ) from error
    if stat.st_size > _LIMIT_BYTES:
        raise DeviceError(
            f"the file has {stat.st_size} bytes", where=str(path), remedy="A profile has a few kilobytes."
        )
    return _read(path, stat.st_mtime_ns, stat.st_size)


@lru_cache(maxsize=1024)
def _read(path: Path, _mtime_ns: int, _size: int) -> dict[str, Any]:
    try:
        data = yaml.load(path.read_text(encoding="utf-8"), Loader=_Loader)  # a subclass of the safe loader
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 0
        raise DeviceError(
            f"not valid YAML: {error.problem}", where=f"{path}, line {line}", remedy="Mend the syntax there."
        ) from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise DeviceError(f"not valid YAML: {error}", where=str(path), remedy="Write plain UTF-8 YAML.") from error
    except OSError as error:
        raise DeviceError(
            "the profile cannot be read", where=f"{path}: {error.strerror}", remedy="Check the path."
        ) from error
    if not isinstance(data, dict):
        raise DeviceError(
            "a profile is a mapping of keys", where=str(path), remedy="Start with 'name:', 'vendor:', 'kind:'."
        )
    return data
