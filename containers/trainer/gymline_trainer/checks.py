"""Whether a row is what its target says. Everything that is wrong with it is named, not the first thing alone."""

import json
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from .columns import Target, unknown_columns
from .samples import JudgedSteps, Message, Pair, Recorded, Sample, Trajectory

ROLES = ("system", "developer", "user", "assistant", "tool")
# What is wrong, and what to do.
Report = Callable[[str, str], None]

EXPORT_ANEW = "export the dataset anew with `gymline export`"
LEAVE_OUT = "leave the row out"


@dataclass(frozen=True)
class Needs:
    """What options ask of the rows. step_rewards: every trajectory has some."""

    step_rewards: bool = False
    margin: bool = False


@dataclass(frozen=True)
class RawRow:
    value: dict[str, Any]
    file: str
    row: int


def sample_of(raw: RawRow, target: Target, needs: Needs, report: Report) -> Sample | None:
    """The row as the trainer takes it; None where that cannot be told. Faults go to `report`."""
    unknown = unknown_columns(raw.value, target)
    if unknown:
        report(f"unknown columns: {', '.join(unknown)}", f"rows of target `{target.name}` have: {', '.join(target.columns)}")
    missing = [name for name in target.required if raw.value.get(name) is None]
    if missing:
        what = "the reward is missing" if missing == ["reward"] else f"it lacks {', '.join(f'`{name}`' for name in missing)}"
        remedy = "score the trajectory with `gymline score`, or leave its group out" if missing == ["reward"] else EXPORT_ANEW
        report(what, remedy)
        return None
    if target.name == "trl-prm":
        return _judged(raw, report)
    tools = _tools(raw.value.get("tools"), report)
    if target.name == "trl-dpo":
        return _pair(raw, tools, needs, report)
    return _trajectory(raw, tools, needs, report)


def _trajectory(raw: RawRow, tools: list[Any] | None, needs: Needs, report: Report) -> Trajectory | None:
    row = raw.value
    if "messages" in row:
        parts = [messages_of(row["messages"], "messages", report)]
    else:
        parts = [messages_of(row[name], name, report) for name in ("prompt", "completion")]
    if any(part is None for part in parts):
        return None
    messages = [message for part in parts for message in part or []]
    weights = _per_message(row.get("weights"), "weights", len(messages), report)
    if weights is None:
        before = 0 if "messages" in row else len(parts[0] or [])
        trained = [index >= before and message["role"] == "assistant" for index, message in enumerate(messages)]
    else:
        trained = _trained(weights, messages, report)
    _check_trained(messages, trained, report)
    if messages and messages[0]["role"] == "assistant":
        report("nothing comes before the agent's first message", LEAVE_OUT)
    rewards = [_number(value, f"step reward {index}", report) for index, value in enumerate(_rewards(row, messages, report))]
    if needs.step_rewards and all(value is None for value, is_trained in zip(rewards, trained) if is_trained):
        report("no step has a reward", "score the trajectory with `gymline score`, or turn the options off that use steps' rewards")
    reward = _number(row.get("reward"), "the reward", report)
    recorded = _recorded(row, messages, report)
    group = row.get("group")
    if group is not None and not isinstance(group, str):
        report("`group` is no text", EXPORT_ANEW)
        group = str(group)
    return Trajectory(messages, tools, trained, rewards, reward, id_of(raw), raw.file, raw.row, group, recorded)


def _rewards(row: dict[str, Any], messages: list[Message], report: Report) -> list[Any]:
    given = _per_message(row.get("step_rewards"), "step_rewards", len(messages), report)
    return [None] * len(messages) if given is None else given


def _trained(weights: list[Any], messages: list[Message], report: Report) -> list[bool]:
    if any(weight not in (0, 1) for weight in weights):
        report("`weights` holds something other than 0 and 1", EXPORT_ANEW)
    for index, (weight, message) in enumerate(zip(weights, messages)):
        if weight and message["role"] != "assistant":
            report(f"message {index} has weight 1 and is not the agent's", "set its weight to 0")
    return [bool(weight) and message["role"] == "assistant" for weight, message in zip(weights, messages)]


def _check_trained(messages: list[Message], trained: list[bool], report: Report) -> None:
    if not any(trained):
        report("there is no message of the agent to learn from", LEAVE_OUT)
    for index, message in enumerate(messages):
        if trained[index] and is_empty(message):
            report(f"message {index} of the agent is empty", "set its weight to 0, or leave the row out")


def is_empty(message: Message) -> bool:
    said = [message.get("content"), message.get("reasoning_content")]
    return not any(isinstance(text, str) and text.strip() for text in said) and not message.get("tool_calls")


def _recorded(row: dict[str, Any], messages: list[Message], report: Report) -> list[Recorded | None]:
    names = ("prompt_token_ids", "completion_token_ids", "logprobs")
    prompts, completions, logprobs = (
        _per_message(row.get(name), name, len(messages), report) or [None] * len(messages) for name in names
    )
    found: list[Recorded | None] = []
    for index, (prompt, completion, logs) in enumerate(zip(prompts, completions, logprobs)):
        if completion is None or messages[index]["role"] != "assistant":
            found.append(None)
            continue
        if logs is not None and len(logs) != len(completion):
            report(f"message {index} has {len(completion)} tokens and {len(logs)} log-probabilities", EXPORT_ANEW)
            logs = None
        if logs is not None and not all(_is_number(value) and math.isfinite(value) and value <= 1e-6 for value in logs):
            report(f"message {index} has a log-probability that is no finite number up to 0", EXPORT_ANEW)
            logs = None
        found.append(Recorded(prompt, completion, logs))
    return found


def _pair(raw: RawRow, tools: list[Any] | None, needs: Needs, report: Report) -> Pair | None:
    prompt, chosen, rejected = (messages_of(raw.value[name], name, report) for name in ("prompt", "chosen", "rejected"))
    if prompt is None or chosen is None or rejected is None:
        return None
    if not prompt:
        report("the prompt is empty", LEAVE_OUT)
    for name, side in (("chosen", chosen), ("rejected", rejected)):
        if not side or side[0]["role"] != "assistant":
            report(f"`{name}` does not begin with a message of the agent", EXPORT_ANEW)
        elif all(is_empty(message) for message in side if message["role"] == "assistant"):
            report(f"all that the agent says in `{name}` is empty", LEAVE_OUT)
    if chosen == rejected:
        report("`chosen` and `rejected` are the same", LEAVE_OUT)
    margin = _number(raw.value.get("margin"), "the margin", report)
    if needs.margin and (margin is None or margin <= 0):
        report("the margin is missing or not above 0", "leave the row out, or turn off weights by margin")
    return Pair(prompt, chosen, rejected, tools, margin, id_of(raw), raw.file, raw.row)


def _judged(raw: RawRow, report: Report) -> JudgedSteps | None:
    row = raw.value
    prompt, completions, labels = row["prompt"], row["completions"], row["labels"]
    soft = row.get("soft_labels")
    lists = [completions, labels, *([] if soft is None else [soft])]
    if not isinstance(prompt, str) or not all(isinstance(value, list) for value in lists):
        report("`prompt` is no text, or `completions`, `labels` or `soft_labels` is no list", EXPORT_ANEW)
        return None
    if len({len(value) for value in lists}) > 1:
        report("`completions` and their labels differ in number", EXPORT_ANEW)
        return None
    if not completions:
        report("it has no steps", LEAVE_OUT)
    for index, text in enumerate(completions):
        if not isinstance(text, str) or not text.strip():
            report(f"step {index} is empty", LEAVE_OUT)
    if not all(isinstance(label, (bool, int)) and label in (0, 1) for label in labels):
        report("`labels` holds something other than true and false", EXPORT_ANEW)
        return None
    given = [float(label) for label in labels] if soft is None else [_number(value, f"soft label {index}", report) for index, value in enumerate(soft)]
    for index, value in enumerate(given):
        if value is None and soft is not None and soft[index] is None:
            report(f"the reward of step {index} is missing", "score the trajectory with `gymline score`")
        elif value is not None and not 0 <= value <= 1:
            report(f"soft label {index} is not in [0, 1]", EXPORT_ANEW)
    rewards = [0.0 if value is None else value for value in given]
    reward = _number(row.get("reward"), "the reward", report)
    return JudgedSteps(prompt, completions, [bool(label) for label in labels], rewards, reward, id_of(raw), raw.file, raw.row)


def messages_of(value: Any, name: str, report: Report) -> list[Message] | None:
    """Messages as chat templates take them: no nulls beside content, arguments as objects where they are some."""
    if not isinstance(value, list):
        report(f"`{name}` is no list of messages", EXPORT_ANEW)
        return None
    messages = []
    for index, given in enumerate(value):
        message = _parsed(given)
        problem = _message_problem(message)
        if problem is not None:
            report(f"message {index} of `{name}` {problem}", EXPORT_ANEW)
            return None
        messages.append(_tidy(message))
    return messages


def _message_problem(message: Any) -> str | None:
    if not isinstance(message, dict):
        return "is no object"
    if message.get("role") not in ROLES:
        return f"has none of the roles {', '.join(ROLES)}"
    calls = message.get("tool_calls")
    if not isinstance(message.get("content"), str) and not (message.get("content") is None and calls):
        return "has a content that is no text"
    if calls is None:
        return None
    if not isinstance(calls, list):
        return "has tool calls that are no list"
    for call in calls:
        function = _parsed(call).get("function") if isinstance(_parsed(call), dict) else None
        if not isinstance(function, dict) or not isinstance(function.get("name"), str) or "arguments" not in function:
            return "has a tool call without a function's name and arguments"
    return None


def _tidy(message: Message) -> Message:
    tidy = {key: value for key, value in message.items() if value is not None}
    tidy["content"] = message.get("content") or ""
    if message.get("tool_calls"):
        tidy["tool_calls"] = [_tidy_call(_parsed(call)) for call in message["tool_calls"]]
    else:
        tidy.pop("tool_calls", None)
    return tidy


def _tidy_call(call: dict[str, Any]) -> dict[str, Any]:
    function = call["function"]
    arguments = _parsed(function["arguments"])
    kept = arguments if isinstance(arguments, dict) else function["arguments"]
    return {**call, "function": {**function, "arguments": kept}}


def _parsed(value: Any) -> Any:
    """Parquet holds free JSON as text."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except ValueError:
        return value


def _tools(value: Any, report: Report) -> list[Any] | None:
    tools = _parsed(value)
    if tools is None or tools == []:
        return None
    if not isinstance(tools, list) or not all(isinstance(tool, dict) for tool in tools):
        report("`tools` is no list of tool definitions", EXPORT_ANEW)
        return None
    return tools


def _per_message(value: Any, name: str, count: int, report: Report) -> list[Any] | None:
    if value is None:
        return None
    if not isinstance(value, list) or len(value) != count:
        report(f"`{name}` does not have one entry for each of the {count} messages", EXPORT_ANEW)
        return None
    return value


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _number(value: Any, name: str, report: Report) -> float | None:
    if value is None:
        return None
    if not _is_number(value):
        report(f"{name} is no number", EXPORT_ANEW)
        return None
    if not math.isfinite(value):
        report(f"{name} is {value}", "score the trajectory anew with `gymline score`, or leave the row out")
        return None
    return float(value)


def id_of(raw: RawRow) -> str:
    """The row's own name; else its place, which is as good as one within a dataset."""
    for name in ("id", "chosen_id"):
        value = raw.value.get(name)
        if isinstance(value, str) and value:
            other = raw.value.get("rejected_id")
            return f"{value}/{other}" if name == "chosen_id" and other else value
    return f"{raw.file}:{raw.row}"
