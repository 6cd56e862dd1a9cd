"""The probe on a trained network: plans looked at, layers and groups named, the test images left alone."""

import functools

import pytest

from advisor import pipeline
from advisor.devices import load_device
from advisor.errors import NotApplicable
from advisor.execution.data import for_probe, open_data
from advisor.execution.probe.choose import chosen, shortened
from advisor.execution.probe.run import probe
from advisor.schema import Goal, Metric
from advisor.techniques.prune_channels.step import PruneChannels
from advisor.techniques.static_int8.step import StaticInt8

from .digits import SIZE, digits_dir, loaded, trained

pytestmark = pytest.mark.real
DEVICE = "raspberry-pi-4b"


@functools.cache
def recommended():
    made = pipeline.recommend(trained(), DEVICE, goal=Goal(), data=digits_dir(), input_shape=(1, 1, SIZE, SIZE))
    return made.model_copy(update={"facts": {**made.facts, "model.random_weights": False}})


def few():
    """The recommendation with one plan of each kind, its training short: enough for a probe without a clock."""
    wanted = (["static_int8"], ["weight_only"], ["prune_channels"], ["prune_channels", "static_int8"])
    kept = []
    for names in wanted:
        one = next(c for c in recommended().candidates if [step.technique for step in c.plan.steps] == names)
        steps = tuple(s.model_copy(update={"epochs": 1}) if hasattr(s, "epochs") else s for s in one.plan.steps)
        kept.append(one.model_copy(update={"plan": one.plan.model_copy(update={"steps": steps})}))
    return recommended().model_copy(update={"candidates": tuple(kept)})


@functools.cache
def probed():
    return probe(few(), loaded(), load_device(DEVICE), digits_dir(), budget_s=3600)


def test_plans_are_measured_on_images_that_nothing_else_used():
    found = probed()
    data = for_probe(open_data(digits_dir(), 10), 0)
    known = [one for one in found.probed if one.known]
    assert found.labelled
    assert found.seen
    assert found.original > 90
    assert found.images == len(data.selection)
    assert len(known) == 4
    assert all(one.images == found.images and one.delta is not None for one in known)
    parts = [set(part) for part in data.parts.values()]
    assert sum(map(len, parts)) == len(set().union(*parts))


def test_int8_is_measured_first_and_loses_little():
    int8 = next(one for one in probed().probed if [step.technique for step in one.plan.steps] == ["static_int8"])
    assert int8.agreement > 95
    assert int8.delta > -3
    assert not int8.planned


def test_a_plan_that_is_trained_is_trained():
    cut = next(one for one in probed().probed if len(one.plan.steps) == 1 and one.planned)
    assert cut.epochs == cut.planned == 1


def test_what_was_not_measured_says_why():
    found = probe(few(), loaded(), load_device(DEVICE), digits_dir(), budget_s=1e-6)
    assert found.probed
    assert all(not one.known and one.reason.startswith("for the time") for one in found.probed)


def test_layers_are_named_by_their_share_of_the_error():
    layers = probed().layers
    assert len(layers) == 5
    assert sum(layer.share for layer in layers) == pytest.approx(1, abs=0.01)
    assert [layer.sqnr_db for layer in layers] == sorted(layer.sqnr_db for layer in layers)
    assert all(layer.weight_ratio >= 1 and layer.input_ratio >= 1 for layer in layers)
    assert probed().act_range_max > 0


def test_groups_of_pruning_are_named_the_most_harmed_first():
    agreements = [group.agreement for group in probed().groups]
    assert agreements
    assert agreements == sorted(agreements)


def test_without_labels_agreement_is_all_there_is(tmp_path):
    for index, file in enumerate(sorted(digits_dir().rglob("*.png"))[::6]):
        (tmp_path / f"{index:04d}.png").write_bytes(file.read_bytes())
    found = probe(few(), loaded(), load_device(DEVICE), tmp_path, budget_s=3600)
    assert not found.labelled
    assert found.original is None
    known = [one for one in found.probed if one.known]
    assert len(known) == 2
    assert all(one.delta is None and one.agreement is not None for one in known)
    assert all("cannot be carried out" in one.reason for one in found.probed if not one.known)


def test_random_weights_are_refused():
    made = recommended().model_copy(update={"facts": {**recommended().facts, "model.random_weights": True}})
    with pytest.raises(NotApplicable, match="random weights"):
        probe(made, loaded(), load_device(DEVICE), digits_dir())


def test_a_part_for_validation_is_what_judges(tmp_path):
    for part, start in (("train", 0), ("val", 1), ("test", 2)):
        for file in sorted(digits_dir().rglob("*.png"))[start::9]:
            target = tmp_path / part / file.parent.name / file.name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(file.read_bytes())
    data = for_probe(open_data(tmp_path, 10), 0)
    assert data.own_selection
    assert {item.name.split("/")[0] for item in data.selection} == {"val"}


def test_each_network_is_looked_at_once_and_another_network_never():
    untrained, others = chosen(recommended())
    plans = (*untrained, *others)
    assert len({tuple(step.model_dump_json() for step in plan.steps) for plan in plans}) == len(plans)
    assert not any(getattr(step, "student", None) for plan in plans for step in plan.steps)
    assert all(not getattr(step, "epochs", 0) for plan in untrained for step in plan.steps)


@pytest.mark.parametrize(("epochs", "left"), [(10, 10), (5, 5), (1, 1), (0, 1)])
def test_trainings_are_cut_to_what_the_time_allows(epochs, left):
    steps = shortened((PruneChannels(ratio=0.5, epochs=10), StaticInt8()), epochs)
    assert steps[0].epochs == left
    assert steps[1] == StaticInt8()


def test_the_recommendation_rests_on_the_probe_and_replays_with_it():
    made = pipeline.recommend(
        trained(), DEVICE, goal=Goal(), data=digits_dir(), input_shape=(1, 1, SIZE, SIZE), probe=probed()
    )
    looked_at = [c for c in made.candidates if probed().of(c.plan) is not None]
    assert looked_at
    assert all(c.estimates[Metric.ACCURACY].predictor == "probe" for c in looked_at)
    assert made.facts["model.act_range_max"] == probed().act_range_max
    assert made.facts["model.accuracy_pct"] == probed().original


def test_layers_at_risk_are_kept_in_float_in_a_plan_of_their_own():
    noisy = probed().layers[0].model_copy(update={"at_risk": True})
    found = probed().model_copy(update={"layers": (noisy, *probed().layers[1:])})
    made = pipeline.recommend(
        trained(), DEVICE, goal=Goal(), data=digits_dir(), input_shape=(1, 1, SIZE, SIZE), probe=found
    )
    assert made.facts["probe.layers_at_risk"] == {noisy.layer}
    assert any(getattr(step, "float_layers", ()) == (noisy.layer,) for c in made.candidates for step in c.plan.steps)
