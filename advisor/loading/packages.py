"""Looking into installed packages without importing them."""

import ast
import importlib.util
import sys
from functools import cache
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType

# Modules that are run or collected rather than imported.
_SCRIPTS = ("__main__", "setup", "conftest", "test", "tests")


def is_package_name(name: str) -> bool:
    """Tell whether this is the top-level name of something that can be imported."""
    return name.isidentifier() and (name in sys.modules or find_module(name) is not None)


def defines_class(module: str, attribute: str) -> bool:
    """Tell whether the module defines this class, by the module if it is imported already and else by its source."""
    loaded = sys.modules.get(module)
    if loaded is not None:
        return _defined_in(loaded, module, attribute)
    return attribute in _classes(module)


def find_module(name: str) -> ModuleSpec | None:
    """Find a module along its packages' folders; unlike importlib's own search this imports no parent package."""
    parts = name.split(".")
    path, spec = None, None
    for depth in range(1, len(parts) + 1):
        part = parts[depth - 1]
        if not part.isidentifier() or part in _SCRIPTS or part.startswith("test_"):
            return None
        try:
            full = ".".join(parts[:depth])
            spec = importlib.util.find_spec(full) if depth == 1 else PathFinder.find_spec(full, path)
        except (ImportError, ValueError, OSError):
            return None
        if spec is None:
            return None
        path = spec.submodule_search_locations
        if path is None and depth < len(parts):
            return None
    return spec


def _defined_in(loaded: ModuleType, module: str, attribute: str) -> bool:
    found = vars(loaded).get(attribute)
    return isinstance(found, type) and found.__module__ == module and module.rpartition(".")[2] not in _SCRIPTS


@cache
def _classes(module: str) -> frozenset[str]:
    """Return the classes that the source of a module defines at its top."""
    spec = find_module(module)
    if spec is None or spec.loader is None or not hasattr(spec.loader, "get_source"):
        return frozenset()
    try:
        tree = ast.parse(spec.loader.get_source(module) or "")
    except (SyntaxError, ValueError, OSError, ImportError, RecursionError):
        return frozenset()
    return frozenset(node.name for node in tree.body if isinstance(node, ast.ClassDef))
