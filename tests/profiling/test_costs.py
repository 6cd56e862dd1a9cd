import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from advisor.profiling.costs import attention_macs, conv_macs, matmul_macs


@given(*(st.integers(1, 4) for _ in range(4)))
def test_products_equal_counting_every_multiplication(batch, rows, inner, columns):
    counted = sum(1 for _ in np.ndindex(batch, rows, inner, columns))
    assert matmul_macs((batch, rows, inner), (batch, inner, columns), (batch, rows, columns)) == counted


@pytest.mark.parametrize("transposed", [False, True])
@given(*(st.integers(1, 3) for _ in range(5)))
def test_convolutions_equal_counting_every_multiplication(transposed, channels, filters, side, kernel, groups):
    """A transposed convolution is the forward one with input and output exchanged."""
    small, large = (1, filters * groups, side, side), (1, channels * groups, side + kernel - 1, side + kernel - 1)
    weight = (filters * groups, channels, kernel, kernel)
    counted = sum(1 for _ in np.ndindex(filters * groups, side, side, channels, kernel, kernel))
    read, made = (small, large) if transposed else (large, small)
    assert conv_macs(read, weight, made, transposed) == counted


def test_attention_is_both_of_its_products():
    query, key, value = (2, 3, 5, 8), (2, 3, 7, 8), (2, 3, 7, 4)
    scores = matmul_macs(query, (2, 3, 8, 7), (2, 3, 5, 7))
    mixed = matmul_macs((2, 3, 5, 7), value, (2, 3, 5, 4))
    assert attention_macs(query, key, value) == scores + mixed
