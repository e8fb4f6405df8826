import pytest
import tiny
import torch

from gymline_trainer import model as models
from gymline_trainer.collate import Collator
from gymline_trainer.errors import ConfigError
from gymline_trainer.model import Scorer, check_packing

torch.set_num_threads(1)
TOKENIZER = tiny.tokenizer()


def sequence(length, trained, seed, vocabulary=len(TOKENIZER)):
    generator = torch.Generator().manual_seed(seed)
    ids = torch.randint(1, vocabulary, (length,), generator=generator).tolist()
    labels = [token if index >= length - trained and index % 3 else -100 for index, token in enumerate(ids)]
    own = [label != -100 for label in labels]
    return {
        "input_ids": ids,
        "labels": labels,
        "step_ids": [int(is_own) - 1 for is_own in own],
        "weights": [float(is_own) for is_own in own],
        "chunk": {"trajectory": f"t{seed}", "index": 0, "of": 1},
        "difficulty": 0.0,
    }


DATA = [sequence(length, trained, seed) for seed, (length, trained) in enumerate([(20, 9), (33, 30), (12, 3), (7, 7)])]
ALL = [[index] for index in range(len(DATA))]


def scored(scorer, batch):
    return scorer(batch.inputs, batch.rows, batch.columns, batch.targets)


def plainly(model, batch):
    """Log-probabilities from all logits."""
    logits = model(**batch.inputs).logits.float()
    return logits.log_softmax(-1)[batch.rows, batch.columns].gather(-1, batch.targets[:, None])[:, 0]


def gradients(model):
    return {name: parameter.grad.clone() for name, parameter in model.named_parameters() if parameter.grad is not None}


@pytest.mark.parametrize("held", [1 << 24, 5 * 400])
def test_log_probabilities_and_gradients_are_those_of_all_logits(monkeypatch, held):
    """All at once, and a few tokens at a time."""
    monkeypatch.setattr(models, "_LOGITS", held)
    model = tiny.qwen2(TOKENIZER)
    scorer = Scorer(model, "language").train()
    batch = Collator(DATA, 0)(ALL)
    found = scored(scorer, batch)
    found.logprobs.sum().backward()
    own = gradients(model)
    model.zero_grad()
    expected = plainly(model, batch)
    expected.sum().backward()
    assert torch.allclose(found.logprobs, expected, atol=1e-5)
    for name, gradient in gradients(model).items():
        assert torch.allclose(own[name], gradient, atol=1e-4), name


def test_accuracy_is_the_share_of_targets_that_are_the_likeliest():
    model = tiny.qwen2(TOKENIZER)
    batch = Collator(DATA, 0)(ALL)
    with torch.no_grad():
        found = scored(Scorer(model, "language").eval(), batch)
        best = model(**batch.inputs).logits.argmax(-1)[batch.rows, batch.columns]
    assert found.is_top.tolist() == (best == batch.targets).tolist()


def test_models_that_change_their_logits_after_the_head_take_the_whole_way():
    from transformers import Gemma2Config, Gemma2ForCausalLM

    torch.manual_seed(0)
    sizes = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 1, "num_attention_heads": 2, "num_key_value_heads": 1, "head_dim": 16}
    model = Gemma2ForCausalLM(Gemma2Config(vocab_size=len(TOKENIZER), final_logit_softcapping=0.01, **sizes)).eval()
    batch = Collator(DATA, 0)(ALL)
    with torch.no_grad():
        assert torch.allclose(scored(Scorer(model, "language").eval(), batch).logprobs, plainly(model, batch), atol=1e-6)


def test_padding_changes_nothing_even_where_its_id_is_one_that_the_agent_wrote():
    model = tiny.qwen2(TOKENIZER)
    scorer = Scorer(model, "language").eval()
    pad = DATA[0]["input_ids"][-1]
    with torch.no_grad():
        alone = torch.cat([scored(scorer, Collator(DATA, pad)([[index]])).logprobs for index in range(len(DATA))])
        assert torch.allclose(scored(scorer, Collator(DATA, pad)(ALL)).logprobs, alone, atol=1e-5)


@pytest.mark.parametrize("make", [tiny.qwen2, tiny.llama])
@pytest.mark.parametrize("attention", ["sdpa", "eager"])
def test_sequences_of_a_packed_row_have_the_log_probabilities_that_they_have_alone(make, attention):
    model = make(TOKENIZER, initializer_range=0.3, attn_implementation=attention)
    check_packing(model)
    scorer = Scorer(model, "language").eval()
    packed = Collator(DATA, 0, packing=True)([[0, 2], [3, 1]])
    with torch.no_grad():
        alone = torch.cat([scored(scorer, Collator(DATA, 0)([[index]])).logprobs for index in (0, 2, 3, 1)])
        assert torch.allclose(scored(scorer, packed).logprobs, alone, atol=1e-4)
    assert [key[0] for key in packed.keys] == [0, 2, 3, 1]


def test_a_model_that_cannot_keep_sequences_apart_is_refused_for_packing():
    from transformers import BloomConfig, BloomForCausalLM

    torch.manual_seed(0)
    model = BloomForCausalLM(BloomConfig(vocab_size=len(TOKENIZER), hidden_size=32, n_layer=1, n_head=2, initializer_range=0.3))
    # ALiBi goes by the attention mask and takes no positions.
    with pytest.raises(ConfigError, match="packing"):
        check_packing(model)


def test_the_first_token_of_a_sequence_is_never_predicted_from_the_one_before_it():
    whole = {**DATA[3], "labels": DATA[3]["input_ids"], "weights": [1.0] * 7}
    batch = Collator([whole, DATA[0]], 0, packing=True)([[1, 0]])
    assert (batch.columns >= 0).all() and len(DATA[0]["input_ids"]) - 1 not in batch.columns.tolist()
    assert len(Collator([whole], 0)([[0]]).targets) == 6
