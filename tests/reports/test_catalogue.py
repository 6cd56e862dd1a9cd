"""The site: a page for every rule and device that tells all of it, indexes that lead there, and no dead link."""

import csv
import gzip
import re
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from advisor.devices import load_device
from advisor.reports.catalogue.__main__ import main
from advisor.reports.catalogue.device_page import device_page, gaps
from advisor.reports.catalogue.guides import guides, pictures, start
from advisor.reports.catalogue.known import load
from advisor.reports.catalogue.rule_page import bounds, rule_page
from advisor.reports.catalogue.site import catalogue
from advisor.reports.catalogue.text import source
from advisor.resources import data_dir
from advisor.rules.situations import paths_by_class
from advisor.schema import Rule
from advisor.schema.device import ExecPath, Memory, Power

ROOT = data_dir("knowledge").parent
LINK = re.compile(r"\]\((?!<?https?:)([^)\s]+)\)")


class Site:
    """All pages, written once."""

    def __init__(self) -> None:
        self.known = load()
        self.main, self.single = catalogue(self.known)
        self.guides = guides(ROOT)
        self.pages = {**self.guides, **self.main, **self.single, "index.md": start(ROOT, self.guides, self.main)}

    def page(self, rule: str) -> str:
        return self.single[f"rules/{rule}.md"]


@pytest.fixture(scope="module")
def site() -> Site:
    return Site()


def section(page: str, title: str) -> str:
    return page.partition(f"\n## {title}\n")[2].partition("\n## ")[0]


def slug(heading: str) -> str:
    """The anchor of a heading as on GitHub: lower case, words joined by dashes, other signs dropped."""
    return re.sub(r"[^\w\- ]", "", heading.replace("\\", "").lower()).replace(" ", "-")


def anchors(page: str) -> set[str]:
    return {slug(line.lstrip("#").strip()) for line in page.splitlines() if line.startswith("#")}


def test_every_rule_and_device_has_its_page(site):
    assert set(site.single) == {f"rules/{rule.id}.md" for rule in site.known.base.rules} | {
        f"devices/{device.id}.md" for device in site.known.devices
    }


def test_every_link_leads_to_a_page_and_a_heading(site):
    headings = {name: anchors(text) for name, text in site.pages.items()}
    files = {path.name for path in pictures(ROOT)}
    broken = []
    for name, text in site.pages.items():
        for link in set(LINK.findall(re.sub(r"```.*?```", "", text, flags=re.S))):
            place, _, anchor = link.partition("#")
            target = str(Path(name).parent / place) if place else name
            target = re.sub(r"^(?:\./)|(?:[^/]+/\.\./)", "", target)
            missing = target not in headings and target not in files
            if missing or (anchor and anchor not in headings[target]):
                broken.append(f"{name}: {link}")
    assert broken == []


def test_the_order_of_rules_does_not_change_a_page(site):
    base = site.known.base
    turned = base.of(reversed([*base]))
    known = replace(site.known, base=turned)
    for rule in ("HW-03a", "PQ-01b", "QS-02c"):
        assert rule_page(turned.get(rule), known) == site.page(rule)


def untold(rule: Rule, site: Site) -> list[str]:
    """What the page of a rule leaves out or claims too much."""
    page, entry = site.page(rule.id), site.known.base.get(rule.id)
    fires, silent = section(page, "A case that fires it"), section(page, "A case that leaves it silent")
    beside, sources = section(page, "Beside other rules"), section(page, "Sources")
    others = {*rule.overrides, *site.known.set_aside_by.get(rule.id, ())}
    conflicts = site.known.conflicts.of(rule.id)
    checks = {
        "condition": f"\n{entry.when.text}\n" in section(page, "When it applies"),
        "demand": bool(section(page, "What must hold then")) is bool(rule.demand),
        "step": bool(section(page, "The step")) is bool(rule.step),
        "effect": bool(section(page, "The effect")) is bool(rule.metric),
        "why sure": bool(section(page, "Why it is believed")) is bool(rule.why_sure),
        "guards": bool(section(page, "What it prevents")) is bool(rule.guards),
        "wrong when": bool(section(page, "When it is wrong")) is bool(rule.wrong_when),
        "sources": sources.count("\n- ") == len(rule.sources),
        "recalled": sources.count("recalled, not opened") == sum(not one.seen for one in rule.sources),
        "firing facts": all(f"| `{name}` | " in fires for name in rule.cases.fires),
        "silent facts": all(f"| `{name}` | " in silent for name in rule.cases.silent),
        "firing trace": "**true**" in fires.split("\n- ")[1],
        "silent trace": bool(rule.demand) or "**false**" in silent.split("\n- ")[1],
        "others": all(f"[{other}](../rules/{other}.md)" in beside for other in others),
        "conflicts": all(f"(../conflicts.md#{one.id.lower()})" in beside for one in conflicts),
        "survey": ("stated by the survey itself" in page) is ("S1" in rule.origin.split("+")),
    }
    return [f"{rule.id}: {name}" for name, told in checks.items() if not told]


def test_a_page_tells_all_of_its_rule_and_claims_no_more(site):
    assert [gap for rule in site.known.base.rules for gap in untold(rule, site)] == []


def test_a_condition_stands_in_words_as_nested_points(site):
    told = section(site.page("QS-04b"), "When it applies")
    assert "- the network has depthwise convolutions\n- at least one of these:\n  - the plan scales weights" in told


def test_a_silent_case_says_what_would_turn_it(site):
    assert "**false**, would turn with `" in section(site.page("HW-05f"), "A case that leaves it silent")


def test_the_agreement_with_measurements_is_shown_where_it_is_known(site):
    entry = site.known.base.get("HW-03e")
    found = {"metric": "latency_ms", "claim": "1.6 to 3.3", "verdict": "holds", "n": 12, "models": 7, "devices": 2,
             "hit_rate": 0.83, "low": 1.4, "mid": 2.0, "high": 3.1, "note": "few boards"}  # fmt: skip
    with_it = section(rule_page(entry, replace(site.known, agreement={"HW-03e": found})), "Agreement with measurements")
    assert "| 1.6 to 3.3 | 12 | 7 | 2 | 83% | 1.4, 2, 3.1 times | holds |" in with_it
    assert "few boards" in with_it
    assert "cites these measurements itself" not in with_it
    drawn = replace(site.known, agreement={"HW-03e": found | {"drawn": True}})
    assert "cites these measurements itself" in rule_page(entry, drawn)
    silent = rule_page(entry, replace(site.known, agreement={"HW-03e": {"n": 0, "verdict": "silent", "note": ""}}))
    assert "no pair of published measurements" in section(silent, "Agreement with measurements")
    without = section(rule_page(entry, replace(site.known, agreement={})), "Agreement with measurements")
    assert without.strip() == "It was not held against measurements."


def test_a_deprecated_rule_says_so_first(site):
    entry = site.known.base.get("HW-03a")
    old = replace(entry, rule=entry.rule.model_copy(update={"deprecated": "Replaced by HW-99."}))
    assert "\n**Deprecated.** Replaced by HW-99.\n" in rule_page(old, site.known).partition("\n> ")[0]


def test_bounds_name_the_baseline_and_the_sign(site):
    by_metric = {rule.metric: bounds(rule) for rule in site.known.base.rules if rule.metric and rule.low is not None}
    assert "of the unchanged model is" in by_metric["latency_ms"]
    assert "a loss is negative" in by_metric["accuracy_delta_pp"]


@pytest.mark.parametrize(
    ("ref", "address"),
    [
        ("https://coral.ai/docs/edgetpu/compiler", "https://coral.ai/docs/edgetpu/compiler"),
        ("arXiv 2212.01593 (AAAI 2024)", "https://arxiv.org/abs/2212.01593"),
        ("developer.axis.com, ARTPEC-9 tips", "https://developer.axis.com"),
        ("VainF/Torch-Pruning README", "https://github.com/VainF/Torch-Pruning"),
        ("pigirons/cpufp@93e165ea benchmark.md", "https://github.com/pigirons/cpufp/tree/93e165ea"),
        ("github.com/ThomasKaiser/sbc-bench@53f79517 x.md", "https://github.com/ThomasKaiser/sbc-bench/tree/53f79517"),
    ],
)
def test_a_source_is_linked_where_it_names_a_place(ref, address):
    assert source(ref).count(f"](<{address}>)") == 1


@pytest.mark.parametrize("ref", ["docs/memory.md", "practice", "AIMET guidebook", "Own measurement: openvino 2026.4.1"])
def test_a_source_without_a_place_is_text(ref):
    assert source(ref) == ref


def test_reach_follows_profiles_and_plans(site):
    reach = site.known.reach
    assert reach["HW-05a"].devices == {"jetson-nano", "jetson-tx1", "jetson-tx2"}
    assert set(reach["HW-05a"].techniques) == {"static_int8", "dynamic_int8", "qat"}
    assert reach["RT-14a"].devices == {device.id for device in site.known.devices if not device.os}
    assert reach["KD-02"].anywhere
    assert reach["KD-02"].techniques == ("distil",)
    assert not reach["KD-02"].unchanged
    assert set(reach["VM-02"].kinds) == {device.kind for device in site.known.devices if device.os}


def test_paths_are_counted_in_the_order_of_devices(site):
    for kind, mask in paths_by_class().items():
        assert mask.bit_count() == sum(len(device.paths) for device in site.known.devices if device.kind == kind)


def test_indexes_list_a_rule_where_it_belongs(site):
    assert "(rules/HW-05a.md)" in section(site.main["by-technique.md"], "static_int8")
    assert "(rules/HW-05a.md)" not in section(site.main["by-technique.md"], "prune_channels")
    assert "(rules/MC-01a.md)" in section(site.main["by-device-class.md"], "mcu")
    assert "(rules/MC-01a.md)" not in section(site.main["by-device-class.md"], "phone")
    assert "(rules/VM-01.md)" in section(site.main["by-origin.md"], "S2")
    assert "(rules/VM-01.md)" not in section(site.main["by-origin.md"], "S1")
    for rule in site.known.base.rules:
        assert f"(rules/{rule.id}.md)" in section(site.main["rules.md"], rule.group)
    for device in site.known.devices:
        assert f"(devices/{device.id}.md)" in section(site.main["devices.md"], device.kind)


def test_every_fact_is_told_with_the_rules_that_read_it(site):
    page = site.main["facts.md"]
    for name, spec in site.known.base.vocabulary.items():
        told = page.partition(f"\n### {name}\n")[2].partition("\n### ")[0]
        assert f"- Type: {spec.type}" in told
        assert "- How it is obtained: " in told
        assert all(f"(rules/{rule}.md)" in told for rule in site.known.readers.get(name, ()))


def test_the_conflict_page_shows_every_side_and_every_case(site):
    for conflict in site.known.conflicts.conflicts:
        told = section(site.main["conflicts.md"], conflict.id)
        assert all(f"(rules/{rule}.md)" in told for rule in conflict.rules)
        assert told.count("| rule | what it says | here |") == len(conflict.cases)


def test_a_device_page_counts_what_was_measured_on_it(site):
    with gzip.open(data_dir("knowledge") / "evidence" / "latency.csv.gz", "rt", newline="") as file:
        counts = Counter(row["profile"] for row in csv.DictReader(file))
    for device in site.known.devices:
        told = section(site.single[f"devices/{device.id}.md"], "What was measured on it")
        expected = f"{counts[device.id]} published latencies." if counts[device.id] else "No published latency"
        assert told.strip().startswith(expected)


def test_a_device_page_says_what_is_not_known(site):
    told = section(site.single["devices/coral-bench-desktop-cpu.md"], "What is not known")
    assert "- the main memory\n" in told
    assert "- the power under load\n" in told
    known = load_device("jetson-nano")
    assert "the main memory" not in list(gaps(known))
    bare = known.model_copy(update={"cpu": None})
    assert "the cores of the CPU" in list(gaps(bare))


def test_a_device_page_leads_to_the_rules_that_few_devices_meet(site):
    told = section(site.single["devices/jetson-nano.md"], "Rules that ask for it")
    assert "(../rules/HW-05a.md)" in told
    assert "(../rules/MC-01a.md)" not in told


def test_a_device_without_sources_says_so(site):
    nothing = {"cpu": None, "memory": Memory(), "power": Power(), "sources": {}}
    nano = load_device("jetson-nano")
    bare = nano.model_copy(update={**nothing, "paths": (ExecPath(runtime="ncnn", unit="cpu", precisions=("fp32",)),)})
    assert "No figure of this profile has a source." in device_page(bare, site.known, {})


def test_links_of_guides_fit_their_new_place(tmp_path):
    (tmp_path / "docs").mkdir()
    (tmp_path / "LICENSE").write_text("free")
    (tmp_path / "docs" / "drawn.svg").write_text("<svg/>")
    (tmp_path / "README.md").write_text("[a](docs/one.md#top) ![b](docs/drawn.svg) [c](LICENSE) [d](https://e.org/f)")
    (tmp_path / "CONTRIBUTING.md").write_text("[a](README.md) [b](knowledge/facts.yaml) [c](knowledge)")
    (tmp_path / "docs" / "one.md").write_text("[a](../CONTRIBUTING.md#rule) [b](../README.md) [c](rules.md) [d](#top)")
    (tmp_path / "docs" / "rules.md").write_text("replaced")
    assert guides(tmp_path) == {
        "overview.md": "[a](one.md#top) ![b](drawn.svg) [c](LICENSE) [d](https://e.org/f)",
        "contributing.md": "[a](overview.md) b c",
        "one.md": "[a](contributing.md#rule) [b](overview.md) [c](rules.md) [d](#top)",
    }


def test_the_first_page_lists_guides_and_catalogue(site):
    page = site.pages["index.md"]
    assert page.index("\noverview\n") < page.index("\nmodels\n") < page.index(":caption: Catalogue")
    assert all(f"\n{Path(name).stem}\n" in page for name in (*site.guides, *site.main))
    assert "](models.md)" in site.pages["overview.md"]
    assert "](contributing.md)" in site.pages["overview.md"]


def test_the_command_writes_the_site_into_an_empty_folder_only(site, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("advisor.reports.catalogue.__main__.load", lambda: site.known)
    folder = tmp_path / "site"
    assert main([str(folder)]) == 0
    written = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    assert written == {*site.pages, *(path.name for path in pictures(ROOT))}
    assert (folder / "rules" / "HW-03a.md").read_text() == site.page("HW-03a")
    assert f"{len(site.pages)} pages" in capsys.readouterr().out
    assert main([str(folder)]) == 2
    assert "not an empty folder" in capsys.readouterr().err


def test_the_command_wants_one_folder(capsys):
    assert main([]) == 2
    assert "usage" in capsys.readouterr().err
