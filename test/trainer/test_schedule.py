import random

import pytest
import torch

from gymline_trainer.config import SftConfig
from gymline_trainer.packing import pack
from gymline_trainer.schedule import Schedule, rate, shared_out, warmup_steps


def config(**options):
    return SftConfig(data="d", model="m", **options)


@pytest.mark.parametrize("packing", [False, True])
@pytest.mark.parametrize("curriculum", [False, True])
def test_every_step_is_counted_and_every_sequence_of_an_epoch_is_in_one_of_them(packing, curriculum):
    """Also where rows are left over at the end of an epoch: they are a step of their own."""
    generator = random.Random(0)
    for trial in range(20):
        lengths = [generator.randint(5, 60) for _ in range(generator.randint(1, 40))]
        difficulties = [generator.random() for _ in lengths]
        own = config(
            packing=packing, curriculum=curriculum, curriculum_warmup_epochs=2, max_length=64, epochs=3, batch_size=2, seed=trial, gradient_accumulation_steps=3
        )
        schedule = Schedule(own, lengths, difficulties)
        steps = 0
        for epoch in range(3):
            seen = []
            for position in range(schedule.steps_in(epoch)):
                rows = [row for batch, counts in schedule.batches(epoch, position) for row in batch if counts]
                assert 1 <= len(rows) <= 6
                assert all(sum(lengths[index] for index in row) <= 64 for row in rows)
                seen.extend(index for row in rows for index in row)
                steps += 1
            assert sorted(seen) == sorted(schedule.curriculum.order(epoch))
        assert schedule.total == steps


def test_a_run_may_be_cut_short():
    assert Schedule(config(max_steps=2, batch_size=1, gradient_accumulation_steps=1), [5] * 9, [0.0] * 9).total == 2
    assert Schedule(config(max_steps=200, batch_size=1, gradient_accumulation_steps=1), [5] * 9, [0.0] * 9).total == 27


def test_processes_have_as_many_batches_each_and_share_the_rows_out():
    generator = random.Random(1)
    for _ in range(50):
        lengths = [generator.randint(5, 60) for _ in range(generator.randint(1, 20))]
        rows = [[index] for index in range(len(lengths))]
        count = generator.randint(1, 4)
        shares = [shared_out(rows, lengths, 2, (number, count)) for number in range(count)]
        assert len({len(share) for share in shares}) == 1
        counted = [index for share in shares for batch, counts in share if counts for (index,) in batch]
        assert sorted(counted) == list(range(len(lengths)))
        assert all(counts for _, counts in shares[0])


def test_rows_of_like_length_come_together_so_that_there_is_less_padding():
    lengths = [10, 100, 10, 100]
    batches = [batch for batch, _ in shared_out([[0], [1], [2], [3]], lengths, 2, (0, 1))]
    assert batches == [[[1], [3]], [[0], [2]]]


@pytest.mark.parametrize("kind", ["cosine", "linear", "constant"])
def test_rates_are_those_of_transformers_once_warm(kind):
    from transformers import get_scheduler

    total, warmup = 37, 5
    parameter = torch.nn.Parameter(torch.zeros(1))
    optimizer = torch.optim.SGD([parameter], lr=1.0)
    name = "constant_with_warmup" if kind == "constant" else kind
    schedule = get_scheduler(name, optimizer, num_warmup_steps=warmup, num_training_steps=total)
    for step in range(total):
        expected = schedule.get_last_lr()[0]
        if step >= warmup:
            assert rate(kind, step, warmup, total) == pytest.approx(expected, abs=1e-12)
        else:
            assert rate(kind, step, warmup, total) == (step + 1) / warmup
        optimizer.step()
        schedule.step()


def test_warm_up_is_a_share_of_the_steps_or_a_number_of_them():
    assert warmup_steps(config(warmup_ratio=0.1), 31) == 4
    assert warmup_steps(config(warmup_ratio=0.1, warmup_steps=0), 31) == 0
    assert rate("cosine", 0, 0, 31) == 1.0


def test_packed_rows_are_those_of_the_order_of_the_epoch():
    lengths = [30, 20, 10, 40]
    schedule = Schedule(config(packing=True, max_length=64), lengths, [0.0] * 4)
    assert schedule.rows(0, 0) == pack(lengths, 64, schedule.curriculum.order(0))
