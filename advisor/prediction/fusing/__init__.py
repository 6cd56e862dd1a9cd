"""Rewriting a network's graph into the one that a runtime executes; the passes of `advisor.prediction.fusion`."""
