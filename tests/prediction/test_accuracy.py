import math
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from advisor.errors import KnowledgeError
from advisor.prediction import figures as reader
from advisor.prediction.accuracy import Priors, StudentTable
from advisor.prediction.imagenet import published_top1
from advisor.prediction.priors import AccuracyFile, Prior, figures
from advisor.prediction.query import Query
from advisor.schema import Basis, Plan, Step
from advisor.techniques.distil.step import Distil
from advisor.techniques.dynamic_int8.step import DynamicInt8
from advisor.techniques.half.step import Half
from advisor.techniques.low_rank.step import LowRank
from advisor.techniques.prune_channels.step import PruneChannels
from advisor.techniques.prune_transformer.step import PruneTransformer
from advisor.techniques.qat.step import QAT
from advisor.techniques.resolution.step import LowerResolution
from advisor.techniques.sparsify.step import Sparsify
from advisor.techniques.static_int8.step import StaticInt8
from advisor.techniques.swap.step import Swap
from advisor.techniques.weight_only.step import WeightOnly

from .networks import board, pointwise

STEPS = (
    StaticInt8(), QAT(), DynamicInt8(), WeightOnly(), WeightOnly(bits=4), Half(), PruneChannels(ratio=0.3),
    PruneChannels(ratio=0.3, epochs=0), PruneTransformer(mlp_ratio=0.3), Sparsify(), Sparsify(pattern="2:4"),
    LowRank(), LowRank(epochs=0), LowerResolution(height=112, width=112), Distil(student="timm:unheard_of"),
)  # fmt: skip
FAMILIES = (
    "plain_cnn",
    "residual_cnn",
    "dense_cnn",
    "depthwise_cnn",
    "vit",
    "hierarchical_vit",
    "hybrid",
    "mlp",
    "detector",
    None,
)


def predict(*steps: Step, facts=None, kept=1.0):
    before = pointwise((64, 100), side=224)
    after = pointwise((64, round(100 * kept)), side=224)
    return Priors().estimate(Query(Plan(runtime="onnxruntime", steps=steps), before, after, board(), facts or {}))


def family(name, **more):
    return {"model.family": name, "model.has_depthwise": name == "depthwise_cnn"} | more


@pytest.mark.parametrize(
    ("facts", "step", "expected"),
    [
        (family("residual_cnn"), StaticInt8(), (-0.8, -0.2, 0.3)),
        (family("plain_cnn"), StaticInt8(), (-0.4, 0.0, 0.4)),
        (family("depthwise_cnn"), StaticInt8(), (-2.1, -0.9, 0.0)),
        (family("depthwise_cnn"), StaticInt8(weights="per_tensor"), (-14, -4, -1)),
        (family("depthwise_cnn"), StaticInt8(power_of_two_scales=True), (-14, -4, -1)),
        (family("vit"), StaticInt8(), (-2.6, -0.9, -0.1)),
        (family("vit"), StaticInt8(float_kinds=("norm_layer", "softmax", "activation")), (-1.0, -0.4, -0.1)),
        (family("plain_cnn", **{"model.reparam_state": "deployed"}), StaticInt8(), (-40, -5, -2)),
        (family("detector", **{"model.task": "detection"}), StaticInt8(), (-3.8, -0.9, -0.1)),
        (family("residual_cnn"), QAT(), (-0.6, -0.05, 0.12)),
        (family("depthwise_cnn"), QAT(), (-1.1, -0.4, 0.2)),
        (family("residual_cnn"), Half(), (-0.1, 0.0, 0.05)),
    ],
    ids=lambda value: value.label if isinstance(value, Step) else None,
)
def test_published_priors_answer_for_their_situation(facts, step, expected):
    estimate = predict(step, facts=facts)
    assert (estimate.low, estimate.mid, estimate.high) == pytest.approx(expected)


@pytest.mark.parametrize(("step", "name"), list(product(STEPS, FAMILIES)), ids=lambda v: getattr(v, "label", str(v)))
def test_every_technique_has_a_prior_in_every_family(step, name):
    estimate = predict(step, facts=family(name) if name else {}, kept=0.6)
    assert -100 <= estimate.low <= estimate.mid <= estimate.high < 10
    assert estimate.references
    assert estimate.note


def test_nothing_changes_without_steps():
    estimate = predict()
    assert (estimate.low, estimate.mid, estimate.high) == (0, 0, 0)


def test_pruning_with_training_follows_the_logarithm_of_macs_kept():
    estimate = predict(PruneChannels(ratio=0.5, epochs=100), facts=family("residual_cnn"), kept=0.5)
    assert estimate.mid == pytest.approx(-3.1 * math.log(2), abs=0.01)
    assert estimate.high - estimate.mid == pytest.approx(1.7)


def test_pruning_without_training_is_ruinous():
    trained, raw = (
        predict(PruneChannels(ratio=0.3, epochs=e), facts=family("residual_cnn"), kept=0.7) for e in (50, 0)
    )
    assert raw.high < trained.low
    assert raw.mid < -30


def test_a_short_recovery_is_less_certain():
    short, long = (predict(PruneChannels(ratio=0.3, epochs=e), facts=family("residual_cnn"), kept=0.6) for e in (2, 50))
    assert short.low < long.low


def test_errors_of_several_steps_add_up():
    facts = family("residual_cnn")
    pruned = predict(PruneChannels(ratio=0.3), facts=facts, kept=0.6)
    both = predict(PruneChannels(ratio=0.3), StaticInt8(), facts=facts, kept=0.6)
    assert both.mid == pytest.approx(pruned.mid - 0.2)
    assert both.low < pruned.low - 0.9
    assert both.high > pruned.high


def test_half_precision_widens_nothing():
    facts = family("residual_cnn")
    alone, halved = (
        predict(PruneChannels(ratio=0.3), facts=facts, kept=0.6),
        predict(PruneChannels(ratio=0.3), Half(), facts=facts, kept=0.6),
    )
    assert halved.low == pytest.approx(alone.low, abs=0.02)


def test_random_weights_are_named():
    assert "random" in predict(StaticInt8(), facts={"model.random_weights": True}).note


def test_small_images_widen_the_interval():
    facts = family("residual_cnn")
    plan = Plan(runtime="onnxruntime", steps=(StaticInt8(),))
    small, large = (
        Priors().estimate(Query(plan, pointwise(side=s), pointwise(side=s), board(), facts)) for s in (32, 224)
    )
    assert small.high - small.low == pytest.approx(1.5 * (large.high - large.low))


@given(st.floats(0.01, 0.99), st.floats(0.01, 0.99))
def test_more_sparsity_never_gains(one, other):
    light, heavy = sorted((one, other))
    facts = family("residual_cnn")
    assert (
        predict(Sparsify(sparsity=heavy), facts=facts).mid <= predict(Sparsify(sparsity=light), facts=facts).mid + 1e-9
    )


def test_lower_resolution_costs_more_the_lower_it_is():
    deltas = []
    for side in (192, 160, 128, 112):
        plan = Plan(runtime="onnxruntime", steps=(LowerResolution(height=side, width=side),))
        query = Query(plan, pointwise(side=224), pointwise(side=side), board(), family("residual_cnn"))
        deltas.append(Priors().estimate(query).mid)
    assert deltas == sorted(deltas, reverse=True)
    assert -3 < deltas[0] < 0


@pytest.mark.parametrize(
    ("name", "low", "high"),
    [("timm:resnet50.tv_in1k", 76.0, 76.3), ("resnet18.a1_in1k", 71.4, 73.2), ("timm:mobilenetv2_100", 72.0, 75.0)],
)
def test_published_accuracies_are_found_by_name(name, low, high):
    found = published_top1(name)
    assert low <= found.low <= found.mid <= found.high <= high


def test_an_unknown_architecture_has_no_accuracy():
    assert published_top1("timm:unheard_of") is None


def test_a_student_is_judged_by_the_table():
    before = pointwise().model_copy(update={"name": "resnet50.tv_in1k"})
    plan = Plan(runtime="onnxruntime", steps=(Distil(student="timm:mobilenetv2_100"),))
    query = Query(plan, before, pointwise(), board(), family("residual_cnn"))
    table = StudentTable()
    assert table.supports(query) > Priors().supports(query)
    estimate = table.estimate(query)
    # MobileNetV2 72.9 against 76.16, and about 1.8 points for the teacher.
    assert estimate.mid == pytest.approx(72.9 + 1.8 - 76.16, abs=1.0)
    assert estimate.low < 72.9 - 76.16 + 0.5


def test_the_table_keeps_silent_about_students_at_another_size():
    before = pointwise().model_copy(update={"name": "resnet50.tv_in1k"})
    plan = Plan(runtime="onnxruntime", steps=(Distil(student="timm:mobilenetv2_100", size=96),))
    assert StudentTable().supports(Query(plan, before, pointwise(), board(), family("residual_cnn"))) is None


def test_the_table_keeps_silent_about_unknown_students():
    plan = Plan(runtime="onnxruntime", steps=(Distil(student="timm:unheard_of"),))
    assert StudentTable().supports(Query(plan, pointwise(), pointwise(), board())) is None


def test_identifiers_of_priors_are_unique():
    names = [prior.id for prior in figures().priors]
    assert len(names) == len(set(names))


def test_every_technique_ends_with_a_prior_without_conditions():
    last = {prior.technique: prior for prior in figures().priors}
    assert all(not prior.when for prior in last.values()), [p.id for p in last.values() if p.when]


@pytest.mark.parametrize(
    "wrong",
    [
        {"shape": "constant", "low": 1.0, "mid": 0.0, "high": 2.0},
        {"shape": "log_kept", "low": 0.5, "high": 1.0},
        {"shape": "curve", "points": []},
        {"shape": "curve", "points": [[0.5, -1, 0, 1], [0.4, -1, 0, 1]]},
        {"shape": "curve", "points": [[0.5, 1, 0, 1]]},
    ],
)
def test_impossible_priors_are_refused(wrong):
    with pytest.raises(ValueError, match="x"):
        Prior.model_validate({"id": "x", "technique": "qat", "sources": ["a"], "note": "", **wrong})


def test_a_damaged_file_names_itself(tmp_path, monkeypatch):
    (tmp_path / "prediction").mkdir()
    (tmp_path / "prediction" / "accuracy.yaml").write_text("priors: 3\n")
    monkeypatch.setattr(reader, "data_dir", lambda _: tmp_path)
    with pytest.raises(KnowledgeError, match=r"accuracy\.yaml"):
        reader.read_figures("accuracy", AccuracyFile)


def test_a_swap_is_judged_by_the_table_alone_and_random_weights_are_named():
    before = pointwise().model_copy(update={"name": "resnet50.tv_in1k"})
    steps = (Swap(student="timm:mobilenetv4_conv_large"), Swap(student="timm:mobilenetv2_100"))
    mids = []
    for step in steps:
        plan = Plan(runtime="onnxruntime", steps=(step,))
        found = StudentTable().estimate(Query(plan, before, pointwise(), board(), family("residual_cnn")))
        assert "teacher" not in found.note
        assert "random weights" not in found.note
        mids.append(found.mid)
    assert mids[0] > 4  # no cap: 82.9 against 76.16
    assert mids[1] == pytest.approx(72.9 - 76.16, abs=1.0)
    taught = Plan(runtime="onnxruntime", steps=(Distil(student="timm:mobilenetv2_100"),))
    found = StudentTable().estimate(Query(taught, before, pointwise(), board(), family("residual_cnn")))
    assert "starts from random weights, and this assumes a training as long as the published one" in found.note


def test_published_results_of_the_network_itself_answer_before_its_family():
    before = pointwise((64, 100), side=224).model_copy(update={"name": "timm:mobilenetv2_100"})
    query = Query(Plan(runtime="hailort", steps=(StaticInt8(),)), before, before, board(), family("depthwise_cnn"))
    estimate = Priors().estimate(query)
    assert estimate.basis is Basis.FITTED
    assert "this network was published" in estimate.note
    assert estimate.nearest[0].startswith("mobilenetv2_100, int8 PTQ")
    assert -1.6 < estimate.mid < -0.5


def test_losses_have_a_probability_and_likes():
    estimate = predict(StaticInt8(), facts=family("residual_cnn"))
    risks = list(estimate.risks.values())
    assert 0 <= risks[1] < risks[0] < 0.2
    assert estimate.nearest
    ruinous = predict(PruneChannels(ratio=0.5, epochs=0), facts=family("residual_cnn"), kept=0.5)
    assert ruinous.risks["loses more than 5 points"] > 0.9
