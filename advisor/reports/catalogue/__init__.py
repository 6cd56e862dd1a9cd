"""The catalogue as a site: a page for every rule and device, indexes, conflicts and the vocabulary of facts.

`python -m advisor.reports.catalogue FOLDER` writes the pages as Markdown with the guides of `docs/`, and `make docs`
turns them into HTML. The same knowledge gives the same pages.
"""
