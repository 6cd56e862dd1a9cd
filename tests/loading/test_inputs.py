"""Networks with several inputs, other dtypes, other outputs than one tensor."""

import pytest
import torch
from torch import nn

from advisor.errors import ModelLoadError
from advisor.loading import load
from advisor.loading.shapes import asked_inputs, at_batch
from advisor.profiling import profile
from advisor.schema import ModelInput


class Masked(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3)

    def forward(self, image, mask):
        return self.conv(image) * mask


class Tokens(nn.Module):
    def __init__(self):
        super().__init__()
        self.table = nn.Embedding(10, 8)
        self.head = nn.Linear(8, 5)

    def forward(self, ids):
        return self.head(self.table(ids).mean(1))


class Outputs(nn.Module):
    """Returns what detectors and segmenters return."""

    def __init__(self, wrap):
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3, padding=1)
        self.wrap = wrap

    def forward(self, x):
        return self.wrap(self.conv(x))


class Absent(nn.Module):
    """Crops away what is zero, as detectors do with boxes of low score."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3, padding=1)

    def forward(self, x):
        y = self.conv(x)
        return y[y > 0]


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        (None, None),
        ((3, 8, 8), [("", (2, 3, 8, 8), "")]),
        ([[2, 3, 8, 8], [2, 1]], [("", (2, 3, 8, 8), ""), ("", (2, 1), "")]),
        ({"image": [2, 3, 8, 8], "mask": [2, 1, 6, 6]}, [("image", (2, 3, 8, 8), ""), ("mask", (2, 1, 6, 6), "")]),
        ([{"shape": [2, 7], "dtype": "int64"}], [("", (2, 7), "int64")]),
        (ModelInput(shape=(2, 3, 8, 8)), [("", (2, 3, 8, 8), "")]),
    ],
)
def test_inputs_can_be_given_in_several_ways(asked, expected):
    found = asked_inputs(asked, 2)
    assert (found and [(i.name, i.shape, i.dtype) for i in found]) == expected


@pytest.mark.parametrize(
    "asked", ["1x3", 7, [], [[1, 3, 8, 8], "x"], [{"shape": [1, 2], "dtype": "int65"}], (2**20, 2**20)]
)
def test_impossible_inputs_are_refused(asked):
    with pytest.raises(ModelLoadError):
        asked_inputs(asked, 1)


def test_another_batch_changes_the_inputs_that_have_one():
    inputs = (ModelInput(shape=(1, 3, 8, 8)), ModelInput(shape=(1, 4)), ModelInput(shape=(77,)))
    assert [i.shape for i in at_batch(inputs, 5)] == [(5, 3, 8, 8), (5, 4), (77,)]


@pytest.mark.parametrize("asked", [[[1, 3, 8, 8], [1, 1, 6, 6]], {"mask": [1, 1, 6, 6], "image": [1, 3, 8, 8]}])
def test_a_network_with_two_inputs_is_profiled(asked):
    loaded = load(Masked(), input_shape=asked)
    workload = profile(loaded)
    assert workload.macs == 4 * 36 * 27
    assert len(workload.inputs) == 2


def test_a_missing_input_is_named():
    with pytest.raises(ModelLoadError, match=r"needs 2 inputs \(image, mask\), each with its own --input NAME=SHAPE"):
        load(Masked(), input_shape=(3, 8, 8))


def test_an_input_of_whole_numbers():
    loaded = load(Tokens(), input_shape=[{"shape": [1, 6], "dtype": "int64"}])
    assert loaded.classes == 5
    assert profile(loaded).macs == 40
    assert profile(load(**loaded.spec | {"spec": Tokens()})).macs == 40


@pytest.mark.parametrize(
    "wrap",
    [
        lambda y: (y, [y + 1]),
        lambda y: {"out": y, "aux": None},
        lambda y: [{"boxes": y.flatten(1), "labels": y.argmax(1)}],
        lambda y: [],
        lambda y: None,
    ],
    ids=["tuple", "dict", "list of dicts", "nothing in a list", "nothing"],
)
def test_outputs_of_every_kind_are_followed(wrap):
    workload = profile(load(Outputs(wrap), input_shape=(3, 8, 8)))
    assert workload.macs == 4 * 64 * 27


def test_what_depends_on_values_is_profiled_on_zeros_with_a_note():
    workload = profile(load(Absent(), input_shape=(3, 8, 8)))
    assert workload.macs == 4 * 64 * 27
    assert any("real zeros" in note for note in workload.notes)


def test_modules_that_call_each_other_without_end_are_stopped():
    module = nn.ReLU()
    for _ in range(20):  # 2 ** 20 calls
        module = nn.Sequential(module, module)
    with pytest.raises(ModelLoadError, match="more than 50000 times"):
        load(module, input_shape=(3, 8, 8))


def test_half_precision_weights_get_half_precision_images():
    workload = profile(load(nn.Sequential(nn.Conv2d(3, 4, 3)).half(), input_shape=(3, 8, 8)))
    assert workload.tensor[workload.inputs[0]].dtype == "float16"
    assert workload.weight["0.weight"].storage.dtype == "float16"
    assert torch.get_default_dtype() is torch.float32
