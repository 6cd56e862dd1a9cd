"""Reading YAML of the knowledge base: plain values only, duplicate keys refused, errors with file, line and column."""

from pathlib import Path
from typing import Any

import yaml

from advisor.errors import KnowledgeError

_Base = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
MAX_BYTES = 200_000


class _Loader(_Base):  # type: ignore[misc, valid-type]
    """A safe loader that refuses the same key twice; YAML itself would silently keep the last one."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen = set()
        for key_node, _ in node.value:
            if str(key_node.value) in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f"the key {key_node.value!r} appears twice", key_node.start_mark
                )
            seen.add(str(key_node.value))
        result: dict[Any, Any] = super().construct_mapping(node, deep)
        return result


def read_mapping(path: Path) -> dict[str, Any]:
    """Return the mapping in `path`."""
    text = _text(path)
    try:
        value = yaml.load(text, Loader=_Loader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"{path.name}:{mark.line + 1}:{mark.column + 1}" if mark else path.name
        raise KnowledgeError(
            f"not readable as YAML: {getattr(error, 'problem', None) or error}",
            where=where,
            remedy="Quote texts that hold ': ', '#', braces or a leading quote",
        ) from error
    except (RecursionError, ValueError) as error:
        raise KnowledgeError(f"not readable as YAML: {error}", where=path.name) from error
    if not isinstance(value, dict) or not all(isinstance(key, str) for key in value):
        raise KnowledgeError("the file is not a mapping of named fields", where=path.name)
    return value


def line_of(path: Path, key: str) -> int:
    """Return the line of a top-level key, counted from 1; 1 where it is absent."""
    for number, line in enumerate(_text(path).splitlines(), start=1):
        if line.startswith((f"{key}:", f"'{key}':", f'"{key}":')):
            return number
    return 1


def _text(path: Path) -> str:
    try:
        raw = path.read_bytes()
        if len(raw) > MAX_BYTES:
            raise KnowledgeError(f"larger than {MAX_BYTES // 1000} kB", where=path.name, remedy="Split it")
        return raw.decode("utf-8")
    except OSError as error:
        raise KnowledgeError(f"cannot be read: {error.strerror}", where=str(path)) from error
    except UnicodeDecodeError as error:
        raise KnowledgeError("is not UTF-8 text", where=path.name) from error
