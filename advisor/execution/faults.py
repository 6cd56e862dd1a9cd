"""Telling faults of the machine apart: memory that does not suffice, a disk that is full."""

import errno

_MEMORY = (
    "not enough memory",
    "can't allocate memory",
    "cannot allocate memory",
    "out of memory",
    "alloc_failed",  # cuDNN and cuBLAS
)
_FULL = ("no space left on device", "disk quota exceeded")


def out_of_memory(error: BaseException) -> bool:
    """Whether an error says that memory does not suffice; torch has a type of its own for GPUs only."""
    if isinstance(error, MemoryError):
        return True
    text = str(error).lower()
    return isinstance(error, RuntimeError) and any(words in text for words in _MEMORY)


def disk_full(error: BaseException) -> bool:
    """Whether an error, or the one that it was raised from, says that the disk is full.

    Libraries that write files from C++ or Rust raise errors of their own, with the system's words in them.
    """
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return True
    if any(words in str(error).lower() for words in _FULL):
        return True
    return error.__cause__ is not None and disk_full(error.__cause__)
