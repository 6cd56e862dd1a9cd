"""Activations that exporters and authors spell out in several operations, folded back into one. Torch-free.

Known: SiLU = x * sigmoid(x); hard-swish = x * hardsigmoid(x) = x * relu6(x + 3) / 6;
GELU = x * (1 + erf(x / sqrt 2)) / 2 with its factors in any order. A fold happens only where nothing else reads the
results between.
"""

from collections import Counter

from advisor.schema import Op, OpKind

_GATES = {"sigmoid": "silu", "hardsigmoid": "hardswish"}
_CHAIN = 6  # operations looked back through from the product that ends the pattern


def fold_activations(ops: tuple[Op, ...], outputs: tuple[int, ...]) -> tuple[Op, ...]:
    """Return the operations with every recognised pattern replaced by one ACTIVATION."""
    makers = {t: op for op in ops for t in op.outputs}
    readers = Counter(t for op in ops for t in op.inputs) + Counter(outputs)
    replaced: dict[int, Op] = {}
    gone: set[int] = set()
    for op in ops:
        if op.kind is OpKind.ELEMENTWISE and op.attrs.get("function") in ("mul", "div"):
            found = _match(op, makers, readers, gone)
            if found:
                function, source, members = found
                gone |= {m.index for m in members} - {op.index}
                replaced[op.index] = op.model_copy(
                    update={
                        "kind": OpKind.ACTIVATION,
                        "inputs": (source,),
                        "weights": (),
                        "attrs": {"function": function, "folded": len(members)},
                    }
                )
                makers[op.outputs[0]] = replaced[op.index]
    return tuple(replaced.get(op.index, op) for op in ops if op.index not in gone)


def _match(
    end: Op, makers: dict[int, Op], readers: Counter[int], gone: set[int]
) -> tuple[str, int, tuple[Op, ...]] | None:
    """Walk back from a product: everything on the way must be scalar arithmetic on one and the same tensor."""
    members: dict[int, Op] = {end.index: end}
    sources: set[int] = set()
    queue = list(end.inputs)
    while queue:
        tensor = queue.pop()
        maker = makers.get(tensor)
        inner = maker is not None and maker.index not in gone and _is_inner(maker)
        if inner and maker is not None and len(members) < _CHAIN and (maker.index in members or readers[tensor] == 1):
            if maker.index not in members:
                members[maker.index] = maker
                queue.extend(maker.inputs)
        else:
            sources.add(tensor)
    function = _name([m.attrs.get("function") for m in members.values()])
    if function is None or len(sources) != 1:
        return None
    return function, sources.pop(), tuple(members.values())


def _is_inner(op: Op) -> bool:
    function = op.attrs.get("function")
    if op.weights or op.kind is OpKind.UNKNOWN:
        return False
    if function in ("sigmoid", "hardsigmoid", "relu6", "erf"):
        return True
    return function in ("add", "mul", "div") and (len(op.inputs) == 1 or function == "mul")


def _name(functions: list[object]) -> str | None:
    counts = Counter(functions)
    for gate, name in _GATES.items():
        if counts == Counter([gate, "mul"]):
            return name
    if counts["relu6"] == 1 and counts["add"] == 1 and counts["mul"] + counts["div"] == 2 and len(functions) == 4:
        return "hardswish"
    if counts["erf"] == 1 and counts["add"] == 1 and counts["mul"] + counts["div"] == 3 and len(functions) == 5:
        return "gelu"
    return None
