import pytest

from advisor.devices import load_device
from advisor.errors import AdvisorError
from advisor.ranking.elsewhere import alternatives, reopening


def test_power_modes_come_first_and_then_the_devices_most_alike():
    names = ("jetson-orin-nano-8gb", "jetson-tx1", "raspberry-pi-4b", "jetson-nano")
    found = alternatives(load_device("jetson-nano"), [load_device(name) for name in names])
    assert found == ("power_mode=5W", "target=jetson-tx1", "target=jetson-orin-nano-8gb")


@pytest.mark.parametrize(
    ("spec", "batch", "shape"),
    [
        ({"spec": "timm:resnet18", "input_shape": [1, 3, 224, 224], "batch": 1}, 4, [4, 3, 224, 224]),
        ({"spec": "timm:resnet18", "input_shape": [2, 3, 224, 224], "batch": 2}, 2, [2, 3, 224, 224]),
        ({"spec": "timm:resnet18"}, 4, None),
    ],
)
def test_a_model_is_opened_again_at_the_batch_asked_for(spec, batch, shape):
    found = reopening(spec, batch)
    assert (found.get("input_shape"), found["batch"]) == (shape, batch)


@pytest.mark.parametrize(
    ("spec", "says"),
    [
        ({"workload": "0"}, "does not say how to open"),
        ({"spec": "net.onnx", "batch": 1, "input_shape": [{"shape": [1, 3]}, {"shape": [1, 5]}]}, "several inputs"),
    ],
)
def test_what_cannot_be_opened_again_says_so(spec, says):
    with pytest.raises(AdvisorError, match=says):
        reopening(spec, 4)
