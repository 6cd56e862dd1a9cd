"""Types and functions, beside layers, that a checkpoint may use. Each was read before it was put here.

Adding one is a decision about safety: whatever arguments or state a file chooses, using it must touch nothing but
numbers. Types are created empty and filled with state; functions are only ever referred to, never called by the file,
and a network that holds one calls it with tensors.
"""

import argparse
import pathlib
from collections.abc import Callable
from typing import Any

import numpy as np
import timm.layers
import timm.layers.activations
import torchvision
from timm.models._features import FeatureInfo
from torch.nn import functional
from torchvision.models.detection import _utils as boxes
from torchvision.models.optical_flow import raft

TYPES: dict[str, type] = {
    "argparse.Namespace": argparse.Namespace,  # training arguments beside the weights
    "pathlib.PosixPath": pathlib.PurePosixPath,  # paths in training arguments; pure: cannot touch a file
    "pathlib._local.PosixPath": pathlib.PurePosixPath,
    "timm.layers.format.Format": timm.layers.Format,  # an enumeration: NCHW, NHWC ...
    "timm.models._features.FeatureInfo": FeatureInfo,  # a list of channels and strides with getters
    # Single figures of numpy, such as the best accuracy beside the weights; only numbers, never objects.
    "numpy.dtype": np.dtype,
    # Parts of torchvision's detectors: they hold a few numbers and compute boxes, indices and matches of tensors.
    "torchvision.models.detection._utils.BoxCoder": boxes.BoxCoder,
    "torchvision.models.detection._utils.BoxLinearCoder": boxes.BoxLinearCoder,
    "torchvision.models.detection._utils.Matcher": boxes.Matcher,
    "torchvision.models.detection._utils.SSDMatcher": boxes.SSDMatcher,
    "torchvision.models.detection._utils.BalancedPositiveNegativeSampler": boxes.BalancedPositiveNegativeSampler,
}

_SCALAR: Any = np.float64(0).__reduce__()[0]  # makes a number from its bytes

# Functions of tensors alone: each returns a new tensor, or the given one changed, and reads no file and no name.
FUNCTIONS: dict[str, Callable[..., Any]] = {
    "numpy.core.multiarray.scalar": _SCALAR,
    "numpy._core.multiarray.scalar": _SCALAR,
    "timm.layers.activations.gelu": timm.layers.activations.gelu,  # dm_nfnet
    "torchvision.models.optical_flow.raft._pass_through_h": raft._pass_through_h,  # returns what it is given
    "torchvision.ops.boxes.box_iou": torchvision.ops.boxes.box_iou,  # overlap of boxes, in RoIHeads
    # nn.TransformerEncoderLayer keeps its activation as a function; networks of users do the same.
    "torch.nn.functional.relu": functional.relu,
    "torch.nn.functional.silu": functional.silu,
    "torch.nn.functional.leaky_relu": functional.leaky_relu,
    "torch.nn.functional.hardswish": functional.hardswish,
    "torch._C._nn.gelu": functional.gelu,
    "torch.nn.functional.gelu": functional.gelu,
}

NUMBERS = tuple(np.dtype(code) for code in ("f2", "f4", "f8", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "b1"))
