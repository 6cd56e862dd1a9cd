"""Dynamic int8 of matrix products in an ONNX file; convolutions stay float because their dynamic kernels are slower."""

import os
from collections import Counter

from advisor.errors import NotApplicable
from advisor.techniques.refusing import refusing
from advisor.techniques.subject import Change, Need, Stage, Subject

from .step import DynamicInt8

STAGE: Stage = "onnx"
_PRODUCTS = ["MatMul", "Gemm"]


def needs(step: DynamicInt8) -> Need:
    """Tell which data the step cannot do without: none, ranges are found at run time."""
    return "nothing"


def apply(step: DynamicInt8, subject: Subject) -> Change:
    """Quantize products with constant weights; activations are always uint8 in this form of onnxruntime."""
    if subject.onnx is None:
        raise NotApplicable("dynamic_int8 works on an ONNX file")
    import onnx
    from onnxruntime.quantization import QuantType, quantize_dynamic
    from onnxruntime.quantization.shape_inference import quant_pre_process

    prepared, target = subject.folder / "prepared.onnx", subject.folder / "dynamic_int8.onnx"
    partial = target.with_suffix(".partial")
    with refusing("onnxruntime cannot quantize this graph", "Choose half precision or weight-only int8."):
        quant_pre_process(subject.onnx, prepared, skip_symbolic_shape=True)
        quantize_dynamic(
            prepared,
            partial,
            op_types_to_quantize=_PRODUCTS,
            per_channel=step.weights == "per_channel",
            weight_type=QuantType.QInt8 if step.signedness.endswith("s8") else QuantType.QUInt8,
            extra_options={"MatMulConstBOnly": True},
        )
    prepared.unlink()
    ops = Counter(node.op_type for node in onnx.load(partial).graph.node)
    if not ops["MatMulInteger"]:
        partial.unlink()
        raise NotApplicable(
            "dynamic_int8 finds no matrix product with constant weights in this model",
            remedy="Choose static_int8 for a network of convolutions.",
        )
    os.replace(partial, target)
    return Change(
        done=f"quantized {ops['MatMulInteger']} matrix products to int8, {ops['Conv']} convolutions stay float",
        onnx=target,
        details={"integer_products": ops["MatMulInteger"], "float_convolutions": ops["Conv"]},
    )
