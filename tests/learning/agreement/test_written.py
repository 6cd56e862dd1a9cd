"""Agreements as file, table and page."""

import json
import re

import pytest

from advisor.errors import KnowledgeError
from advisor.learning.agreement import __main__ as command
from advisor.learning.agreement import networks
from advisor.learning.agreement.judging import judge
from advisor.learning.agreement.networks import model_facts_of, operations_of
from advisor.learning.agreement.page import page, page_path
from advisor.learning.agreement.settings import load_settings
from advisor.learning.agreement.written import agreement_path, as_data, as_text, summary, table
from advisor.rules import load_rules

FIELDS = {
    "kind", "metric", "claim", "verdict", "n", "models", "devices", "hit_rate", "low", "mid", "high", "drawn",
    "undecided", "note", "sources",
}  # fmt: skip


@pytest.fixture(scope="module")
def some(shipped_pairs):
    settings, base = load_settings(), load_rules()
    pairs = [p for p in shipped_pairs if p.source in ("ncnn-benchmark", "tsukamoto-tflite")][::20]
    return base, settings.judged, pairs, judge(base, pairs, settings.judged)


def test_the_file_is_json_with_provenance_and_every_field_by_rule(some):
    _, judged, pairs, found = some
    data = json.loads(as_text(as_data(found, pairs, judged)))
    assert sum(data["provenance"]["pairs"].values()) == len(pairs)
    assert all(set(entry) == FIELDS for entry in data["rules"].values())
    assert list(data["rules"]) == sorted(data["rules"])


def test_the_table_fits_eighty_columns_and_names_every_rule(some):
    *_, found = some
    lines = list(table(found))
    assert max(len(line) for line in lines) <= 80
    words = " ".join(lines).split()
    assert {item.rule for item in found} <= set(words)
    assert summary(found).startswith(f"{len(found)} rules")


def test_the_page_shows_every_rule_and_explains_every_miss(some):
    base, judged, _, found = some
    text = page(found, base, judged)
    assert all(item.rule in text for item in found)
    misses = text.partition("## Misses")[2].partition("## Rules that no pair")[0]
    for item in found:
        assert (f"**{item.rule}**" in misses) == (item.verdict in ("contradicted", "explained"))


def test_the_command_prints_without_writing_where_asked(some, monkeypatch, capsys):
    _base, _, pairs, found = some
    monkeypatch.setattr(command, "latency_pairs", lambda settings: pairs)
    monkeypatch.setattr(command, "accuracy_pairs", lambda settings: [])
    before = agreement_path().read_bytes(), page_path().read_bytes()
    command.main(["--dry"])
    assert summary(found) in capsys.readouterr().out
    command.main(["--dry", "--json"])
    assert set(json.loads(capsys.readouterr().out)["rules"]) == {item.rule for item in found}
    assert (agreement_path().read_bytes(), page_path().read_bytes()) == before


def test_the_shipped_agreement_speaks_of_rules_that_exist_and_leaves_no_miss_unexplained():
    rules = json.loads(agreement_path().read_text(encoding="utf-8"))["rules"]
    base = load_rules()
    claiming = {e.rule.id for e in base if (e.rule.kind == "estimate" or e.rule.checks) and not e.rule.deprecated}
    assert set(rules) == claiming
    assert not [rule for rule, entry in rules.items() if entry["verdict"] == "contradicted"]
    for rule, entry in rules.items():
        kept = base.get(rule).rule
        if kept.kind == "estimate":
            assert entry["claim"].startswith(f"{kept.low:g} to {kept.high:g} "), f"{rule}: run make rules-evidence"


def test_rules_that_count_their_evidence_count_it_as_the_command_does():
    rules = json.loads(agreement_path().read_text(encoding="utf-8"))["rules"]
    counted = 0
    for entry in load_rules():
        for source in entry.rule.sources:
            told = re.match(r"(\d+) (?:comparisons|pairs) of (\d+) networks", source.claim)
            if told and source.ref.rpartition(" in ")[2].startswith("knowledge/"):
                counted += 1
                found = rules[entry.rule.id]
                assert (found["n"], found["models"]) == (int(told[1]), int(told[2])), entry.rule.id
    assert counted >= 8


@pytest.mark.study
def test_the_shipped_agreement_is_what_the_command_writes(tmp_path, monkeypatch):
    monkeypatch.setattr(command, "agreement_path", lambda: tmp_path / "agreement.json")
    monkeypatch.setattr(command, "page_path", lambda: tmp_path / "rules-evidence.md")
    command.main([])
    assert (tmp_path / "agreement.json").read_bytes() == agreement_path().read_bytes()
    assert (tmp_path / "rules-evidence.md").read_bytes() == page_path().read_bytes()


def test_networks_of_libraries_bring_all_facts_others_what_their_layers_tell():
    whole, layers = model_facts_of("timm:mobilenetv2_100"), model_facts_of("mobilenet_ssd", "1x3x300x300")
    assert whole["model.family"] == "depthwise_cnn"
    assert whole["model.act_fns"] == ["relu6"]
    assert layers["model.conv1x1_mac_share"] > 0.9
    assert "model.family" not in layers
    assert model_facts_of("nobody") == {}
    assert operations_of("nobody") is None


def test_the_operations_of_a_network_keep_their_macs():
    found = operations_of("timm:resnet18")
    assert found is not None
    assert sum(op.macs for op in found.ops) == model_facts_of("timm:resnet18")["model.macs"]


def test_a_network_is_profiled_into_facts_without_those_of_a_file():
    entry = networks._entry("timm:test_vit", "1x3x160x160")
    assert entry is not None
    assert entry["model.has_attention"] is True
    assert "model.format" not in entry
    assert json.loads(json.dumps(entry)) is not None


def test_without_the_facts_of_networks_the_remedy_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(networks, "networks_file", lambda: tmp_path / "none.json.gz")
    networks._known.cache_clear()
    with pytest.raises(KnowledgeError) as caught:
        model_facts_of("timm:resnet18")
    networks._known.cache_clear()
    assert "agreement.networks" in caught.value.remedy
