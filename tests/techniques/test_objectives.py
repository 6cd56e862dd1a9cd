"""What networks are taught by: each formula against numbers worked out by hand, and the presets."""

import numpy as np
import pytest

from advisor.errors import KnowledgeError
from advisor.techniques.distil.presets import OBJECTIVES, Teaching, load_presets, preset, preset_for, recovery
from advisor.techniques.distil.step import Distil

from .taught import Answers, made

pytestmark = pytest.mark.real

RANDOM = np.random.default_rng(0)
SAID, TOLD = 2 * RANDOM.standard_normal((2, 5, 4))
LABELS = np.array([0, 3, 1, 1, 2])
ROWS, COLUMNS = np.arange(5), np.arange(4)


def shares(scores, by=1.0):
    powers = np.exp(scores / by)
    return powers / powers.sum(1, keepdims=True)


def kl(wanted, found):
    return (wanted * np.log(wanted / found)).sum(1).mean()


def by_hand_response(said, temperature=3.0):
    return temperature**2 * kl(shares(TOLD, temperature), shares(said, temperature))


def by_hand_decoupled(said, temperature=4.0, target=1.0, others=8.0):
    told, found = shares(TOLD, temperature), shares(said, temperature)
    right = COLUMNS[None] == LABELS[:, None]

    def halves(p):
        return np.stack([p[right], 1 - p[right]], 1), (p[~right] / np.repeat(1 - p[right], 3)).reshape(5, 3)

    (told_two, told_rest), (said_two, said_rest) = halves(told), halves(found)
    return temperature**2 * (target * kl(told_two, said_two) + others * kl(told_rest, said_rest))


def by_hand_standardised(said, temperature=2.0):
    def z(scores):
        return (scores - scores.mean(1, keepdims=True)) / (scores.std(1, keepdims=True, ddof=1) + 1e-7)

    return temperature**2 * kl(shares(z(TOLD), temperature), shares(z(said), temperature))


def by_hand_hard_label(said):
    return -np.log(shares(said)[ROWS, TOLD.argmax(1)]).mean()


def huber(a, b):
    apart = np.abs(a - b)
    return np.where(apart < 1, 0.5 * apart**2, apart - 0.5).mean()


def by_hand_relation(said, distance=25.0, angle=50.0):
    def distances(rows):
        found = np.linalg.norm(rows[:, None] - rows[None], axis=2)
        return found / found[found > 0].mean()

    def cosines(rows):
        found = np.zeros((5, 5, 5))
        for i in range(5):
            for j in range(5):
                for k in range(5):
                    if i not in (j, k):
                        one, other = rows[j] - rows[i], rows[k] - rows[i]
                        found[i, j, k] = one @ other / np.linalg.norm(one) / np.linalg.norm(other)
        return found

    return distance * huber(distances(said), distances(TOLD)) + angle * huber(cosines(said), cosines(TOLD))


BY_HAND = {
    "response": (by_hand_response, "survey"),
    "decoupled": (by_hand_decoupled, "decoupled"),
    "standardised": (by_hand_standardised, "standardised"),
    "hard_label": (by_hand_hard_label, "hard-label"),
    "relation": (by_hand_relation, "relation"),
}


@pytest.mark.parametrize("name", BY_HAND)
def test_terms_and_their_gradients_are_those_by_hand(name):
    import torch

    by_hand, from_preset = BY_HAND[name]
    teaching = preset(from_preset).model_copy(update={"alpha": 1.0, "scale": 1.0})
    student, teacher = Answers(SAID), Answers(TOLD)
    objective = made(teaching, student, teacher)
    loss = objective(student, teacher, torch.zeros(5, 1, 2, 2), torch.from_numpy(LABELS))
    assert float(loss) == pytest.approx(by_hand(SAID), rel=1e-4)
    loss.backward()
    step = 1e-5
    for index in np.ndindex(SAID.shape):
        change = np.zeros_like(SAID)
        change[index] = step
        slope = (by_hand(SAID + change) - by_hand(SAID - change)) / (2 * step)
        assert float(student.scores.grad[index]) == pytest.approx(slope, abs=2e-3)
    assert teacher.scores.grad is None


@pytest.mark.parametrize("name", BY_HAND)
def test_labels_have_the_rest_and_the_term_its_scale(name):
    import torch

    by_hand, from_preset = BY_HAND[name]
    teaching = preset(from_preset)
    student, teacher = Answers(SAID), Answers(TOLD)
    loss = made(teaching, student, teacher)(student, teacher, torch.zeros(5, 1, 2, 2), torch.from_numpy(LABELS))
    hard = -np.log(shares(SAID)[ROWS, LABELS]).mean()
    share = teaching.alpha
    assert float(loss) == pytest.approx((1 - share) * hard + share * teaching.scale * by_hand(SAID), rel=1e-4)


def test_the_teacher_itself_has_nothing_to_learn():
    import torch

    for name in set(BY_HAND) - {"hard_label"}:
        teaching = preset(BY_HAND[name][1]).model_copy(update={"alpha": 1.0})
        student, teacher = Answers(TOLD), Answers(TOLD)
        loss = made(teaching, student, teacher)(student, teacher, torch.zeros(5, 1, 2, 2), torch.from_numpy(LABELS))
        assert float(loss) == pytest.approx(0, abs=1e-5), name


def test_standardised_answers_do_not_care_for_their_size():
    import torch

    teaching = preset("standardised").model_copy(update={"alpha": 1.0})
    student, teacher = Answers(5 * TOLD + 2), Answers(TOLD)
    loss = made(teaching, student, teacher)(student, teacher, torch.zeros(5, 1, 2, 2), torch.from_numpy(LABELS))
    assert float(loss) == pytest.approx(0, abs=1e-5)


@pytest.mark.parametrize("scores", [np.zeros((5,)), np.zeros((5, 1)), np.zeros((2, 3, 4, 4))])
def test_what_a_term_cannot_compare_is_taught_by_labels_alone(scores):
    import torch

    from advisor.techniques.distil.objectives import build

    student, teacher = Answers(scores + 1), Answers(scores)
    objective = build(preset("decoupled"), student, teacher, None, lambda found, _: found.sum())
    assert float(objective(student, teacher, torch.zeros(5, 1, 2, 2), None)) == pytest.approx(scores.size)


def test_maps_of_scores_are_compared_place_by_place():
    import torch

    said, told = np.random.default_rng(1).standard_normal((2, 2, 3, 4, 4))
    student, teacher = Answers(said), Answers(told)
    teaching = Teaching(temperature=3.0, alpha=1.0)
    targets = torch.zeros(2, 4, 4, dtype=torch.long)
    loss = made(teaching, student, teacher)(student, teacher, torch.zeros(2, 1, 4, 4), targets)
    flat = [scores.transpose(0, 2, 3, 1).reshape(-1, 3) for scores in (told, said)]
    assert float(loss) == pytest.approx(9 * kl(*(shares(scores, 3.0) for scores in flat)), rel=1e-4)


def test_two_images_have_no_angle_and_teach_nothing():
    import torch

    student, teacher = Answers(SAID[:2]), Answers(TOLD[:2])
    teaching = preset("relation").model_copy(update={"alpha": 1.0})
    loss = made(teaching, student, teacher)(student, teacher, torch.zeros(2, 1, 2, 2), torch.from_numpy(LABELS[:2]))
    assert float(loss) == 0
    loss.backward()


def test_every_objective_has_a_preset_of_its_own_and_the_survey_stays_the_default():
    assert {entry.objective for entry in load_presets().values()} == set(OBJECTIVES)
    usual = Distil(student="timm:x")
    assert (usual.preset, usual.objective, usual.temperature, usual.alpha) == ("survey", "response", 3.0, 0.9)


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_naming_an_objective_takes_its_preset(objective):
    step = Distil(student="timm:x", objective=objective)
    entry = preset(preset_for(objective))
    assert (step.objective, step.alpha, step.scale, step.parts) == (objective, entry.alpha, entry.scale, entry.parts)
    assert step.teaching == Teaching.model_validate(entry.model_dump(include=set(Teaching.model_fields)))
    assert Distil.model_validate(step.model_dump(exclude={"name"})) == step
    assert Distil(student="timm:x", objective=objective, alpha=0.2).alpha == 0.2


def test_recovery_is_named_and_half_labels_half_original_unless_said_otherwise():
    usual = recovery()
    assert (usual.objective, usual.alpha, usual.temperature) == ("response", 0.5, 3.0)
    assert recovery("features").objective == "hint"
    with pytest.raises(KnowledgeError, match="features"):
        recovery("feature")


def test_without_a_teacher_recovery_asks_the_labels_alone():
    import torch

    from advisor.techniques.distil.objectives.mixed import Labels
    from advisor.techniques.distil.objectives.recovery import recovery_objective

    student = Answers(SAID)
    objective = recovery_objective(student, None, None, torch.nn.functional.cross_entropy)
    assert isinstance(objective, Labels)
    loss = objective(student, None, torch.zeros(5, 1, 2, 2), torch.from_numpy(LABELS))
    assert float(loss) == pytest.approx(-np.log(shares(SAID)[ROWS, LABELS]).mean(), rel=1e-4)
    objective.close()
