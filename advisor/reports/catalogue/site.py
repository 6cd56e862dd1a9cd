"""All pages of the site, by their place in it."""

import shutil
from pathlib import Path

from advisor.errors import AdvisorError
from advisor.resources import data_dir
from advisor.writing import write_text

from . import indexes
from .conflict_page import conflict_page
from .device_page import device_page
from .evidence import measured
from .facts_page import facts_page
from .guides import guides, pictures, start
from .known import Known
from .rule_page import rule_page
from .sources_page import sources_page


def catalogue(known: Known) -> tuple[dict[str, str], dict[str, str]]:
    """Return the pages that lists of contents name, and the pages of single rules and devices."""
    counted = measured()
    lines = {
        "rules.md": indexes.by_group(known),
        "by-technique.md": indexes.by_technique(known),
        "by-device-class.md": indexes.by_class(known),
        "by-origin.md": indexes.by_origin(known),
        "conflicts.md": conflict_page(known),
        "facts.md": facts_page(known),
        "devices.md": indexes.devices(known, counted),
        "evidence-sources.md": sources_page(known),
    }
    main = {name: "\n".join(page) for name, page in lines.items()}
    single = {f"rules/{entry.rule.id}.md": rule_page(entry, known) for entry in known.base}
    single |= {f"devices/{device.id}.md": device_page(device, known, counted) for device in known.devices}
    return main, single


def write_site(known: Known, folder: Path) -> int:
    """Write every page into a new or empty folder; return how many there are."""
    root = data_dir("knowledge").parent
    if not (root / "docs" / "index.md").is_file():
        raise AdvisorError("the guides are missing", where=str(root / "docs"), remedy="Run it in a checkout")
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise AdvisorError(f"{folder} is not an empty folder", remedy="Remove it, or name another one")
    main, single = catalogue(known)
    texts = guides(root)
    pages = {**texts, **main, **single, "index.md": start(root, texts, main)}
    for name, text in pages.items():
        write_text(folder / name, text.rstrip() + "\n")
    for picture in pictures(root):
        shutil.copyfile(picture, folder / picture.name)
    return len(pages)
