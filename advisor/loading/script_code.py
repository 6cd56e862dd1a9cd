"""The code of a TorchScript archive as syntax trees: classes, their methods, and functions, by their full names.

TorchScript writes its code in a part of Python's grammar; it is parsed here and never compiled.
"""

import ast
from dataclasses import dataclass, field
from typing import Any

from advisor.errors import ModelLoadError

from .archive_entries import Entries, damaged

_LARGEST_CODE = 64 * 2**20  # bytes per entry; swin_tiny writes 0.3 MB in all


@dataclass
class ScriptType:
    """A class: its base (Module, NamedTuple, Enum or nothing), methods and the names and values of its fields."""

    base: str
    methods: dict[str, ast.FunctionDef] = field(default_factory=dict)
    fields: dict[str, ast.expr | None] = field(default_factory=dict)


@dataclass
class Program:
    """All code of one archive; shared by all copies of the network."""

    types: dict[str, ScriptType] = field(default_factory=dict)
    functions: dict[str, ast.FunctionDef] = field(default_factory=dict)

    def __deepcopy__(self, memo: dict[int, Any]) -> "Program":
        return self


def parse_program(entries: Entries) -> Program:
    """Parse every code entry of the archive."""
    program = Program()
    for name in entries.names:
        if name.startswith("code/") and name.endswith(".py"):
            module = name.removeprefix("code/").removesuffix(".py").replace("/", ".")
            _add(program, module, _parse(entries, name))
    return program


def _parse(entries: Entries, name: str) -> ast.Module:
    try:
        return ast.parse(entries.read(name, _LARGEST_CODE))
    except ModelLoadError:
        raise
    except Exception as error:  # SyntaxError, ValueError, RecursionError, MemoryError: too deep or not TorchScript
        raise damaged(entries.path, f"{name[:120]} is no TorchScript") from error


def _add(program: Program, module: str, tree: ast.Module) -> None:
    for statement in tree.body:
        if isinstance(statement, ast.FunctionDef):
            program.functions[f"{module}.{statement.name}"] = statement
        elif isinstance(statement, ast.ClassDef):
            base = statement.bases[0] if statement.bases else None
            found = ScriptType(base.id if isinstance(base, ast.Name) else "")
            for part in statement.body:
                if isinstance(part, ast.FunctionDef):
                    found.methods[part.name] = part
                elif isinstance(part, ast.AnnAssign) and isinstance(part.target, ast.Name):
                    found.fields[part.target.id] = part.value
                elif isinstance(part, ast.Assign) and isinstance(part.targets[0], ast.Name):
                    found.fields[part.targets[0].id] = part.value
            program.types[f"{module}.{statement.name}"] = found
