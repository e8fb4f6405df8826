"""Loads an SFT set with Hugging Face `datasets` and compares each row with the line of JSON it came from.

Arguments: `folder` and the set's folder, or `file` and one JSON Lines file; then, if wanted, the JSON Lines to
compare with. Prints one JSON object.
"""

import json
import math
import sys
from pathlib import Path

from datasets import load_dataset
from datasets.exceptions import DatasetGenerationError


def without_none(value):
    """Arrow gives each object the keys of all others, as None; a chat template takes them for absent."""
    if isinstance(value, dict):
        return {key: without_none(item) for key, item in value.items() if item is not None}
    if isinstance(value, list):
        return [without_none(item) for item in value]
    return value


def same(row, line):
    """Equal but for fractions: where a file has a column of free JSON, the loader keeps ten digits of all it holds."""
    if isinstance(line, dict):
        return isinstance(row, dict) and row.keys() == line.keys() and all(same(row[key], line[key]) for key in line)
    if isinstance(line, list):
        return isinstance(row, list) and len(row) == len(line) and all(map(same, row, line))
    if isinstance(line, float):
        return isinstance(row, float) and math.isclose(row, line, rel_tol=1e-9, abs_tol=1e-9)
    return type(row) is type(line) and row == line


def compared(split, truth):
    differing = []
    tools = {"empty": 0, "given": 0}
    lines = truth.open(encoding="utf-8")
    count = 0
    for index, line in enumerate(lines):
        count += 1
        expected = json.loads(line)
        row = split[index] if index < split.num_rows else None
        if row is None or not same(without_none(row), without_none(expected)):
            differing.append(index)
            continue
        if row["tools"] is not None and not isinstance(json.loads(row["tools"]), list):
            differing.append(index)
        tools["given" if row["tools"] else "empty"] += 1
    types = {name: str(feature) for name, feature in split.features.items() if name != "messages"}
    return {"lines": count, "rows": split.num_rows, "differing": differing, "tools": tools, "types": types}


def main(way, path, truth=None):
    if way == "folder":
        splits = load_dataset(path)
        truths = {name: Path(truth or path, f"{name}.jsonl") for name in splits}
    else:
        splits = load_dataset("json", data_files=path)
        truths = {"train": Path(truth or path)}
    return {name: compared(split, truths[name]) for name, split in splits.items()}


try:
    result = {"kind": "loaded", "splits": main(*sys.argv[1:])}
except DatasetGenerationError as error:
    result = {"kind": "failed", "reason": str(error.__cause__).strip().split("\n")[0][:200]}
print(json.dumps(result))
