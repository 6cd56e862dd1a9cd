import os

from advisor.cpus import open_cpus
from advisor.measurement.machine import environment, machine_name


def test_the_environment_names_processor_versions_and_load():
    found = environment(2)
    assert found["threads"] == "2"
    assert f"{os.cpu_count()} CPUs" in found["machine"] == machine_name()
    assert {"onnxruntime", "numpy", "governor", "load_average", "throttle_events"} <= set(found)


def test_open_cpus_are_those_of_this_process():
    allowed = os.sched_getaffinity(0)
    try:
        os.sched_setaffinity(0, {min(allowed)})
        assert open_cpus() == 1
    finally:
        os.sched_setaffinity(0, allowed)
