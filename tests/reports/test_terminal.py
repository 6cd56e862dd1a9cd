"""Pages drawn at 80 columns: nothing is wider, no figure is cut, and colour carries no meaning of its own."""

import io
import re

import pytest
from rich.console import Console

from advisor.reports.devices import device_page, devices_page
from advisor.reports.explanation import explanation_page
from advisor.reports.page import Column, Page, Table
from advisor.reports.recommendation import recommendation_page
from advisor.reports.rules import rule_page, rules_page
from advisor.reports.run import run_page
from advisor.reports.terminal import show

from . import builders


def draw(page: Page, width: int = 80, **terminal) -> str:
    console = Console(file=io.StringIO(), width=width, **terminal)
    show(page, console)
    return console.file.getvalue()


def pages() -> dict[str, Page]:
    from advisor.devices import list_devices, load_device
    from advisor.rules import load_rules
    from advisor.rules.phrases import load_phrases

    base = load_rules()
    return {
        "recommendation": recommendation_page(builders.recommendation()),
        "no plan": recommendation_page(builders.recommendation(feasible=False)),
        "run": run_page(builders.run()),
        "explanation": explanation_page(builders.explanation()),
        "device": device_page(load_device("jetson-nano")),
        "devices": devices_page(list_devices()),
        "rules": rules_page(base.rules, base.version),
        "rule": rule_page(next(iter(base)), load_phrases(base.vocabulary)),
    }


@pytest.fixture(scope="module")
def drawn() -> dict[str, Page]:
    return pages()


@pytest.mark.parametrize(
    "name", ["recommendation", "no plan", "run", "explanation", "device", "devices", "rules", "rule"]
)
def test_no_line_is_wider_than_the_terminal(drawn, name):
    for width in (80, 120):
        text = draw(drawn[name], width)
        assert max(len(line) for line in text.splitlines()) <= width
        assert not re.search(r"[ \t]+$", text, re.MULTILINE), "spaces at the end of a line"


def test_nothing_is_cut_from_a_decision_at_80_columns():
    text = draw(recommendation_page(builders.recommendation()))
    assert "…" not in text
    joined = re.sub(r"[\s│]+", " ", text)
    for part in (
        "resnet50: residual CNN, 25.6 M parameters, 4.09 G MACs, 102 MB of weights, input 1x3x224x224",
        "latency at most 33 ms; accuracy loss at most 1 pp",
        "Recommended: plan 2",
        "prune 30% of channels + fp16 on tensorrt/gpu",
        "14.2 ms",
        "11.4 to 18.5",
        "2.89x (1.60x to 3.50x)",
        "roofline, n=12",
        "Gain: cost of the unchanged model on tensorrt/gpu fp32 over that of this plan.",
        "met (chance 97%), latency 14.2 ms is within 33.0",
        "HW-07 gives its reason here. [HW-07, X, strong]",
        "against: PR-02 gives its reason here. [PR-02, X, weak]",
        "Build the engine on the device itself. [DP-01, X, strong]",
        "DA-04 gives its reason here. [DA-04, X, strong]",
        "behind 2",
        "Ruled out: 2 of 4 plans",
        "latency would have to fall from 41.0 to 33.0 ms",
        "Would pass if rt.precisions holds 'int8'.",
        "model.act_range_max (asked by CA-03)",
        "Weights are random.",
        "knowledge 0.1.0 0123456789ab",
    ):
        assert part in joined, part
    assert "LR-03" not in joined, "a rule that does not apply is no reason"


def test_without_a_plan_the_binding_limit_comes_first():
    text = draw(recommendation_page(builders.recommendation(feasible=False)))
    assert text.index("No plan meets the limits") < text.index("The limit of 33.0 ms on latency_ms binds.")
    assert "Plans that miss only a limit" in text
    assert "Recommended" not in text


def test_energy_that_cannot_be_predicted_is_said_so():
    text = draw(recommendation_page(builders.recommendation()))
    row = next(line for line in text.splitlines() if "energy" in line)
    assert re.search(r"energy\s+-\s+-\s+-\s+cannot be", row)


def test_a_long_ranking_is_cut_and_says_how_to_see_the_rest():
    page = recommendation_page(builders.recommendation(candidates=14), top=5)
    assert "9 more with --top 14." in draw(page)


def test_colours_need_a_terminal_and_respect_no_color(monkeypatch):
    page = run_page(builders.run())
    assert "\x1b[" not in draw(page)
    assert "\x1b[32m" in draw(page, force_terminal=True, color_system="standard")
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b[32m" not in draw(page, force_terminal=True, color_system="standard")


def test_hostile_names_are_text_not_markup():
    page = Page("[red]x[/red]", (Table((Column("a"),), (("[bold]model[/bold]",),)),))
    assert "[red]x[/red]" in draw(page)
    assert "[bold]model[/bold]" in draw(page)


def test_a_run_shows_predicted_against_measured_and_what_remains():
    joined = re.sub(r"\s+", " ", draw(run_page(builders.run())))
    for part in (
        "2.50 ms (2.00 to 3.20)",
        "2.70 ms (2.60 to 2.80)",
        "5.10 ms",
        "hit",
        "open",
        "No power sensor.",
        "1,000 990 differs a bias was folded",
        "original 98.2 %, shipped 97.9 % (96.5 to 98.8)",
        "Predicted for jetson-nano, to be measured there",
        "8.00 ms (6.00 to 11.0)",
        "- trtexec --onnx=model.onnx --fp16",
    ):
        assert part in joined, part


@pytest.mark.parametrize(("hit", "word"), [(True, "hit"), (False, "miss"), (None, "open")])
def test_the_verdict_is_a_word(hit, word):
    latency = next(line for line in draw(run_page(builders.run(hit))).splitlines() if line.startswith("latency"))
    assert latency.split()[-1] == word


def test_a_trace_reads_as_a_tree():
    text = draw(explanation_page(builders.explanation(), trace=True))
    lines = text.splitlines()
    root = next(i for i, line in enumerate(lines) if "false all of" in line)
    assert "true rt.unit (gpu) == 'gpu'" in lines[root + 1]
    assert "false 'int8' in rt.precisions (fp16, fp32)" in " ".join(lines[root + 2 : root + 4])
    assert "not known: dev.x" in text
    assert "rejects" in text
    assert "silent" in text
