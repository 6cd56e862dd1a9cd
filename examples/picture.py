"""Draw the head of a recommendation as it looks in a terminal: `picture.py FILE.svg`."""

import io
import re
import sys
from pathlib import Path

from rich.console import Console

import advisor
from advisor.reports.page import Page
from advisor.reports.recommendation import recommendation_page
from advisor.reports.terminal import render

MODEL, DEVICE = "timm:resnet50", "jetson-nano"
COMMAND = f"advisor recommend {MODEL} --target {DEVICE} --max-latency 40ms --max-drop 1"
HEAD = 3  # blocks of the page: what was asked, the decision, the ranking


def main(path: Path) -> None:
    """Write the picture."""
    limits = (
        advisor.Limit(metric=advisor.Metric.LATENCY, bound=40.0),
        advisor.Limit(metric=advisor.Metric.ACCURACY, bound=1.0),
    )
    page = recommendation_page(advisor.recommend(MODEL, target=DEVICE, goal=advisor.Goal(limits=limits)))
    console = Console(record=True, width=80, file=io.StringIO(), force_terminal=True, color_system="truecolor")
    console.print(f"$ {COMMAND}\n", highlight=False)
    console.print(render(Page(page.title, page.blocks[:HEAD])))
    path.parent.mkdir(parents=True, exist_ok=True)
    drawn = re.sub(r"@font-face \{.*?\}\s*", "", console.export_svg(title="advisor"), flags=re.DOTALL)
    path.write_text(drawn, encoding="utf-8")  # without fonts from the network: the reader's own monospace does


if __name__ == "__main__":
    main(Path(sys.argv[1]))
