"""Calibrating a machine: short timings of kernels and small networks, and a cost of every operation fitted to them.

Knows no plan and no user's model; what it finds is a `Calibration`, which `advisor.prediction.calibrated` answers from.
"""
