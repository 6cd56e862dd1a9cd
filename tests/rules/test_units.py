"""Facts of different units are neither compared nor added; a factor converts."""

import pytest

from advisor.errors import KnowledgeError
from advisor.rules import load_vocabulary
from advisor.rules.parse import parse

WORDS = load_vocabulary()


@pytest.mark.parametrize(
    "text",
    [
        "model.weight_bytes > user.size_mb",
        "user.latency_ms <= dev.power_w",
        "model.weight_bytes + user.size_mb > 5",
        "min(model.weight_bytes, user.size_mb) > 5",
        "plan.flash_bytes > dev.flash_bytes - user.flash_mb",
        "ceil_to(plan.round_to, dev.sram_bytes) > 1",
    ],
)
def test_different_units_are_an_error_that_names_both(text):
    with pytest.raises(KnowledgeError, match=r" is in \S+, .* in \S+") as caught:
        parse(text, WORDS, "when")
    assert "user.size_mb * 1e6" in caught.value.remedy


@pytest.mark.parametrize(
    "text",
    [
        "model.weight_bytes > user.size_mb * 1e6",
        "plan.flash_bytes + 100_000 > dev.flash_bytes",
        "model.macs >= 4 * model.weight_bytes",
        "model.dw_mac_share > 0.5",
        "ceil_to(plan.round_to, rt.ch_align) == plan.round_to",
        "rt.int8_mac_ratio > model.dw_mac_share",
    ],
)
def test_equal_units_numbers_and_products_fit(text):
    assert parse(text, WORDS).type == "bool"


def test_a_number_with_a_unit_is_told_what_is_wrong():
    with pytest.raises(KnowledgeError) as caught:
        parse("user.latency_ms > 33ms", WORDS)
    assert "Numbers have no unit" in caught.value.remedy
