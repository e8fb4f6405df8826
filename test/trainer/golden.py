"""The reference's vectors, where they are at hand, and rows made of them."""

import json
from pathlib import Path
from typing import Any

import pytest

FOLDER = Path(__file__).parents[3] / "shared/reference/golden"


def golden(name: str) -> list[dict[str, Any]]:
    """The vectors of a file. Skips the test where they are absent."""
    path = FOLDER / name
    if not path.exists():
        pytest.skip(f"the reference's vectors are absent: ../shared/reference/golden/{name}")
    return json.loads(path.read_text())


def messages_of(of: dict[str, Any]) -> list[dict[str, Any]]:
    """The conversation that the reference makes of an instruction and its steps."""
    task = of["instruction"] + (f"\n\n{of['input']}" if of.get("input") else "")
    messages = [{"role": "user", "content": task}]
    for step in of["steps"]:
        parts = [f"{name}: {step[key]}" for name, key in (("Thought", "thought"), ("Action", "action")) if step[key]]
        messages.append({"role": "assistant", "content": "\n".join(parts)})
        if step["observation"]:
            messages.append({"role": "user", "content": f"Observation: {step['observation']}"})
    return messages
