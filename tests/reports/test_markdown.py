import re

import pytest

from advisor.reports.markdown import to_markdown
from advisor.reports.page import Box, Branch, Column, Facts, Items, Page, Paragraph, Span, Table, Tree
from advisor.reports.recommendation import recommendation_page
from advisor.reports.run import run_page

from . import builders


def test_every_block_has_its_markdown():
    page = Page(
        "T",
        (
            Facts((("label", Span("value", "strong")),)),
            Table((Column("a"), Column("b", right=True)), (("x", "1"),), "Rows", "a note"),
            Box("Inside", (Items(("one", "two"), "List", numbered=True), Paragraph("text"))),
            Tree(Branch("root", (Branch("leaf"),))),
        ),
    )
    assert to_markdown(page).splitlines() == [
        "# T", "",
        "- label: **value**", "",
        "## Rows", "", "| a | b |", "|---|---:|", "| x | 1 |", "", "a note", "",
        "## Inside", "", "### List", "", "1. one", "2. two", "", "text", "", "",
        "- root", "  - leaf",
    ]  # fmt: skip


@pytest.mark.parametrize("text", ["a|b", "<script>", "`x`", "[link](x)", "*bold*", "a_b_c"])
def test_special_characters_are_escaped(text):
    written = to_markdown(Page("T", (Table((Column("c"),), ((text,),)),)))
    cell = written.splitlines()[-1].removeprefix("| ").removesuffix(" |")
    assert re.sub(r"\\(.)", r"\1", cell) == text
    assert not re.search(r"(?<!\\)[|<>`\[\]*_]", cell)


@pytest.mark.parametrize("page", [recommendation_page(builders.recommendation()), run_page(builders.run())])
def test_tables_have_as_many_cells_as_columns(page):
    rows = [line for line in to_markdown(page).splitlines() if line.startswith("|")]
    widths = [len(re.findall(r"(?<!\\)\|", row)) for row in rows]
    starts = [i for i, row in enumerate(rows) if re.fullmatch(r"[|:-]+", row)]
    assert len(starts) >= 2
    for start, end in zip(starts, [*(s - 1 for s in starts[1:]), len(rows)], strict=True):
        assert len(set(widths[start - 1 : end])) == 1
