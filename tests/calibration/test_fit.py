from dataclasses import replace

import numpy as np
import pytest

from advisor.calibration.fit import equations, fitted, scaled_table
from advisor.calibration.judge import conformal, errors, left_out_tables
from advisor.calibration.rows import operation_rows
from advisor.prediction.calibrated import total_ms
from advisor.schema.calibration import QUANTITIES

from .samples import TRUE, convolutions, sample, samples


def scaled(factor):
    costs = tuple(c.model_copy(update={q: getattr(c, q) * factor for q in QUANTITIES}) for c in TRUE.costs)
    return TRUE.model_copy(update={"threads": 2, "costs": costs})


@pytest.mark.parametrize(("channels", "side"), [(48, 28), (96, 10), (52, 20), (51, 20), (70, 20)])
def test_a_fit_predicts_networks_it_has_not_seen(channels, side):
    table = fitted(equations(samples()))
    network = convolutions(channels, side, 3)
    assert total_ms(network, table) == pytest.approx(total_ms(network, TRUE), rel=0.08)


def test_no_cost_is_negative_even_where_times_are_noisy():
    noise = np.random.default_rng(0)
    noisy = [
        type(s)(s.probe, s.family, s.form, 1, s.workload, s.ms * float(np.exp(noise.normal(0, 0.3))), 0.0, s.nodes)
        for s in samples()
    ]
    table = fitted(equations(noisy))
    assert all(getattr(cost, q) >= 0 for cost in table.costs for q in QUANTITIES)


def test_unaligned_channels_cost_more_per_product_where_they_did_so_when_timed():
    table = fitted(equations(samples()))
    aligned, cut = convolutions(64, 20, 3), convolutions(63, 20, 3)
    assert cut.macs < aligned.macs
    assert total_ms(cut, table) > 2 * total_ms(aligned, table)


def test_a_fit_keeps_the_block_size_of_the_cpu_that_was_timed():
    narrow = TRUE.model_copy(update={"block": 8})
    table = fitted(equations(samples(narrow)))
    network = convolutions(12, 20, 3)
    assert total_ms(network, table) == pytest.approx(total_ms(network, narrow), rel=0.08)
    assert total_ms(network, table) < total_ms(network, table.model_copy(update={"block": 16}))
    assert scaled_table(table, samples(narrow, 2), 2).block == 8


def test_every_operation_becomes_an_equation_whose_times_add_up_to_the_network():
    one = sample(64, 14, 4)
    rows = list(operation_rows(one))
    assert sum(row.ms for row in rows) == pytest.approx(one.ms)
    assert sum(len(row.classes) for row in rows) == len(one.nodes)


def test_a_family_left_out_takes_the_classes_along_that_only_it_has():
    system = equations([sample(64, 14, 4), sample(32, 28, 3), sample(45, 28, 3)])
    assert "conv plain float" in {cost.name for cost in fitted(system).costs}
    assert "conv plain float" not in {cost.name for cost in fitted(system, "45").costs}


def test_more_threads_scale_the_costs_by_what_whole_networks_gain():
    table = scaled_table(fitted(equations(samples())), samples(scaled(0.55), 2), 2)
    assert table.threads == 2
    network = convolutions(96, 14, 3)
    assert total_ms(network, table) == pytest.approx(total_ms(network, scaled(0.55)), rel=0.06)


def test_errors_are_those_of_fits_that_left_the_family_out():
    known = samples()
    tables = left_out_tables(equations(known), [s.family for s in known])
    (found,) = errors(known, tables, 1)
    assert (found.form, found.threads, found.n) == ("fp32", 1, len(known))
    assert found.low < 1 < found.high
    assert found.low == pytest.approx(1 / found.high, rel=1e-3)


def test_a_shortfall_that_all_networks_share_becomes_a_factor_and_not_a_wider_interval():
    known = samples()
    (found,) = errors([replace(s, ms=s.ms * 1.2) for s in known], {s.family: TRUE for s in known}, 1)
    assert 1.1 < found.centre < 1.2  # believed in part: the networks are few
    assert found.mean_error < 0.1
    assert found.high < 1.1


@pytest.mark.parametrize(("count", "expected"), [(4, 4), (9, 8), (19, 16)])
def test_the_interval_ends_at_the_error_that_split_conformal_prediction_names(count, expected):
    logs = np.arange(1, count + 1) / 100
    assert conformal(-logs) == pytest.approx(expected / 100)


def test_without_errors_to_judge_by_the_interval_is_a_factor_of_two():
    assert np.exp(conformal(np.array([]))) == pytest.approx(2, rel=0.02)
