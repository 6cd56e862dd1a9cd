"""Measuring artefacts on this machine: latency, memory, size and accuracy, and what the machine was doing meanwhile."""
