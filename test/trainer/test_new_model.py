"""A small model from nothing: its tokenizer as others load it, its template, and what of it hangs on the seed."""

import json

import new_model
import numpy as np
import onnxruntime
import pytest
import tiny
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from gymline_trainer.chat import ChatFormat
from gymline_trainer.config import NewConfig
from gymline_trainer.program import program

SIZES = ["hidden_size=32", "layers=1", "vocab_size=400"]


def made(folder, *settings):
    data = tiny.write_dataset(folder / "set", "sft-messages", {"train": [tiny.sft_row(number) for number in range(4)]})
    given = ["--data", str(data), "--out", str(folder / "new")]
    for setting in (*SIZES, *settings):
        given += ["--set", setting]
    return program(NewConfig, new_model.__doc__, new_model.main, given)


@pytest.fixture(scope="module")
def new(tmp_path_factory):
    folder = tmp_path_factory.mktemp("new")
    assert made(folder) == 0
    return folder / "new"


def test_the_tokenizer_gives_every_text_back_also_as_transformers_loads_it_by_itself(new):
    loaded = AutoTokenizer.from_pretrained(new / "model")
    again = AutoTokenizer.from_pretrained(new / "onnx")
    for text in ("é ☃ 𝄞", '{"name": "run"}\n\n  x', "It's 3.14, isn't it?", "<tool_call>\n{}\n</tool_call><|im_end|>"):
        ids = loaded(text)["input_ids"]
        assert loaded.decode(ids) == text
        assert again(text)["input_ids"] == ids
    marks = loaded("<tool_call></tool_call><tool_response></tool_response><|im_start|><|im_end|>")["input_ids"]
    assert len(marks) == 6
    assert len(loaded) <= 400


def test_what_the_agent_writes_and_the_end_of_its_turn_is_all_that_is_learnt(new):
    format = ChatFormat(AutoTokenizer.from_pretrained(new / "model"))
    chat = format.encode(tiny.conversation(2), tiny.TOOLS)
    said = '<tool_call>\n{"name": "run", "arguments": {"command": "pytest %d"}}\n</tool_call><|im_end|>\n'
    assert chat.texts == [f"Step {step}.{said % step}" for step in range(2)] + ["All done.<|im_end|>\n"]


def test_tools_are_told_by_name_params_and_description(new):
    tokenizer = AutoTokenizer.from_pretrained(new / "model")
    choice = {"type": "object", "properties": {"room": {"type": "string", "enum": ["attic", "garden"]}, "on": {"type": "boolean"}}}
    tools = [{"type": "function", "function": {"name": "light", "description": "Switches it.", "parameters": choice}}]
    bare = [{"type": "function", "function": {"name": "stop", "description": "Ends.", "parameters": {"type": "object"}}}]
    text = tokenizer.apply_chat_template([{"role": "user", "content": "x"}], tools=[*tools, *bare], tokenize=False, add_generation_prompt=True)
    assert text == (
        "<|im_start|>system\nTools:\nlight(room: attic|garden, on: boolean) Switches it.\nstop() Ends.<|im_end|>\n"
        "<|im_start|>user\nx<|im_end|>\n<|im_start|>assistant\n"
    )


def test_the_graph_is_the_model_and_the_record_says_what_it_is(new):
    model = AutoModelForCausalLM.from_pretrained(new / "model")
    ids = np.arange(7, dtype=np.int64)[None]
    session = onnxruntime.InferenceSession(new / "onnx/onnx/model.onnx")
    inputs = {"input_ids": ids, "attention_mask": np.ones_like(ids), "position_ids": ids}
    for given in session.get_inputs():
        if given.name not in inputs:
            inputs[given.name] = np.zeros((1, given.shape[1], 0, given.shape[3]), np.float32)
    logits = session.run(["logits"], inputs)[0]
    with torch.no_grad():
        assert np.allclose(logits, model(input_ids=torch.tensor(ids)).logits.numpy(), atol=1e-4)
    record = json.loads((new / "new.json").read_text())
    assert record["parameters"] == model.num_parameters()
    assert record["tokens"] == len(AutoTokenizer.from_pretrained(new / "model"))
    assert record["options"]["hidden_size"] == 32


def test_weights_hang_on_the_seed_alone(new, tmp_path):
    weights = lambda folder: AutoModelForCausalLM.from_pretrained(folder / "model").state_dict()
    same, other = tmp_path / "same", tmp_path / "other"
    assert made(same) == 0
    assert made(other, "seed=7") == 0
    first = weights(new)
    assert all(torch.equal(value, first[name]) for name, value in weights(same / "new").items())
    assert not torch.equal(weights(other / "new")["model.embed_tokens.weight"], first["model.embed_tokens.weight"])


def test_sizes_that_do_not_fit_are_named_before_anything_is_made(tmp_path, capsys):
    assert made(tmp_path, "heads=3", "kv_heads=2") == 1
    said = capsys.readouterr().err
    assert "`hidden_size` must be a multiple of twice `heads`" in said
    assert "`kv_heads` must divide `heads`" in said
    assert not (tmp_path / "new").exists()
