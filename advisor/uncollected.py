"""Work without the garbage collector: records hold no cycles, and walking over hundreds of thousands takes a third."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def uncollected() -> Iterator[None]:
    """Switch the collector off for a while, unless it is off already."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


def collecting() -> None:
    """Look for garbage from now on, but never among what is there already: for work whose end is not in sight.

    The command line begins without looking for any, since importing and exporting leave next to none.
    """
    if not gc.isenabled():
        gc.freeze()
        gc.enable()
