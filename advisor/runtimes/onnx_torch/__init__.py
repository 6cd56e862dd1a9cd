"""ONNX files as torch modules, for runtimes whose compilers start from torch; needs only torch, onnx and numpy.

Nothing here trains or decides: the module computes what the file says, and quantize nodes stay where they are.
"""

from .module import OnnxModule, from_onnx

__all__ = ["OnnxModule", "from_onnx"]
