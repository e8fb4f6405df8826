import math

import pytest
import tiny
import torch
from golden import golden

from gymline_trainer.advantages import group_advantage
from gymline_trainer.collate import Collator
from gymline_trainer.losses import (
    Clipping,
    Divergence,
    Sides,
    dpo_losses,
    grpo_losses,
    sequence_sums,
    step_cross_entropy,
    token_logprobs,
    weighted_cross_entropy,
)
from gymline_trainer.model import Scorer

torch.set_num_threads(1)
CLOSE = {"abs": 1e-6, "rel": 1e-6}


def vectors(prefix):
    return [case for case in golden("trainer_losses.json") if case["name"].startswith(prefix)]


def shifted(of):
    """Logits and targets of the trained tokens of golden logits and labels, and the sequence and weight of each."""
    logits, labels = torch.tensor(of["logits"]), torch.tensor(of["labels"])
    mask = labels[:, 1:] != -100
    rows, columns = mask.nonzero(as_tuple=True)
    weights = torch.tensor(of.get("weights", [[1.0] * labels.shape[1]] * len(labels)))[:, 1:][mask]
    return logits[rows, columns], labels[:, 1:][mask], rows, weights


def test_log_probabilities_of_sequences_are_the_golden_ones():
    for case in vectors("seq_log_probs"):
        logits, targets, rows, _ = shifted(case["input"])
        found = sequence_sums(token_logprobs(logits, targets), rows, len(case["expected"]))
        assert found.tolist() == pytest.approx(case["expected"], **CLOSE)


def test_weighted_cross_entropy_by_its_number_of_tokens_is_the_golden_one():
    checked = 0
    for case in vectors("weighted_ce"):
        logits, targets, _, weights = shifted(case["input"])
        if len(targets):
            found = weighted_cross_entropy(token_logprobs(logits, targets), weights) / len(targets)
            assert float(found) == pytest.approx(case["expected"], **CLOSE)
            checked += 1
    assert checked > 0


def test_advantages_of_groups_are_the_golden_ones():
    for case in vectors("advantages_"):
        rewards = case["input"]["rewards"]
        assert [group_advantage(reward, rewards) for reward in rewards] == pytest.approx(case["expected"], **CLOSE)


def sides(policy_chosen, policy_rejected, ref_chosen, ref_rejected, tokens=(1.0, 1.0)):
    made = [torch.tensor(values, dtype=torch.float64) for values in (policy_chosen, policy_rejected, ref_chosen, ref_rejected)]
    return Sides(*made, *(torch.full_like(made[0], count) for count in tokens))


def test_dpo_losses_and_rewards_are_the_golden_ones():
    for case in vectors("dpo_"):
        of = dict(case["input"])
        beta, smoothing = of.pop("beta"), of.pop("label_smoothing")
        losses, chosen, rejected = dpo_losses(sides(**of), beta, smoothing)
        assert float(losses.mean()) == pytest.approx(case["expected"]["loss"], **CLOSE)
        assert chosen.tolist() == pytest.approx(case["expected"]["chosen_rewards"], **CLOSE)
        assert rejected.tolist() == pytest.approx(case["expected"]["rejected_rewards"], **CLOSE)


def test_clipped_policy_losses_are_the_golden_ones_but_for_the_kl_term():
    for case in vectors("grpo_"):
        of = case["input"]
        tensors = (torch.tensor(of[name], dtype=torch.float64) for name in ("log_probs", "old_log_probs", "advantages"))
        made = grpo_losses(*tensors, Clipping(of["clip"], of["clip"]))
        assert float(made.losses.mean()) == pytest.approx(case["expected"]["metrics"]["policy_loss"], **CLOSE)


@pytest.mark.parametrize("is_older", [False, True])
def test_kl_is_never_negative_and_its_mean_is_the_divergence(is_older):
    """The mean comes to sum p log(p / q), within four standard errors, whichever policy the tokens were drawn from."""
    generator = torch.Generator().manual_seed(0)
    for _ in range(5):
        p, q, older = torch.randn(3, 12, generator=generator, dtype=torch.float64).log_softmax(-1)
        wrote = older if is_older else p
        drawn = torch.multinomial(wrote.exp(), 200_000, replacement=True, generator=generator)
        zeros = torch.zeros(len(drawn), dtype=torch.float64)
        made = grpo_losses(p[drawn], wrote[drawn], zeros, divergence=Divergence(q[drawn], 2.0))
        assert (made.kl >= 0).all()
        assert torch.allclose(made.losses, 2 * made.kl)
        error = float(made.kl.std()) / math.sqrt(len(drawn))
        assert abs(float(made.kl.mean()) - float((p.exp() * (p - q)).sum())) < 4 * error


def test_steps_weigh_by_soft_labels_as_by_hand():
    logits = torch.tensor([[0.3, -1.2], [2.0, 0.5]])
    targets = torch.tensor([0.8, 0.0])
    expected = []
    for (bad, good), target in zip(logits.tolist(), targets.tolist()):
        total = math.log(math.exp(bad) + math.exp(good))
        expected.append(-(target * (good - total) + (1 - target) * (bad - total)))
    assert step_cross_entropy(logits, targets).tolist() == pytest.approx(expected, **CLOSE)
    hard = torch.tensor([1.0, 0.0])
    by_torch = torch.nn.functional.cross_entropy(logits, hard.long(), reduction="none")
    assert torch.allclose(step_cross_entropy(logits, hard), by_torch, atol=1e-6)


# ------------------------------------------------------------------------------------------- beside TRL's own trainers

TOKENIZER = tiny.tokenizer()


def sequence(length, trained, seed, **more):
    """Random ids, of which the last `trained` are learnt, in two stretches with an observation between."""
    generator = torch.Generator().manual_seed(seed)
    ids = torch.randint(10, len(TOKENIZER), (length,), generator=generator).tolist()
    labels = [-100] * (length - trained) + ids[length - trained :]
    if trained > 4:
        labels[length - trained + 2] = -100
    own = [label != -100 for label in labels]
    made = {"input_ids": ids, "labels": labels, "step_ids": [int(is_own) - 1 for is_own in own], "weights": [float(is_own) for is_own in own]}
    return {**made, "chunk": {"trajectory": f"t{seed}", "index": 0, "of": 1}, "difficulty": 0.0, **more}


def padded(sequences, side="right"):
    """Ids, attention and which tokens are trained, as TRL's collators give them."""
    width = max(len(own["input_ids"]) for own in sequences)
    fill = lambda values, pad: [*values, *[pad] * (width - len(values))] if side == "right" else [*[pad] * (width - len(values)), *values]
    ids = torch.tensor([fill(own["input_ids"], TOKENIZER.pad_token_id) for own in sequences])
    attention = torch.tensor([fill([1] * len(own["input_ids"]), 0) for own in sequences])
    labels = torch.tensor([fill(own["labels"], -100) for own in sequences])
    return ids, attention, labels


def own_scores(model, data):
    collator = Collator(data, TOKENIZER.pad_token_id)
    batch = collator([[index] for index in range(len(data))])
    scorer = Scorer(model, "language").eval()
    with torch.no_grad():
        return batch, scorer(batch.inputs, batch.rows, batch.columns, batch.targets).logprobs


@pytest.fixture(scope="module")
def trl():
    return pytest.importorskip("trl", reason="TRL is not installed")


def arguments(kind, folder, **changes):
    common = {"report_to": [], "use_cpu": True, "bf16": False, "gradient_checkpointing": False, "per_device_train_batch_size": 4, "disable_tqdm": True}
    return kind(output_dir=str(folder), **{**common, **changes})


def test_the_loss_of_sft_is_that_of_the_sft_trainer(trl, tmp_path):
    from datasets import Dataset

    data = [sequence(20, 9, 1), sequence(33, 14, 2), sequence(12, 3, 3)]
    model = tiny.qwen2(TOKENIZER)
    batch, logprobs = own_scores(model, data)
    found = weighted_cross_entropy(logprobs, batch.weights) / len(batch.targets)

    args = arguments(trl.SFTConfig, tmp_path, max_length=64)
    rows = Dataset.from_list([{name: own[name] for name in ("input_ids", "labels")} for own in data])
    trainer = trl.SFTTrainer(model, args, train_dataset=rows, processing_class=TOKENIZER)
    ids, attention, labels = padded(data)
    expected = trainer.compute_loss(trainer.model.eval(), {"input_ids": ids, "attention_mask": attention, "labels": labels})
    assert float(found) == pytest.approx(expected.item(), **CLOSE)


@pytest.mark.parametrize(("kind", "smoothing"), [("sigmoid", 0.0), ("robust", 0.1), ("ipo", 0.0), ("sigmoid_norm", 0.0)])
def test_the_loss_of_dpo_is_that_of_the_dpo_trainer(trl, tmp_path, kind, smoothing):
    """TRL's `robust` is the smoothed loss without its bias: ((1 - e) l(z) - e l(-z)) / (1 - 2e); by it l(-z) is checked."""
    from datasets import Dataset

    pairs = [{"chosen": sequence(20, 9, 1), "rejected": sequence(26, 6, 2), "weight": 1.0}, {"chosen": sequence(18, 5, 3), "rejected": sequence(15, 8, 4), "weight": 1.0}]
    policy, reference = tiny.qwen2(TOKENIZER), tiny.qwen2(TOKENIZER, seed=1)
    batch, logprobs = own_scores(policy, pairs)
    _, old = own_scores(reference, pairs)
    by_side = lambda values: sequence_sums(values, batch.sequence, batch.sequences).chunk(2)
    own = Sides(*by_side(logprobs), *by_side(old), *by_side(torch.ones_like(old)))
    if kind == "robust":
        plain, turned = (dpo_losses(own, 0.3, rate)[0] for rate in (0.0, 1.0))
        found = ((1 - smoothing) * plain - smoothing * turned) / (1 - 2 * smoothing)
    else:
        found, _, _ = dpo_losses(own, 0.3, smoothing, kind)

    text = [{"role": "user", "content": "a"}], [{"role": "assistant", "content": "b"}], [{"role": "assistant", "content": "c"}]
    rows = Dataset.from_list([dict(zip(("prompt", "chosen", "rejected"), text))])
    args = arguments(trl.DPOConfig, tmp_path, beta=0.3, loss_type=[kind], label_smoothing=smoothing)
    trainer = trl.DPOTrainer(policy, ref_model=reference, args=args, train_dataset=rows, processing_class=TOKENIZER)
    ids, attention, labels = padded([pair["chosen"] for pair in pairs] + [pair["rejected"] for pair in pairs])
    inputs = {"input_ids": ids, "attention_mask": attention, "completion_mask": (labels != -100).long()}
    expected = trainer.compute_loss(trainer.model.eval(), inputs)
    assert float(found.mean()) == pytest.approx(expected.item(), **CLOSE)


@pytest.mark.parametrize(
    ("kind", "high", "cap", "corrects"),
    [("grpo", 0.2, None, True), ("dapo", 0.28, None, False), ("dr_grpo", 0.2, None, True), ("bnpo", 0.2, 1.5, True)],
)
def test_the_loss_of_grpo_is_that_of_the_grpo_trainer_with_advantages_per_token(trl, tmp_path, kind, high, cap, corrects):
    """TRL's `bnpo` is the mean over tokens too; `cap` is its `delta`."""
    from datasets import Dataset

    prompt, longest = 8, 14
    data = [sequence(prompt + length, length, seed) for seed, length in ((1, 9), (2, longest), (3, 5), (4, 6))]
    policy, old_policy, reference = (tiny.qwen2(TOKENIZER, seed=seed, initializer_range=0.1) for seed in range(3))
    batch, logprobs = own_scores(policy, data)
    old, ref = own_scores(old_policy, data)[1], own_scores(reference, data)[1]
    generator = torch.Generator().manual_seed(7)
    spread = torch.randn(len(data), longest, generator=generator)
    # Where each trained token is in its completion: its column, which is one before it, less the prompt.
    places = batch.columns + 1 - prompt
    advantages = spread[batch.rows, places]
    made = grpo_losses(logprobs, old, advantages, Clipping(0.2, high, cap or math.inf), Divergence(ref, 0.05, corrects))
    assert made.is_clipped.any() and (made.ratio > 1.5).any()
    by_sequence = sequence_sums(made.losses, batch.sequence, len(data))
    counts = sequence_sums(torch.ones_like(made.losses), batch.sequence, len(data))
    found = {
        "grpo": (by_sequence / counts).mean(),
        "dapo": made.losses.sum() / len(made.losses),
        "bnpo": made.losses.sum() / len(made.losses),
        "dr_grpo": made.losses.sum() / (len(data) * longest),
    }[kind]

    clipping = {"epsilon": 0.2, "epsilon_high": high, "delta": cap}
    divergence = {"beta": 0.05, "use_bias_correction_kl": corrects}
    args = arguments(trl.GRPOConfig, tmp_path, loss_type=kind, num_generations=4, max_completion_length=longest, **clipping, **divergence)
    rows = Dataset.from_list([{"prompt": "x"}] * 4)
    # TRL loads a reference of its own from there; here it is not asked.
    policy.config._name_or_path = str(tiny.saved(tmp_path / "model"))
    trainer = trl.GRPOTrainer(policy, reward_funcs=lambda completions, **_: [0.0] * len(completions), args=args, train_dataset=rows, processing_class=TOKENIZER)
    trainer.current_gradient_accumulation_steps = 1
    ids, attention, labels = padded(data)
    per_token = lambda values: torch.zeros(len(data), longest).index_put((batch.rows, places), values)
    inputs = {
        "prompt_ids": ids[:, :prompt],
        "prompt_mask": attention[:, :prompt],
        "completion_ids": ids[:, prompt:],
        "completion_mask": attention[:, prompt:],
        "tool_mask": (labels[:, prompt:] != -100).long(),
        "advantages": spread,
        "old_per_token_logps": per_token(old),
        "ref_per_token_logps": per_token(ref),
        "num_items_in_batch": torch.tensor(float(len(batch.targets))),
    }
    expected = trainer._compute_loss(trainer.model.eval(), inputs)
    assert float(found) == pytest.approx(expected.item(), **CLOSE)
