"""A small int8 TFLite file written with the schema that Vela carries: a convolution, and an operation of choice."""

from pathlib import Path

import numpy as np


def write_tflite(path: Path, *, side=16, channels=8, unsupported=False) -> Path:  # noqa: PLR0915  (in a row)
    """Write conv 3x3 (3 -> channels), then, if `unsupported`, a float operation that no Ethos-U executes."""
    import flatbuffers
    from ethosu.vela.tflite import (
        Buffer,
        Conv2DOptions,
        Model,
        Operator,
        OperatorCode,
        QuantizationParameters,
        SubGraph,
        Tensor,
    )

    made = flatbuffers.Builder(1024)
    random = np.random.default_rng(0)
    weights = random.integers(-127, 128, (channels, 3, 3, 3)).astype(np.int8)
    data = [b"", weights.tobytes(), np.zeros(channels, np.int32).tobytes()]

    def ints(start, values):
        start(made, len(values))
        for value in reversed(values):
            made.PrependInt32(value)
        return made.EndVector()

    def offsets(start, values):
        start(made, len(values))
        for value in reversed(values):
            made.PrependUOffsetTRelative(value)
        return made.EndVector()

    def buffer(content):
        vector = made.CreateByteVector(content) if content else None
        Buffer.BufferStart(made)
        if vector is not None:
            Buffer.BufferAddData(made, vector)
        return Buffer.BufferEnd(made)

    def quantization(count):
        QuantizationParameters.QuantizationParametersStartScaleVector(made, count)
        for _ in range(count):
            made.PrependFloat32(0.02)
        scale = made.EndVector()
        QuantizationParameters.QuantizationParametersStartZeroPointVector(made, count)
        for _ in range(count):
            made.PrependInt64(0)
        zero = made.EndVector()
        QuantizationParameters.QuantizationParametersStart(made)
        QuantizationParameters.QuantizationParametersAddScale(made, scale)
        QuantizationParameters.QuantizationParametersAddZeroPoint(made, zero)
        return QuantizationParameters.QuantizationParametersEnd(made)

    def tensor(name, shape, kind, where, scales=1):
        text, sizes = made.CreateString(name), ints(Tensor.TensorStartShapeVector, shape)
        quantized = quantization(scales) if scales else None
        Tensor.TensorStart(made)
        Tensor.TensorAddShape(made, sizes)
        Tensor.TensorAddType(made, kind)
        Tensor.TensorAddBuffer(made, where)
        Tensor.TensorAddName(made, text)
        if quantized is not None:
            Tensor.TensorAddQuantization(made, quantized)
        return Tensor.TensorEnd(made)

    float32, int32, int8 = 0, 2, 9
    tensors = [
        tensor("input", [1, side, side, 3], int8, 0),
        tensor("weights", list(weights.shape), int8, 1, channels),
        tensor("bias", [channels], int32, 2, channels),
        tensor("conv", [1, side, side, channels], int8, 0),
    ]
    if unsupported:
        tensors += [
            tensor("float", [1, side, side, channels], float32, 0, 0),
            tensor("sine", [1, side, side, channels], float32, 0, 0),
        ]

    def operator(code, inputs, outputs, options=None):
        first, second = (
            ints(Operator.OperatorStartInputsVector, inputs),
            ints(Operator.OperatorStartOutputsVector, outputs),
        )
        Operator.OperatorStart(made)
        Operator.OperatorAddOpcodeIndex(made, code)
        Operator.OperatorAddInputs(made, first)
        Operator.OperatorAddOutputs(made, second)
        if options is not None:
            Operator.OperatorAddBuiltinOptionsType(made, 1)  # Conv2DOptions
            Operator.OperatorAddBuiltinOptions(made, options)
        return Operator.OperatorEnd(made)

    Conv2DOptions.Conv2DOptionsStart(made)
    Conv2DOptions.Conv2DOptionsAddPadding(made, 0)  # SAME
    for name in ("StrideW", "StrideH", "DilationWFactor", "DilationHFactor"):
        getattr(Conv2DOptions, f"Conv2DOptionsAdd{name}")(made, 1)
    operators = [operator(0, [0, 1, 2], [3], Conv2DOptions.Conv2DOptionsEnd(made))]
    if unsupported:
        operators += [operator(1, [3], [4]), operator(2, [4], [5])]

    lists = {
        "tensors": offsets(SubGraph.SubGraphStartTensorsVector, tensors),
        "inputs": ints(SubGraph.SubGraphStartInputsVector, [0]),
        "outputs": ints(SubGraph.SubGraphStartOutputsVector, [len(tensors) - 1]),
        "operators": offsets(SubGraph.SubGraphStartOperatorsVector, operators),
    }
    SubGraph.SubGraphStart(made)
    SubGraph.SubGraphAddTensors(made, lists["tensors"])
    SubGraph.SubGraphAddInputs(made, lists["inputs"])
    SubGraph.SubGraphAddOutputs(made, lists["outputs"])
    SubGraph.SubGraphAddOperators(made, lists["operators"])
    graph = SubGraph.SubGraphEnd(made)

    def code(number):
        OperatorCode.OperatorCodeStart(made)
        OperatorCode.OperatorCodeAddDeprecatedBuiltinCode(made, number)
        OperatorCode.OperatorCodeAddBuiltinCode(made, number)
        OperatorCode.OperatorCodeAddVersion(made, 1)
        return OperatorCode.OperatorCodeEnd(made)

    numbers = [3, 6, 66] if unsupported else [3]  # CONV_2D, DEQUANTIZE, SIN
    codes = offsets(Model.ModelStartOperatorCodesVector, [code(number) for number in numbers])
    graphs = offsets(Model.ModelStartSubgraphsVector, [graph])
    buffers = offsets(Model.ModelStartBuffersVector, [buffer(content) for content in data])
    text = made.CreateString("small")
    Model.ModelStart(made)
    Model.ModelAddVersion(made, 3)
    Model.ModelAddOperatorCodes(made, codes)
    Model.ModelAddSubgraphs(made, graphs)
    Model.ModelAddDescription(made, text)
    Model.ModelAddBuffers(made, buffers)
    made.Finish(Model.ModelEnd(made), b"TFL3")
    path.write_bytes(bytes(made.Output()))
    return path
