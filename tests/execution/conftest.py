import pytest

from tests.execution.journeys import fast_measurement  # noqa: F401  (a fixture)


@pytest.fixture
def host():
    from advisor.devices import load_device

    return load_device("host")
