"""From a conversation to tokens and to what the agent wrote among them, by the model's own chat template.

Where the template marks what is generated (`{% generation %}`), the marks count. Where it does not, what the agent wrote
is the difference between the conversation with a message and the conversation before it *with* the generation prompt;
the end is taken *without* the generation prompt of the turn after it, which would count as the agent's words.

The whole text is tokenised once, and places in the text become places among the tokens by the tokenizer's offsets. A
token that the agent's text only begins or ends in counts as the agent's, as in Transformers and TRL.

Prefixes of a conversation cost the square of its length. So messages are first rendered turn by turn after a short head;
where the parts put together are the whole text, letter by letter, they are its parts. Only where they are not (a template
that looks back further) are all prefixes rendered, and where even these do not begin the text, there is no mask: a
fault, never a guess.
"""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable
from dataclasses import dataclass
from importlib.resources import files
from os.path import commonprefix
from pathlib import Path
from typing import Any

from jinja2 import TemplateError
from transformers.utils.chat_template_utils import render_jinja_template

from .errors import ConfigError
from .samples import Message

# Half-open: from, to.
Span = tuple[int, int]

_MARK = re.compile(r"\{%-?\s*generation\s*-?%\}")
_MARKS = re.compile(r"\{%([-+]?)\s*(end)?generation\s*([-+]?)%\}")
_SHORT_HEAD: list[Message] = [{"role": "user", "content": "x"}]


class ChatError(Exception):
    """A conversation that the template does not take, or whose parts cannot be told. remedy: what to do."""

    def __init__(self, what: str, remedy: str) -> None:
        super().__init__(what)
        self.what = what
        self.remedy = remedy


@dataclass(frozen=True)
class Chat:
    """A conversation as tokens. spans: per message of the agent, in order, the stretches of tokens that it wrote.

    texts: the same stretches as text, put together.
    """

    ids: list[int]
    spans: list[list[Span]]
    texts: list[str]


class ChatFormat:
    """A tokenizer with its template. Raises ConfigError where it has none, or cannot tell tokens' places."""

    def __init__(self, tokenizer: Any, template: str | None = None) -> None:
        """template: the text of a Jinja template, to be used instead of the tokenizer's own."""
        chosen = template or tokenizer.chat_template
        if isinstance(chosen, dict):
            chosen = chosen.get("tool_use") or chosen.get("default")
        if not chosen:
            raise ConfigError("the tokenizer has no chat template; give one with `chat_template`", "chat_template")
        if not tokenizer.is_fast:
            raise ConfigError("it is not a fast tokenizer, which alone tells the places of tokens; convert it", "tokenizer")
        self.tokenizer = tokenizer
        self.template: str = chosen
        self.is_marked = _MARK.search(chosen) is not None

    def encode(self, messages: list[Message], tools: list[Any] | None = None) -> Chat:
        """Raises ChatError."""
        text, places = self.rendered(messages, tools)
        # The template has put all special tokens into the text.
        found = self.tokenizer(text, add_special_tokens=False, return_offsets_mapping=True, verbose=False)
        starts = [start for start, _ in found["offset_mapping"]]
        ends = [end for _, end in found["offset_mapping"]]
        spans = [[(bisect_right(ends, start), bisect_left(starts, end)) for start, end in own] for own in places]
        texts = ["".join(text[start:end] for start, end in own) for own in places]
        return Chat(found["input_ids"], spans, texts)

    def rendered(self, messages: list[Message], tools: list[Any] | None = None) -> tuple[str, list[list[Span]]]:
        """The text, and per message of the agent the stretches of it that the agent wrote."""
        text, marks = self._render(messages, tools)
        if self.is_marked:
            return text, self._by_message(messages, marks)
        spans = self._by_turns(messages, tools, text)
        if spans is None:
            spans = self._by_prefixes(messages, tools, text)
        return text, [[span] for span in spans]

    def _render(self, messages: list[Message], tools: list[Any] | None, prompt: bool = False) -> tuple[str, list[Span]]:
        try:
            texts, marks = render_jinja_template(
                conversations=[messages],
                tools=tools,
                chat_template=self.template,
                return_assistant_tokens_mask=self.is_marked,
                add_generation_prompt=prompt,
                **self.tokenizer.special_tokens_map,
            )
        except TemplateError as error:
            raise ChatError(f"the chat template stops: {str(error)[:200]}", "leave the row out, or give another `chat_template`") from error
        except (TypeError, KeyError, AttributeError, ValueError) as error:
            what = f"the chat template cannot render it ({type(error).__name__})"
            raise ChatError(what, "leave the row out, or give another `chat_template`") from error
        return texts[0], [(start, end) for start, end in marks[0]] if self.is_marked else []

    def _by_message(self, messages: list[Message], marks: list[Span]) -> list[list[Span]]:
        """Marks by message. A template may mark several stretches of a message, or none, and what ends a conversation."""
        own = [index for index, message in enumerate(messages) if message["role"] == "assistant"]
        if len(own) == len(marks):
            return [[mark] for mark in marks]
        ending = len(self._render(_SHORT_HEAD, None)[1])
        counts = [len(self._render([*_SHORT_HEAD, messages[index]], None)[1]) - ending for index in own]
        if counts:
            counts[-1] += ending
        if sum(counts) != len(marks):
            what = f"the chat template marks {len(marks)} stretches as generated, for {len(own)} messages of the agent"
            raise ChatError(what, "mend the template, or give another `chat_template`")
        left = iter(marks)
        return [[next(left) for _ in range(count)] for count in counts]

    def _by_turns(self, messages: list[Message], tools: list[Any] | None, text: str) -> list[Span] | None:
        """None where the turns, rendered by themselves, are not the parts of the text. Linear in its length."""
        own = [index for index, message in enumerate(messages) if message["role"] == "assistant"]
        if not own or own[0] == 0:
            return None
        try:
            base = self._render(_SHORT_HEAD, None)[0]
            after = lambda turn: _after(base, self._render([*_SHORT_HEAD, *turn], None)[0])
            prompt = _after(base, self._render(_SHORT_HEAD, None, prompt=True)[0])
            at = len(self._render(messages[: own[0]], tools)[0])
            spans = []
            for start, end in zip(own, [*own[1:], len(messages)]):
                whole = after(messages[start:end])
                if not text.startswith(whole, at):
                    return None
                length = _own_length(whole, messages[start:end], after)
                spans.append((at + len(commonprefix([prompt, whole[:length]])), at + length))
                at += len(whole)
        except (ChatError, _NoPrefix):
            return None
        return spans if at == len(text) else None

    def _by_prefixes(self, messages: list[Message], tools: list[Any] | None, text: str) -> list[Span]:
        spans = []
        for index, message in enumerate(messages):
            if message["role"] != "assistant":
                continue
            before = self._render(messages[:index], tools)[0] if index else ""
            asked = self._render(messages[:index], tools, prompt=True)[0] if index else ""
            until = self._render(messages[: index + 1], tools)[0]
            if not (text.startswith(before) and text.startswith(until) and len(until) > len(before)):
                what = f"the chat template renders what goes up to message {index} otherwise when more follows it"
                raise ChatError(what, "give a `chat_template` with {% generation %} marks, such as trl:gptoss_training")
            start = max(len(before), len(commonprefix([asked, until])))
            spans.append((start, len(until)))
        return spans


class _NoPrefix(Exception):
    pass


def _after(base: str, text: str) -> str:
    if not text.startswith(base):
        raise _NoPrefix
    return text[len(base) :]


def _own_length(whole: str, turn: list[Message], after: Callable[[list[Message]], str]) -> int:
    """How much of a turn's text is the agent's message, the rest being what it then saw."""
    alone = after(turn[:1])
    if whole.startswith(alone):
        return len(alone)
    # Some templates render a message otherwise where it is the last; what was seen tells as well.
    if len(turn) > 1 and whole.endswith(seen := after(turn[1:])):
        return len(whole) - len(seen)
    raise _NoPrefix


@dataclass(frozen=True)
class PlainText:
    """In place of a chat format, for rows that are text."""

    tokenizer: Any
    template: str = ""


def format_of(algorithm: str, tokenizer: Any, chat_template: str | None) -> ChatFormat | PlainText:
    """What makes tokens of an algorithm's rows. chat_template: as the option names it. Raises ConfigError."""
    return PlainText(tokenizer) if algorithm == "prm" else ChatFormat(tokenizer, template_of(chat_template))


def tokenizer_of(place: str, option: str) -> Any:
    """option: that names the place. Raises ConfigError."""
    from transformers import AutoTokenizer

    try:
        return AutoTokenizer.from_pretrained(place)
    except (OSError, ValueError) as error:
        raise ConfigError(f"no tokenizer can be loaded from {place} ({type(error).__name__}); give a model's folder or name", option) from error


def inference_template(template: str) -> str:
    """The template without the marks of what is generated: it renders the same, and engines that know no marks take it."""
    # A block that is always taken keeps how the marks trim the space around them.
    return _MARKS.sub(lambda mark: f"{{%{mark[1]} {'endif' if mark[2] else 'if true'} {mark[3]}%}}", template)


def template_of(name: str | None) -> str | None:
    """The text of a template's file; `trl:<name>` is one of those that TRL ships. Raises ConfigError."""
    if name is None:
        return None
    try:
        if not name.startswith("trl:"):
            return Path(name).read_text(encoding="utf-8")
        shipped = files("trl") / "chat_templates"
        return (shipped / f"{name.removeprefix('trl:')}.jinja").read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError, ModuleNotFoundError) as error:
        remedy = "give the path of a Jinja file, or trl: and the name of one that TRL ships, such as trl:qwen3_training"
        raise ConfigError(f"{name} cannot be read as a chat template; {remedy}", "chat_template") from error
