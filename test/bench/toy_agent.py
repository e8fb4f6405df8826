"""A toy task for an agent, made with a seed, on which what the trainer's options do can be measured within seconds.

The user names a mode. The agent looks around; the tool shows a signal, and words that mean nothing. The agent presses the
key that belongs to this mode and this signal, the tool shows the next signal, and so on until it says `over` and the agent
says `done`. From the third press on there are other signals, with keys of their own. Which key belongs to what is drawn
with the seed; tasks that are held out have the same keys and signals in other orders, with other noise.

  user mode m1 end agent look here end tool e3 n0 n7 end agent press k4 end tool … end agent done end

A bad step presses the key of the next mode: a habit, not noise. It has a low reward.
"""

import random
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tiny

MODES, KEYS, NOISE = 2, 5, 16
# The press, from 0, from which on signals are the late ones.
LATE = 2
SHOWN_NOISE = 2
GOOD, BAD = 0.9, 0.1
ATTEMPTS = 6

# What stands for the agent is between the marks; each word is a token.
_TEMPLATE = """{%- for message in messages -%}
{%- if message.role == 'assistant' -%}
{{- 'agent ' }}{% generation %}
{%- for call in message.tool_calls or [] %}{{- call.function.name + ' ' + call.function.arguments.key + ' ' }}{%- endfor %}
{{- message.content + ' end ' }}{% endgeneration %}
{%- else -%}
{{- message.role + ' ' + message.content + ' end ' }}
{%- endif -%}
{%- endfor -%}
{%- if add_generation_prompt -%}{{- 'agent ' }}{%- endif -%}"""


def tokenizer() -> Any:
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    numbered = {"m": MODES, "e": KEYS, "l": KEYS, "k": KEYS, "n": NOISE}
    words = ["<pad>", "<unk>", "end", "user", "agent", "tool", "mode", "look", "here", "press", "over", "done"]
    words += [f"{letter}{number}" for letter, count in numbered.items() for number in range(count)]
    made = Tokenizer(models.WordLevel({word: index for index, word in enumerate(words)}, unk_token="<unk>"))
    made.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    whole = PreTrainedTokenizerFast(tokenizer_object=made, eos_token="end", pad_token="<pad>", unk_token="<unk>")
    whole.chat_template = _TEMPLATE
    return whole


@dataclass(frozen=True)
class Task:
    """signals: one for each press."""

    mode: int
    signals: tuple[str, ...]


class World:
    """Keys, tasks and what agents make of them, all from one seed."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(f"toy agent {seed}")
        self._keys = {kind: self._random.sample(range(KEYS), KEYS) for kind in "el"}
        self._made = 0

    def task(self, least: int = 2, most: int = 9) -> Task:
        """With so many presses."""
        count = self._random.randint(least, most)
        signals = [f"{'e' if number < LATE else 'l'}{self._random.randrange(KEYS)}" for number in range(count)]
        return Task(self._random.randrange(MODES), tuple(signals))

    def attempt(self, task: Task, bad: float = 0.0) -> dict[str, Any]:
        """A row of target `trl`. bad: share of bad steps to expect. Its reward is the share of presses that are right."""
        messages: list[dict[str, Any]] = [{"role": "user", "content": f"mode m{task.mode}"}, _calls(0, "look", "here")]
        rewards: list[float | None] = [None, None]
        for number, signal in enumerate(task.signals):
            is_bad = self._random.random() < bad
            messages += [self._sees(number, signal), _calls(number + 1, "press", f"k{self._key(task.mode + is_bad, signal)}")]
            rewards += [None, BAD if is_bad else GOOD]
        messages += [self._sees(len(task.signals), "over"), {"role": "assistant", "content": "done"}]
        given = [reward for reward in rewards if reward is not None]
        self._made += 1
        row = tiny.sft_row(self._made, messages=messages, reward=given.count(GOOD) / len(given))
        return {**row, "tools": None, "step_rewards": [*rewards, None, None]}

    def demonstrations(self, count: int) -> list[dict[str, Any]]:
        """Of agents that are good or not: up to six in ten of their steps are bad."""
        return [self.attempt(self.task(), self._random.choice([0.0, 0.2, 0.4, 0.6])) for _ in range(count)]

    def held_out(self, count: int, most: int = 9) -> list[dict[str, Any]]:
        """Without bad steps."""
        return [self.attempt(self.task(most=most)) for _ in range(count)]

    def groups(self, count: int, most: int) -> list[dict[str, Any]]:
        """Rows of target `grpo-offline`: attempts of an agent of which a third of the presses is bad.

        Were it half of them, what it does would say nothing of the mode, and a model that learnt from it would not look at it.
        """
        return [row for number in range(count) for row in self._group(f"task {number}", self.task(most=most))]

    def _group(self, name: str, task: Task) -> list[dict[str, Any]]:
        rows = [self.attempt(task, bad=1 / 3) for _ in range(ATTEMPTS)]
        return [{**row, "group": name, "group_size": ATTEMPTS} for row in rows]

    def _key(self, mode: int, signal: str) -> int:
        # Two modes have the same key for no signal.
        return self._keys[signal[0]][(int(signal[1:]) + mode % MODES) % KEYS]

    def _sees(self, number: int, signal: str) -> dict[str, Any]:
        noise = " ".join(f"n{self._random.randrange(NOISE)}" for _ in range(SHOWN_NOISE))
        return {"role": "tool", "tool_call_id": f"call_{number}", "content": f"{signal} {noise}"}


def _calls(number: int, name: str, key: str) -> dict[str, Any]:
    return {"role": "assistant", "content": "", "tool_calls": [tiny.call(number, name, key=key)]}


def saved_model(folder: Path, seed: int) -> int:
    """Writes a random model and its tokenizer, each into a folder of its own; the number of the model's weights.

    Beside a model, Transformers would take the tokenizer for one of the model's kind, which cuts words otherwise.
    """
    words = tokenizer()
    sizes = {"hidden_size": 64, "intermediate_size": 128, "num_attention_heads": 4, "num_key_value_heads": 2}
    model = tiny.qwen2(words, seed, tie_word_embeddings=True, initializer_range=0.1, **sizes)
    model.save_pretrained(folder / "model")
    words.save_pretrained(folder / "tokenizer", save_jinja_files=False)
    return model.num_parameters()
