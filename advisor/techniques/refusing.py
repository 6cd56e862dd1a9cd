"""Turning what a library raises into a refusal with a reason: onnxruntime alone has dozens of private classes."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from advisor.errors import AdvisorError, NotApplicable


@contextmanager
def refusing(what: str, remedy: str) -> Iterator[None]:
    """Refuse with `what` and the first line of the error; memory that runs out and our own errors pass.

    What the library warns of meanwhile is not shown: onnxruntime's quantizer tells the root logger of every layer.
    """
    before = logging.root.manager.disable
    logging.disable(max(before, logging.WARNING))
    try:
        yield
    except (AdvisorError, MemoryError):
        raise
    except Exception as error:
        reason = next(iter(str(error).strip().splitlines()), type(error).__name__)[:300]
        raise NotApplicable(f"{what}: {reason}", remedy=remedy) from error
    finally:
        logging.disable(before)
