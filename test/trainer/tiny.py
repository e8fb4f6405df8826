"""Tiny models and tokenizers, made on the spot, and rows to train them on: no hub, no downloads."""

import hashlib
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast

SPECIAL = ["<|endoftext|>", "<|im_start|>", "<|im_end|>", "<tool_call>", "</tool_call>", "<think>", "</think>"]

_HEAD = """{%- if tools %}
{{- '<|im_start|>system\\n' }}
{%- if messages[0].role == 'system' %}{{- messages[0].content + '\\n\\n' }}{%- endif %}
{{- '# Tools\\n' }}
{%- for tool in tools %}{{- tool | tojson + '\\n' }}{%- endfor %}
{{- '<|im_end|>\\n' }}
{%- elif messages[0].role == 'system' %}
{{- '<|im_start|>system\\n' + messages[0].content + '<|im_end|>\\n' }}
{%- endif %}
{%- for message in messages %}
{%- if message.role == 'user' or (message.role == 'system' and not loop.first) %}
{{- '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>\\n' }}
{%- elif message.role == 'assistant' %}
{{- '<|im_start|>assistant\\n' }}"""
_SAID = """
{%- if message.reasoning_content %}{{- '<think>\\n' + message.reasoning_content + '\\n</think>\\n\\n' }}{%- endif %}
{{- message.content }}
{%- for call in message.tool_calls or [] %}
{{- '\\n<tool_call>\\n{"name": "' + call.function.name + '", "arguments": ' + (call.function.arguments | tojson) + '}\\n</tool_call>' }}
{%- endfor %}
{{- '<|im_end|>' }}"""
_TAIL = """
{{- '\\n' }}
{%- elif message.role == 'tool' %}
{%- if loop.first or messages[loop.index0 - 1].role != 'tool' %}{{- '<|im_start|>user' }}{%- endif %}
{{- '\\n<tool_response>\\n' + message.content + '\\n</tool_response>' }}
{%- if loop.last or messages[loop.index0 + 1].role != 'tool' %}{{- '<|im_end|>\\n' }}{%- endif %}
{%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}{{- '<|im_start|>assistant\\n' }}{%- endif %}"""

# In the manner of Qwen: tools in the system message, results of one turn in one user message.
MARKED = f"{_HEAD}{{%- generation %}}{_SAID}{{%- endgeneration %}}{_TAIL}"
UNMARKED = f"{_HEAD}{_SAID}{_TAIL}"
# One token per character, for masks that are written out by hand.
ANGLED = """{% for m in messages %}{{ '<' + m.role + '>' + m.content + '\n' }}{% endfor %}{% if add_generation_prompt %}{{ '<assistant>' }}{% endif %}"""
COLONED = """{% for m in messages %}{{ m.role + ': ' + m.content + '\n' }}{% endfor %}{% if add_generation_prompt %}{{ 'assistant: ' }}{% endif %}"""

CORPUS = [
    "You are an agent. Use the tools. The task: read the file, fix the fault, run the tests and say what was done.",
    '{"name": "read", "arguments": {"path": "src/main.py"}} {"name": "run", "arguments": {"command": "pytest -q"}}',
    "def add(a, b):\n    return a + b\n\nError: file not found. 3 passed, 1 failed in 0.12s. user assistant system tool",
]


def tokenizer(template: str | None = MARKED, texts: Iterable[str] = CORPUS, vocab_size: int = 400) -> PreTrainedTokenizerFast:
    """A byte-level BPE, so that every text comes back. `pad_token` is not the end of a turn."""
    bpe = Tokenizer(models.BPE())
    bpe.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    bpe.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocab_size,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        special_tokens=SPECIAL,
        show_progress=False,
    )
    bpe.train_from_iterator(texts, trainer)
    made = PreTrainedTokenizerFast(tokenizer_object=bpe, eos_token="<|im_end|>", pad_token="<|endoftext|>")
    made.chat_template = template
    return made


def character_tokenizer(template: str | None) -> PreTrainedTokenizerFast:
    """One token per character of ASCII; others are unknown."""
    letters = ["<pad>", "<eos>", "<unk>", *[chr(code) for code in range(128)]]
    words = Tokenizer(models.WordLevel({letter: index for index, letter in enumerate(letters)}, unk_token="<unk>"))
    words.pre_tokenizer = pre_tokenizers.Split(Regex(r"[\s\S]"), "isolated")
    words.decoder = decoders.Fuse()
    made = PreTrainedTokenizerFast(tokenizer_object=words, eos_token="<eos>", pad_token="<pad>", unk_token="<unk>")
    made.chat_template = template
    return made


def _config(of: PreTrainedTokenizerFast, changes: dict[str, Any]) -> dict[str, Any]:
    return {
        "vocab_size": len(of),
        "hidden_size": 32,
        "intermediate_size": 64,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "num_key_value_heads": 1,
        "max_position_embeddings": 4096,
        "eos_token_id": of.eos_token_id,
        "pad_token_id": of.pad_token_id,
        "bos_token_id": None,
        "tie_word_embeddings": False,
        **changes,
    }


def qwen2(of: PreTrainedTokenizerFast, seed: int = 0, **changes: Any) -> Any:
    """A Qwen2ForCausalLM of some 40 000 parameters. `changes`: of its configuration."""
    import torch
    from transformers import Qwen2Config, Qwen2ForCausalLM

    torch.manual_seed(seed)
    return Qwen2ForCausalLM(Qwen2Config(**_config(of, changes)))


def llama(of: PreTrainedTokenizerFast, seed: int = 0, **changes: Any) -> Any:
    """A LlamaForCausalLM of the same size."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(seed)
    return LlamaForCausalLM(LlamaConfig(**_config(of, changes)))


def qwen3(of: PreTrainedTokenizerFast, seed: int = 0, **changes: Any) -> Any:
    """A Qwen3ForCausalLM of the same size; its heads are wider than the model's width among them."""
    import torch
    from transformers import Qwen3Config, Qwen3ForCausalLM

    torch.manual_seed(seed)
    return Qwen3ForCausalLM(Qwen3Config(**_config(of, {"head_dim": 24, **changes})))


def saved(folder: Path, template: str | None = MARKED, seed: int = 0, **changes: Any) -> Path:
    """A folder with a tiny model and its tokenizer, as `--model` takes it."""
    words = tokenizer(template)
    qwen2(words, seed, **changes).save_pretrained(folder)
    words.save_pretrained(folder, save_jinja_files=False)
    return folder


TOOLS = [
    {
        "type": "function",
        "function": {
            "name": name,
            "description": f"{name} something",
            "parameters": {"type": "object", "properties": {key: {"type": "string"}}, "required": [key]},
        },
    }
    for name, key in (("read", "path"), ("run", "command"))
]


def call(number: int, name: str = "run", **arguments: Any) -> dict[str, Any]:
    return {"id": f"call_{number}", "type": "function", "function": {"name": name, "arguments": arguments}}


def conversation(steps: int = 2, seen: str = "3 passed", final: str = "All done.") -> list[dict[str, Any]]:
    """A system message, a task, `steps` calls with their results, and a last message of the agent."""
    messages: list[dict[str, Any]] = [
        {"role": "system", "content": "You are an agent."},
        {"role": "user", "content": "Fix the fault."},
    ]
    for number in range(steps):
        messages.append({"role": "assistant", "content": f"Step {number}.", "tool_calls": [call(number, command=f"pytest {number}")]})
        messages.append({"role": "tool", "tool_call_id": f"call_{number}", "name": "run", "content": f"{seen} {number}"})
    return [*messages, {"role": "assistant", "content": final}]


def _of_steps(messages: Sequence[dict[str, Any]], rewards: Sequence[float | None]) -> list[float | None]:
    """One entry per message: the rewards, in order, at the agent's messages."""
    left = iter(rewards)
    return [next(left, None) if message["role"] == "assistant" else None for message in messages]


def sft_row(number: int = 0, steps: int = 2, rewards: Sequence[float | None] = (), reward: float | None = 0.75, **changes: Any) -> dict[str, Any]:
    """A row of target `trl`. `rewards`: of the agent's messages, in order."""
    messages = changes.pop("messages", None) or conversation(steps)
    return {
        "messages": messages,
        "tools": json.dumps(TOOLS),
        "weights": [int(message["role"] == "assistant") for message in messages],
        "step_rewards": _of_steps(messages, rewards),
        **origin(number, reward),
        **changes,
    }


def origin(number: int, reward: float | None) -> dict[str, Any]:
    return {
        "reward": reward,
        "success": None if reward is None else reward > 0.5,
        "id": hashlib.sha256(f"trajectory {number}".encode()).hexdigest(),
        "content_id": hashlib.sha256(f"content {number}".encode()).hexdigest(),
        "task_id": f"task-{number}",
        "domain": "coding",
        "agent": "tiny",
        "model": None,
        "format": "openai-messages",
        "scorer": None if reward is None else "0123456789ab",
        "tokens": "text_only",
    }


def grpo_rows(group: str, rewards: Sequence[float], steps: int = 2, step_rewards: Sequence[Sequence[float | None]] = (), first: int = 0) -> list[dict[str, Any]]:
    """A group of target `grpo-offline`: one attempt per reward. `step_rewards`: per attempt, of the agent's messages."""
    size = len(rewards)
    mean = sum(rewards) / size
    deviation = (sum((reward - mean) ** 2 for reward in rewards) / (size - 1)) ** 0.5 if size > 1 else None
    rows = []
    for number, reward in enumerate(rewards):
        messages = conversation(steps, final=f"Attempt {number}.")
        own = step_rewards[number] if number < len(step_rewards) else ()
        none = [None] * len(messages)
        row = sft_row(first + number, rewards=own, reward=reward, messages=messages)
        shared = {"group": group, "group_size": size, "group_mean": mean, "group_std": deviation}
        rows.append({**shared, "prompt_token_ids": none, "completion_token_ids": none, "logprobs": none, **row})
    return rows


def dpo_row(number: int = 0, chosen: str = "I ran the tests.", rejected: str = "I did nothing.", **changes: Any) -> dict[str, Any]:
    """A row of target `trl-dpo`; each side has a call, its result and a last message."""
    side = lambda text: [
        {"role": "assistant", "content": text, "tool_calls": [call(0, command="pytest")]},
        {"role": "tool", "tool_call_id": "call_0", "name": "run", "content": f"result of: {text}"},
        {"role": "assistant", "content": "Done."},
    ]
    return {
        "prompt": conversation(0)[:2],
        "chosen": side(chosen),
        "rejected": side(rejected),
        "tools": json.dumps(TOOLS),
        "margin": 0.5,
        "chosen_reward": 0.9,
        "rejected_reward": 0.4,
        "preferred_by": "reward",
        "task": f"task-{number}",
        "task_id": f"task-{number}",
        "chosen_id": f"chosen-{number}",
        "rejected_id": f"rejected-{number}",
        "tokens": "text_only",
        **changes,
    }


def prm_row(number: int = 0, rewards: Sequence[float] = (0.9, 0.2), **changes: Any) -> dict[str, Any]:
    """A row of target `trl-prm`: one completion per reward."""
    return {
        "prompt": "[system]\nYou are an agent.\n\n[user]\nFix the fault.",
        "completions": [f"[assistant]\nStep {index}, {'good' if reward >= 0.5 else 'bad'}." for index, reward in enumerate(rewards)],
        "labels": [reward >= 0.5 for reward in rewards],
        "soft_labels": list(rewards),
        **origin(number, 0.5),
        **changes,
    }


def write_dataset(folder: Path, format: str, splits: dict[str, Sequence[dict[str, Any]]], shard_rows: int | None = None, name: str = "tiny") -> Path:
    """A dataset version in JSON Lines with its manifest, as `gymline export` writes it."""
    folder.mkdir(parents=True, exist_ok=True)
    files = []
    for split, rows in splits.items():
        shards = [rows] if shard_rows is None else [rows[at : at + shard_rows] for at in range(0, len(rows), shard_rows)]
        for index, shard in enumerate(shards):
            path = folder / (f"{split}.jsonl" if shard_rows is None else f"{split}-{index:05}.jsonl")
            data = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in shard).encode()
            path.write_bytes(data)
            files.append(_listed(path, split, len(shard), data))
    return write_manifest(folder, format, files, name)


def _listed(path: Path, split: str, rows: int, data: bytes) -> dict[str, Any]:
    digest = hashlib.sha256(data).hexdigest()
    return {"path": path.name, "split": split, "rows": rows, "tasks": rows, "bytes": len(data), "sha256": digest}


def write_manifest(folder: Path, format: str, files: Sequence[dict[str, Any]], name: str = "tiny") -> Path:
    rows = sum(file["rows"] for file in files)
    version = hashlib.sha256(json.dumps([format, *files]).encode()).hexdigest()[:12]
    statistics = {f"reward_{of}": None for of in ("mean", "min", "max")}
    statistics |= {f"by_{of}": {} for of in ("success", "domain", "format", "agent", "model")}
    manifest = {
        "schema": "gymline.dataset.v2",
        "name": name,
        "version": version,
        "format": format,
        "rows": rows,
        "files": list(files),
        "inputs": {"path": "inputs.jsonl", "bytes": 0, "sha256": hashlib.sha256(b"").hexdigest(), "rows": 0},
        "settings": {},
        "seed": 0,
        "selection": {"considered": rows, "selected": rows, "excluded": {}},
        "statistics": {**statistics, "redactions": 0, "messages": 0, "trained_messages": 0},
        "beside": [],
        "made_by": {"tool": "gymline", "version": "0.0.0", "commit": None},
    }
    (folder / "manifest.json").write_text(json.dumps(manifest, indent=2))
    return folder
