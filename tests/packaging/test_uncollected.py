"""The garbage collector rests for a while and is as before afterwards, also after an error."""

import gc

import pytest

from advisor.uncollected import uncollected


@pytest.mark.parametrize("before", [True, False])
def test_the_collector_is_as_before(before):
    (gc.enable if before else gc.disable)()
    try:
        with uncollected():
            assert not gc.isenabled()
        assert gc.isenabled() is before
        with pytest.raises(ValueError, match="broken"), uncollected():
            raise ValueError("broken")
        assert gc.isenabled() is before
    finally:
        gc.enable()
