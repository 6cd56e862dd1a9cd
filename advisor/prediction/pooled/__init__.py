"""Latency on named devices: published measurements, and a model that pools them over networks, setups and devices."""
