"""Following the byte code of a pickle without executing it, to learn which names it calls."""

import pickletools
from typing import Any

_PUTS = frozenset({"PUT", "BINPUT", "LONG_BINPUT"})
_GETS = frozenset({"GET", "BINGET", "LONG_BINGET"})
_REFUSED = frozenset({"INST", "OBJ", "NEWOBJ_EX", "STACK_GLOBAL", "EXT1", "EXT2", "EXT4", "DUP"})
_MARK = object()


def called_names(code: bytes) -> set[str]:
    """Return the full names of globals that REDUCE calls; raise ValueError for byte code torch never writes."""
    stack: list[Any] = []
    memo: dict[Any, Any] = {}
    called: set[str] = set()
    for op, argument, _ in pickletools.genops(code):
        if op.name in _REFUSED:
            raise ValueError(f"unexpected pickle instruction {op.name}")
        if op.name == "GLOBAL":
            stack.append(str(argument).replace(" ", "."))
        elif op.name in _PUTS:
            memo[argument] = stack[-1]
        elif op.name in _GETS:
            stack.append(memo[argument])
        elif op.name == "MARK":
            stack.append(_MARK)
        elif op.name == "REDUCE":
            callee = stack[-2]
            del stack[-2:]
            if not isinstance(callee, str):
                raise ValueError("the pickle calls something that it computed itself")
            called.add(callee)
            stack.append(None)
        else:
            _step(op, stack)
    return called


def _step(op: pickletools.OpcodeInfo, stack: list[Any]) -> None:
    """Pop and push as the instruction's own description says; what it makes is opaque."""
    takes = list(op.stack_before)
    if pickletools.markobject in takes:
        while stack.pop() is not _MARK:
            pass
        takes = takes[: takes.index(pickletools.markobject)]
    keeps = op.name in ("APPEND", "APPENDS", "SETITEM", "SETITEMS", "ADDITEMS", "BUILD")
    if keeps:
        del stack[len(stack) - len(takes) + 1 :]  # the container stays what it was
        return
    del stack[len(stack) - len(takes) :]
    stack.extend(None for _ in op.stack_after)
