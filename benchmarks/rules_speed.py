"""How long the rules take: `python benchmarks/rules_speed.py` asks all of them of 500 different plans.

Two lots of facts: the plans of real recommendations, and plans whose facts are random legal values, in one case that is
random, too. Every run begins with a rule base that remembers nothing. Times are those of one core, whatever else runs.
"""

import random
import statistics
import time

from advisor import recommend
from advisor.rules import Vocabulary, evaluate, load_rules
from advisor.rules.vocabulary import PER_CANDIDATE

COUNT, RUNS, SEED = 500, 5, 0
QUESTIONS = (
    ("timm:resnet18", "raspberry-pi-4b"), ("timm:mobilenetv2_100", "jetson-orin-nano-8gb"),
    ("timm:vit_tiny_patch16_224", "raspberry-pi-5"), ("timm:efficientnet_b0", "rk3588"),
    ("timm:mobilenetv3_small_100", "stm32n6"), ("timm:resnet50", "coral-dev-board"),
)  # fmt: skip


def main():
    base = load_rules()
    asked = sum(entry.rule.scope == "candidate" and not entry.rule.deprecated for entry in base)
    print(f"{len(base)} rules, {asked} of them asked of every plan; {COUNT} plans, {RUNS} runs\n")
    print(f"{'facts':34} {'median':>8} {'slowest':>8}")
    for name, plans in (
        ("plans of real recommendations", real_plans()),
        ("random plans", random_facts(base.vocabulary)),
    ):
        times = [seconds(base, plans) for _ in range(RUNS)]
        print(f"{name:34} {statistics.median(times):6.2f} s {max(times):6.2f} s")


def seconds(base, plans):
    """Ask a rule base that remembers nothing."""
    fresh = base.of(base)
    begun = time.process_time()
    for facts in plans:
        evaluate(fresh, facts, "candidate")
    return time.process_time() - begun


def real_plans():
    """Return the facts of the first different plans of the questions."""
    found = {}
    for model, device in QUESTIONS:
        answer = recommend(model, device)
        for candidate in answer.candidates:
            facts = answer.facts | candidate.facts
            found.setdefault(repr(sorted(facts.items(), key=str)), facts)
        if len(found) >= COUNT:
            return list(found.values())[:COUNT]
    raise SystemExit(f"only {len(found)} different plans; ask more questions")


def random_facts(vocabulary: Vocabulary):
    """Return plans of one case with a random legal value for every fact that is not the user's to tell."""
    chance = random.Random(SEED)

    def draw(of_a_plan: bool):
        derived = (name for name, spec in vocabulary.items() if spec.origin == "derived")
        return {
            name: value(vocabulary[name], chance) for name in derived if name.startswith(PER_CANDIDATE) is of_a_plan
        }

    case = draw(False)
    return [case | draw(True) for _ in range(COUNT)]


def value(spec, chance):
    if spec.type == "bool":
        return chance.random() < 0.5
    if spec.type == "number":
        low, high = spec.bounds or (0, 10 ** chance.randint(0, 9))
        return chance.uniform(low, min(high, 1e9))
    if spec.type == "string":
        return chance.choice(spec.values or ("tensorrt", "ncnn", "onnxruntime", "jetson-nano", "aarch64"))
    return frozenset(chance.sample(spec.values or ("add", "mul", "cortex-a72"), k=2))


if __name__ == "__main__":
    main()
