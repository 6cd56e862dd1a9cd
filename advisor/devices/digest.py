"""A fingerprint of a profile, so that a stored decision names exactly the figures it rests on."""

import hashlib
import json

from advisor.schema import Device


def profile_digest(device: Device) -> str:
    """Return the SHA-256 of the device's content in hex; the order of keys and the file layout do not matter."""
    content = device.model_dump(mode="json", exclude=None if device.lessons else {"lessons"})
    text = json.dumps(content, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
