"""A small machine for the pickles that TorchScript writes: it builds lists, tuples, dictionaries and records.

Python's own unpickler is not used: it would let the byte code set the attributes of whatever it has built.
"""

import pickletools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

_MARK = object()
_VALUES = frozenset({"BININT", "BININT1", "BININT2", "LONG1", "BINFLOAT", "BINUNICODE", "SHORT_BINSTRING"})
_CONSTANTS = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False, "EMPTY_TUPLE": ()}
_SHORT_TUPLES = {"TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}


@dataclass(eq=False)
class Record:
    """An object of a TorchScript class: its full name and the state that was stored for it."""

    name: str
    state: Any = None


@dataclass(frozen=True)
class ScriptEnum:
    """A value of a TorchScript enumeration."""

    script_type: str
    value: str | int | float


@dataclass(frozen=True)
class ScriptClass:
    """The name of a TorchScript class in a pickle."""

    name: str


@dataclass(frozen=True)
class Call:
    """A function of ours that stands in for one of torch's."""

    function: Callable[..., Any]


def run_pickle(code: bytes, find: Callable[[str], Any], storage: Callable[[Any], Any]) -> Any:
    """Return the value that the byte code describes; ValueError and the like for byte code that is not TorchScript's.

    `find` gives the meaning of a global by its full name, `storage` that of a persistent id.
    """
    return _Machine(find, storage).run(code)


class _Machine:
    def __init__(self, find: Callable[[str], Any], storage: Callable[[Any], Any]) -> None:
        self._find, self._storage = find, storage
        self._stack: list[Any] = []
        self._memo: dict[int, Any] = {}

    def run(self, code: bytes) -> Any:
        for instruction, found, _ in pickletools.genops(code):
            name, argument = instruction.name, cast(Any, found)
            if name == "STOP":
                (value,) = self._stack
                return value
            if name in _VALUES:
                self._stack.append(argument)
            elif name in _CONSTANTS:
                self._stack.append(_CONSTANTS[name])
            elif name.endswith("BINPUT"):
                self._memo[argument] = self._stack[-1]
            elif name.endswith("BINGET"):
                self._stack.append(self._memo[argument])
            elif name in _SHORT_TUPLES:
                self._stack.append(tuple(self._take(_SHORT_TUPLES[name])))
            else:
                self._build(name, argument)
        raise ValueError("the pickle does not end")

    def _build(self, name: str, argument: Any) -> None:
        stack = self._stack
        if name == "GLOBAL":
            stack.append(self._find(argument.replace(" ", ".")))
        elif name == "MARK":
            stack.append(_MARK)
        elif name == "TUPLE":
            stack.append(tuple(self._marked()))
        elif name in ("EMPTY_LIST", "EMPTY_DICT"):
            stack.append([] if name == "EMPTY_LIST" else {})
        elif name == "BINPERSID":
            stack.append(self._storage(stack.pop()))
        elif name in ("APPEND", "APPENDS"):
            items = self._take(1) if name == "APPEND" else self._marked()
            _typed(stack[-1], list).extend(items)
        elif name in ("SETITEM", "SETITEMS"):
            items = self._take(2) if name == "SETITEM" else self._marked()
            _typed(stack[-1], dict).update(zip(items[::2], items[1::2], strict=True))
        elif name == "NEWOBJ":
            kind, arguments = self._take(2)
            if arguments != ():
                raise ValueError("an object with arguments")
            stack.append(Record(_typed(kind, ScriptClass).name))
        elif name == "REDUCE":
            function, arguments = self._take(2)
            stack.append(_called(function, arguments))
        elif name == "BUILD":
            state = stack.pop()
            _typed(stack[-1], Record).state = state
        elif name != "PROTO":
            raise ValueError(f"unexpected instruction {name}")

    def _take(self, count: int) -> list[Any]:
        """Remove and return the last values."""
        taken = self._stack[-count:]
        if len(taken) < count or any(value is _MARK for value in taken):
            raise ValueError("too few values")
        del self._stack[-count:]
        return taken

    def _marked(self) -> list[Any]:
        """Remove and return what lies above the last mark."""
        taken: list[Any] = []
        while (value := self._stack.pop()) is not _MARK:
            taken.append(value)
        return taken[::-1]


def _called(function: Any, arguments: Any) -> Any:
    """Call a stand-in; a class that is called with a plain value, not with a tuple, is an enumeration."""
    if isinstance(function, ScriptClass):
        if not isinstance(arguments, str | int | float):
            raise ValueError("an enumeration of something else than plain values")
        return ScriptEnum(function.name, arguments)
    return _typed(function, Call).function(*_typed(arguments, tuple))


def _typed(value: Any, kind: Any) -> Any:
    if type(value) is not kind:
        raise ValueError(f"{kind.__name__} expected, not {type(value).__name__}")
    return value
