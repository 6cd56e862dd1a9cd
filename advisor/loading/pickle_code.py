"""Following the byte code of a pickle without executing it: which names it uses, what it calls, builds and stores.

Torch's restricted unpickler reads protocol 2 and no more. Byte code of the protocols 3 to 5 is written again as
protocol 2 while it is followed, one piece per value; what has no counterpart there is refused.
"""

import pickletools
import struct
from collections.abc import Callable
from dataclasses import dataclass
from mmap import mmap
from typing import Any

from .pickle_calls import Calls
from .pickle_reading import Reader, global_code, read_global, read_storage
from .pickle_states import judge_state
from .pickle_values import Box, Global, Made, Refused, Stored, is_constant

_MOST_INSTRUCTIONS = 3_000_000  # about 10 s and 600 MB; a state dict of 10 000 tensors takes 300 000
_PLAIN = ("BININT", "BININT1", "BININT2", "BINFLOAT", "LONG1", "BINUNICODE", "SHORT_BINSTRING")
_CONSTANTS = {b"N": None, b"\x88": True, b"\x89": False}
_EMPTY = ("EMPTY_LIST", "EMPTY_DICT", "EMPTY_SET")

Substitute = Callable[[Any], tuple[Any, bytes] | None]  # what stands for a persistent id, and the code that makes it


@dataclass(frozen=True)
class Survey:
    """What following a pickle found; `code` is its byte code in protocol 2, `end` where the next pickle begins."""

    value: Any
    names: frozenset[str]
    called: dict[str, bool]  # callees that are not in the table of calls; True where all arguments are plain
    created: frozenset[str]
    stored: tuple[Stored, ...]
    code: bytes
    rewritten: bool
    end: int


def follow(data: bytes | mmap, start: int = 0, substitute: Substitute | None = None) -> Survey:
    """Follow one pickle from `start` to its STOP; raise Refused for anything that an honest checkpoint does not do."""
    follower = _Follower(Reader(data, start), substitute)
    try:
        return follower.run()
    except Refused:
        raise
    except (ValueError, IndexError, KeyError, TypeError, AttributeError, OverflowError) as error:
        raise Refused("the pickle is damaged or cut off") from error


class _Follower:
    """The unpickler's stack and memo with stand-ins for the objects, and the code that makes each of them."""

    def __init__(self, reader: Reader, substitute: Substitute | None) -> None:
        self.reader, self.substitute = reader, substitute
        self.stack: list[tuple[Any, int]] = []  # a value, and where in `chunks` the code that makes it begins
        self.marked: list[tuple[list[tuple[Any, int]], int]] = []
        self.memo: dict[int, tuple[Any, list[bytes], bool]] = {}  # True: written again wherever it is used
        self.chunks: list[list[bytes]] = [[b"\x80\x02"]]
        self.calls = Calls()
        self.names: set[str] = set()
        self.created: set[str] = set()
        self.stored: list[Stored] = []
        self.rewritten = False

    def run(self) -> Survey:
        before = self.reader.position
        instructions = pickletools.genops(self.reader)  # type: ignore[arg-type]  # it has what genops uses
        for count, (op, argument, _) in enumerate(instructions):
            if count > _MOST_INSTRUCTIONS:
                raise Refused(f"the pickle has more than {_MOST_INSTRUCTIONS:,} instructions")
            step = _STEPS.get(op.name)
            if step is None:
                raise Refused(f"unexpected pickle instruction {op.name}")
            step(self, argument, self.reader.data[before : self.reader.position])
            before = self.reader.position
        value, _ = self.stack.pop()
        code = b"".join(piece for chunk in self.chunks for piece in chunk) + b"."
        called, created = self.calls.others, frozenset(self.created)
        end = self.reader.position
        return Survey(
            value, frozenset(self.names), called, created, tuple(self.stored), code, self.rewritten, end
        )  # fmt: skip

    def push(self, value: Any, code: bytes) -> None:
        self.stack.append((value, len(self.chunks)))
        self.chunks.append([code])

    def replace(self, start: int, value: Any, code: bytes) -> None:
        """Take back the code from `start` on and push this instead."""
        for chunk in self.chunks[start:]:
            chunk.clear()  # what the memo remembers of it becomes invalid
        del self.chunks[start:]
        self.push(value, code)
        self.rewritten = True

    def combine(self, count: int, value: Any, code: bytes) -> None:
        """Make one value of the last `count`."""
        start = self.stack[-count][1]
        del self.stack[-count:]
        self.stack.append((value, start))
        self.chunks.append([code])

    def take(self) -> Any:
        return self.stack.pop()[0]

    def unmark(self) -> tuple[list[Any], int]:
        """Return the values since the last mark, and where the code of the mark is."""
        values = [value for value, _ in self.stack]
        self.stack, start = self.marked.pop()
        return values, start

    def plain(self, argument: Any, raw: bytes) -> None:
        self.push(argument, raw)

    def constant(self, _: Any, raw: bytes) -> None:
        self.push(_CONSTANTS[raw], raw)

    def mark(self, _: Any, raw: bytes) -> None:
        self.marked.append((self.stack, len(self.chunks)))
        self.stack = []
        self.chunks.append([raw])

    def text(self, argument: str, _: bytes) -> None:
        self.push(argument, _text(argument))
        self.rewritten = True

    def data(self, argument: bytes, _: bytes) -> None:
        latin = _text(argument.decode("latin-1")) + _text("latin1")
        self.push(argument, b"c_codecs\nencode\n" + latin + b"\x86R")
        self.rewritten = True

    def name(self, argument: str, _: bytes) -> None:
        module, attribute = argument.split(" ", 1)
        found = read_global(module, attribute)
        self.names.add(found.name)
        self.push(found, global_code(found))

    def stacked_name(self, _: Any, __: bytes) -> None:
        attribute, module = self.take(), self.stack[-1][0]
        _, start = self.stack.pop()
        found = read_global(module, attribute)
        self.names.add(found.name)
        self.replace(start, found, global_code(found))

    def empty_tuple(self, _: Any, raw: bytes) -> None:
        self.push((), raw)

    def tuple_of(self, _: Any, raw: bytes) -> None:
        count = {b"\x85": 1, b"\x86": 2, b"\x87": 3}[raw]
        self.combine(count, tuple(value for value, _ in self.stack[-count:]), raw)

    def tuple_since_mark(self, _: Any, raw: bytes) -> None:
        values, start = self.unmark()
        self.stack.append((tuple(values), start))
        self.chunks.append([raw])

    def empty(self, _: Any, raw: bytes) -> None:
        kind = {b"]": "list", b"}": "dict", b"\x8f": "set"}[raw]
        self.push(Box(kind, []), raw)

    def append(self, _: Any, raw: bytes) -> None:
        self.extend([self.take()], "list", raw)

    def appends(self, _: Any, raw: bytes) -> None:
        self.extend(self.unmark()[0], "list", raw)

    def set_item(self, _: Any, raw: bytes) -> None:
        value, key = self.take(), self.take()
        self.set_pairs([key, value], raw)

    def set_items(self, _: Any, raw: bytes) -> None:
        self.set_pairs(self.unmark()[0], raw)

    def set_pairs(self, pairs: list[Any], raw: bytes) -> None:
        self.extend(pairs[::2], "dict", raw)
        for key, value in zip(pairs[::2], pairs[1::2], strict=True):
            if key == "num_layers":
                self.stack[-1][0].layers = value

    def extend(self, items: list[Any], kind: str, raw: bytes) -> None:
        box = self.stack[-1][0]
        if not isinstance(box, Box) or box.kind != kind:
            raise Refused(f"the pickle fills something that is no {kind}")
        box.items.extend(items)
        self.chunks.append([raw])

    def add_items(self, _: Any, __: bytes) -> None:
        """Protocol 4 fills sets item by item; protocol 2 makes them of a list."""
        values, mark = self.unmark()
        box, start = self.stack[-1]
        if not isinstance(box, Box) or box.items or self.chunks[start] != [b"\x8f"]:
            raise Refused("the pickle fills something that is no new set")
        box.items.extend(values)
        between = self.chunks[start + 1 : mark]  # where the memo keeps the set: after it is made
        self.chunks[start : start + 1 + len(between)] = [[b"cbuiltins\nset\n]"], *([] for _ in between)]
        self.chunks += [[b"e\x85R"], *between]
        self.rewritten = True

    def put(self, argument: int, _: bytes) -> None:
        value, start = self.stack[-1]
        if (is_constant(value) or isinstance(value, Global)) and start == len(self.chunks) - 1:
            self.memo[argument] = (value, list(self.chunks[start]), True)
            return
        chunk = [b"r" + struct.pack("<I", argument)]
        self.memo[argument] = (value, chunk, False)
        self.chunks.append(chunk)

    def memoize(self, _: Any, raw: bytes) -> None:
        self.put(len(self.memo), raw)
        self.rewritten = True

    def get(self, argument: int, _: bytes) -> None:
        value, chunk, again = self.memo[argument]
        if not chunk:
            raise Refused("the pickle uses a part again that has no meaning of its own")
        self.push(value, chunk[0] if again else b"j" + struct.pack("<I", argument))

    def reduce(self, _: Any, raw: bytes) -> None:
        (callee, _start), (arguments, _) = self.stack[-2:]
        self.combine(2, self.calls.judge(callee, arguments), raw)

    def new_object(self, _: Any, raw: bytes) -> None:
        (kind, _start), (arguments, _) = self.stack[-2:]
        if not isinstance(kind, Global):
            raise Refused("the pickle creates an object of a class that it computed itself")
        if kind.name == "torch.nn.parameter.Parameter":
            raise Refused("a parameter is created in a way that torch.save does not use")
        if arguments != ():
            raise Refused(f"{kind.name} is created with arguments of the file's own choosing")
        self.created.add(kind.name)
        self.combine(2, Made(kind.name), raw)

    def build(self, _: Any, raw: bytes) -> None:
        state = self.take()
        judge_state(self.stack[-1][0], state, self.created)
        self.chunks.append([raw])

    def persistent(self, _: Any, raw: bytes) -> None:
        key, start = self.stack[-1]
        found = self.substitute(key) if self.substitute else None
        if found is not None:
            self.stack.pop()
            self.replace(start, *found)
            return
        stored = read_storage(key)
        self.stored.append(stored)
        self.combine(1, stored, raw)

    def nothing(self, _: Any, __: bytes) -> None:
        """Protocol 4 groups its instructions in frames, which mean nothing."""

    def protocol(self, argument: int, _: bytes) -> None:
        if argument < 2:
            raise Refused(f"the pickle is written in protocol {argument}")
        self.rewritten |= argument != 2


def _text(value: str) -> bytes:
    encoded = value.encode("utf-8", "surrogatepass")
    return b"X" + struct.pack("<I", len(encoded)) + encoded


_STEPS: dict[str, Callable[[_Follower, Any, bytes], None]] = {
    **dict.fromkeys(_PLAIN, _Follower.plain),
    **dict.fromkeys(("NONE", "NEWTRUE", "NEWFALSE"), _Follower.constant),
    **dict.fromkeys(("SHORT_BINUNICODE", "BINUNICODE8"), _Follower.text),
    **dict.fromkeys(("SHORT_BINBYTES", "BINBYTES", "BINBYTES8"), _Follower.data),
    **dict.fromkeys(_EMPTY, _Follower.empty),
    **dict.fromkeys(("TUPLE1", "TUPLE2", "TUPLE3"), _Follower.tuple_of),
    **dict.fromkeys(("BINPUT", "LONG_BINPUT"), _Follower.put),
    **dict.fromkeys(("BINGET", "LONG_BINGET"), _Follower.get),
    **dict.fromkeys(("FRAME", "STOP"), _Follower.nothing),
    "PROTO": _Follower.protocol,
    "MARK": _Follower.mark,
    "GLOBAL": _Follower.name,
    "STACK_GLOBAL": _Follower.stacked_name,
    "EMPTY_TUPLE": _Follower.empty_tuple,
    "TUPLE": _Follower.tuple_since_mark,
    "APPEND": _Follower.append,
    "APPENDS": _Follower.appends,
    "SETITEM": _Follower.set_item,
    "SETITEMS": _Follower.set_items,
    "ADDITEMS": _Follower.add_items,
    "MEMOIZE": _Follower.memoize,
    "REDUCE": _Follower.reduce,
    "NEWOBJ": _Follower.new_object,
    "BUILD": _Follower.build,
    "BINPERSID": _Follower.persistent,
}
