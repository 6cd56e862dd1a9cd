import subprocess
import sys

import pytest

from advisor.profiling.aten import TABLE, base_name, look_up
from advisor.profiling.onnx_ops import TABLE as ONNX_TABLE
from advisor.profiling.tables import Group, flatten
from advisor.schema import MAC_KINDS, OpKind


def test_an_operator_stands_in_one_group_only():
    with pytest.raises(ValueError, match="twice"):
        flatten(Group(OpKind.POOL, "a b"), Group(OpKind.MOVE, "b"))


def test_tables_never_hold_work_that_must_be_counted():
    for table in (TABLE, ONNX_TABLE):
        assert not {kind for kind, _ in table.values()} & (MAC_KINDS | {OpKind.UNKNOWN})


@pytest.mark.parametrize(
    ("operator", "name"), [("aten::relu_", "relu"), ("aten::_softmax", "_softmax"), ("torchvision::nms", "nms")]
)
def test_base_names(operator, name):
    assert base_name(operator) == name


def test_every_aten_name_of_the_table_exists():
    """A misspelt name would never be looked up; names of other torch versions are listed here."""
    import torch
    import torch.ao.quantization.fx._decomposed  # registers quantized_decomposed
    import torchvision  # noqa: F401

    elsewhere = {"heaviside", "contiguous", "batch_norm", "_batch_norm_no_update", "rrelu"}
    elsewhere |= {"choose_qparams_affine", "quantize_affine", "dequantize_affine"}  # torchao
    known = {base_name(name) for name in torch._C._dispatch_get_all_op_names() for name in [name.split(".")[0]]}
    assert {name for name in TABLE if name not in known} <= elsewhere


def test_unknown_operators_stay_unknown():
    assert look_up("no_such_operator") == (OpKind.UNKNOWN, "no_such_operator")


def test_liveness_and_families_need_no_torch():
    code = (
        "import sys\n"
        "for name in ('torch', 'timm', 'onnx', 'onnxruntime'): sys.modules[name] = None\n"
        "import advisor.profiling, advisor.profiling.liveness, advisor.profiling.families, advisor.profiling.building\n"
        "import advisor.profiling.onnx_ops, advisor.profiling.aten\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
