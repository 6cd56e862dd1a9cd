"""Draw a recommendation as it looks in a terminal: `picture.py FILE.svg`."""

import io
import sys
from pathlib import Path

from rich.console import Console

import advisor
from advisor.reports.recommendation import recommendation_page
from advisor.reports.terminal import render

MODEL, DEVICE = "timm:resnet50", "jetson-nano"


def main(path: Path) -> None:
    """Write the picture."""
    limits = (
        advisor.Limit(metric=advisor.Metric.LATENCY, bound=33.0),
        advisor.Limit(metric=advisor.Metric.ACCURACY, bound=1.0),
    )
    found = advisor.recommend(MODEL, target=DEVICE, goal=advisor.Goal(limits=limits))
    console = Console(record=True, width=80, file=io.StringIO(), force_terminal=True, color_system="truecolor")
    console.print(render(recommendation_page(found, top=5)))
    title = f"advisor recommend {MODEL} --target {DEVICE} --max-latency 33ms --max-drop 1 --top 5"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(console.export_svg(title=title), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
