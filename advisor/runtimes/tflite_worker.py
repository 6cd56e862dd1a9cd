"""Runs inside the environment of litert-torch: an ONNX file becomes a .tflite file. Its arguments are both paths.

Prints one line of JSON at the end: {} or {"refused": reason}. What the converter prints goes to standard error.
"""

import contextlib
import json
import sys
from pathlib import Path


def main(source: Path, target: Path) -> None:
    """Convert one file."""
    import litert_torch
    import torch
    from litert_torch.quantize.pt2e_quantizer import PT2EQuantizer, get_symmetric_quantization_config
    from litert_torch.quantize.quant_config import QuantConfig

    from advisor.runtimes.onnx_torch import from_onnx

    module, shape = from_onnx(source, weights="quantized in the graph")
    options = {}
    if module.quantizes:
        quantizer = PT2EQuantizer().set_global(get_symmetric_quantization_config(is_per_channel=True))
        options["quant_config"] = QuantConfig(pt2e_quantizer=quantizer)
    litert_torch.convert(module, (torch.zeros(shape),), **options).export(str(target))


if __name__ == "__main__":
    said: dict[str, str] = {}
    with contextlib.redirect_stdout(sys.stderr):
        try:
            main(Path(sys.argv[1]), Path(sys.argv[2]))
        except Exception as error:  # the converter raises dozens of classes; the other side needs one line
            lines = str(error).strip().splitlines()
            said["refused"] = lines[0][:300] if lines else type(error).__name__
    print(json.dumps(said))
