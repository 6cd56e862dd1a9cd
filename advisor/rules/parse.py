"""From text to a typed expression: Python's grammar, a strict whitelist, and types from the vocabulary of facts.

Nothing is ever executed: the text is parsed, each node is checked and rebuilt as an `Expr`.
"""

import ast
from collections.abc import Mapping
from typing import NoReturn

from advisor.errors import KnowledgeError, nearest

from . import expressions as ex
from .dimensions import misfit
from .expressions import Expr
from .vocabulary import FactSpec, FactType

MAX_LENGTH = 1000
MAX_DEPTH = 20
_COMPARE: dict[type[ast.cmpop], str] = {
    ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=", ast.Eq: "==", ast.NotEq: "!=",
}  # fmt: skip
_ARITHMETIC: dict[type[ast.operator], str] = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/"}
_BOOLEANS = {"true": True, "false": False}
_ALLOWED = "Allowed are facts, numbers, quoted texts, sets in braces, comparisons, in, and, or, not, + - * / and " + (
    ", ".join(ex.FUNCTIONS)
)


def parse(text: str, vocabulary: Mapping[str, FactSpec], where: str = "") -> Expr:
    """Read a condition; `where` names the place (file:line, field) in errors."""
    return _Parser(" ".join(text.split()), vocabulary, where).condition()


class _Parser:
    """One expression being read; holds what every error message needs."""

    def __init__(self, text: str, vocabulary: Mapping[str, FactSpec], where: str) -> None:
        self.text, self.vocabulary, self.where = text, vocabulary, where
        self.raw = text.encode()

    def condition(self) -> Expr:
        """Parse the whole text as a condition."""
        if not self.text:
            self._fail("the expression is empty", 0)
        if len(self.text) > MAX_LENGTH:
            self._fail(f"the expression is longer than {MAX_LENGTH} characters", 0, "Split the rule in two")
        try:
            tree = ast.parse(self.text, mode="eval")
        except SyntaxError as error:
            hint = "Numbers have no unit; knowledge/facts.yaml names the unit of every fact"
            remedy = hint if "literal" in str(error.msg) else ""
            self._fail(f"not an expression: {error.msg}", max(0, (error.offset or 1) - 1), remedy)
        except (ValueError, RecursionError, MemoryError) as error:
            self._fail(f"not an expression: {error}", 0)
        expr = self._read(tree.body, 1)
        self._expect(expr, "bool", tree.body)
        return expr

    def _read(self, node: ast.expr, depth: int) -> Expr:
        if depth > MAX_DEPTH:
            self._fail(f"nested deeper than {MAX_DEPTH} levels", node.col_offset, "Split the rule in two")
        match node:
            case ast.Constant():
                return self._constant(node)
            case ast.Name() | ast.Attribute():
                return self._fact(node)
            case ast.Set():
                return self._set(node)
            case ast.UnaryOp(op=ast.USub()) if isinstance(node.operand, ast.Constant):
                return self._negative(node)
            case ast.UnaryOp(op=ast.Not()) | ast.BoolOp():
                return self._logic(node, depth)
            case ast.BinOp() if type(node.op) in _ARITHMETIC:
                left, right = (
                    self._expect(self._read(side, depth + 1), "number", side) for side in (node.left, node.right)
                )
                if isinstance(node.op, ast.Add | ast.Sub):
                    self._check_units((left, right), node)
                return ex.arithmetic(_ARITHMETIC[type(node.op)], left, right, self._segment(node))
            case ast.Compare():
                return self._compare(node, depth)
            case ast.Call():
                return self._call(node, depth)
        self._fail(f"{self._segment(node)!r} is not part of the language", node.col_offset, _ALLOWED)

    def _logic(self, node: ast.UnaryOp | ast.BoolOp, depth: int) -> Expr:
        sides = [node.operand] if isinstance(node, ast.UnaryOp) else node.values
        parts = tuple(self._expect(self._read(side, depth + 1), "bool", side) for side in sides)
        if isinstance(node, ast.UnaryOp):
            return ex.negation(parts[0], self._segment(node))
        return ex.junction("and" if isinstance(node.op, ast.And) else "or", parts, self._segment(node))

    def _constant(self, node: ast.Constant) -> Expr:
        value = node.value
        if isinstance(value, bool):
            return ex.constant(value, "bool", self._segment(node))
        if isinstance(value, int | float) and abs(value) < float("inf"):
            return ex.constant(value, "number", self._segment(node))
        if isinstance(value, str):
            return ex.constant(value, "string", self._segment(node))
        self._fail(f"{self._segment(node)!r} is not a number, text or true or false", node.col_offset, _ALLOWED)

    def _negative(self, node: ast.UnaryOp) -> Expr:
        number = self._expect(self._read(node.operand, 1), "number", node.operand)
        return ex.constant(-number.value, "number", self._segment(node))

    def _fact(self, node: ast.Name | ast.Attribute) -> Expr:
        name = self._segment(node)
        if name in _BOOLEANS:
            return ex.constant(_BOOLEANS[name], "bool", name)
        if name not in self.vocabulary:
            hint = nearest(name, self.vocabulary) or "Facts are listed in knowledge/facts.yaml"
            self._fail(f"unknown fact {name!r}", node.col_offset, hint)
        return ex.fact(name, self.vocabulary[name].type)

    def _set(self, node: ast.Set) -> Expr:
        items = [self._read(item, 1) for item in node.elts if isinstance(item, ast.Constant | ast.UnaryOp)]
        kinds = {item.type for item in items}
        if len(items) != len(node.elts) or len(kinds) != 1 or not kinds <= {"string", "number"}:
            self._fail("a set holds quoted texts or numbers, all of one kind", node.col_offset)
        if len({item.value for item in items}) != len(items):
            self._fail(f"{self._segment(node)} names an element twice", node.col_offset)
        return ex.set_of(frozenset(item.value for item in items), self._segment(node))

    def _compare(self, node: ast.Compare, depth: int) -> Expr:
        sides = [node.left, *node.comparators]
        read = [self._read(side, depth + 1) for side in sides]
        links = []
        for i, symbol in enumerate(node.ops):
            left, right = read[i], read[i + 1]
            text = self._between(sides[i], sides[i + 1]) if len(node.ops) > 1 else self._segment(node)
            if isinstance(symbol, ast.In | ast.NotIn):
                self._check_member(left, right, sides[i], sides[i + 1])
                links.append(ex.member(left, right, isinstance(symbol, ast.NotIn), text))
            elif type(symbol) in _COMPARE:
                self._check_comparable(_COMPARE[type(symbol)], left, right, sides[i])
                links.append(ex.compare(_COMPARE[type(symbol)], left, right, text))
            else:
                self._fail("'is' is not part of the language", node.col_offset, "Write == or !=")
        return links[0] if len(links) == 1 else ex.junction("and", tuple(links), self._segment(node))

    def _check_comparable(self, symbol: str, left: Expr, right: Expr, node: ast.expr) -> None:
        if left.type != right.type:
            self._fail(
                f"{left.text} is a {left.type}, {right.text} is a {right.type}: they cannot be compared",
                node.col_offset,
                "Ask for an element with 'in'" if "set" in (left.type, right.type) else "",
            )
        if left.type == "set" or (left.type in ("string", "bool") and symbol not in ("==", "!=")):
            self._fail(f"{symbol} does not compare {left.type}s", node.col_offset, "Use in, has or disjoint for sets")
        self._check_units((left, right), node)
        for constant, other in ((left, right), (right, left)):
            if constant.kind == "constant" and constant.type == "string":
                self._check_values({constant.value}, other, node)

    def _check_units(self, parts: tuple[Expr, ...], node: ast.expr) -> None:
        if wrong := misfit(parts, self.vocabulary):
            self._fail(wrong, node.col_offset, "Convert one with a factor, for instance user.size_mb * 1e6")

    def _check_member(self, element: Expr, container: Expr, first: ast.expr, second: ast.expr) -> None:
        if container.type != "set":
            self._fail(f"{container.text} is a {container.type}, not a set", second.col_offset, "Write == instead")
        if container.kind == "set":
            texts = isinstance(next(iter(container.value)), str)
            self._expect(element, "string" if texts else "number", first)
            if texts:
                self._check_values(container.value, element, second)
        else:
            self._expect(element, "string", first)
            if element.kind == "constant":
                self._check_values({element.value}, container, first)

    def _check_values(self, used: set[str] | frozenset[str], expr: Expr, node: ast.expr) -> None:
        legal = self.vocabulary[expr.text].values if expr.kind == "fact" else ()
        for value in sorted(used):
            if legal and value not in legal:
                hint = nearest(value, legal) or f"Legal are {', '.join(legal)}"
                self._fail(f"{expr.text} is never {value!r}", node.col_offset, hint)

    def _call(self, node: ast.Call, depth: int) -> Expr:
        name = node.func.id if isinstance(node.func, ast.Name) else self._segment(node.func)
        if name not in ex.FUNCTIONS:
            hint = nearest(name, ex.FUNCTIONS) or f"Functions are {', '.join(ex.FUNCTIONS)}"
            self._fail(f"unknown function {name!r}", node.col_offset, hint)
        spec = ex.FUNCTIONS[name]
        count = len(spec.arguments)
        if node.keywords or (len(node.args) < count if spec.variadic else len(node.args) != count):
            self._fail(f"{name} takes {count}{' or more' if spec.variadic else ''} arguments", node.col_offset)
        arguments = tuple(self._read(argument, depth + 1) for argument in node.args)
        if name == "known":
            if arguments[0].kind != "fact":
                self._fail("known() takes the name of a fact", node.col_offset)
            return ex.call(name, arguments, self._segment(node))
        for i, argument in enumerate(arguments):
            self._expect(argument, spec.arguments[min(i, count - 1)], node.args[i])
        if spec.result == "number":
            self._check_units(arguments, node)
        if name == "has" and arguments[1].kind == "constant":
            self._check_values({arguments[1].value}, arguments[0], node.args[1])
        if name == "disjoint":
            self._check_disjoint(arguments, node)
        return ex.call(name, arguments, self._segment(node))

    def _check_disjoint(self, arguments: tuple[Expr, ...], node: ast.Call) -> None:
        for literal, other in ((arguments[0], arguments[1]), (arguments[1], arguments[0])):
            if literal.kind == "set":
                if not all(isinstance(value, str) for value in literal.value):
                    self._fail("disjoint() compares sets of texts", node.col_offset)
                self._check_values(literal.value, other, node)

    def _expect(self, expr: Expr, kind: FactType, node: ast.expr) -> Expr:
        if expr.type != kind:
            self._fail(f"{expr.text} is a {expr.type} where a {kind} is needed", node.col_offset)
        return expr

    def _segment(self, node: ast.expr) -> str:
        return self.raw[node.col_offset : node.end_col_offset].decode()

    def _between(self, first: ast.expr, last: ast.expr) -> str:
        return self.raw[first.col_offset : last.end_col_offset].decode()

    def _fail(self, what: str, column: int, remedy: str = "") -> NoReturn:
        place = f"{self.where}, " if self.where else ""
        raise KnowledgeError(what, where=f"{place}column {column + 1} of: {self.text}", remedy=remedy)
