"""What runs learn. Every run is one of the scripts."""

import json
import math
from dataclasses import asdict

import eval_model
import pytest
import runs
import tiny
import torch
from sets import encoded, opened
from transformers import AutoTokenizer

from gymline_trainer.collate import Collator
from gymline_trainer.config import EvalConfig
from gymline_trainer.model import Scorer, from_pretrained
from gymline_trainer.options import EncodeOptions
from gymline_trainer.program import program
from gymline_trainer.training import tracked



@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("GYMLINE_TRAINER_CACHE", str(tmp_path / "cache"))
    tiny.saved(tmp_path / "model")
    return tmp_path


def tokenizer(home):
    """As the scripts load it: Transformers makes it one of the model's kind."""
    return AutoTokenizer.from_pretrained(home / "model")


def run(home, algorithm, rows, name="out", test=(), **options):
    """The folder of a run over all rows at once, which must end well."""
    data = runs.dataset(home / f"set of {name}", algorithm, rows, test)
    out = home / name
    whole = {"batch_size": 8, "gradient_accumulation_steps": 1, "warmup_ratio": 0.0, "learning_rate": 1e-2}
    assert runs.train(algorithm, data=data, model=home / "model", out=out, **{**whole, **options}) == 0
    return out


def logprobs(folder, data):
    """Per sequence, of each step's tokens: the sum, by step."""
    scorer = Scorer(from_pretrained(str(folder), "language"), "language").eval()
    batch = Collator(data, 0)([[index] for index in range(len(data))])
    with torch.no_grad():
        found = scorer(batch.inputs, batch.rows, batch.columns, batch.targets).logprobs
    by_step = [{} for _ in data]
    for row, column, value in zip(batch.rows.tolist(), batch.columns.tolist(), found.tolist()):
        step = data[row]["step_ids"][column + 1]
        by_step[row][step] = by_step[row].get(step, 0.0) + value
    return by_step


def encoded_by_grpo(home, rows, **options):
    return encoded("grpo", opened(home, rows, "grpo"), tokenizer(home), EncodeOptions(**options))


@pytest.mark.parametrize("packing", [False, True])
def test_sft_learns_a_small_set_by_heart(home, packing):
    rows = [tiny.sft_row(0, messages=tiny.conversation(0, final="The end.")), tiny.sft_row(1, messages=tiny.conversation(1))]
    written = runs.lines(run(home, "sft", rows, epochs=60, logging_steps=1, learning_rate=1e-2, lr_scheduler="constant", packing=packing, max_length=1000))
    assert written[0]["nll"] > 5 and written[-1]["nll"] < 0.3


def test_an_adapter_learns_and_leaves_the_model_as_it_is(home):
    tiny.saved(home / "model", initializer_range=0.3)
    rows = [tiny.sft_row(0, messages=tiny.conversation(0, final="The end."))]
    before = (home / "model/model.safetensors").read_bytes()
    adapter = {"use_lora": True, "lora_r": 32, "lora_alpha": 64, "lora_dropout": 0.0}
    out = run(home, "sft", rows, epochs=40, logging_steps=1, learning_rate=2e-2, **adapter)
    written = runs.lines(out)
    assert written[-1]["nll"] < 0.3 * written[0]["nll"]
    assert (home / "model/model.safetensors").read_bytes() == before
    assert [path.name for path in (out / "trained").glob("*.safetensors")] == ["adapter_model.safetensors"]


def test_the_first_loss_is_that_of_hand_with_weights_of_steps(home):
    rows = [tiny.sft_row(number, steps=1 + number, rewards=[0.2, 0.9, 0.4]) for number in range(3)]
    line = runs.lines(run(home, "sft", rows, epochs=1, step_weighted_loss=True))[0]
    data = encoded("sft", opened(home, rows), tokenizer(home), EncodeOptions(step_weights=True))
    weight_of = [dict(zip(own["step_ids"], own["weights"])) for own in data]
    own = logprobs(home / "model", data)
    weighted = sum(weight_of[row][step] * value for row, steps in enumerate(own) for step, value in steps.items())
    count = sum(label != -100 for sequence in data for label in sequence["labels"])
    assert line["loss"] == pytest.approx(-weighted / count, rel=1e-5)
    assert line["nll"] == pytest.approx(-sum(sum(steps.values()) for steps in own) / count, rel=1e-5)
    assert abs(line["loss"] - line["nll"]) > 1e-3


@pytest.mark.parametrize("algorithm", ["sft", "dpo", "grpo", "prm"])
def test_how_a_step_is_cut_into_batches_changes_nothing_but_rounding(home, algorithm):
    """Five rows or so in steps of four: the left-over ones are a step of their own, and nothing of it leaks."""
    # A judge's head has dropout of its own, which is drawn batch by batch.
    tiny.saved(home / "model", classifier_dropout=0.0)
    rows = runs.rows_of(algorithm)[:6]
    results = []
    for name, batch, accumulation in (("whole", 4, 1), ("cut", 1, 4), ("halves", 2, 2)):
        out = run(home, algorithm, rows, name=name, epochs=2, batch_size=batch, gradient_accumulation_steps=accumulation, learning_rate=1e-3, logging_steps=1)
        results.append([(line["loss"], line["grad_norm"]) for line in runs.lines(out)])
    assert len(results[0]) == 4
    for other in results[1:]:
        for own, expected in zip(other, results[0], strict=True):
            assert own == pytest.approx(expected, rel=2e-3, abs=2e-5)


def test_dpo_parts_the_sides_and_begins_at_log_2(home):
    rows = [tiny.dpo_row(number, chosen=f"I ran {number} tests.") for number in range(4)]
    written = runs.lines(run(home, "dpo", rows, epochs=12, logging_steps=1))
    assert written[0]["loss"] == pytest.approx(math.log(2), rel=1e-5)
    assert written[0]["margin"] == pytest.approx(0, abs=1e-4)
    assert written[-1]["accuracy"] == 1 and written[-1]["margin"] > 0.5 and written[-1]["loss"] < 0.3


def test_what_tools_answered_is_no_part_of_a_side(home):
    """As many tokens are trained on as the encoder marks, with and without what was seen."""
    rows = [tiny.dpo_row(0), tiny.dpo_row(1)]
    trained = []
    for masked in (True, False):
        pairs = encoded("dpo", opened(home, rows, "dpo"), tokenizer(home), EncodeOptions(mask_observations=masked))
        trained.append(sum(label != -100 for pair in pairs for side in ("chosen", "rejected") for label in pair[side]["labels"]))
        line = runs.lines(run(home, "dpo", rows, name=f"masked {masked}", epochs=1, mask_observations=masked))[-1]
        assert line["trained_tokens"] == trained[-1]
    assert trained[0] < trained[1]


@pytest.mark.parametrize("more", [{}, {"loss": "dapo", "clip_epsilon_high": 0.28, "kl_coef": 0.0}, {"loss": "dr_grpo", "scale_rewards": False}, {"packing": True}])
def test_grpo_raises_the_probability_of_the_rewarded_attempt_and_lowers_that_of_the_other(home, more):
    rows = tiny.grpo_rows("g", [0.0, 1.0], steps=1)
    out = run(home, "grpo", rows, epochs=8, learning_rate=1e-3, **more)
    before, after = (of_the_token_that_differs(folder, encoded_by_grpo(home, rows)) for folder in (home / "model", out / "trained"))
    assert after[1] - before[1] > 0.02
    assert after[0] - before[0] < -0.02


def of_the_token_that_differs(folder, data):
    """The log-probability of the first token in which two attempts part, in each."""
    place = next(at for at, (one, other) in enumerate(zip(data[0]["input_ids"], data[1]["input_ids"])) if one != other)
    scorer = Scorer(from_pretrained(str(folder), "language"), "language").eval()
    batch = Collator(data, 0)([[0], [1]])
    with torch.no_grad():
        found = scorer(batch.inputs, batch.rows, batch.columns, batch.targets).logprobs
    return found[batch.columns == place - 1].tolist()


def test_the_first_loss_of_grpo_is_that_of_hand_with_advantages_per_token(home):
    """Ratios are 1 and the divergence 0: what is left is the mean over attempts of the mean advantage of their tokens."""
    of_steps = [[0.9, 0.1, 0.2], [0.3, 0.8, 0.6], [0.5, 0.5, 0.1]]
    rows = tiny.grpo_rows("g", [0.1, 0.9, 0.3], step_rewards=of_steps)
    losses = {}
    for kind in ("trajectory", "credit", "proportional", "process"):
        line = runs.lines(run(home, "grpo", rows, name=kind, epochs=1, advantage=kind))[0]
        means = []
        for sequence in encoded_by_grpo(home, rows, advantage=kind):
            own = [value for value, label in zip(sequence["advantages"], sequence["labels"]) if label != -100]
            means.append(sum(own) / len(own))
        assert line["loss"] == pytest.approx(-sum(means) / len(means), abs=1e-5)
        assert (line["ratio"], line["kl"]) == (pytest.approx(1, abs=1e-5), pytest.approx(0, abs=1e-6))
        losses[kind] = line["loss"]
    assert len({round(value, 4) for value in losses.values()}) == 4


def test_advantages_of_steps_move_the_step_that_earned_them(home):
    """In the good attempt one step alone was good. With `credit` it gains on the other; by trajectory both gain alike."""

    def attempts(first, second):
        final = lambda text: {"role": "assistant", "content": text}
        head = tiny.conversation(0)[:2]
        seen = {"role": "user", "content": "Go on."}
        return [[*head, final(f"{first} {side}"), seen, final(f"{second} {side}")] for side in ("left", "right")]

    gains = {}
    for good in (0, 1):
        rewards = [[0.5, 0.5], [1.0 if step == good else 0.0 for step in range(2)]]
        rows = tiny.grpo_rows("g", [0.0, 1.0], step_rewards=[[]] * 2)
        for row, messages, own in zip(rows, attempts("Turn", "Then"), rewards):
            steps = [index for index, message in enumerate(messages) if message["role"] == "assistant"]
            row.update(messages=messages, weights=[int(index in steps) for index in range(len(messages))])
            row["step_rewards"] = [own[steps.index(index)] if index in steps else None for index in range(len(messages))]
            row.update({name: [None] * len(messages) for name in ("prompt_token_ids", "completion_token_ids", "logprobs")})
        out = run(home, "grpo", rows, name=f"good {good}", epochs=6, learning_rate=1e-3, advantage="credit", kl_coef=0.0)
        data = encoded_by_grpo(home, rows, advantage="credit")
        before, after = logprobs(home / "model", data)[1], logprobs(out / "trained", data)[1]
        gains[good] = [after[step] - before[step] for step in range(2)]
    assert gains[0][0] - gains[0][1] > 0.1
    assert gains[1][1] - gains[1][0] > 0.1


def test_recorded_log_probabilities_are_the_old_policy_where_there_are_some(home):
    """Every recorded one is 0.5 below the model's: the first ratio is exp(0.5) at these tokens, and 1 at the others."""
    rows = tiny.grpo_rows("g", [0.0, 1.0], steps=1)
    plain = encoded_by_grpo(home, rows)
    scorer = Scorer(from_pretrained(str(home / "model"), "language"), "language").eval()
    recorded = 0
    for row, sequence in zip(rows, plain):
        batch = Collator([sequence], 0)([[0]])
        with torch.no_grad():
            own = scorer(batch.inputs, batch.rows, batch.columns, batch.targets).logprobs.tolist()
        last = max(sequence["step_ids"])
        places = [index for index, step in enumerate(sequence["step_ids"]) if step == last]
        values = dict(zip((batch.columns + 1).tolist(), own))
        before = [None] * (len(row["messages"]) - 1)
        row["completion_token_ids"] = [*before, [sequence["input_ids"][place] for place in places]]
        row["logprobs"] = [*before, [values[place] - 0.5 for place in places]]
        recorded += len(places)
    total = sum(label != -100 for sequence in plain for label in sequence["labels"])
    share = recorded / total
    line = runs.lines(run(home, "grpo", rows, epochs=1, kl_coef=0.0))[0]
    assert line["ratio"] == pytest.approx(share * math.exp(0.5) + 1 - share, rel=1e-4)
    again = runs.lines(run(home, "grpo", rows, name="again", epochs=1, old_logprobs="recompute"))[0]
    assert again["ratio"] == pytest.approx(1, abs=1e-5)


def test_parts_of_a_trajectory_count_as_one_in_grpo(home):
    """Cut into parts or whole, the mean advantage is that of whole trajectories."""
    rows = tiny.grpo_rows("g", [0.2, 0.9], steps=4, step_rewards=[[0.1, 0.9, 0.3, 0.2], [0.5, 0.7, 0.1, 0.2]])
    whole = encoded_by_grpo(home, rows, advantage="process")
    limit = len(whole[0]["input_ids"]) - 60
    assert len(encoded_by_grpo(home, rows, advantage="process", max_length=limit)) > 2
    losses = [runs.lines(run(home, "grpo", rows, name=f"{length}", epochs=1, advantage="process", max_length=length))[0]["loss"] for length in (2048, limit)]
    assert losses[0] == pytest.approx(losses[1], abs=1e-5)
    assert abs(losses[0]) > 1e-3


@pytest.mark.parametrize("labels", ["soft", "hard"])
def test_a_judge_of_steps_learns_which_are_good(home, labels):
    rows = [tiny.prm_row(number, rewards=[0.9, 0.2] if number % 2 else [0.2, 0.9]) for number in range(6)]
    written = runs.lines(run(home, "prm", rows, epochs=40, logging_steps=1, labels=labels))
    last = written[-1]
    assert last["accuracy"] == 1 and last["brier"] < 0.01 and last["loss"] < written[0]["loss"]
    # With soft labels no loss is below the labels' own entropy.
    entropy = -(0.9 * math.log(0.9) + 0.1 * math.log(0.1) + 0.8 * math.log(0.8) + 0.2 * math.log(0.2)) / 2
    assert last["loss"] == pytest.approx(entropy if labels == "soft" else 0, abs=0.03)


def test_a_run_stops_early_and_its_best_model_is_the_result(home):
    """What is evaluated contradicts what is learnt, so that its loss soon rises."""
    rows = [tiny.sft_row(0, messages=tiny.conversation(1, final="The end."))]
    test = [tiny.sft_row(1, messages=tiny.conversation(1, final="3 passed, 1 failed. user assistant system tool"))]
    out = run(home, "sft", rows, test=test, epochs=60, eval_split="test", early_stopping_patience=2, save_best=True, learning_rate=3e-2)
    measured = {line["step"]: line["eval_loss"] for line in runs.lines(out) if "eval_loss" in line}
    summary = json.loads((out / "run.json").read_text())
    assert summary["stopped_early"] and max(measured) < 60
    assert summary["best_step"] == min(measured, key=measured.get) == max(measured) - 2
    data = encoded("sft", opened(home, test), tokenizer(home))
    count = sum(label != -100 for label in data[0]["labels"])
    own = -sum(logprobs(out / "trained", data)[0].values()) / count
    assert own == pytest.approx(min(measured.values()), rel=1e-5)


def test_perplexity_and_accuracy_of_a_model_are_those_of_hand(home):
    rows = [tiny.sft_row(number, steps=1 + number, messages=tiny.conversation(1 + number, final=f"Done {number}.")) for number in range(3)]
    path = home / "rows.jsonl"
    data = encoded("sft", opened(home, rows), tokenizer(home))
    out = home / "figures.json"
    for packing in ("false", "true"):
        arguments = ["--data", str(path), "--model", str(home / "model"), "--out", str(out), "--set", f"packing={packing}", "--set", "batch_size=2"]
        assert program(EvalConfig, eval_model.__doc__, eval_model.main, arguments) == 0
        figures = json.loads(out.read_text())
        count = sum(label != -100 for sequence in data for label in sequence["labels"])
        nll = -sum(sum(steps.values()) for steps in logprobs(home / "model", data)) / count
        assert (figures["tokens"], figures["trajectories"]) == (count, 3)
        assert figures["perplexity"] == pytest.approx(math.exp(nll), rel=1e-4)
        low, high = figures["perplexity_interval"]
        assert low <= figures["perplexity"] <= high and low < high
        assert 0 <= figures["token_accuracy"] <= 1


def test_an_adapter_can_be_evaluated_and_is_not_trained_on(home, capsys):
    rows = [tiny.sft_row(0)]
    out = run(home, "sft", rows, epochs=1, use_lora=True)
    assert (out / "trained/adapter_config.json").exists()
    arguments = ["--data", str(home / "set of out"), "--set", "split=train", "--model", str(out / "trained")]
    capsys.readouterr()
    assert program(EvalConfig, eval_model.__doc__, eval_model.main, arguments) == 0
    assert json.loads(capsys.readouterr().out)["tokens"] > 0
    assert runs.train("sft", data=home / "set of out", model=out / "trained", out=home / "more") == 1
    assert "merge it into its model first" in capsys.readouterr().err


@pytest.mark.parametrize("algorithm", list(runs.SCRIPTS))
def test_options_go_to_trackers_as_numbers_switches_and_text_alone(algorithm):
    config = runs.SCRIPTS[algorithm][1](data="a", model="b", report_to=("tensorboard",))
    told = tracked(asdict(config))
    assert (told["data"], told["max_steps"], told["report_to"], told["epochs"]) == ("a", "null", '["tensorboard"]', 3)
    assert {type(value) for value in told.values()} <= {bool, int, float, str}


def test_a_loss_that_is_no_number_ends_the_run_and_the_weights_before_it_stay(home, capsys):
    rows = [tiny.sft_row(number) for number in range(4)]
    data = runs.dataset(home / "set", "sft", rows)
    code = runs.train("sft", data=data, model=home / "model", out=home / "out", learning_rate=1e30, epochs=3, max_grad_norm=0, save_steps=1)
    assert code == 1
    said = capsys.readouterr().err
    assert "lower `learning_rate`" in said.lower() and "Traceback" not in said


def test_bfloat16_and_gradient_checkpoints_learn_too(home):
    rows = [tiny.sft_row(0, messages=tiny.conversation(1))]
    written = runs.lines(run(home, "sft", rows, epochs=20, logging_steps=1, bf16=True, gradient_checkpointing=True))
    assert written[-1]["nll"] < written[0]["nll"] - 1


def test_gradient_checkpoints_change_no_bit(home):
    rows = runs.rows_of("sft")
    own = [runs.result(run(home, "sft", rows, name=f"{value}", epochs=1, gradient_checkpointing=value)) for value in (True, False)]
    assert own[0] == own[1]


@pytest.mark.parametrize("algorithm", ["sft", "dpo", "grpo", "prm"])
def test_a_dry_run_says_what_would_be_done_and_does_nothing(home, capsys, algorithm):
    script, kind = runs.SCRIPTS[algorithm]
    data = runs.dataset(home / "set", algorithm)
    arguments = ["--data", str(data), "--model", str(home / "model"), "--out", str(home / "out"), "--dry-run"]
    assert program(kind, script.__doc__, script.main, arguments) == 0
    said = capsys.readouterr().out
    assert all(word in said for word in ("rows: ", "tokens: ", "steps: ", "memory of one device"))
    assert not (home / "out").exists()
