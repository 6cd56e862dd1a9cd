"""Turning what a library raises into a refusal with a reason: onnxruntime alone has dozens of private classes."""

from collections.abc import Iterator
from contextlib import contextmanager

from advisor.errors import AdvisorError, NotApplicable


@contextmanager
def refusing(what: str, remedy: str) -> Iterator[None]:
    """Refuse with `what` and the first line of the error; memory that runs out and our own errors pass."""
    try:
        yield
    except (AdvisorError, MemoryError):
        raise
    except Exception as error:
        reason = next(iter(str(error).strip().splitlines()), type(error).__name__)[:300]
        raise NotApplicable(f"{what}: {reason}", remedy=remedy) from error
