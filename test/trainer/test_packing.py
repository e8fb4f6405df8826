import random

import numpy as np
import pytest
import tiny
import torch
from sets import opened

from gymline_trainer.encode import encode_sft
from gymline_trainer.errors import ConfigError
from gymline_trainer.packing import block_mask, cumulative_lengths, pack, packed

torch.set_num_threads(1)


def test_every_sequence_is_in_one_row_and_no_row_is_too_long():
    draw = random.Random(3)
    for _ in range(200):
        limit = draw.randrange(1, 60)
        lengths = [draw.randrange(1, limit + 1) for _ in range(draw.randrange(0, 80))]
        order = draw.sample(range(len(lengths)), draw.randrange(0, len(lengths) + 1))
        rows = pack(lengths, limit, order)
        assert sorted(index for row in rows for index in row) == sorted(order)
        assert all(0 < sum(lengths[index] for index in row) <= limit for row in rows)
        # Best fit decreasing needs at most 11/9 of the best, which is no less than the tokens need.
        least = -(-sum(lengths[index] for index in order) // limit)
        assert len(rows) <= 2 * least or least == 0
        place = {index: number for number, index in enumerate(order)}
        assert [place[row[0]] for row in rows] == sorted(place[row[0]] for row in rows)
        assert all([place[index] for index in row] == sorted(place[index] for index in row) for row in rows)


def test_known_lengths_are_packed_without_a_gap():
    assert [sorted(row) for row in pack([6, 4, 7, 3, 10], 10)] == [[0, 1], [2, 3], [4]]
    with pytest.raises(ConfigError, match="11 tokens does not fit into a row of 10"):
        pack([11], 10)


def test_positions_begin_anew_and_no_sequence_is_predicted_from_another(tmp_path):
    sequences = encode_sft(opened(tmp_path, [tiny.sft_row(number, steps=number) for number in range(3)]), tiny.tokenizer())
    row = packed(sequences)
    lengths = [len(sequence["input_ids"]) for sequence in sequences]
    assert {len(values) for values in row.values()} == {sum(lengths)}
    assert row["position_ids"] == [place for length in lengths for place in range(length)]
    assert cumulative_lengths(row["sequence_ids"]) == [0, *np.cumsum(lengths).tolist()]
    at = 0
    for sequence, length in zip(sequences, lengths):
        assert row["labels"][at] == -100 and row["labels"][at + 1 : at + length] == sequence["labels"][1:]
        at += length


def test_a_mask_has_blocks_that_look_back_and_padding_that_looks_at_itself():
    assert block_mask([0, 0, 1, 1, -1]).astype(int).tolist() == [
        [1, 0, 0, 0, 0],
        [1, 1, 0, 0, 0],
        [0, 0, 1, 0, 0],
        [0, 0, 1, 1, 0],
        [0, 0, 0, 0, 1],
    ]


@pytest.mark.parametrize("make", [tiny.qwen2, tiny.llama])
def test_a_model_says_the_same_of_a_packed_sequence_as_of_one_by_itself(tmp_path, make):
    tokenizer = tiny.tokenizer()
    sequences = encode_sft(opened(tmp_path, [tiny.sft_row(number, steps=number) for number in range(3)]), tokenizer)
    model = make(tokenizer, attn_implementation="sdpa").eval()
    row = packed(sequences)
    mask = torch.from_numpy(block_mask(row["sequence_ids"]))[None, None]
    with torch.no_grad():
        together = model(
            input_ids=torch.tensor([row["input_ids"]]),
            attention_mask=mask,
            position_ids=torch.tensor([row["position_ids"]]),
        ).logits[0]
        alone = torch.cat([model(input_ids=torch.tensor([sequence["input_ids"]])).logits[0] for sequence in sequences])
    assert torch.allclose(together, alone, atol=1e-5)
    # Without the mask and the positions it is another matter.
    with torch.no_grad():
        careless = model(input_ids=torch.tensor([row["input_ids"]])).logits[0]
    assert not torch.allclose(careless, alone, atol=1e-3)
