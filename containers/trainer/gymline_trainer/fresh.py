"""A small language model from nothing: a tokenizer made from conversations, weights drawn by a seed. No hub, no downloads.

The chat template is in the manner of Qwen 2.5 and Hermes, but shorter: tools in the system message (name, params with their
type or values, description), calls as JSON between marks that are tokens of their own, results in a message of the user.
"""

from collections.abc import Iterable, Iterator
from typing import Any

import torch
from transformers import Qwen2Config, Qwen2ForCausalLM, Qwen2Tokenizer

from .config import NewConfig
from .samples import Trajectory

END_OF_TURN = "<|im_end|>"
PADDING = "<|endoftext|>"
MARKS = [PADDING, "<|im_start|>", END_OF_TURN, "<tool_call>", "</tool_call>", "<tool_response>", "</tool_response>"]

TEMPLATE = """{%- set first = messages[0].content if messages[0].role == 'system' else '' %}
{%- if tools or first %}
{{- '<|im_start|>system\\n' + first }}
{%- if tools %}
{{- ('\\n\\n' if first else '') + 'Tools:' }}
{%- for tool in tools %}
{{- '\\n' + tool.function.name + '(' }}
{%- for name, of in (tool.function.parameters.properties or {}).items() %}
{{- ('' if loop.first else ', ') + name + ': ' + (of.enum | join('|') if of.enum else (of.type or 'any') | string) }}
{%- endfor %}
{{- ') ' + tool.function.description }}
{%- endfor %}
{%- endif %}
{{- '<|im_end|>\\n' }}
{%- endif %}
{%- for message in messages %}
{%- if message.role == 'user' or (message.role == 'system' and not loop.first) %}
{{- '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>\\n' }}
{%- elif message.role == 'assistant' %}
{{- '<|im_start|>assistant\\n' }}
{{- message.content or '' }}
{%- for call in message.tool_calls or [] %}
{{- '<tool_call>\\n{"name": "' + call.function.name + '", "arguments": ' + (call.function.arguments | tojson) + '}\\n</tool_call>' }}
{%- endfor %}
{{- '<|im_end|>\\n' }}
{%- elif message.role == 'tool' %}
{%- if loop.first or messages[loop.index0 - 1].role != 'tool' %}
{{- '<|im_start|>user\\n' }}
{%- else %}
{{- '\\n' }}
{%- endif %}
{{- '<tool_response>\\n' + message.content + '\\n</tool_response>' }}
{%- if loop.last or messages[loop.index0 + 1].role != 'tool' %}
{{- '<|im_end|>\\n' }}
{%- endif %}
{%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}
{{- '<|im_start|>assistant\\n' }}
{%- endif %}"""


def new_tokenizer(rows: Iterable[Any], vocab_size: int) -> Qwen2Tokenizer:
    """A byte-level BPE made from these rows for SFT, as the template renders them: every text comes back."""
    # The class that Transformers takes for this architecture whatever the file says: another one would split otherwise.
    empty = Qwen2Tokenizer(eos_token=END_OF_TURN, pad_token=PADDING, unk_token=None, extra_special_tokens=MARKS)
    empty.chat_template = TEMPLATE
    made: Qwen2Tokenizer = empty.train_new_from_iterator(_texts(rows, empty), vocab_size, show_progress=False)
    made.chat_template = TEMPLATE
    return made


def _texts(rows: Iterable[Any], tokenizer: Qwen2Tokenizer) -> Iterator[str]:
    for row in rows:
        if isinstance(row, Trajectory):
            text = tokenizer.apply_chat_template(row.messages, tools=row.tools, tokenize=False)
            # The marks are tokens already; in the texts they would be learnt letter by letter once more.
            for mark in MARKS:
                text = text.replace(mark, "\0")
            yield from text.split("\0")


def new_model(tokenizer: Qwen2Tokenizer, config: NewConfig) -> Any:
    """Its first answers are noise."""
    torch.manual_seed(config.seed)
    sizes: dict[str, Any] = {
        "vocab_size": len(tokenizer),
        "hidden_size": config.hidden_size,
        "intermediate_size": 3 * config.hidden_size,
        "num_hidden_layers": config.layers,
        "num_attention_heads": config.heads,
        "num_key_value_heads": config.kv_heads,
        "max_position_embeddings": config.context,
        "tie_word_embeddings": True,
        # The usual 0.02 is for wide models; in narrow ones attention would begin blind and take long to see.
        "initializer_range": config.hidden_size**-0.5,
        "eos_token_id": tokenizer.eos_token_id,
        "pad_token_id": tokenizer.pad_token_id,
        "bos_token_id": None,
    }
    return Qwen2ForCausalLM(Qwen2Config(**sizes)).eval()
