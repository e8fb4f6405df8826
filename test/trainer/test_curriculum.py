import random

import pytest
from golden import golden

from gymline_trainer.config import SftConfig
from gymline_trainer.curriculum import Curriculum, CurriculumConfig, difficulty
from gymline_trainer.schedule import Schedule


def test_difficulties_equal_the_reference():
    (vector,) = [vector for vector in golden("trainer_curriculum.json") if vector["name"] == "difficulties"]
    for record, expected in zip(vector["input"]["records"], vector["expected"], strict=True):
        steps = len(record["steps"]) if "steps" in record else record.get("metadata", {}).get("total_steps", 1)
        assert difficulty(steps, record.get("reward")) == pytest.approx(expected)


def test_the_share_and_the_members_of_each_epoch_equal_the_reference():
    seen = 0
    for vector in golden("trainer_curriculum.json"):
        of = vector["input"]
        if "difficulties" not in of:
            continue
        config = CurriculumConfig(True, of["start_ratio"], of["warmup"])
        curriculum = Curriculum(of["difficulties"], config, seed=3)
        for epoch, expected in enumerate(vector["expected"]):
            assert curriculum.ratio(epoch) == pytest.approx(expected["ratio"])
            assert curriculum.size(epoch) == expected["len"]
            assert sorted(curriculum.order(epoch)) == expected["members"]
        seen += 1
    assert seen >= 4


def test_an_epoch_holds_the_easiest_and_each_holds_the_one_before():
    draw = random.Random(2)
    for _ in range(100):
        values = [draw.choice([draw.random(), 1.0]) for _ in range(draw.randrange(1, 60))]
        curriculum = Curriculum(values, CurriculumConfig(True, draw.random(), draw.randrange(0, 5)), seed=draw.randrange(9))
        before: set[int] = set()
        for epoch in range(6):
            members = set(curriculum.order(epoch))
            assert len(members) == curriculum.size(epoch) and before <= members
            left = [values[index] for index in range(len(values)) if index not in members]
            assert not left or max(values[index] for index in members) <= min(left)
            before = members
        assert len(before) == len(values)


def test_seed_and_epoch_say_the_order_whatever_was_drawn_in_between():
    one = Curriculum(range(50), seed=7)
    first = one.order(3)
    random.seed(1)
    random.random()
    assert Curriculum(range(50), seed=7).order(3) == first
    assert one.order(4) != first and Curriculum(range(50), seed=8).order(3) != first
    assert sorted(first) == list(range(50))
    # Written down, so that a run can be taken up again by another version.
    assert Curriculum(range(6), seed=1).order(0) == WRITTEN


WRITTEN = [0, 4, 1, 2, 3, 5]


def test_steps_count_what_is_left_of_each_epoch():
    curriculum = Curriculum(range(10), CurriculumConfig(True, 0.3, 2))
    assert [curriculum.size(epoch) for epoch in range(3)] == [3, 7, 10]
    assert curriculum.steps(3, 4) == 1 + 2 + 3
    options = {"data": "d", "model": "m", "batch_size": 2, "gradient_accumulation_steps": 2}
    eased = SftConfig(**options, curriculum=True, curriculum_start_ratio=0.3, curriculum_warmup_epochs=2, epochs=3)
    assert Schedule(eased, [5] * 10, range(10)).total == 6
    packed = SftConfig(**{**options, "batch_size": 1}, packing=True, max_length=10, epochs=2)
    # Five rows of two sequences each, two rows in a step.
    assert Schedule(packed, [5] * 10, range(10)).total == 6


def test_an_empty_set_has_empty_epochs():
    curriculum = Curriculum([], CurriculumConfig(True))
    assert curriculum.order(0) == [] and curriculum.steps(3, 4) == 0
