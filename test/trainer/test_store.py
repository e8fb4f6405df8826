import math
import pickle
import tracemalloc

import pytest
import tiny
from sets import encoded, opened

from gymline_trainer import store
from gymline_trainer.chat import ChatFormat
from gymline_trainer.errors import DataError
from gymline_trainer.options import EncodeOptions
from gymline_trainer.store import encoded_set

TOKENIZER = tiny.tokenizer()
ROWS = {
    "sft": [tiny.sft_row(number, steps=number) for number in range(4)],
    "dpo": [tiny.dpo_row(number) for number in range(2)],
    "grpo": tiny.grpo_rows("g", [0.1, 0.9, 0.5]),
    "prm": [tiny.prm_row(number) for number in range(2)],
}


def plain(value):
    """NaN equals nothing, so it is written out."""
    if isinstance(value, dict):
        return {key: plain(own) for key, own in value.items()}
    if isinstance(value, list):
        return [plain(own) for own in value]
    return "nan" if isinstance(value, float) and math.isnan(value) else value


@pytest.mark.parametrize("algorithm", ROWS)
def test_what_is_kept_on_disk_is_what_was_encoded(tmp_path, algorithm):
    dataset = opened(tmp_path, ROWS[algorithm], algorithm)
    kept = encoded_set(algorithm, dataset, ChatFormat(TOKENIZER), EncodeOptions(), tmp_path)
    expected = encoded(algorithm, dataset, TOKENIZER)
    assert plain(list(kept)) == plain(expected) and len(kept) == len(expected)
    assert plain(kept[-1]) == plain(expected[-1]) and plain(kept[:2]) == plain(expected[:2])
    sides = [[one["chosen"], one["rejected"]] if algorithm == "dpo" else [one] for one in expected]
    assert kept.lengths.tolist() == [max(len(side["input_ids"]) for side in own) for own in sides]
    assert kept.difficulties.tolist() == pytest.approx([sum(side["difficulty"] for side in own) / len(own) for own in sides])
    assert plain(list(pickle.loads(pickle.dumps(kept)))) == plain(expected)
    with pytest.raises(IndexError):
        kept[len(kept)]


def test_sequences_are_encoded_once_and_anew_where_anything_that_shapes_them_changes(tmp_path):
    dataset = opened(tmp_path, ROWS["sft"])
    folder = lambda **options: encoded_set("sft", dataset, ChatFormat(TOKENIZER), EncodeOptions(**options), tmp_path).folder
    first = folder()
    stamp = (first / "sequences.arrow").stat().st_mtime_ns
    assert folder() == first and (first / "sequences.arrow").stat().st_mtime_ns == stamp
    others = {folder(max_length=440), folder(step_weights=True)}
    others.add(encoded_set("sft", dataset, ChatFormat(TOKENIZER, tiny.UNMARKED), EncodeOptions(), tmp_path).folder)
    others.add(encoded_set("sft", dataset, ChatFormat(tiny.tokenizer(vocab_size=350)), EncodeOptions(), tmp_path).folder)
    changed = opened(tmp_path, [*ROWS["sft"], tiny.sft_row(9)])
    others.add(encoded_set("sft", changed, ChatFormat(TOKENIZER), EncodeOptions(), tmp_path).folder)
    assert len(others | {first}) == 6
    assert not list((tmp_path / "encoded").glob(".tmp-*"))


def test_rows_with_faults_leave_nothing_behind(tmp_path):
    dataset = opened(tmp_path, ROWS["sft"])
    with pytest.raises(DataError):
        encoded_set("sft", dataset, ChatFormat(TOKENIZER), EncodeOptions(max_length=100), tmp_path)
    assert list((tmp_path / "encoded").iterdir()) == []


def test_memory_does_not_grow_with_the_rows(tmp_path, monkeypatch):
    """Peak of what Python holds, for ten times the rows; with small batches, so that a few rows fill some."""
    monkeypatch.setattr(store, "_BATCH_TOKENS", 1 << 13)
    peaks = []
    for count in (30, 300):
        dataset = opened(tmp_path, [tiny.sft_row(number, steps=4) for number in range(count)])
        tracemalloc.start()
        kept = encoded_set("sft", dataset, ChatFormat(TOKENIZER), EncodeOptions(), tmp_path)
        assert sum(len(sequence["input_ids"]) for sequence in kept) == kept.figures.tokens
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 1.5 * peaks[0]
