"""Lets the readers of LLaMA-Factory, ms-swift and verl take exported sets as they are.

Argument: JSON of the sets' folders by target. Prints one JSON object: for each target, how many rows came through, which
rows lack something that their file holds, and a text that is learnt.
"""

import importlib.util
import json
import os
import sys
import tempfile

import pandas
from omegaconf import OmegaConf
from transformers import Seq2SeqTrainingArguments

import tiny


def rows_of(folder):
    """The rows as their file holds them."""
    return pandas.read_parquet(os.path.join(folder, "train.parquet")).to_dict("records")


def leaves(value):
    """The texts and numbers of a call's arguments, as JSON writes them inside."""
    if isinstance(value, dict):
        return [leaf for item in value.values() for leaf in leaves(item)]
    if isinstance(value, list):
        return [leaf for item in value for leaf in leaves(item)]
    return [json.dumps(value, ensure_ascii=False).strip('"')]


def without_none(value):
    if isinstance(value, dict):
        return {key: without_none(item) for key, item in value.items() if item is not None}
    if isinstance(value, list):
        return [without_none(item) for item in value]
    return value


def squeezed(text):
    return "".join(text.split())


def lacking(text, wanted):
    """What is wanted and not in the text, white space apart."""
    inside = squeezed(text)
    return [part for part in wanted if squeezed(part) not in inside]


def llama_factory(folder, stage, tokens):
    from llamafactory.data import get_dataset, get_template_and_fix_tokenizer
    from llamafactory.hparams import DataArguments, ModelArguments

    info = json.load(open(os.path.join(folder, "dataset_info.json"), encoding="utf-8"))
    data = DataArguments(dataset=",".join(info), dataset_dir=folder, template="qwen", cutoff_len=1 << 20, tool_format="qwen")
    model = ModelArguments(model_name_or_path="none")
    training = Seq2SeqTrainingArguments(output_dir=tempfile.mkdtemp(), do_train=True, use_cpu=True, report_to=[])
    template = get_template_and_fix_tokenizer(tokens, data)
    rows = get_dataset(template, model, data, training, stage=stage, tokenizer=tokens)["train_dataset"]
    missing = []
    for index, (row, source) in enumerate(zip(rows, rows_of(folder), strict=True)):
        ids = row["input_ids"] if stage == "sft" else row["chosen_input_ids"] + row["rejected_input_ids"]
        text = tokens.decode(ids)
        turns = list(source["conversations"]) + [source[side] for side in ("chosen", "rejected") if side in source]
        wanted = [tool["function"]["name"] for tool in json.loads(source["tools"])]
        for turn in turns:
            value = turn["value"].rsplit("</think>", 1)[-1] if turn["from"] == "function_call" else turn["value"]
            if turn["from"] != "function_call":
                wanted.append(value)
                continue
            for call in json.loads(value):
                wanted += [call["name"], *leaves(call["arguments"])]
        missing += [[index, part] for part in lacking(text, wanted)]
    labels = "labels" if stage == "sft" else "chosen_labels"
    learnt = tokens.decode([token for token in rows[0][labels] if token >= 0])
    return {"rows": len(rows), "missing": missing[:5], "learnt": learnt}


def ms_swift(folder, tokens):
    from swift.dataset import load_dataset

    rows, _ = load_dataset(os.path.join(folder, "train.parquet"), strict=True, num_proc=1)
    missing = []
    for index, (row, source) in enumerate(zip(rows, rows_of(folder), strict=True)):
        for column in ("messages", "rejected_messages"):
            if column not in source:
                continue
            same = without_none(row[column]) == without_none(list(source[column]))
            missing += [] if same else [[index, column]]
        # ms-swift takes nulls for padding and drops them.
        missing += [[index, "tools"]] if without_none(row["tools"]) != without_none(json.loads(source["tools"])) else []
    return {"rows": len(rows), "missing": missing[:5], "learnt": rows[0]["messages"][-1]["content"]}


def verl_sft(folder, tokens):
    spec = importlib.util.spec_from_file_location("gymline_verl", os.path.join(folder, "gymline_verl.py"))
    beside = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(beside)
    # Templates put neighbouring results of tools into one turn, which verl, message by message, cannot.
    config = {"max_length": 1 << 20, "pad_mode": "no_padding", "ignore_input_ids_mismatch": True}
    rows = beside.GymlineSFTDataset(os.path.join(folder, "train.parquet"), tokens, OmegaConf.create(config))
    missing, first = [], ""
    for index, source in enumerate(rows_of(folder)):
        row = rows[index]
        text = tokens.decode(row["input_ids"])
        learnt = tokens.decode([token for token, counts in zip(row["input_ids"], row["loss_mask"]) if counts])
        first = first or learnt
        wanted = [tool["function"]["name"] for tool in json.loads(source["tools"])]
        own = []
        for message in source["messages"]:
            wanted.append(message["content"])
            if message["trainable"]:
                own.append(message["content"])
            for call in message["tool_calls"] if message["tool_calls"] is not None else []:
                arguments = json.loads(call["function"]["arguments"] or "{}")
                (own if message["trainable"] else wanted).extend([call["function"]["name"], *leaves(arguments)])
        missing += [[index, part] for part in lacking(text, wanted) + lacking(learnt, own)]
        if '"arguments": "{' in text:
            missing.append([index, "arguments are quoted twice"])
    return {"rows": len(rows), "missing": missing[:5], "learnt": first}


def verl_rl(folder, tokens):
    from verl.utils.dataset.rl_dataset import RLHFDataset

    config = {"max_prompt_length": 1 << 20, "prompt_key": "prompt", "cache_dir": tempfile.mkdtemp()}
    rows = RLHFDataset(os.path.join(folder, "train.parquet"), tokens, OmegaConf.create(config))
    missing = []
    for index, source in enumerate(rows_of(folder)):
        row = rows[index]
        same = [dict(message) for message in row["raw_prompt"]] == [dict(message) for message in source["prompt"]]
        rule = json.loads(row["reward_model"]["ground_truth"]) if row["reward_model"]["style"] == "rule" else {}
        missing += [] if same and "task_id" in rule and row["data_source"].startswith("gymline/") else [[index, "row"]]
    return {"rows": len(rows), "missing": missing[:5], "learnt": ""}


READERS = {
    "llama-factory": lambda folder, tokens: llama_factory(folder, "sft", tokens),
    "llama-factory-dpo": lambda folder, tokens: llama_factory(folder, "rm", tokens),
    "ms-swift": ms_swift,
    "ms-swift-dpo": ms_swift,
    "verl": verl_sft,
    "verl-rl": verl_rl,
}


def main(folders):
    results = {}
    for target, folder in folders.items():
        tokens = tiny.tokenizer([json.dumps(rows_of(folder)[:50], default=str)], tiny.chat_template("qwen2_5"))
        results[target] = READERS[target](folder, tokens)
    return results


if __name__ == "__main__":
    out, sys.stdout = sys.stdout, sys.stderr
    print(json.dumps(main(json.loads(sys.argv[1]))), file=out)
