"""Renders a set made for TRL with the chat templates of models, as TRL would: unchanged rows, loaded from the folder.

Argument: the set's folder. Prints one JSON object: for each template, which rows lack something, and where a template that
marks what the model wrote marks something else.
"""

import json
import sys

from datasets import load_dataset
from transformers.utils.chat_template_utils import render_jinja_template

import tiny

# Templates that take tools. That of Llama 3.1 leaves out what is said beside a call, and refuses several calls at once.
WHOLE = [
    "qwen2_5_training", "qwen3_training", "qwen3_5_nothink_training", "qwen3_8_training", "glm4moe_training",
    "gemma4_v5", "nemotron_3_ultra_training", "lfm2_2_5",
]
CALLS_ONLY = ["llama3_1"]


def squeezed(text):
    return "".join(text.split())


def leaves(value):
    if isinstance(value, dict):
        return [leaf for item in value.values() for leaf in leaves(item)]
    if isinstance(value, list):
        return [leaf for item in value for leaf in leaves(item)]
    return [value] if isinstance(value, str) else []


def wanted(row, whole):
    """What has to be seen of a row: all messages, the calls' names and texts, and the tools' names."""
    parts = [tool["function"]["name"] for tool in json.loads(row["tools"] or "[]")]
    for message in row["messages"]:
        calls = message.get("tool_calls", [])
        if whole or not calls:
            parts.append(message["content"])
        parts += [call["function"]["name"] for call in calls]
        parts += [text for call in calls for text in leaves(call["function"]["arguments"])]
    return parts


def rendered(row, template):
    tools = json.loads(row["tools"]) if isinstance(row["tools"], str) else row["tools"]
    texts, _ = render_jinja_template(
        [row["messages"]], tools=tools, chat_template=template, eos_token="<eos>", bos_token="<bos>"
    )
    return texts[0]


def is_there(part, text):
    """As it is, or as JSON writes it; white space apart, which templates trim."""
    return squeezed(part) in text or squeezed(json.dumps(part, ensure_ascii=False)[1:-1]) in text


def faults(rows, name, whole):
    template = tiny.chat_template(name)
    found, refused = [], {}
    for index, row in enumerate(rows):
        try:
            text = rendered(row, template)
        except Exception as error:  # A template's own word on what it does not take.
            refused[str(error)[:80]] = refused.get(str(error)[:80], 0) + 1
            continue
        inside = squeezed(text)
        missing = [part[:60] for part in wanted(row, whole) if not is_there(part, inside)]
        found += [[index, part] for part in missing]
        if '"arguments": "{' in text:
            found.append([index, "arguments are quoted twice"])
    return {"rows": len(rows), "refused": refused, "missing": found[:5], "missed": len(found)}


def as_text(row):
    """A row as it would be with arguments as JSON text: templates must be seen to go wrong on it."""
    messages = [dict(message) for message in row["messages"]]
    for message in messages:
        if "tool_calls" in message:
            message["tool_calls"] = [
                {**call, "function": {**call["function"], "arguments": json.dumps(call["function"]["arguments"])}}
                for call in message["tool_calls"]
            ]
    return {**row, "messages": messages}


if __name__ == "__main__":
    rows = list(load_dataset(sys.argv[1], split="train"))
    result = {name: faults(rows, name, True) for name in WHOLE}
    result |= {name: faults(rows, name, False) for name in CALLS_ONLY}
    wrong = [as_text(row) for row in rows]
    result["text: quoted"] = faults(wrong, "qwen2_5_training", True)
    result["text: refused"] = faults(wrong, "qwen3_5_nothink_training", True)
    print(json.dumps(result))
