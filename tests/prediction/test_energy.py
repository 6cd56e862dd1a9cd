import pytest

import advisor.prediction.engine  # noqa: F401  (registers the predictors)
from advisor.devices import load_device
from advisor.devices.power import in_power_mode
from advisor.prediction.energy import PowerTimesTime, best_latency, figures, power_of, published_rows
from advisor.prediction.query import Query
from advisor.schema import Basis, Core, Cpu, Figure, Power, PowerMode

from .networks import board, conv_net, figure, plain

FIVE, TEN = (PowerMode(name=f"{w}W", watts=w, source="bench") for w in (5.0, 10.0))


def powered(**fields):
    return board().model_copy(update={"power": Power(**fields)})


def assumed(watts):
    return Figure(value=watts, basis="assumed")


def test_published_rows_of_the_device_come_first():
    known = power_of(load_device("jetson-nano"), "gpu")
    assert (known.basis, known.mid) == (Basis.PUBLISHED, 8.8)
    assert len(published_rows()["jetson-nano"]) == known.n


def test_rows_count_for_the_unit_they_were_taken_on():
    assert power_of(load_device("jetson-nano"), "cpu").basis is Basis.FITTED


def test_a_sourced_power_of_the_profile_counts():
    assert power_of(powered(typical_w=figure(4.0)), "cpu").mid == 4.0


def test_an_assumed_power_is_no_figure():
    assert power_of(powered(typical_w=assumed(4.0)), "cpu") is None


def test_a_board_draws_a_share_of_its_mode():
    usual = TEN.model_copy(update={"default": True})
    known = power_of(powered(modes=(FIVE, usual)), "cpu")
    assert known.mid == pytest.approx(10 * figures().mode_share.mid)
    assert known.low < known.mid < known.high


def test_where_only_ends_are_known_the_energy_is_a_bound():
    device = powered(modes=(FIVE, TEN))
    query = Query(plain(), conv_net(), conv_net(), device)
    latency, energy = best_latency(query), PowerTimesTime().estimate(query)
    assert (energy.low, energy.high) == pytest.approx((5 * latency.low, 10 * latency.high))
    assert energy.basis is Basis.ASSUMED
    assert "bound" in energy.note


def test_one_end_alone_tells_nothing():
    assert power_of(powered(modes=(TEN,)), "cpu") is None
    query = Query(plain(), conv_net(), conv_net(), powered())
    assert PowerTimesTime().supports(query) is None
    assert "no power under load is known" in PowerTimesTime().absence(query)


def test_a_cortex_m_without_rows_is_scaled_by_its_clock():
    cpu = Cpu(arch="armv7e-m", cores=(Core(name="Cortex-M7", count=1, freq_ghz=figure(0.4)),))
    device = board(unit="mcu", kind="mcu", os=False, cpu=cpu)
    known = power_of(device, "mcu")
    assert known.basis is Basis.FITTED
    assert known.mid == pytest.approx(0.4 * figures().cortex_m_mw_per_mhz.mid)  # 400 MHz in mW, as watts


def test_both_errors_widen_the_interval():
    query = Query(plain(), conv_net(), conv_net(), powered(typical_w=figure(4.0)))
    latency, energy = best_latency(query), PowerTimesTime().estimate(query)
    assert energy.mid == pytest.approx(4.0 * latency.mid)
    assert energy.high / energy.mid > latency.high / latency.mid
    assert energy.mid / energy.low > latency.mid / latency.low
    assert energy.high <= 4.0 * figures().stated.high * latency.high  # independent errors do not add up in full


def test_a_smaller_mode_draws_less():
    usual, small = load_device("jetson-nano"), in_power_mode(load_device("jetson-nano"), "5W")
    assert power_of(small, "gpu").mid < power_of(usual, "gpu").mid
    assert power_of(small, "gpu").basis is Basis.FITTED  # the published rows belong to the other mode
