"""Loads datasets with Hugging Face `datasets` and compares each row with the line of JSON it stands for.

Arguments: pairs of a way to load (a dataset's folder, or one of its files) and the JSON Lines with the same rows. Prints
one JSON object: for each way, how many rows there are, and where the first ones that differ do.
"""

import glob
import json
import math
import sys

from datasets import Json, List, load_dataset


# Where a file of JSON Lines has a column of free JSON, the loader keeps ten digits of the fractions in all columns.
EXACT = {"rel_tol": 1e-14}
ROUNDED = {"rel_tol": 1e-9, "abs_tol": 1e-9}


def has_json(feature):
    if isinstance(feature, List):
        return has_json(feature.feature)
    return any(map(has_json, feature.values())) if isinstance(feature, dict) else isinstance(feature, Json)


def differences(row, line, feature, path, closeness):
    """A struct may have further keys, as None: those that other rows have. Free JSON has to be just the same."""
    if isinstance(feature, Json):
        return [] if row == line else [path]
    if row is None or line is None:
        return [] if row is None and line is None else [path]
    if isinstance(feature, List):
        if len(row) != len(line):
            return [path]
        return [at for index, pair in enumerate(zip(row, line)) for at in differences(*pair, feature.feature, f"{path}[{index}]", closeness)]
    if isinstance(feature, dict):
        found = [f"{path}.{key}" for key in line if key not in feature]
        for key, of in feature.items():
            found += differences(row.get(key), line.get(key), of, f"{path}.{key}", closeness)
        return found
    if feature.dtype == "float64":
        return [] if isinstance(row, float) and math.isclose(row, line, **closeness) else [path]
    return [] if type(row) is type(line) and row == line else [path]


def compared(way, truth):
    if way.endswith((".parquet", ".jsonl")):
        split = load_dataset("parquet" if way.endswith(".parquet") else "json", data_files=way)["train"]
    else:
        split = load_dataset(way)["train"]
    lines = [json.loads(line) for line in open(truth, encoding="utf-8")]
    found = [] if len(lines) == split.num_rows else ["rows"]
    features = dict(split.features)
    lines_only = not glob.glob(f"{way}/*.parquet") and not way.endswith(".parquet")
    closeness = ROUNDED if lines_only and has_json(features) else EXACT
    for row, line in zip(split, lines):
        found += differences(row, line, features, "$", closeness)
    return {"rows": split.num_rows, "columns": list(features), "differences": found[:10]}


ways = sys.argv[1:]
print(json.dumps({way: compared(way, truth) for way, truth in zip(ways[::2], ways[1::2])}))
