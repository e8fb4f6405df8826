import random

import numpy as np
import pytest
import tiny
import torch
from sets import encoded, opened

from gymline_trainer.collate import Collator
from gymline_trainer.errors import ConfigError
from gymline_trainer.packing import pack

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
    sequences = encoded("sft", opened(tmp_path, [tiny.sft_row(number, steps=number) for number in range(3)]), tiny.tokenizer())
    # As if what a sequence begins with were to be learnt.
    sequences[1]["labels"][0] = sequences[1]["input_ids"][0]
    batch = Collator(sequences, 0, packing=True)([[0, 1, 2]])
    lengths = [len(sequence["input_ids"]) for sequence in sequences]
    assert batch.inputs["position_ids"].tolist() == [[place for length in lengths for place in range(length)]]
    assert batch.inputs["input_ids"].tolist() == [[token for sequence in sequences for token in sequence["input_ids"]]]
    starts = np.cumsum([0, *lengths]).tolist()
    expected = [
        (starts[number] + place - 1, token, number)
        for number, sequence in enumerate(sequences)
        for place, token in enumerate(sequence["labels"])
        if token != -100 and place > 0
    ]
    assert list(zip(batch.columns.tolist(), batch.targets.tolist(), batch.sequence.tolist())) == expected


@pytest.mark.parametrize("make", [tiny.qwen2, tiny.llama])
def test_a_model_says_the_same_of_a_packed_sequence_as_of_one_by_itself(tmp_path, make):
    tokenizer = tiny.tokenizer()
    sequences = encoded("sft", opened(tmp_path, [tiny.sft_row(number, steps=number) for number in range(3)]), tokenizer)
    model = make(tokenizer, attn_implementation="sdpa").eval()
    # A row that is shorter than the other, so that there is padding.
    batch = Collator(sequences, 0, packing=True)([[0, 1, 2], [1]])
    lengths = [len(sequence["input_ids"]) for sequence in sequences]
    with torch.no_grad():
        together = model(**batch.inputs, use_cache=False).logits
        alone = [model(input_ids=torch.tensor([sequence["input_ids"]])).logits[0] for sequence in sequences]
    assert torch.allclose(together[0], torch.cat(alone), atol=1e-5)
    assert torch.allclose(together[1, : lengths[1]], alone[1], atol=1e-5)
    # Without positions that begin anew it is another matter.
    with torch.no_grad():
        careless = model(input_ids=batch.inputs["input_ids"]).logits[0]
    assert not torch.allclose(careless, torch.cat(alone), atol=1e-3)
