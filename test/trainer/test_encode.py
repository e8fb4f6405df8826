import math

import pytest
import tiny
from sets import encoded, opened

from gymline_trainer.advantages import group_advantage
from gymline_trainer.chat import ChatFormat
from gymline_trainer.checks import Needs
from gymline_trainer.encode import Encoder
from gymline_trainer.errors import ConfigError, DataError
from gymline_trainer.options import EncodeOptions

TOKENIZER = tiny.tokenizer()


def by_step(sequence, name):
    return {step: value for step, value in zip(sequence["step_ids"], sequence[name]) if step >= 0}


def grpo(tmp_path, rows, **options):
    return encoded("grpo", opened(tmp_path, rows, "grpo"), TOKENIZER, EncodeOptions(**options))


def test_every_trained_token_of_an_attempt_has_its_advantage_and_no_other_has_one(tmp_path):
    rewards = [0.1, 0.9, 0.5]
    for sequence, reward in zip(grpo(tmp_path, tiny.grpo_rows("g", rewards)), rewards, strict=True):
        assert (sequence["group"], sequence["reward"]) == ("g", reward)
        expected = group_advantage(reward, rewards)
        assert all(value == (expected if label >= 0 else 0.0) for value, label in zip(sequence["advantages"], sequence["labels"]))
        assert all(math.isnan(value) for value in sequence["behaviour_logprobs"])


def test_advantages_of_steps_act_on_the_tokens_of_their_steps(tmp_path):
    rows = tiny.grpo_rows("g", [0.2, 0.8], step_rewards=[[0.1, 0.9, None], [0.1, 0.9, None]])
    bad, good = grpo(tmp_path, rows, advantage="credit")
    unit = group_advantage(0.8, [0.2, 0.8])
    assert by_step(good, "advantages") == pytest.approx({0: unit * 0.2, 1: unit * 1.8, 2: unit})
    assert by_step(bad, "advantages") == pytest.approx({0: -unit * 1.8, 1: -unit * 0.2, 2: -unit})
    for sequence in (bad, good):
        assert len(set(sequence["advantages"])) == 4


def test_advantages_are_those_of_the_whole_trajectory_in_each_of_its_parts(tmp_path):
    rows = tiny.grpo_rows("g", [0.2, 0.8], steps=5, step_rewards=[[0.1, 0.3, 0.5, 0.7, 0.9, None]] * 2)
    whole = grpo(tmp_path, rows, advantage="credit")
    parts = grpo(tmp_path, rows, advantage="credit", max_length=len(whole[0]["input_ids"]) - 60)
    assert len(parts) > 2
    for sequence in whole:
        own = [part for part in parts if part["trajectory"] == sequence["trajectory"]]
        joined = {step: value for part in own for step, value in by_step(part, "advantages").items()}
        assert joined == by_step(sequence, "advantages")


def test_groups_without_variance_are_counted_and_left_out_unless_asked_for(tmp_path):
    rows = [*tiny.grpo_rows("flat", [0.5, 0.5]), *tiny.grpo_rows("g", [0.2, 0.8], first=2)]
    dataset = opened(tmp_path, rows, "grpo")
    encoder = Encoder(dataset, ChatFormat(TOKENIZER), EncodeOptions())
    assert {sequence["group"] for sequence in encoder.grpo()} == {"g"}
    assert (encoder.figures.flat_groups, encoder.figures.rows, encoder.figures.sequences) == (1, 4, 2)
    kept = grpo(tmp_path, rows, keep_flat=True)
    assert len(kept) == 4 and set(kept[0]["advantages"]) == {0.0}


def test_process_advantages_need_variance_among_steps_and_none_among_attempts(tmp_path):
    rows = tiny.grpo_rows("g", [0.5, 0.5], step_rewards=[[0.0, 1.0], [1.0, 0.0]])
    first, second = grpo(tmp_path, rows, advantage="process")
    unit = 0.5 / math.sqrt(1 / 3)
    assert by_step(first, "advantages") == pytest.approx({0: 0.0, 1: unit, 2: 0.0}, abs=1e-6)
    assert by_step(second, "advantages") == pytest.approx({0: 0.0, 1: -unit, 2: 0.0}, abs=1e-6)


def recorded_rows(tokenizer, rewrite=False):
    """Attempts with the tokens that the policy saw and wrote. rewrite: the second prompt does not go on from the first."""
    rows = tiny.grpo_rows("g", [0.2, 0.8], steps=1)
    for number, row in enumerate(rows):
        messages = row["messages"]
        row.update({name: [None] * len(messages) for name in ("prompt_token_ids", "completion_token_ids", "logprobs")})
        history = []
        for index, message in enumerate(messages):
            if message["role"] != "assistant":
                continue
            render = lambda upto, prompt: tokenizer.apply_chat_template(upto, tools=tiny.TOOLS, tokenize=False, add_generation_prompt=prompt)
            prompt = render(messages[:index], True)
            written = render(messages[: index + 1], False).removeprefix(prompt).removesuffix("\n")
            # One token per byte where the tokenizer would have merged: the policy was free to.
            completion = [token for letter in written.split("<|im_end|>")[0] for token in tokenizer(letter)["input_ids"]]
            completion.append(tokenizer.eos_token_id)
            before = tokenizer(prompt, add_special_tokens=False)["input_ids"]
            if history and not rewrite:
                seen = tokenizer("\n" + prompt.rsplit("<|im_end|>\n", 2)[1] + "<|im_end|>\n<|im_start|>assistant\n")["input_ids"]
                before = [*history, *seen]
            row["prompt_token_ids"][index] = before
            row["completion_token_ids"][index] = completion
            row["logprobs"][index] = [-0.1 * (number + 1)] * len(completion)
            history = [*before, *completion]
    return rows


def test_recorded_tokens_are_taken_as_they_were_with_their_log_probabilities(tmp_path):
    rows = recorded_rows(TOKENIZER)
    for number, (sequence, row) in enumerate(zip(grpo(tmp_path, rows), rows, strict=True)):
        assert sequence["input_ids"] == row["prompt_token_ids"][4] + row["completion_token_ids"][4]
        written = [*row["completion_token_ids"][2], *row["completion_token_ids"][4]]
        assert [label for label in sequence["labels"] if label >= 0] == written
        known = [value for value in sequence["behaviour_logprobs"] if not math.isnan(value)]
        assert known == [-0.1 * (number + 1)] * len(written)
        assert sorted(set(sequence["step_ids"])) == [-1, 0, 1]


def test_a_rewritten_history_begins_a_sequence_of_its_own(tmp_path):
    rows = recorded_rows(TOKENIZER, rewrite=True)
    sequences = grpo(tmp_path, rows)
    assert [(sequence["chunk"]["index"], sequence["chunk"]["of"]) for sequence in sequences] == [(0, 2), (1, 2)] * 2
    assert sequences[1]["input_ids"] == rows[0]["prompt_token_ids"][4] + rows[0]["completion_token_ids"][4]
    assert set(sequences[1]["step_ids"]) == {-1, 1}


def test_tokens_of_another_tokenizer_are_not_taken(tmp_path, monkeypatch):
    rows = recorded_rows(TOKENIZER)
    monkeypatch.setattr(tiny, "SPECIAL", ["<|another|>", *tiny.SPECIAL])
    # It has all the ids, and they spell something else.
    other = tiny.tokenizer()
    for sequence in encoded("grpo", opened(tmp_path, rows, "grpo"), other):
        assert all(math.isnan(value) for value in sequence["behaviour_logprobs"])
        assert "Attempt" in other.decode([label for label in sequence["labels"] if label >= 0])


def test_log_probabilities_without_prompts_count_where_the_tokens_are_the_same(tmp_path):
    rows = recorded_rows(TOKENIZER)
    (plain, _) = grpo(tmp_path, tiny.grpo_rows("g", [0.2, 0.8], steps=1))
    own = [label for label, step in zip(plain["labels"], plain["step_ids"]) if step == 0]
    for row in rows:
        row["prompt_token_ids"] = [None] * 5
        row["completion_token_ids"][2] = own
        row["logprobs"][2] = [-0.5] * len(own)
    for sequence in grpo(tmp_path, rows):
        known = {step for step, value in zip(sequence["step_ids"], sequence["behaviour_logprobs"]) if not math.isnan(value)}
        # The last message's recorded tokens are not those of the tokenizer.
        assert known == {0}


def test_of_a_pair_all_the_agent_says_after_the_prompt_counts_and_nothing_it_saw(tmp_path):
    (pair,) = encoded("dpo", opened(tmp_path, [tiny.dpo_row()], "dpo"), TOKENIZER)
    for side, said in (("chosen", "I ran the tests."), ("rejected", "I did nothing.")):
        text = TOKENIZER.decode([label for label in pair[side]["labels"] if label >= 0])
        assert text.startswith(said) and text.endswith("Done.<|im_end|>") and "result of" not in text
        assert f"result of: {said}" in TOKENIZER.decode(pair[side]["input_ids"])
    assert pair["weight"] == 1.0


def test_a_prompt_with_turns_of_the_agent_is_masked_in_both_sides(tmp_path):
    row = tiny.dpo_row()
    row["prompt"] = tiny.conversation(2)[:6]
    (pair,) = encoded("dpo", opened(tmp_path, [row], "dpo"), TOKENIZER)
    assert set(pair["chosen"]["step_ids"]) == {-1, 2, 3}


def test_pairs_weigh_by_their_margin_with_a_mean_of_one(tmp_path):
    rows = [tiny.dpo_row(0, margin=0.2), tiny.dpo_row(1, margin=0.6)]
    dataset = opened(tmp_path, rows, "dpo", Needs(margin=True))
    weights = [pair["weight"] for pair in encoded("dpo", dataset, TOKENIZER, EncodeOptions(margin_weights=True))]
    assert weights == pytest.approx([0.5, 1.5])


def test_pairs_that_are_too_long_are_named_cut_or_left_out(tmp_path):
    rows = [tiny.dpo_row(0), tiny.dpo_row(1, chosen="long " * 200)]
    dataset = opened(tmp_path, rows, "dpo")
    with pytest.raises(DataError, match=r"rows.jsonl:2 .*a side has \d+ tokens, 600 at the most"):
        encoded("dpo", dataset, TOKENIZER, EncodeOptions(max_length=600))
    assert len(encoded("dpo", dataset, TOKENIZER, EncodeOptions(max_length=600, over_long="skip"))) == 1
    cut = encoded("dpo", dataset, TOKENIZER, EncodeOptions(max_length=600, over_long="cut"))
    assert [len(pair["chosen"]["input_ids"]) < 601 for pair in cut] == [True, True]
    with pytest.raises(DataError, match="the prompt alone takes"):
        encoded("dpo", dataset, TOKENIZER, EncodeOptions(max_length=60, over_long="cut"))


def test_sides_that_are_the_same_once_they_are_cut_are_named(tmp_path):
    row = tiny.dpo_row(0, chosen="same " * 400 + "good", rejected="same " * 400 + "bad")
    with pytest.raises(DataError, match="the two sides are the same tokens"):
        encoded("dpo", opened(tmp_path, [row], "dpo"), TOKENIZER, EncodeOptions(max_length=500, over_long="cut"))


def test_judged_steps_have_their_label_at_their_last_token(tmp_path):
    row = tiny.prm_row(0, [0.9, 0.2])
    (sequence,) = encoded("prm", opened(tmp_path, [row], "prm"), TOKENIZER)
    ids = lambda text: TOKENIZER(text, add_special_tokens=False)["input_ids"]
    steps = [[*ids(text), *ids("\n")] for text in row["completions"]]
    assert sequence["input_ids"] == [*ids(row["prompt"]), *steps[0], *steps[1]]
    ends = [len(ids(row["prompt"])) + len(steps[0]) - 1, len(sequence["input_ids"]) - 1]
    assert {place: label for place, label in enumerate(sequence["labels"]) if label >= 0} == {ends[0]: 1, ends[1]: 0}
    assert [sequence["targets"][place] for place in ends] == [0.9, 0.2]
    assert sum(not math.isnan(value) for value in sequence["targets"]) == 2
    assert [sequence["step_ids"][place] for place in ends] == [0, 1]


def test_long_judged_trajectories_come_in_parts_and_every_step_is_judged_once(tmp_path):
    rewards = [0.1, 0.9, 0.2, 0.8, 0.3, 0.7]
    dataset = opened(tmp_path, [tiny.prm_row(0, rewards)], "prm")
    (whole,) = encoded("prm", dataset, TOKENIZER)
    parts = encoded("prm", dataset, TOKENIZER, EncodeOptions(max_length=len(whole["input_ids"]) - 30))
    assert len(parts) > 1 and all(len(part["input_ids"]) <= len(whole["input_ids"]) - 30 for part in parts)
    judged = [(step, value) for part in parts for step, value in by_step(part, "targets").items()]
    assert judged == list(enumerate(rewards))
    with pytest.raises(DataError, match="step 1 has .* tokens with its prompt"):
        encoded("prm", dataset, TOKENIZER, EncodeOptions(max_length=40))


def test_what_the_template_does_not_take_or_does_not_show_is_named_or_counted(tmp_path):
    stops = "{{ raise_exception('no tools here') if tools else '' }}" + tiny.MARKED
    with pytest.raises(DataError, match="the chat template stops: no tools here; leave the row out"):
        encoded("sft", opened(tmp_path, [tiny.sft_row()]), tiny.tokenizer(stops))
    row = tiny.sft_row()
    row["messages"][2]["reasoning_content"] = "I think."
    silent = tiny.MARKED.replace("message.reasoning_content %}", "false %}")
    encoder = Encoder(opened(tmp_path, [row]), ChatFormat(tiny.tokenizer(silent)), EncodeOptions())
    assert len(list(encoder.sft())) == 1 and encoder.figures.shown_in_part == 1
    encoder = Encoder(opened(tmp_path, [row]), ChatFormat(TOKENIZER), EncodeOptions())
    assert len(list(encoder.sft())) == 1 and encoder.figures.shown_in_part == 0


def test_figures_are_those_of_the_sequences(tmp_path):
    rows = [tiny.sft_row(number, steps=number + 1) for number in range(4)]
    encoder = Encoder(opened(tmp_path, rows), ChatFormat(TOKENIZER), EncodeOptions(max_length=440))
    sequences = list(encoder.sft())
    figures = encoder.figures
    assert (figures.rows, figures.sequences) == (4, len(sequences))
    assert figures.tokens == sum(len(sequence["input_ids"]) for sequence in sequences)
    assert figures.trained_tokens == sum(label >= 0 for sequence in sequences for label in sequence["labels"])
    assert figures.longest == max(len(sequence["input_ids"]) for sequence in sequences) <= 440
    assert figures.chunked == sum(sequence["chunk"]["of"] > 1 and sequence["chunk"]["index"] == 0 for sequence in sequences) > 0
    assert f"tokens: {figures.tokens:,}" in figures.lines() and not any(line.startswith("skipped") for line in figures.lines())


def test_options_that_cannot_be_used_are_refused():
    for options, named in (({"max_length": 1}, "max_length"), ({"overlap": -1}, "overlap"), ({"over_long": "drop"}, "over_long"), ({"advantage": "x"}, "advantage")):
        with pytest.raises(ConfigError, match=f"{named}: it must be"):
            EncodeOptions(**options)
