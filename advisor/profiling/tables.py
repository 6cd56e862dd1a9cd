"""The form in which tables of operators are written: one line per function."""

from dataclasses import dataclass

from advisor.schema import OpKind


@dataclass(frozen=True)
class Group:
    """Operators (separated by blanks) of one kind; without a `function` each is called like itself."""

    kind: OpKind
    operators: str
    function: str = ""


def flatten(*groups: Group) -> dict[str, tuple[OpKind, str]]:
    """Return operator -> kind and function; an operator may stand in one group only."""
    table: dict[str, tuple[OpKind, str]] = {}
    for group in groups:
        for operator in group.operators.split():
            if operator in table:
                raise ValueError(f"{operator} stands in the table twice")
            table[operator] = (group.kind, group.function or operator)
    return table
