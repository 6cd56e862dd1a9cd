"""Times of networks that no calibration has seen, in all forms, and of pruned ones; kept in a folder to be resumed.

Every round stands beside the calibration's reference network, and is scaled to the speed that the machine had when it
was calibrated, so that a busy hour shifts nothing.
"""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import timm

from advisor.calibration.artefacts import FORMS, artefacts
from advisor.calibration.collect import REFERENCE, Collected, Reference, Sample
from advisor.calibration.probes import distinct, probes
from advisor.calibration.timer import HostTimer
from advisor.profiling import profile_module
from advisor.schema import Workload
from advisor.techniques.dynamic_int8.preview import preview as preview_dynamic
from advisor.techniques.dynamic_int8.step import DynamicInt8
from advisor.techniques.prune_channels.apply import apply as prune
from advisor.techniques.prune_channels.step import PruneChannels
from advisor.techniques.static_int8.preview import preview as preview_static
from advisor.techniques.static_int8.step import StaticInt8
from advisor.techniques.subject import Subject

# None of these, and no smaller sister of most, is part of a calibration.
UNSEEN = (
    ("resnet50", 224), ("resnet34", 160), ("vgg11_bn", 128), ("densenet121", 160), ("mobilenetv3_large_100", 224),
    ("efficientnet_lite0", 224), ("tf_efficientnetv2_b0", 192), ("ghostnet_100", 224), ("regnetx_008", 224),
    ("regnety_008", 192), ("resnext50_32x4d", 160), ("convnext_nano", 160), ("mnasnet_100", 224),
    ("deit_small_patch16_224", 224), ("vit_tiny_r_s16_p8_224", 224), ("swin_tiny_patch4_window7_224", 224),
    ("mobilevit_s", 192), ("efficientformer_l1", 224), ("poolformer_s12", 160), ("edgenext_small", 192),
    ("levit_128", 224), ("mixer_s32_224", 224), ("repvgg_a0", 160), ("dla34", 160), ("inception_v3", 224),
    ("tv:shufflenet_v2_x1_0", 224), ("tv:squeezenet1_1", 224), ("mobilenetv4_conv_small", 224), ("mobileone_s0", 192),
    ("rexnet_100", 192), ("res2net50_26w_4s", 160), ("seresnet50", 160), ("ese_vovnet19b_dw", 192),
    ("cspresnet50", 160), ("pit_ti_224", 224), ("lcnet_100", 224), ("fastvit_t8", 192), ("hrnet_w18_small", 160),
    ("tinynet_a", 192), ("xception41", 160),
)  # fmt: skip
# Pruned by 30 % with widths rounded to 1, 8 and 16; MLPs of a transformer to 1075 and 1072 of 1536 hidden units.
PRUNED = {
    "mobilenetv2_100@224": ("p1", "p8", "p16"), "resnet50@224": ("p1", "p8", "p16"),
    "vit_small_patch16_224@224": ("mlp1075", "mlp1072"),
}  # fmt: skip
RATIO = 0.3
_VIT_WIDTH = 384
_ROUNDS = 4
_ROUND_SECONDS = 0.1


def keys() -> tuple[str, ...]:
    """Names of all networks: 'resnet50@224', 'resnet50@224-p8'."""
    pruned = [key for base, variants in PRUNED.items() for key in (base, *(f"{base}-{v}" for v in variants))]
    return tuple(dict.fromkeys([f"{name}@{side}" for name, side in UNSEEN] + pruned))


def made(key: str) -> tuple[Any, tuple[int, ...]]:
    """Return the module and its input shape; norms and biases are made distinct as in trained networks."""
    base, _, variant = key.partition("-p") if "-p" in key else key.partition("-mlp")
    name, _, side = base.partition("@")
    shape = (1, 3, int(side), int(side))
    if name.startswith("tv:"):
        import torchvision

        module = getattr(torchvision.models, name[3:])()
    elif "-mlp" in key:
        module = timm.create_model(name, mlp_ratio=int(variant) / _VIT_WIDTH + 1e-9)
    else:
        module = timm.create_model(name)
    module = distinct(module.eval())
    if "-p" in key:
        step = PruneChannels(ratio=RATIO, round_to=int(variant), epochs=0, criterion="random")
        subject = Subject(shape, Path(), module=module, workload=profile_module(module, shape, name=name))
        module = prune(step, subject).module
    return module, shape


def measure(folder: Path, reference_ms: dict[int, float], threads: tuple[int, ...]) -> Iterator[str]:
    """Time what the folder does not hold yet, a network at a time."""
    timer, times = HostTimer(), known(folder)
    reference = _reference()
    for key in keys():
        wanted = [n for n in threads if f"{key}|fp32|{n}" not in times]
        if not wanted:
            continue
        module, shape = made(key)
        forms = artefacts(module, shape, name=key, family=key)
        (folder / f"{key}.json").write_text(forms[0].workload.model_dump_json())
        for count in wanted:
            clock = Reference(timer.open(reference, count))
            runs = [timer.open(form.model, count) for form in forms]
            for _ in range(_ROUNDS):
                for form, run in zip(forms, runs, strict=True):
                    beside, taken = clock.beside(run, _ROUND_SECONDS)
                    times.setdefault(f"{key}|{form.form}|{count}", []).append(
                        float(np.quantile(taken, 0.25)) / beside * reference_ms[count]
                    )
        (folder / "times.json").write_text(json.dumps(times))
        yield key


def _reference() -> bytes:
    from advisor.calibration.probes import built

    probe = next(p for p in probes() if p.name == REFERENCE)
    return artefacts(built(probe), probe.input_shape, name=probe.name, family=probe.family)[0].model


def known(folder: Path) -> dict[str, list[float]]:
    """Return the milliseconds of all rounds by 'network|form|threads'."""
    path = folder / "times.json"
    return json.loads(path.read_text()) if path.is_file() else {}


def workloads(folder: Path, key: str) -> dict[str, Workload]:
    """Return the network in every form that it has."""
    workload = Workload.model_validate_json((folder / f"{key}.json").read_text())
    found = {"fp32": workload, "int8": preview_static(StaticInt8(signedness="u8s8"), workload)}
    if any(op.kind == "linear" for op in workload.ops):
        found["int8_dynamic"] = preview_dynamic(DynamicInt8(signedness="u8s8"), workload)
    return {form: found[form] for form in FORMS if form in found}


def merged(sessions: list[Collected]) -> Collected:
    """Join repeated timings of one set of networks by medians, once each session's usual speed is taken out.

    A speed is common to all networks of a session; the first session's stands.
    """
    first = sessions[0]
    base = {(s.probe, s.form, s.threads): s for s in first.samples}
    found: dict[tuple[str, str, int], list[tuple[Sample, float]]] = {key: [(s, 1.0)] for key, s in base.items()}
    for session in sessions[1:]:
        again = {key: s for s in session.samples if (key := (s.probe, s.form, s.threads)) in base}
        for threads in {key[2] for key in again}:
            mine = {key: s for key, s in again.items() if key[2] == threads}
            speed = float(np.median([base[key].ms / s.ms for key, s in mine.items()]))
            for key, sample in mine.items():
                found[key].append((sample, speed))
    return replace(first, samples=tuple(_joined(group) for group in found.values()))


def _joined(group: list[tuple[Sample, float]]) -> Sample:
    first = group[0][0]
    alike = [(s, speed) for s, speed in group if len(s.nodes) == len(first.nodes)]
    nodes = tuple(
        replace(node, ms=float(np.median([s.nodes[i].ms * speed for s, speed in alike])))
        for i, node in enumerate(first.nodes)
    )
    return replace(first, ms=float(np.median([s.ms * speed for s, speed in group])), nodes=nodes)
