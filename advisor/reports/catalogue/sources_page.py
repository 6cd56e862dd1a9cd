"""Where the published measurements come from."""

from collections.abc import Iterator

from .known import Known
from .text import plain, table


def sources_page(known: Known) -> Iterator[str]:
    """Write the page."""
    yield from ("# Sources of measurements", "")
    yield f"{len(known.sources)} public sources of latencies and accuracies; only figures are carried, no texts."
    yield ""
    for row in known.sources:
        yield from (f"## {row['source']}", "")
        address = f"[{plain(row['repository'])}](https://github.com/{row['repository']}/tree/{row['commit']})"
        place = address if row["repository"].count("/") == 1 and row["commit"] else plain(row["repository"])
        pairs = {"title": plain(row["title"]), "where": place, "licence": plain(row["licence"]), "date": row["date"]}
        yield from table(("", ""), [(key, value) for key, value in pairs.items() if value])
