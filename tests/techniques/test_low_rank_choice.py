"""Ranks that follow from weights and data: by energy, by VBMF, by measured sensitivity; layers fitted to answers."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytestmark = pytest.mark.real
SHAPE = (2, 3, 16, 16)


def network(noise=0.01):
    """Return a small network whose wide kernels have rank 6 and some noise."""
    import torch
    from torch import nn

    torch.manual_seed(0)
    made = nn.Sequential(
        nn.Conv2d(3, 48, 3, padding=1), nn.ReLU(), nn.Conv2d(48, 64, 3, stride=2, padding=1), nn.ReLU(),
        nn.Conv2d(64, 96, 1, bias=False), nn.ReLU(), nn.Conv2d(96, 64, (3, 1), padding=(1, 0), bias=False), nn.ReLU(),
        nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 80), nn.ReLU(), nn.Linear(80, 6),
    )  # fmt: skip
    with torch.no_grad():
        for index in (2, 4, 6, 10):
            kernel = made[index].weight
            flat = torch.randn(kernel.shape[0], 6) @ torch.randn(6, kernel[0].numel() // kernel[0][0].numel())
            spread = torch.randn(kernel.shape[2:]) if kernel.dim() == 4 else torch.ones(())
            low = flat.reshape(*flat.shape, *[1] * spread.dim()) * spread
            kernel.copy_((low / low.std() + noise * torch.randn(kernel.shape)) / kernel[0].numel() ** 0.5)
    return made.eval()


def images(count=8):
    return lambda n: (
        np.random.default_rng(i).standard_normal(SHAPE).astype(np.float32) for i in range(min(n, count) // SHAPE[0])
    )


def subject(module):
    from advisor.profiling import profile_module
    from advisor.techniques.subject import Subject

    return Subject(
        SHAPE, None, module=module, workload=profile_module(module, SHAPE, name="net", source=""), calibration=images()
    )


def carried_out(step, module):
    """Resolve and apply a step; the result must be what the resolved step previews."""
    from advisor.profiling import profile_module
    from advisor.techniques.low_rank.apply import apply, resolve
    from advisor.techniques.low_rank.preview import preview

    start = subject(module)
    resolved = resolve(step, start)
    assert resolve(resolved, start) == resolved
    assert type(step).model_validate_json(resolved.model_dump_json(exclude={"name"})) == resolved
    assert hash(resolved)
    change = apply(resolved, start)
    real, planned = profile_module(change.module, SHAPE, name="net", source=""), preview(resolved, start.workload)
    assert (real.macs, real.params) == (planned.macs, planned.params)
    assert real.macs < start.workload.macs
    assert real.params < start.workload.params
    return resolved, change


def error(module, changed):
    import torch

    with torch.inference_mode():
        batches = [torch.from_numpy(batch) for batch in images(20)(20)]
        return sum(float((module(b) - changed(b)).square().sum() / module(b).square().sum()) for b in batches)


def low_rank(**settings):
    from advisor.techniques.low_rank.step import LowRank

    return LowRank(**{"method": "auto", "round_to": 2, "epochs": 0, **settings})


@pytest.mark.parametrize("method", ["svd", "spatial_svd", "tucker2", "auto"])
@pytest.mark.parametrize("energy", [0.5, 0.9, 0.99])
def test_ranks_by_energy_keep_at_least_the_share(method, energy):
    resolved, change = carried_out(
        low_rank(method=method, rule="energy", energy=energy), network(noise=0.3 * (1 - energy))
    )
    assert resolved.ranks
    assert all(layer["energy_lost"] <= 1 - energy + 1e-4 for layer in change.details["layers"].values())
    assert set(change.details["layers"]) == set(dict(resolved.ranks))


@settings(max_examples=25, deadline=None)
@given(
    st.tuples(st.integers(4, 12), st.integers(4, 12), st.sampled_from([1, 3]), st.integers(0, 99)),
    st.sampled_from(["svd", "spatial_svd", "tucker2"]),
    st.floats(0.05, 0.999),
)
def test_lower_ranks_lose_more_and_the_share_is_that_of_the_kernel(shape, method, energy):
    import torch

    from advisor.techniques.low_rank.spectra import spectrum

    outputs, inputs, taps, seed = shape
    kernel = torch.randn(
        outputs, inputs, *([1, 1] if method == "svd" else [taps, 3]), generator=torch.Generator().manual_seed(seed)
    )
    found = spectrum(kernel, method)
    for ranks in found.at_energy(energy, 1):
        share = found.share(ranks)
        left = 1 - (kernel - found.joined(ranks)).square().sum() / kernel.square().sum()
        assert share == pytest.approx(float(left), abs=1e-4)
        assert share >= energy - 1e-5
        for axis in range(len(ranks)):
            lower = tuple(rank - (i == axis) for i, rank in enumerate(ranks))
            assert min(lower) == 0 or found.share(lower) <= share + 1e-9
    assert found.at_energy(energy, 1)


def test_the_lowest_ranks_of_an_energy_are_found():
    import torch

    from advisor.techniques.low_rank.spectra import spectrum

    found = spectrum(torch.diag(torch.tensor([3.0, 2.0, 1.0, 0.0])), "svd")
    assert [found.at_energy(e, 1)[0][0] for e in (9 / 14 - 0.01, 13 / 14 - 0.01, 0.999)] == [1, 2, 3]
    assert found.at_energy(0.999, 2) == ((4,),)


def test_auto_is_no_dearer_than_either_method_at_equal_energy():
    module = network(noise=0.3)
    macs = {}
    for method in ("spatial_svd", "tucker2", "auto"):
        resolved, change = carried_out(low_rank(method=method, rule="energy", energy=0.9, keep=("4", "10")), module)
        macs[method] = change.details["layers"], _macs(change.module)
        assert not {"4", "10"} & set(dict(resolved.ranks))
    assert macs["auto"][1] <= min(macs["spatial_svd"][1], macs["tucker2"][1])


def _macs(module):
    from advisor.profiling import profile_module

    return profile_module(module, SHAPE, name="net", source="").macs


def test_auto_keeps_what_the_plainest_method_keeps_at_the_budget():
    plain, auto = (carried_out(low_rank(method=m), network(noise=0.5))[1] for m in ("spatial_svd", "auto"))
    for path, layer in plain.details["layers"].items():
        assert auto.details["layers"][path]["energy_lost"] <= layer["energy_lost"] + 1e-4


def test_no_rank_goes_past_break_even():
    from advisor.errors import NotApplicable
    from advisor.techniques.low_rank.apply import resolve
    from advisor.techniques.low_rank.preview import preview

    start = subject(network(noise=50))
    with pytest.raises(NotApplicable, match="no layer that gains"):
        resolve(low_rank(rule="energy", energy=1.0), start)
    for ranks in ({"10": (36,)}, {"12": (6,)}, {"nowhere": (2,)}, {"10": (2, 2)}, {"4": (39,)}, {"2": (40, 60)}):
        with pytest.raises(NotApplicable, match="cannot be split"):
            preview(low_rank(ranks=tuple(({"2": (4, 4)} | ranks).items())), start.workload)


@pytest.mark.parametrize("ranks", [(), (0,), (1, 2, 3)])
def test_ranks_are_one_or_two(ranks):
    with pytest.raises(ValueError, match="one or two ranks"):
        low_rank(ranks=(("a", ranks),))


@pytest.mark.parametrize(
    ("high", "wide", "rank", "noise"),
    [(64, 64, 5, 0.1), (100, 300, 10, 0.5), (300, 100, 20, 0.2), (64, 576, 0, 1.0), (32, 288, 3, 1e-6)],
)
def test_vbmf_finds_the_rank_of_a_matrix_with_noise(high, wide, rank, noise):
    from advisor.techniques.low_rank.vbmf import rank_of

    random = np.random.default_rng(1)
    matrix = random.standard_normal((high, rank)) @ random.standard_normal((rank, wide))
    matrix += noise * random.standard_normal((high, wide))
    assert rank_of(matrix) == rank_of(matrix.T) == rank_of(1e-4 * matrix) == rank


def test_vbmf_recovers_the_ranks_of_layers():
    module = network(noise=0.05)
    resolved, change = carried_out(low_rank(rule="vbmf"), module)
    assert dict(resolved.ranks)["4"] == dict(resolved.ranks)["10"] == (6,)
    assert error(module, change.module) < 0.05


def test_sensitivity_spends_the_budget_better_than_equal_shares():
    module = network(noise=0.4)
    with_noise(module, "6", 3.0)  # a layer that low rank does not suit
    plain, chosen = (
        carried_out(low_rank(rule=rule, method="spatial_svd"), module) for rule in ("budget", "sensitivity")
    )
    assert _macs(chosen[1].module) <= 1.001 * _macs(plain[1].module)
    assert error(module, chosen[1].module) < 0.9 * error(module, plain[1].module)


def with_noise(module, path, strength):
    import torch

    weight = module.get_submodule(path).weight
    with torch.no_grad():
        weight.add_(strength * weight.std() * torch.randn(weight.shape))


def test_a_scan_without_time_says_what_was_not_measured():
    from advisor.techniques.low_rank.sensitivity import scan

    start, ticks = subject(network(noise=0.4)), []
    whole = scan(low_rank(), start, tick=lambda: ticks.append(1))
    none = scan(low_rank(), start, seconds=0)
    assert whole.measured == len(whole.trials) == len(none.trials) == len(ticks)
    assert none.measured == 0
    assert all(t.error == t.energy_lost for t in none.trials)
    assert {t.layer for t in whole.trials} == {"2", "4", "6", "10"}


def test_the_scan_measures_what_factorizing_one_layer_does():
    import torch

    from advisor.techniques.low_rank.sensitivity import scan

    module = network(noise=0.5)
    trial = next(t for t in scan(low_rank(), subject(module)).trials if t.layer == "4")
    _, change = carried_out(low_rank(ranks=(("4", trial.ranks),)), module)
    with torch.inference_mode():
        pairs = [(module(torch.from_numpy(b)), change.module(torch.from_numpy(b))) for b in images()(64)]
    wrong = sum(float((a - b).square().sum()) for a, b in pairs)
    assert trial.error == pytest.approx(wrong / sum(float(a.square().sum()) for a, _ in pairs), rel=1e-3)


def trial(layer, rank, saved, error):
    from advisor.techniques.low_rank.sensitivity import Trial

    return Trial(layer, (rank,), saved, 0.1, error, measured=True)


def test_ranks_are_allotted_where_they_cost_least():
    from advisor.techniques.low_rank.sensitivity import allot

    trials = [
        trial("a", 8, 100, 0.01), trial("a", 4, 150, 0.5), trial("b", 8, 100, 0.02), trial("b", 4, 150, 0.04),
    ]  # fmt: skip
    assert allot(trials, 0) == {}
    assert allot(trials, 90) == {"a": (8,)}
    assert allot(trials, 200) == {"a": (8,), "b": (8,)}
    assert allot(trials, 210) == {"a": (8,), "b": (4,)}
    assert allot(trials, 10**9) == {"a": (4,), "b": (4,)}


@given(
    st.lists(st.lists(st.tuples(st.integers(1, 50), st.floats(0, 1)), min_size=1, max_size=3), min_size=1, max_size=4),
    st.integers(0, 120),
)
def test_no_other_ranks_that_save_as_much_cost_less(layers, save):
    from itertools import product

    from advisor.techniques.low_rank.sensitivity import allot

    offers = [[trial(str(i), j + 1, *offer) for j, offer in enumerate(layer)] for i, layer in enumerate(layers)]
    found = allot([t for layer in offers for t in layer], save)
    mine = [t for layer in offers for t in layer if found.get(t.layer) == t.ranks]
    ways = [[t for t in way if t] for way in product(*([None, *layer] for layer in offers))]
    enough = [way for way in ways if sum(t.macs_saved for t in way) >= save]
    if enough:
        assert sum(t.macs_saved for t in mine) >= save
        assert sum(t.error for t in mine) <= min(sum(t.error for t in way) for way in enough) + 1e-9
    else:
        assert sum(t.macs_saved for t in mine) == max(sum(t.macs_saved for t in way) for way in ways)


@pytest.mark.parametrize("method", ["svd", "spatial_svd", "tucker2"])
def test_layers_fitted_to_answers_answer_more_alike(method):
    module = network(noise=0.6)
    plain, aware = (carried_out(low_rank(method=method, rank_ratio=0.4, aware=aware), module)[1] for aware in (0, 1))
    assert error(module, aware.module) < 0.95 * error(module, plain.module)


def test_without_images_what_needs_them_is_refused():
    from dataclasses import replace

    from advisor.errors import NotApplicable
    from advisor.techniques.low_rank.apply import apply, needs, resolve

    start = replace(subject(network()), calibration=None)
    for step in (low_rank(rule="sensitivity"), low_rank(aware=True, rank_ratio=0.3, method="svd")):
        assert needs(step) == "calibration"
        with pytest.raises(NotApplicable, match="calibration images"):
            apply(resolve(step, start), start)
    assert needs(low_rank(rule="energy")) == "nothing"
    assert needs(low_rank(rule="sensitivity", ranks=(("2", (4,)),))) == "nothing"


def test_layers_with_arithmetic_of_their_own_are_kept():
    import timm.layers.linear
    from torch import nn

    class Own(nn.Linear):
        def forward(self, x):
            return super().forward(x) * 2

    module = network()
    module[10].__class__ = Own
    module[12] = timm.layers.linear.Linear(80, 16)
    resolved, change = carried_out(low_rank(method="svd"), module)
    assert resolved.keep == ("10",)
    assert set(change.details["layers"]) == {"4", "12"}
    resolved, _ = carried_out(low_rank(rule="energy", energy=0.5), module)
    assert "10" not in dict(resolved.ranks)
