"""Following a TorchScript program statement by statement, on tensors of ours and with operators of our list.

The program never reaches Python or torch.jit: names resolve to its own code, to the operators listed for files, or to
nothing. Statements, operator calls and the sizes of tensors are bounded, so every program ends.
"""

import ast
from collections.abc import Iterator
from typing import Any

from torch import Tensor

from advisor.errors import ModelLoadError

from .opened import shown
from .operators import refusal
from .script_code import Program, ScriptType
from .script_machine import ScriptEnum
from .script_operators import call_operator
from .script_values import PackedWeight, ScriptModule, ScriptObject, ScriptTuple

_MOST_STATEMENTS = 1_000_000  # swin_tiny runs about 5,000
_NOTHING = object()
_CONVERSIONS = {"int": int, "float": float, "bool": bool, "str": str}


class ScriptError(ModelLoadError):
    """The program does something that is no TorchScript, or that is not followed."""

    def __init__(self, what: str) -> None:
        """Take what it does."""
        super().__init__(
            f"the script cannot be followed: {shown(what)}",
            remedy="Give the network as ONNX, as a state dict or from Python.",
        )


class Interpreter:
    """One run of a program; `constants` are the tensors that its code names CONSTANTS.cN."""

    def __init__(self, program: Program, constants: ScriptModule) -> None:
        """Start with full budgets."""
        self.program, self.constants = program, constants
        self.known: dict[int, tuple[Tensor, float | int]] = {}  # one-element tensors that were stored, by id
        self.calls = 0
        self._left = _MOST_STATEMENTS

    def method(self, owner: Any, name: str, arguments: list[Any]) -> Any:
        """Call a method of a module or object."""
        found = self._type(owner).methods.get(name)
        if found is None:
            raise ScriptError(f"{owner.script_type} has no method {name}")
        return self._run(found, [owner, *arguments], {})

    def attribute(self, owner: Any, name: str) -> Any:
        """Return a field of a module, object or named tuple; networks are always in evaluation mode."""
        if isinstance(owner, ScriptTuple) and name in owner.names:
            return owner[owner.names.index(name)]
        if isinstance(owner, ScriptEnum) and name == "value":
            return owner.value
        if not isinstance(owner, ScriptModule | ScriptObject):
            raise ScriptError(f"no field {name} in a {type(owner).__name__}")
        if name == "training":
            return False
        if isinstance(owner, ScriptModule):
            try:
                value = owner.get(name)
            except KeyError:
                return self._default(owner, name)
            if isinstance(value, Tensor) and name in owner.numbers:
                self.known[id(value)] = (value, owner.numbers[name])
            return value
        return owner.values[name] if name in owner.values else self._default(owner, name)

    def _default(self, owner: Any, name: str) -> Any:
        value = self._type(owner).fields.get(name)
        if value is None:
            raise ScriptError(f"{owner.script_type} has no field {name}")
        return self._value(value, {})

    def _type(self, owner: Any) -> ScriptType:
        return self.program.types.get(getattr(owner, "script_type", ""), ScriptType(""))

    def _run(self, function: ast.FunctionDef, arguments: list[Any], named: dict[str, Any]) -> Any:
        names = [argument.arg for argument in function.args.args]
        if len(arguments) > len(names):
            raise ScriptError(f"{function.name} takes {len(names)} arguments, not {len(arguments)}")
        defaults = dict(zip(names[::-1], function.args.defaults[::-1], strict=False))
        env = {name: self._value(default, {}) for name, default in defaults.items()}
        env |= dict(zip(names, arguments, strict=False)) | named
        result = self._block(function.body, env)
        return None if result is _NOTHING else result

    def _block(self, statements: list[ast.stmt], env: dict[str, Any]) -> Any:
        for statement in statements:
            self._left -= 1
            if self._left < 0:
                raise ModelLoadError(
                    "the script does not come to an end",
                    where=f"more than {_MOST_STATEMENTS} statements in one forward pass",
                    remedy="Do not use this file unless you know its author; give the network as ONNX.",
                )
            result = self._statement(statement, env)
            if result is not _NOTHING:
                return result
        return _NOTHING

    def _statement(self, statement: ast.stmt, env: dict[str, Any]) -> Any:
        match statement:
            case ast.Assign(targets=[target], value=value):
                self._assign(target, self._value(value, env), env)
            case ast.AnnAssign(target=target, value=ast.expr() as value):
                self._assign(target, self._value(value, env), env)
            case ast.Return(value=value):
                return None if value is None else self._value(value, env)
            case ast.Expr(value=value):
                self._value(value, env)
            case ast.If(test=test, body=body, orelse=other):
                return self._block(body if self._truth(test, env) else other, env)
            case ast.For() | ast.While():
                return self._loop(statement, env)
            case ast.Assert(test=test):
                if not self._truth(test, env):
                    raise ScriptError("an assertion of the script fails")
            case ast.Pass():
                pass
            case _:
                raise ScriptError(f"{type(statement).__name__} is no statement of TorchScript")
        return _NOTHING

    def _loop(self, loop: ast.For | ast.While, env: dict[str, Any]) -> Any:
        for _ in self._rounds(loop, env):
            result = self._block([*loop.body, ast.Pass()], env)
            if result is not _NOTHING:
                return result
        return _NOTHING

    def _rounds(self, loop: ast.For | ast.While, env: dict[str, Any]) -> Iterator[None]:
        if isinstance(loop, ast.While):
            while self._truth(loop.test, env):
                yield
            return
        for item in self._value(loop.iter, env):
            self._assign(loop.target, item, env)
            yield

    def _assign(self, target: ast.expr, value: Any, env: dict[str, Any]) -> None:
        match target:
            case ast.Name(id=name):
                env[name] = value
            case ast.Tuple(elts=targets) | ast.List(elts=targets):
                for part, item in zip(targets, list(value), strict=True):
                    self._assign(part, item, env)
            case ast.Attribute(value=owner, attr=name):
                self._set(self._value(owner, env), name, value)
            case _:
                raise ScriptError(f"{type(target).__name__} cannot be assigned to in TorchScript")

    def _set(self, owner: Any, name: str, value: Any) -> None:
        if isinstance(owner, ScriptModule):
            owner.put(name, value)
        elif isinstance(owner, ScriptObject):
            owner.values[name] = value
        else:
            raise ScriptError(f"a {type(owner).__name__} has no fields to set")

    def _value(self, node: ast.expr, env: dict[str, Any]) -> Any:  # noqa: PLR0911  (one line per kind of expression)
        match node:
            case ast.Name(id=name):
                return env[name] if name in env else self._unknown(name)
            case ast.Constant(value=value) if value is None or isinstance(value, bool | int | float | str):
                return value
            case ast.Call():
                return self._call(node, env)
            case ast.Attribute(value=owner, attr=name):
                path = _path(node, env)
                return self._global(path) if path else self.attribute(self._value(owner, env), name)
            case ast.List(elts=items):
                return [self._value(item, env) for item in items]
            case ast.Tuple(elts=items):
                return tuple(self._value(item, env) for item in items)
            case ast.Dict(keys=keys, values=values):
                return {self._value(k, env): self._value(v, env) for k, v in zip(keys, values, strict=True) if k}
            case ast.Subscript(value=owner, slice=place):
                return self._value(owner, env)[self._value(place, env)]
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return -self._value(operand, env)
            case ast.IfExp(test=test, body=body, orelse=other):
                return self._value(body if self._truth(test, env) else other, env)
        raise ScriptError(f"{type(node).__name__} is no expression of TorchScript")

    def _unknown(self, name: str) -> Any:
        if name in ("inf", "infinity"):
            return float("inf")
        if name == "nan":
            return float("nan")
        raise ScriptError(f"the name {name} is not defined")

    def _global(self, path: str) -> Any:
        if path.startswith("CONSTANTS."):
            return self.attribute(self.constants, path.removeprefix("CONSTANTS."))
        if path in self.program.functions:
            return self.program.functions[path]
        owner, _, name = path.rpartition(".")
        found = self.program.types.get(owner)
        if found is not None and found.base == "Enum" and (value := found.fields.get(name)) is not None:
            return ScriptEnum(owner, self._value(value, {}))
        raise ScriptError(f"{path} is not defined in the script")

    def _call(self, call: ast.Call, env: dict[str, Any]) -> Any:
        path = _path(call.func, env)
        if isinstance(call.func, ast.Name) and call.func.id not in env:
            return self._builtin(call.func.id, call.args, env)
        if path == "torch.device":
            return "cpu"
        arguments = [self._value(argument, env) for argument in call.args]
        named = {str(keyword.arg): self._value(keyword.value, env) for keyword in call.keywords}
        if path.startswith(("torch.", "ops.")):
            namespace, _, name = ("aten." + path[6:] if path[0] == "t" else path[4:]).partition(".")
            return call_operator(self, namespace, name, arguments, named)
        if path.startswith("__torch__."):
            return self._construct(path, arguments, named)
        if isinstance(call.func, ast.Attribute):
            return self._method(self._value(call.func.value, env), call.func.attr, arguments, named)
        function = self._value(call.func, env)
        if not isinstance(function, ast.FunctionDef):
            raise ScriptError(f"a {type(function).__name__} cannot be called")
        return self._run(function, arguments, named)

    def _construct(self, path: str, arguments: list[Any], named: dict[str, Any]) -> Any:
        """Call a function by its full name, or make an object of a class."""
        if path in self.program.functions:
            return self._run(self.program.functions[path], arguments, named)
        owner = path.removesuffix(".__new__")
        found = self.program.types.get(owner)
        if found is None or found.base not in ("", "NamedTuple"):
            raise ScriptError(f"{path} is not defined in the script")
        if found.base == "NamedTuple":
            made = ScriptTuple(arguments)
            made.names = tuple(found.fields)
            return made
        return ScriptObject(owner)

    def _method(self, owner: Any, name: str, arguments: list[Any], named: dict[str, Any]) -> Any:
        if isinstance(owner, PackedWeight) and name == "unpack":
            return owner.unpacked()
        found = self._type(owner).methods.get(name)
        if found is None:
            raise ScriptError(f"a {getattr(owner, 'script_type', type(owner).__name__)} has no method {name}")
        return self._run(found, [owner, *arguments], named)

    def _builtin(self, name: str, arguments: list[ast.expr], env: dict[str, Any]) -> Any:
        """Do what TorchScript writes like a function of Python; types among the arguments are not looked at."""
        if name in ("annotate", "unchecked_cast"):
            return self._value(arguments[1], env)
        if name == "uninitialized":
            return None
        if name == "isinstance":
            raise ScriptError("the script asks for the type of a value, which is not followed")
        values = [self._value(argument, env) for argument in arguments]
        if name == "getattr" and isinstance(values[1], str):
            return self.attribute(values[0], values[1])
        if name == "range":
            return range(*values)
        if name in _CONVERSIONS:
            return self._convert(name, values[0])
        raise refusal(name)

    def _truth(self, test: ast.expr, env: dict[str, Any]) -> bool:
        return bool(self._convert("bool", self._value(test, env)))

    def _convert(self, name: str, value: Any) -> Any:
        if isinstance(value, Tensor) and id(value) in self.known:
            value = self.known[id(value)][1]
        if isinstance(value, Tensor):
            raise ScriptError("its course depends on the values in a tensor")
        if isinstance(value, int | float | str | bool):
            return _CONVERSIONS[name](value)
        return value  # a size that stays open


def _path(node: ast.expr, env: dict[str, Any]) -> str:
    """Return the dotted name of a global, an empty string for what belongs to a variable."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    if not parts or not isinstance(node, ast.Name) or node.id in env:
        return ""
    return ".".join([node.id, *reversed(parts)])
