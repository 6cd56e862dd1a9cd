"""Building networks by name: timm, torchvision, ultralytics, the Hugging Face hub and functions of one's own."""

from .building import brings_weights, build
from .names import Architecture, architecture, names_like, timm_name
from .settings import Settings

__all__ = ["Architecture", "Settings", "architecture", "brings_weights", "build", "names_like", "timm_name"]
