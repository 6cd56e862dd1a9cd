"""Accuracy from published results: what a row or a plan asks, the pooled model, its answers and the nearest cases."""
