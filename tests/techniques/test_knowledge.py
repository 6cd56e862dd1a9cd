"""The knowledge files of the room: checked when read, and students in sum equal to themselves."""

import pytest
import yaml

from advisor.errors import KnowledgeError, NotApplicable
from advisor.profiling.liveness import peak_activation_bytes
from advisor.resources import data_dir
from advisor.schema import OpKind
from advisor.techniques import load_techniques
from advisor.techniques.distil.choice import executable, parameters
from advisor.techniques.distil.preview import preview as distil
from advisor.techniques.distil.propose import propose
from advisor.techniques.distil.step import Distil
from advisor.techniques.low_rank.preview import preview as low_rank
from advisor.techniques.low_rank.step import LowRank
from advisor.techniques.prune_channels.preview import preview as prune
from advisor.techniques.prune_channels.step import PruneChannels
from advisor.techniques.resolution.preview import preview as resize
from advisor.techniques.resolution.step import LowerResolution
from advisor.techniques.students import load_students, student
from advisor.techniques.summaries import summarise

from .builder import Net, case, path

RAW = yaml.safe_load((data_dir("knowledge") / "techniques.yaml").read_text())
STUDENTS = load_students()


def teacher(classes=1000, side=224, batch=1, channels=3, width=2048):
    net = Net(batch, channels, side, side)
    x = net.block(0, "a", 512, stride=2)
    net.linear(net.mean(net.block(x, "b", width)), "fc", classes)
    return net.done()


def broken(**changes):
    return {**RAW, **changes}


@pytest.mark.parametrize(
    "content",
    [
        broken(combinations=[["static_int8", "prune_channels"]]),  # wrong order
        broken(combinations=[["half", "static_int8"]]),  # one stage
        broken(combinations=[["distil", "low_rank"]]),  # excluded
        broken(combinations=[["prune_chanels", "half"]]),  # unknown
        broken(stages=["quantize"]),
        broken(techniques={**RAW["techniques"], "half": {**RAW["techniques"]["half"], "needs": "nothing"}}),
        broken(extra=1),
        {},
    ],
    ids=["order", "stage", "excluded", "unknown", "stages", "needs", "extra", "empty"],
)
def test_a_wrong_file_is_refused_with_its_place(tmp_path, content):
    file = tmp_path / "techniques.yaml"
    file.write_text(yaml.safe_dump(content))
    with pytest.raises(KnowledgeError) as caught:
        load_techniques(file)
    assert str(file) in caught.value.where


def test_text_that_is_no_yaml_is_refused(tmp_path):
    file = tmp_path / "techniques.yaml"
    file.write_text("a: [")
    with pytest.raises(KnowledgeError):
        load_techniques(file)


@pytest.mark.parametrize("entry", STUDENTS, ids=lambda s: s.name)
def test_a_summarised_student_is_exact_in_sum(entry):
    workload = summarise(entry, teacher(), entry.classes)
    assert workload.macs == entry.macs
    assert workload.params == entry.params
    assert len(workload.ops) == sum(share.ops for share in entry.kinds.values())
    for kind, share in entry.kinds.items():
        assert sum(op.macs for op in workload.ops if op.kind is kind) == share.macs
    wanted = 4 * (entry.peak.reads + entry.peak.writes)
    assert wanted <= peak_activation_bytes(workload) <= 1.3 * wanted


def test_the_classifier_of_a_student_follows_the_teacher():
    entry = student("timm:resnet18")
    after = distil(Distil(student="timm:resnet18"), teacher(classes=37))
    assert after.params == entry.params - 963 * 513
    assert after.macs == entry.macs - 963 * 512
    assert after.tensor[after.outputs[0]].shape == (1, 37)


def test_a_batch_multiplies_the_student():
    entry = student("resnet18")
    assert distil(Distil(student="timm:resnet18"), teacher(batch=4)).macs == 4 * entry.macs


def test_unknown_students_get_a_suggestion():
    with pytest.raises(KnowledgeError, match="resnet18"):
        distil(Distil(student="timm:resnet-18"), teacher())


def test_students_are_cheaper_and_the_most_accurate_first():
    net = Net(1, 3, 224, 224)
    x = net.mean(net.block(net.block(0, "a", 64, stride=2), "b", 512))  # 3.7 G MACs
    net.linear(net.linear(x, "c", 16384), "d", 1000)  # 24 M parameters
    workload = net.done()
    chosen = [student(step.student) for step in propose(case(workload), path())]
    assert len(chosen) == 3
    for entry, share in zip(chosen, (0.5, 0.25, 0.1), strict=True):
        usable = [s for s in STUDENTS if s.macs <= share * workload.macs and s.size <= 257]
        assert entry.top1 == max(s.top1 for s in usable if s.params < workload.params)


def test_students_that_the_path_cannot_execute_are_not_proposed():
    narrow = path(unsupported=("conv_depthwise", "attention", "matmul", "silu", "gelu", "hardswish"))
    names = [student(step.student) for step in propose(case(teacher()), narrow)]
    assert names
    assert not any(OpKind.CONV_DEPTHWISE in entry.kinds for entry in names)
    assert all(executable(entry, narrow) for entry in names)


@pytest.mark.parametrize("net", [Net(1, 3, 8).done(0), Net(1, 1, 224, 224).done(0)])
def test_what_is_no_classifier_of_images_gets_no_student(net):
    assert propose(case(net), path()) == ()


@pytest.mark.parametrize(
    ("channels", "side", "size"), [(3, 32, 32), (1, 28, 32), (1, 16, 32), (3, 64, 64), (3, 90, 96)]
)
def test_small_and_grey_images_get_convolutional_students_at_their_size(channels, side, size):
    net = teacher(side=side, channels=channels)
    steps = propose(case(net), path())
    assert steps
    for step in steps:
        after = distil(step, net)
        assert step.size == size
        assert after.input_shapes == ((1, channels, size, size),)
        assert after.macs <= 0.5 * net.macs
        assert after.params < net.params
        assert student(step.student).kinds.keys().isdisjoint({OpKind.ATTENTION, OpKind.MATMUL})


def test_a_student_counts_with_the_classifier_that_it_will_have():
    net = teacher(classes=10, width=200)
    names = {step.student for step in propose(case(net), path())}
    fitting = {f"timm:{s.name}" for s in STUDENTS if parameters(s, 10) < net.params < s.params}
    assert names & fitting


def test_pruning_and_shrinking_a_summary_scale_it():
    whole = distil(Distil(student="timm:resnet18"), teacher())
    pruned = prune(PruneChannels(ratio=0.5), whole)
    smaller = resize(LowerResolution(height=112, width=112), whole)
    assert pruned.macs == pytest.approx(whole.macs / 4, rel=0.01)
    assert smaller.macs == pytest.approx(whole.macs / 4, rel=0.01)
    assert smaller.params == whole.params
    assert pruned.params < smaller.params
    assert smaller.input_shapes == ((1, 3, 112, 112),)


def test_a_summary_cannot_be_factorized():
    with pytest.raises(NotApplicable, match="only known in sum"):
        low_rank(LowRank(), distil(Distil(student="timm:resnet18"), teacher()))
