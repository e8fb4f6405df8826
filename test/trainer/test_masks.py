import random
from importlib.resources import files

import pytest
import tiny
from golden import golden, messages_of
from sets import encoded, opened

from gymline_trainer.chat import ChatError, ChatFormat, template_of
from gymline_trainer.errors import ConfigError
from gymline_trainer.options import EncodeOptions


def template_for(vector):
    return tiny.COLONED if "no chat template" in vector["input"]["tokenizer"] else tiny.ANGLED


def mask_of(chat):
    own = {place for spans in chat.spans for start, end in spans for place in range(start, end)}
    return "".join("1" if place in own else "0" for place in range(len(chat.ids)))


def of_rows(tmp_path, rows, tokenizer, **options):
    return encoded("sft", opened(tmp_path, rows), tokenizer, EncodeOptions(**options))


def test_masks_of_agents_equal_the_reference_where_it_is_right_and_its_corrected_masks_elsewhere():
    seen = 0
    for vector in golden("trainer_masks.json"):
        of, expected = vector["input"], vector["expected"]
        if "loss_mask" not in expected or "steps" not in of or not of["mask_observations"]:
            continue
        chat = ChatFormat(tiny.character_tokenizer(template_for(vector))).encode(messages_of(of))
        assert mask_of(chat)[: of["max_length"]] == expected.get("correct_mask", expected["loss_mask"]), vector["name"]
        seen += 1
    assert seen >= 6


def test_masks_of_single_responses_equal_the_reference():
    seen = 0
    for vector in golden("trainer_masks.json"):
        of, expected = vector["input"], vector["expected"]
        if "response" not in of or "loss_mask" not in expected:
            continue
        task = of["instruction"] + (f"\n\n{of['input']}" if of["input"] else "")
        messages = [{"role": "user", "content": task}, {"role": "assistant", "content": of["response"]}]
        chat = ChatFormat(tiny.character_tokenizer(template_for(vector))).encode(messages)
        assert mask_of(chat)[: of["max_length"]] == expected["loss_mask"], vector["name"]
        seen += 1
    assert seen >= 6


def test_with_observations_unmasked_all_after_the_first_prompt_is_learnt_as_in_the_reference(tmp_path):
    seen = 0
    for vector in golden("trainer_masks.json"):
        of = vector["input"]
        if of.get("mask_observations") is not False:
            continue
        tokenizer = tiny.character_tokenizer(template_for(vector))
        (sequence,) = of_rows(tmp_path, [{"messages": messages_of(of)}], tokenizer, mask_observations=False)
        assert "".join("0" if label < 0 else "1" for label in sequence["labels"]) == vector["expected"]["loss_mask"]
        seen += 1
    assert seen >= 2


@pytest.mark.parametrize("template", [tiny.MARKED, tiny.UNMARKED])
def test_the_agents_words_and_calls_are_learnt_and_nothing_else(tmp_path, template):
    tokenizer = tiny.tokenizer(template)
    (sequence,) = of_rows(tmp_path, [tiny.sft_row(steps=2)], tokenizer)
    of_step = lambda step: [label for label, own in zip(sequence["labels"], sequence["step_ids"]) if own == step]
    texts = [tokenizer.decode(of_step(step)) for step in range(3)]
    call = '\n<tool_call>\n{"name": "run", "arguments": {"command": "pytest %d"}}\n</tool_call><|im_end|>'
    end = "" if template == tiny.MARKED else "\n"
    assert texts == [f"Step 0.{call % 0}{end}", f"Step 1.{call % 1}{end}", f"All done.<|im_end|>{end}"]
    assert all((label >= 0) == (step >= 0) == (weight == 1.0) for label, step, weight in zip(*(sequence[name] for name in ("labels", "step_ids", "weights"))))
    assert all(label in (-100, token) for token, label in zip(sequence["input_ids"], sequence["labels"]))


def test_turn_by_turn_gives_what_all_prefixes_give_in_random_conversations():
    draw = random.Random(5)
    format = ChatFormat(tiny.tokenizer(tiny.UNMARKED))
    for _ in range(60):
        messages = tiny.conversation(0)[: draw.choice([1, 2])] if draw.random() < 0.9 else []
        messages = [*messages, {"role": "user", "content": "go\n"}] if messages else [{"role": "user", "content": ""}]
        for number in range(draw.randrange(1, 7)):
            words = "".join(draw.choice(["a", "\n", "é", "<|im_end|>", "日本", " ", "x"]) for _ in range(draw.randrange(6)))
            message = {"role": "assistant", "content": words}
            if draw.random() < 0.5:
                message["tool_calls"] = [tiny.call(number, text=words)]
            if draw.random() < 0.3:
                message["reasoning_content"] = words
            messages.append(message)
            kind = draw.choice(["tool", "user", "none"])
            messages += [] if kind == "none" else [{"role": kind, "content": words}] * draw.randrange(1, 3)
        text, _ = format._render(messages, tiny.TOOLS)
        by_turns = format._by_turns(messages, tiny.TOOLS, text)
        assert by_turns is not None and by_turns == format._by_prefixes(messages, tiny.TOOLS, text)


def test_marked_and_unmarked_templates_of_real_models_teach_the_same_words():
    """Those that TRL ships with marks beside those of the models themselves, up to white space after the turn."""
    shipped = files("trl") / "chat_templates"
    for name in ("qwen2_5", "qwen3_instruct_2507", "qwen3_5_think", "glm4moe", "nemotron_3_super", "lfm2_v2"):
        texts = []
        for template in (name, f"{name}_training"):
            format = ChatFormat(tiny.tokenizer((shipped / f"{template}.jinja").read_text()))
            assert format.is_marked == template.endswith("_training")
            text, places = format.rendered(tiny.conversation(3), tiny.TOOLS)
            texts.append(["".join(text[start:end] for start, end in own).strip() for own in places])
        plain, marked = texts
        assert len(plain) == 4, name
        for own, trained in zip(plain, marked):
            # A generation prompt may or may not hold the tag that opens reasoning.
            assert own in trained or trained in own, name
            assert "passed" not in own and ("Step" in own or "All done." in own), name


def test_a_message_that_a_template_marks_in_several_stretches_is_one_step():
    twice = tiny.MARKED.replace("{{- message.content }}", "{{- message.content }}{%- endgeneration %}¦{%- generation %}")
    chat = ChatFormat(tiny.tokenizer(twice)).encode(tiny.conversation(2), tiny.TOOLS)
    assert [len(spans) for spans in chat.spans] == [2, 2, 2]
    assert all("¦" not in text for text in chat.texts)


def test_a_template_that_rewrites_history_gives_a_fault_and_never_a_wrong_mask():
    shifting = "{{ messages | length }}" + tiny.ANGLED
    with pytest.raises(ChatError, match="renders what goes up to message 1 otherwise"):
        ChatFormat(tiny.tokenizer(shifting)).encode(tiny.conversation(0)[1:] * 2)


def test_messages_that_are_not_to_be_learnt_are_context(tmp_path):
    row = tiny.sft_row(steps=2)
    row["weights"] = [0, 0, 0, 0, 1, 0, 0]
    (sequence,) = of_rows(tmp_path, [row], tiny.tokenizer())
    assert set(sequence["step_ids"]) == {-1, 1}


def test_labels_equal_those_of_trl(tmp_path):
    import torch
    from datasets import Dataset
    from trl import SFTConfig, SFTTrainer

    torch.set_num_threads(1)
    tokenizer = tiny.tokenizer(tiny.MARKED)
    rows = [tiny.sft_row(number, steps=number + 1) for number in range(3)]
    rows.append(tiny.sft_row(9, messages=[{"role": "user", "content": "Größe? 日本\n"}, {"role": "assistant", "content": "\n ja — 好"}]))
    ours = of_rows(tmp_path, rows, tokenizer, max_length=4096)
    settings = {"max_length": None, "assistant_only_loss": True, "report_to": [], "use_cpu": True, "bf16": False}
    config = SFTConfig(output_dir=str(tmp_path / "trl"), **settings)
    # As text: Arrow would give each call's arguments the keys of all others.
    data = Dataset.from_list([{"messages": row["messages"], "tools": row["tools"]} for row in rows])
    theirs = SFTTrainer(tiny.qwen2(tokenizer), args=config, train_dataset=data, processing_class=tokenizer).train_dataset
    for own, other in zip(ours, theirs, strict=True):
        labels = other["labels"] if "labels" in other else [
            token if is_own else -100 for token, is_own in zip(other["input_ids"], other["assistant_masks"])
        ]  # fmt: skip
        assert own["input_ids"] == other["input_ids"]
        assert own["labels"] == labels


def test_templates_are_files_or_those_of_trl_and_a_model_without_one_is_told(tmp_path):
    path = tmp_path / "chat.jinja"
    path.write_text(tiny.MARKED)
    assert template_of(str(path)) == tiny.MARKED
    assert "generation" in (template_of("trl:qwen3_training") or "")
    with pytest.raises(ConfigError, match="trl:qwen3_training"):
        template_of("trl:nothing")
    with pytest.raises(ConfigError, match="no chat template; give one"):
        ChatFormat(tiny.tokenizer(None))
