"""The shipped pairs, put together once."""

import pytest

from advisor.learning.agreement.accuracy import accuracy_pairs
from advisor.learning.agreement.latency import latency_pairs
from advisor.learning.agreement.settings import load_settings


@pytest.fixture(scope="session")
def shipped_pairs():
    settings = load_settings()
    return [*latency_pairs(settings), *accuracy_pairs(settings)]
