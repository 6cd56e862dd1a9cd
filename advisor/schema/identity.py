"""Remembering results for records that are too large to hash: by identity, since records never change."""

from collections.abc import Callable, Hashable
from functools import lru_cache, wraps
from typing import Any, TypeVar, cast

Function = TypeVar("Function", bound=Callable[..., Any])


class _Same:
    """A key that compares by identity and keeps its subject alive, so that no id is used twice."""

    __slots__ = ("subject",)

    def __init__(self, subject: object) -> None:
        self.subject = subject

    def __hash__(self) -> int:
        return id(self.subject)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and self.subject is other.subject


def remembered(maxsize: int = 128) -> Callable[[Function], Function]:
    """Keep the results for the subjects (first argument) seen last; further arguments are hashable and positional."""

    def decorate(function: Function) -> Function:
        @lru_cache(maxsize=maxsize)
        def keyed(key: _Same, *more: Hashable) -> object:
            return function(key.subject, *more)

        @wraps(function)
        def call(subject: object, *more: Hashable) -> object:
            return keyed(_Same(subject), *more)

        return cast(Function, call)

    return decorate
