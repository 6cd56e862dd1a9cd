"""Load, list and inherit device profiles, and describe the machine this runs on. Knows no model and ranks nothing."""

from .catalogue import Checked, alias_map, check_devices, list_devices, load_device
from .digest import profile_digest
from .host import detect_host
from .vocabulary import Vocabulary, load_vocabulary

__all__ = [
    "Checked",
    "Vocabulary",
    "alias_map",
    "check_devices",
    "detect_host",
    "list_devices",
    "load_device",
    "load_vocabulary",
    "profile_digest",
]
