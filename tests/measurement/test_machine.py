import os

from advisor.measurement.machine import environment, machine_name


def test_the_environment_names_processor_versions_and_load():
    found = environment(2)
    assert found["threads"] == "2"
    assert f"{os.cpu_count()} CPUs" in found["machine"] == machine_name()
    assert {"onnxruntime", "numpy", "governor", "load_average", "throttle_events"} <= set(found)
