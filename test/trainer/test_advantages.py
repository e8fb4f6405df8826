import random
import statistics

import pytest
from golden import golden

from gymline_trainer.advantages import group_advantage, spread, step_advantages, step_weights


def test_proportional_advantages_equal_the_reference_step_by_step():
    seen = 0
    for vector in golden("trainer_losses.json"):
        if not vector["name"].startswith("step_adv"):
            continue
        of = vector["input"]
        for advantage, rewards, expected in zip(of["advantages"], of["step_rewards"], vector["expected"]["per_step"]):
            if rewards:
                assert step_advantages("proportional", advantage, rewards) == pytest.approx(expected, abs=1e-9)
                seen += 1
    assert seen >= 3


def test_a_groups_advantages_are_its_rewards_in_units_of_their_spread():
    rewards = [0.1, 0.4, 0.9, 0.6]
    mean, deviation = statistics.mean(rewards), statistics.stdev(rewards)
    for reward in rewards:
        assert group_advantage(reward, rewards) == pytest.approx((reward - mean) / deviation, abs=1e-6)
        assert group_advantage(reward, rewards, scale=False) == pytest.approx(reward - mean)


def test_a_group_without_variance_has_no_advantages_and_no_division_by_zero():
    # 0.1 + 0.2 and the like: equal rewards have a deviation of exactly 0, whatever their mean is rounded to.
    for reward in (0.0, 0.1, 0.7, 1.0):
        assert spread([reward] * 7)[1] == 0.0
        assert group_advantage(reward, [reward] * 7) == 0.0
    assert group_advantage(0.5, [0.5]) == 0.0


def test_credit_falls_on_good_steps_and_blame_on_bad_ones():
    good = step_advantages("credit", 1.0, [0.2, 0.8])
    bad = step_advantages("credit", -1.0, [0.2, 0.8])
    assert good == pytest.approx([0.4, 1.6]) and bad == pytest.approx([-1.6, -0.4])
    # What the reference does: it blames the better step more.
    assert step_advantages("proportional", -1.0, [0.2, 0.8]) == pytest.approx([-0.4, -1.6], abs=1e-6)


def test_credit_keeps_the_sign_and_the_mean_of_the_attempts_advantage():
    draw = random.Random(4)
    for _ in range(300):
        rewards = [draw.choice([draw.random(), 0.0, 1.0]) for _ in range(draw.randrange(1, 9))]
        advantage = draw.uniform(-3, 3)
        own = step_advantages("credit", advantage, rewards)
        assert statistics.mean(own) == pytest.approx(advantage, abs=1e-9)
        assert all(value * advantage >= 0 for value in own)
        order = sorted(range(len(rewards)), key=rewards.__getitem__)
        assert [own[index] for index in order] == sorted(own) or max(own) - min(own) < 1e-9


def test_steps_without_a_reward_have_that_of_the_attempt():
    assert step_advantages("credit", 0.5, [None, 0.2, None, 0.6]) == pytest.approx([0.5, 0.25, 0.5, 0.75])
    assert step_advantages("credit", 0.5, [None, None]) == [0.5, 0.5]
    assert step_advantages("trajectory", 0.5, [0.1, 0.9]) == [0.5, 0.5]


def test_process_advantages_add_up_what_is_still_to_come():
    mean, deviation = spread([0.0, 1.0, 0.5, 0.5])
    own = step_advantages("process", 9.0, [0.0, None, 1.0], (mean, deviation))
    unit = 0.5 / deviation
    assert own == pytest.approx([0.0, unit, unit], abs=1e-6)
    assert step_advantages("process", 9.0, [None, None], (mean, deviation)) == [0.0, 0.0]
    assert step_advantages("process", 9.0, [0.5, 0.5], (0.5, 0.0)) == [0.0, 0.0]


def test_weights_of_steps_have_a_mean_of_one_and_equal_the_reference_where_it_learns_at_all():
    (more,) = [vector for vector in golden("trainer_masks.json") if vector["name"] == "weights_more"]
    assert sorted(set(step_weights(more["input"]["step_rewards"])[:2])) == more["expected"]["distinct"]
    assert step_weights([0.7, 0.7]) == pytest.approx([1.0, 1.0])
    # The reference gives every step weight 0 here, so that nothing is learnt.
    assert step_weights([0, 0]) == [1.0, 1.0]
    draw = random.Random(6)
    for _ in range(100):
        rewards = [draw.random() for _ in range(draw.randrange(1, 9))]
        assert statistics.mean(step_weights(rewards)) == pytest.approx(1.0)
    assert step_weights([None, 0.5, 1.0]) == pytest.approx([1.0, 2 / 3, 4 / 3])
