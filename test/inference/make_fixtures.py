"""Writes the tiny models of test/fixtures, and what PyTorch makes of them.

    python test/inference/make_fixtures.py test/fixtures

tiny-qwen2 has learned to look something up and then to answer; tiny-llama has learned nothing. Each folder is laid out as
an export of the trainer. expected.json: prompts as Transformers renders and tokenises them, greedy tokens, their
log-probs and logits as PyTorch gives them.
"""

import argparse
import json
import random
import sys
from pathlib import Path
from typing import Any

import onnx
import torch
from transformers import DynamicCache, GenerationConfig

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "trainer"))
import tiny  # noqa: E402

LOOK = tiny.call(0, "query_stats", query="opening hours")
ANSWER = "We open at nine."
QUESTIONS = ["When do you open?", "What are the opening hours?", "Opening hours, please.", "Hello. When can I come?"]
SYSTEMS = ["You are an agent.", "Use the tools. Do not guess what a tool can tell you.", "Once the task is done, say what was done."]
RESULTS = ["query_stats: 9", "Results for opening hours", "Opening hours: from 9 to 5", "[mock] nothing found"]
LENGTH = 28


def tools(count: int, rng: random.Random | None = None) -> list[dict[str, Any]]:
    names = ["query_stats", "respond", "think", "web_search"][:count]
    said = lambda name: f"{name} something" if rng is None else words_of(rng, 30)
    parameter = {"type": "object", "properties": {"query": {"type": "string"}}, "required": ["query"]}
    return [{"type": "function", "function": {"name": name, "description": said(name), "parameters": parameter}} for name in names]


def words_of(rng: random.Random, most: int) -> str:
    """Filler, so that what was learned does not hang on what stands before."""
    return " ".join(rng.choices(" ".join(tiny.CORPUS).split(), k=rng.randint(1, most)))


def conversation(rng: random.Random) -> list[dict[str, Any]]:
    return [
        {"role": "system", "content": rng.choice([*SYSTEMS, words_of(rng, 60)])},
        {"role": "user", "content": rng.choice(QUESTIONS)},
        {"role": "assistant", "content": "", "tool_calls": [LOOK]},
        {"role": "tool", "tool_call_id": LOOK["id"], "name": "query_stats", "content": rng.choice([*RESULTS, words_of(rng, 30)])},
        {"role": "assistant", "content": ANSWER},
    ]


def learn(model: Any, words: Any, steps: int = 900) -> float:
    """Next-token loss on what the agent says, of conversations drawn anew each step."""
    rng = random.Random(0)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 1e-2, total_steps=steps)
    for _ in range(steps):
        messages, offered = conversation(rng), tools(rng.randint(1, 4), rng)
        losses = []
        for turn in (2, 4):
            prompt = words.apply_chat_template(messages[:turn], tools=offered, add_generation_prompt=True, return_dict=False)
            whole = words.apply_chat_template(messages[: turn + 1], tools=offered, return_dict=False)
            end = len(whole) - 1  # The line break after the end of the turn is the template's.
            ids = torch.tensor([whole[:end]])
            labels = ids.clone()
            labels[:, : len(prompt)] = -100
            losses.append(model(input_ids=ids, labels=labels).loss)
        loss = sum(losses)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        optimizer.zero_grad()
    return loss.item()


class WithCache(torch.nn.Module):
    """Keys and values go in and come out as tensors."""

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.model = model

    def forward(self, input_ids: Any, attention_mask: Any, position_ids: Any, *past: Any) -> Any:
        cache = DynamicCache(config=self.model.config)
        for layer in range(len(past) // 2):
            cache.update(past[2 * layer], past[2 * layer + 1], layer)
        out = self.model(input_ids=input_ids, attention_mask=attention_mask, position_ids=position_ids, past_key_values=cache, use_cache=True)
        present = [part for layer in out.past_key_values.layers for part in (layer.keys, layer.values)]
        return (out.logits, *present)


def export(model: Any, path: Path) -> None:
    config = model.config
    layers, heads = config.num_hidden_layers, config.num_key_value_heads
    width = config.hidden_size // config.num_attention_heads
    batch, new, before = 2, 3, 4
    past = [torch.zeros(batch, heads, before, width) for _ in range(2 * layers)]
    positions = torch.arange(before, before + new)[None].repeat(batch, 1)
    ones = lambda *shape: torch.ones(*shape, dtype=torch.long)
    free = torch.export.Dim.DYNAMIC
    line = {0: free, 1: free}
    names = lambda prefix: [f"{prefix}.{layer}.{kind}" for layer in range(layers) for kind in ("key", "value")]
    program = torch.onnx.export(
        WithCache(model).eval(),
        (ones(batch, new), ones(batch, before + new), positions, *past),
        dynamo=True,
        input_names=["input_ids", "attention_mask", "position_ids", *names("past_key_values")],
        output_names=["logits", *names("present")],
        dynamic_shapes=(line, line, line, tuple({0: free, 2: free} for _ in past)),
        opset_version=18,
        verbose=False,
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    program.save(path, external_data=False)
    # Where in Python each node comes from takes more room than the weights.
    made = onnx.load(path)
    for node in made.graph.node:
        node.doc_string = ""
        del node.metadata_props[:]
    del made.graph.value_info[:], made.graph.metadata_props[:], made.metadata_props[:]
    onnx.save(made, path)


@torch.no_grad()
def greedy(model: Any, words: Any, case: dict[str, Any]) -> dict[str, Any]:
    settings = {"tools": case["tools"] or None, "add_generation_prompt": True}
    text = words.apply_chat_template(case["messages"], tokenize=False, **settings)
    prompt = words.apply_chat_template(case["messages"], return_dict=False, **settings)
    out = model.generate(torch.tensor([prompt]), max_new_tokens=LENGTH, do_sample=False)[0].tolist()
    # The whole at once, without a cache: what a cache must come to as well.
    logits = model(input_ids=torch.tensor([out])).logits[0]
    told = torch.log_softmax(logits.float(), -1)
    ids = out[len(prompt) :]
    return {
        **case,
        "prompt": text,
        "prompt_ids": prompt,
        "completion_ids": ids,
        "completion": words.decode(ids, skip_special_tokens=False, clean_up_tokenization_spaces=False),
        "logprobs": [round(told[len(prompt) - 1 + at, token].item(), 7) for at, token in enumerate(ids)],
        "first_logits": [round(value, 6) for value in logits[len(prompt) - 1].tolist()],
    }


def cases() -> list[dict[str, Any]]:
    rng = random.Random(1)
    whole = conversation(rng)
    whole[0] = {"role": "system", "content": SYSTEMS[0]}
    talk = [{"role": "system", "content": "You are an agent."}, {"role": "user", "content": "Grüße, 你好 🚀!\n\n  Two  spaces."}]
    return [
        {"name": "a task with tools", "messages": whole[:2], "tools": tools(4)},
        {"name": "after a result", "messages": whole[:4], "tools": tools(4)},
        {"name": "no tools, other scripts", "messages": talk, "tools": []},
        {"name": "one word", "messages": [{"role": "user", "content": "x"}], "tools": []},
    ]


def write(folder: Path, model: Any, words: Any) -> None:
    export(model.eval(), folder / "onnx" / "model.onnx")
    model.config.save_pretrained(folder)
    GenerationConfig(eos_token_id=words.eos_token_id, pad_token_id=words.pad_token_id).save_pretrained(folder)
    words.save_pretrained(folder, save_jinja_files=False)
    model.generation_config.eos_token_id = words.eos_token_id
    expected = {"cases": [greedy(model, words, case) for case in cases()]}
    (folder / "expected.json").write_text(json.dumps(expected, ensure_ascii=False) + "\n", encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    out = parser.parse_args().folder
    torch.set_num_threads(1)
    texts = [*tiny.CORPUS, *QUESTIONS, *SYSTEMS, *RESULTS, ANSWER, json.dumps(LOOK["function"]), json.dumps(tools(4))]
    words = tiny.tokenizer(tiny.UNMARKED, texts, vocab_size=384)
    model = tiny.qwen2(words, tie_word_embeddings=True, intermediate_size=48)
    print("loss", learn(model, words))
    write(out / "tiny-qwen2", model, words)
    other = tiny.tokenizer(tiny.UNMARKED, texts, vocab_size=300)
    write(out / "tiny-llama", tiny.llama(other, seed=7, hidden_size=24, num_attention_heads=3, num_key_value_heads=1), other)


if __name__ == "__main__":
    main()
