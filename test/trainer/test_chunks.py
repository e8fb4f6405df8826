import random

import pytest
import tiny
from golden import golden, messages_of
from sets import encoded, opened

from gymline_trainer.chunks import StepSize, plan_parts
from gymline_trainer.errors import DataError
from gymline_trainer.options import EncodeOptions


def test_every_step_is_learnt_once_and_no_part_is_longer_than_the_limit():
    draw = random.Random(1)
    for _ in range(300):
        steps = [StepSize(draw.randrange(1, 40), draw.randrange(0, 60)) for _ in range(draw.randrange(1, 15))]
        prompt, limit, overlap = draw.randrange(0, 30), draw.randrange(20, 200), draw.randrange(0, 4)
        parts = plan_parts(prompt, steps, limit, overlap)
        assert [step for part in parts for step in range(part.first, part.last + 1)] == list(range(len(steps)))
        for part in parts:
            inside = steps[part.context : part.last + 1]
            assert part.length == prompt + sum(step.says + step.sees for step in inside) - inside[-1].sees
            assert part.fits(limit) or (part.first == part.last == part.context and prompt + steps[part.first].says > limit)
            assert part.first - overlap <= part.context <= part.first


def test_a_part_takes_all_the_steps_and_all_the_context_that_fit():
    steps = [StepSize(10, 20)] * 6
    places = lambda limit: [(part.context, part.first, part.last, part.length) for part in plan_parts(5, steps, limit, 2)]
    assert places(105) == [(0, 0, 3, 105), (2, 4, 5, 105)]
    assert places(104) == [(0, 0, 2, 75), (1, 3, 3, 75), (2, 4, 4, 75), (3, 5, 5, 75)]
    # No room for context: it goes before a step would.
    assert places(20) == [(step, step, step, 15) for step in range(6)]


def test_the_references_long_trajectories_stay_within_the_limit_context_included(tmp_path):
    """The reference's own parts do not: its chunks run over by up to twice the limit."""
    tokenizer = tiny.character_tokenizer(tiny.COLONED)
    seen = 0
    for vector in golden("trainer_chunker.json"):
        of = vector["input"]
        lengths = of.get("step_lengths(thought,action,observation)")
        if lengths is None:
            continue
        steps = [{"thought": "t" * t, "action": "a" * a, "observation": "o" * o} for t, a, o in lengths]
        messages = messages_of({**of, "steps": [step for step in steps if step["thought"] or step["action"]]})
        limit = of["max_length"] or 61
        rows = opened(tmp_path, [{"messages": messages}])
        options = EncodeOptions(max_length=limit, overlap=of["overlap"], over_long="skip")
        parts = encoded("sft", rows, tokenizer, options)
        assert all(len(part["input_ids"]) <= limit for part in parts), vector["name"]
        learnt = [step for part in parts for step in sorted({step for step in part["step_ids"] if step >= 0})]
        prompt = len(f"user: {messages[0]['content']}\nassistant: ")
        said = [len(message["content"]) for message in messages if message["role"] == "assistant"]
        assert learnt == [index for index, length in enumerate(said) if prompt + length + 1 <= limit], vector["name"]
        seen += 1
    assert seen >= 5


def test_a_part_is_what_the_template_makes_of_the_shorter_conversation(tmp_path):
    for template in (tiny.MARKED, tiny.UNMARKED):
        tokenizer = tiny.tokenizer(template)
        messages = tiny.conversation(5)
        rows = opened(tmp_path, [tiny.sft_row(messages=messages)])
        (whole,) = encoded("sft", rows, tokenizer)
        parts = encoded("sft", rows, tokenizer, EncodeOptions(max_length=len(whole["input_ids"]) - 60))
        assert len(parts) > 1 and [part["chunk"]["index"] for part in parts] == list(range(parts[0]["chunk"]["of"]))
        last = parts[-1]
        own = sorted({step for step in last["step_ids"] if step >= 0})
        kept = [*messages[:2], *messages[2 + 2 * (own[0] - 1) :]]
        text = tokenizer.apply_chat_template(kept, tools=tiny.TOOLS, tokenize=False)
        expected = tokenizer(text, add_special_tokens=False)["input_ids"]
        assert last["input_ids"] == expected[: len(last["input_ids"])]
        assert len(expected) - len(last["input_ids"]) <= 1


def test_context_is_in_no_loss(tmp_path):
    tokenizer = tiny.tokenizer()
    rows = opened(tmp_path, [tiny.sft_row(steps=6)])
    (whole,) = encoded("sft", rows, tokenizer)
    parts = encoded("sft", rows, tokenizer, EncodeOptions(max_length=len(whole["input_ids"]) - 100, overlap=2))
    assert sum(label >= 0 for part in parts for label in part["labels"]) == sum(label >= 0 for label in whole["labels"])
    text = tokenizer.decode(parts[1]["input_ids"])
    first = min(step for step in parts[1]["step_ids"] if step >= 0)
    assert f"Step {first - 1}." in text
    assert f"Step {first - 1}." not in tokenizer.decode([label for label in parts[1]["labels"] if label >= 0])


def test_weights_are_those_of_the_whole_trajectory_and_difficulty_is_that_of_the_part(tmp_path):
    tokenizer = tiny.tokenizer()
    rewards = [0.2, 0.4, 0.6, 0.8, 1.0]
    rows = opened(tmp_path, [tiny.sft_row(steps=4, rewards=rewards, reward=0.5)])
    (whole,) = encoded("sft", rows, tokenizer, EncodeOptions(step_weights=True))
    assert whole["difficulty"] == 5 - 0.5
    parts = encoded("sft", rows, tokenizer, EncodeOptions(step_weights=True, max_length=len(whole["input_ids"]) - 60))
    by_step = {step: weight for part in parts for step, weight in zip(part["step_ids"], part["weights"]) if step >= 0}
    assert by_step == pytest.approx({step: reward / 0.6 for step, reward in enumerate(rewards)})
    assert [part["difficulty"] for part in parts] == [len({*part["step_ids"]} - {-1}) - 0.5 for part in parts]


def test_a_single_step_over_the_limit_is_named_cut_or_left_out(tmp_path):
    tokenizer = tiny.tokenizer()
    messages = tiny.conversation(2)
    messages[2] = {"role": "assistant", "content": "long " * 300}
    rows = opened(tmp_path, [tiny.sft_row(messages=messages)])
    with pytest.raises(DataError, match=r"rows\.jsonl:1 .*step 0 has \d+ tokens with its prompt, 450 at the most; raise `max_length`"):
        encoded("sft", rows, tokenizer, EncodeOptions(max_length=450))
    cut = encoded("sft", rows, tokenizer, EncodeOptions(max_length=450, over_long="cut"))
    assert len(cut[0]["input_ids"]) == 450 and cut[0]["labels"][-1] >= 0
    assert {step for part in cut for step in part["step_ids"]} == {-1, 0, 1, 2}
    left = encoded("sft", rows, tokenizer, EncodeOptions(max_length=450, over_long="skip"))
    assert {step for part in left for step in part["step_ids"]} == {-1, 1, 2}


def test_a_prompt_that_leaves_no_room_is_a_fault_even_where_steps_are_cut(tmp_path):
    rows = opened(tmp_path, [tiny.sft_row()])
    with pytest.raises(DataError, match="the prompt alone takes"):
        encoded("sft", rows, tiny.tokenizer(), EncodeOptions(max_length=50, over_long="cut"))


def test_without_chunks_a_long_trajectory_is_named_cut_or_left_out(tmp_path):
    rows = opened(tmp_path, [tiny.sft_row(steps=6)])
    tokenizer = tiny.tokenizer()
    with pytest.raises(DataError, match="it has .* tokens with its prompt"):
        encoded("sft", rows, tokenizer, EncodeOptions(max_length=450, chunk=False))
    (cut,) = encoded("sft", rows, tokenizer, EncodeOptions(max_length=450, chunk=False, over_long="cut"))
    assert len(cut["input_ids"]) == 450
