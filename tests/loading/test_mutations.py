"""Valid files with bytes changed, parts cut, doubled or swapped: each opens or is refused, soon, in little memory."""

import functools
import io
import json
import os
import resource
import time
import warnings
import zipfile

import numpy as np
import onnx
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper
from safetensors.torch import save
from torch import nn

from advisor.errors import ModelLoadError
from advisor.loading import load
from advisor.profiling import profile

SECONDS = 20  # for one file of a few kilobytes; the slowest takes 0.3 s alone
MEGABYTES = 1500  # that reading one such file may add to the process


def net() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 2)
    ).eval()


def saved(value: object, **options: object) -> bytes:
    buffer = io.BytesIO()
    torch.save(value, buffer, **options)
    return buffer.getvalue()


def script() -> bytes:
    buffer = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.jit.save(torch.jit.trace(net(), torch.zeros(1, 3, 8, 8)), buffer)
    return buffer.getvalue()


def exported() -> bytes:
    buffer = io.BytesIO()
    torch.export.save(torch.export.export(net(), (torch.zeros(1, 3, 8, 8),)), buffer)
    return buffer.getvalue()


def graph() -> bytes:
    stored = [
        numpy_helper.from_array(np.ones((4, 3, 1, 1), np.float32), "w"),
        numpy_helper.from_array(np.array([1, -1]), "flat"),
        numpy_helper.from_array(np.ones((16, 2), np.float32), "f"),
    ]
    nodes = [
        helper.make_node("Conv", ["x", "w"], ["a"]),
        helper.make_node("Relu", ["a"], ["b"]),
        helper.make_node("MaxPool", ["b"], ["c"], kernel_shape=[2, 2], strides=[2, 2]),
        helper.make_node("Reshape", ["c", "flat"], ["d"]),
        helper.make_node("MatMul", ["d", "f"], ["y"]),
    ]
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 3, 4, 4])
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 2])
    model = helper.make_model(
        helper.make_graph(nodes, "g", [x], [y], stored), opset_imports=[helper.make_opsetid("", 17)], ir_version=8
    )
    onnx.checker.check_model(model)
    return model.SerializeToString()


VALID = {
    "module.pt": lambda: saved(net()),
    "module-old.pt": lambda: saved(net(), _use_new_zipfile_serialization=False),
    "weights.pth": lambda: saved({"state_dict": net().state_dict(), "epoch": 1}),
    "weights-old.pth": lambda: saved(net().state_dict(), _use_new_zipfile_serialization=False),
    "weights.safetensors": lambda: save(net().state_dict()),
    "script.pt": script,
    "exported.pt2": exported,
    "graph.onnx": graph,
}


@functools.cache
def original(name: str) -> bytes:
    return VALID[name]()


@st.composite
def byte_changes(draw):
    """How to damage bytes: overwrite, insert, delete, cut, double a part."""
    place = st.floats(0, 1, exclude_max=True)
    change = st.one_of(
        st.tuples(st.just("set"), place, st.integers(0, 255)),
        st.tuples(st.just("flip"), place, st.sampled_from([1, 2, 4, 8, 16, 32, 64, 128])),
        st.tuples(st.just("insert"), place, st.binary(min_size=1, max_size=8)),
        st.tuples(st.just("delete"), place, st.integers(1, 64)),
        st.tuples(st.just("double"), place, st.integers(1, 64)),
        st.tuples(st.just("cut"), place, st.just(0)),
    )
    return draw(st.lists(change, min_size=1, max_size=4))


def damage(content: bytes, changes: list) -> bytes:
    for kind, where, what in changes:
        at = int(where * len(content))
        if kind == "set":
            content = content[:at] + bytes([what]) + content[at + 1 :]
        elif kind == "flip" and content:
            content = content[:at] + bytes([content[at] ^ what]) + content[at + 1 :]
        elif kind == "insert":
            content = content[:at] + what + content[at:]
        elif kind == "delete":
            content = content[:at] + content[at + what :]
        elif kind == "double":
            content = content[: at + what] + content[at:]
        elif kind == "cut":
            content = content[:at]
    return content


def opens_or_is_refused(path) -> bool:
    """Open and profile; anything but success or a clear refusal is an error of the test."""
    begun, before = time.monotonic(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    refusal = None
    try:
        profile(load(path, input_shape=None if path.suffix == ".onnx" else (1, 3, 8, 8)))
    except ModelLoadError as error:
        refusal = error
    if refusal is not None:
        assert refusal.what
        assert "\n" not in refusal.what + refusal.remedy
    assert time.monotonic() - begun < SECONDS
    assert (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024 < MEGABYTES
    return refusal is None


@pytest.mark.parametrize("name", VALID)
def test_what_is_not_damaged_is_not_mistaken_for_damaged(tmp_path, name):
    path = tmp_path / name
    path.write_bytes(original(name))
    if "weights" in name:
        with pytest.raises(ModelLoadError, match=r"network|architecture"):
            load(path)
    else:
        assert opens_or_is_refused(path)


LOOSE = settings(
    max_examples=int(os.environ.get("ADVISOR_MUTATIONS", "60")), deadline=None, derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)  # fmt: skip


@pytest.mark.parametrize("name", VALID)
@LOOSE
@given(changes=byte_changes())
def test_changed_bytes_end_in_a_network_or_a_refusal(tmp_path, name, changes):
    path = tmp_path / name
    path.write_bytes(damage(original(name), changes))
    opens_or_is_refused(path)


@st.composite
def entry_changes(draw):
    """How to damage an archive from inside: entries dropped, swapped, doubled, renamed, or damaged themselves."""
    kind = draw(st.sampled_from(["drop", "swap", "double", "rename", "damage", "empty", "deflate"]))
    return kind, draw(st.floats(0, 1, exclude_max=True)), draw(st.floats(0, 1, exclude_max=True)), draw(byte_changes())


def rewritten(content: bytes, change: tuple) -> bytes:
    kind, one, two, changes = change
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        entries = [(info.filename, archive.read(info)) for info in archive.infolist()]
    first, second = int(one * len(entries)), int(two * len(entries))
    name, data = entries[first]
    if kind == "drop":
        del entries[first]
    elif kind == "swap":
        entries[first], entries[second] = (name, entries[second][1]), (entries[second][0], data)
    elif kind == "double":
        entries.append((name, data))
    elif kind == "rename":
        entries[first] = (f"{name.rpartition('/')[0]}/{entries[second][0].rpartition('/')[2]}x", data)
    elif kind == "damage":
        entries[first] = (name, damage(data, changes))
    elif kind == "empty":
        entries[first] = (name, b"")
    buffer = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(buffer, "w") as archive:
        warnings.simplefilter("ignore")
        for name, data in entries:
            archive.writestr(name, data, zipfile.ZIP_DEFLATED if kind == "deflate" else zipfile.ZIP_STORED)
    return buffer.getvalue()


@pytest.mark.parametrize("name", ["module.pt", "weights.pth", "script.pt", "exported.pt2"])
@LOOSE
@given(change=entry_changes())
def test_archives_put_together_wrongly_end_in_a_network_or_a_refusal(tmp_path, name, change):
    path = tmp_path / name
    path.write_bytes(rewritten(original(name), change))
    opens_or_is_refused(path)


@LOOSE
@given(data=st.data())
def test_headers_of_safetensors_may_say_anything(tmp_path, data):
    content = original("weights.safetensors")
    length = int.from_bytes(content[:8], "little")
    header = json.loads(content[8 : 8 + length])
    name = data.draw(st.sampled_from(sorted(header)))
    value = st.one_of(
        st.integers(-(2**70), 2**70), st.text(max_size=8), st.none(), st.lists(st.integers(-1, 2**40), max_size=4)
    )
    header[name][data.draw(st.sampled_from(["dtype", "shape", "data_offsets", "more"]))] = data.draw(value)
    written = json.dumps(header).encode()
    path = tmp_path / "weights.safetensors"
    path.write_bytes(len(written).to_bytes(8, "little") + written + content[8 + length :])
    opens_or_is_refused(path)


@LOOSE
@given(data=st.data())
def test_graphs_of_other_shapes_and_wirings_end_in_a_network_or_a_refusal(tmp_path, data):
    model = onnx.load_from_string(original("graph.onnx"))
    node = model.graph.node[data.draw(st.integers(0, len(model.graph.node) - 1))]
    names = ["x", "w", "a", "b", "c", "d", "y", "f", "flat", "", "nowhere"]
    side = st.one_of(st.integers(-2, 8), st.sampled_from([2**20, 2**31, 2**62]))
    kind = data.draw(st.sampled_from(["input", "output", "operator", "shape", "attribute", "dims", "order"]))
    if kind == "input":
        node.input[data.draw(st.integers(0, len(node.input) - 1))] = data.draw(st.sampled_from(names))
    elif kind == "output":
        node.output[0] = data.draw(st.sampled_from(names))
    elif kind == "operator":
        node.op_type = data.draw(
            st.sampled_from(["Conv", "Loop", "If", "Resize", "Einsum", "Clip", "Scan", "QLinearConv", "Own"])
        )
    elif kind == "shape":
        dims = model.graph.input[0].type.tensor_type.shape.dim
        dims[data.draw(st.integers(0, 3))].dim_value = data.draw(side)
    elif kind == "attribute":
        node.attribute.append(
            helper.make_attribute(data.draw(st.sampled_from(["pads", "group", "axis", "strides"])), data.draw(side))
        )
    elif kind == "dims":
        tensor = model.graph.initializer[data.draw(st.integers(0, 2))]
        tensor.dims[0] = data.draw(side)
    else:
        nodes = data.draw(st.permutations(list(model.graph.node)))
        del model.graph.node[:]
        model.graph.node.extend(nodes)
    path = tmp_path / "graph.onnx"
    path.write_bytes(model.SerializeToString())
    opens_or_is_refused(path)
