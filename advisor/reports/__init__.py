"""Lay out results as pages and write them for the terminal, as Markdown or as JSON. Decides and computes nothing."""
