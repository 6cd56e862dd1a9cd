"""How Sphinx turns the pages that `python -m advisor.reports.catalogue` wrote into HTML; `make docs` runs it."""

project = "advisor"
copyright = "the advisor authors, Apache 2.0"
extensions = ["myst_parser"]
myst_heading_anchors = 4
myst_ref_domains = ["std"]  # no link names a function: asking the domains of languages only takes time
suppress_warnings = ["myst.header"]  # measured pages choose the levels of their headings for other readers
smartquotes = False  # texts quote values of facts, which stay as they are
html_theme = "furo"
html_title = "advisor"
html_show_sphinx = False
html_show_sourcelink = False
html_copy_source = False
