"""Texts on which two forms of a model are compared, and what one of them says to each by itself."""

from typing import Any

import torch
from torch import Tensor

from .model import Head

# Of different length: padding must not matter.
_LINE = "2 passed, 1 failed in 0.12s: tests/test_parser.py::test_dates - AssertionError: 2024-02-30 is no date\n"
_CONVERSATIONS = [
    [("user", "Hello")],
    [("system", "You are an agent that mends programs."), ("user", "Why does test_dates fail?")],
    [("user", "def add(a, b):\n    return a - b\n\nWhat is wrong with it? Answer in one sentence.")],
    [("system", "You are an agent."), ("user", f"Run the tests.\n{_LINE * 6}"), ("assistant", "One fails."), ("user", "Mend it.")],
]
_LONGEST = 256
# Of logits around 1 in float32; larger ones are compared in proportion.
TOLERANCE = 1e-4


def probes_of(tokenizer: Any, head: Head) -> list[list[int]]:
    """Token ids of each text, the shortest first; with the chat template where there is one that takes them."""
    made = [_ids(tokenizer, conversation, head)[:_LONGEST] for conversation in _CONVERSATIONS]
    return sorted((ids for ids in made if ids), key=len)


def _ids(tokenizer: Any, conversation: list[tuple[str, str]], head: Head) -> list[int]:
    text = "\n".join(said for _, said in conversation)
    if head == "language" and tokenizer.chat_template:
        messages = [{"role": role, "content": said} for role, said in conversation]
        try:
            text = tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
        except Exception:  # noqa: BLE001 - templates raise what they like, and any text will do
            pass
    return tokenizer(text, add_special_tokens=False, verbose=False)["input_ids"]


def logits_alone(model: Any, probes: list[list[int]]) -> list[Tensor]:
    """Per probe [tokens, vocabulary or classes], each by itself and without padding."""
    with torch.no_grad():
        return [model(input_ids=torch.tensor([ids])).logits[0].float() for ids in probes]


def tolerated(logits: list[Tensor]) -> float:
    """How far from these another form of the model may be."""
    return TOLERANCE * max(1.0, *(float(own.abs().max()) for own in logits))


def close_enough(difference: float, logits: list[Tensor]) -> bool:
    # Said this way round, NaN is not.
    return difference <= tolerated(logits)
