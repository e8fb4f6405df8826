"""Reads a Parquet file for verl as verl does, with pandas, and cleans the messages with the functions of the file beside.

Arguments: the Parquet file, and the JSON Lines with the same rows. Prints how many rows there are and which differ. The
class beside the data needs verl, which is not here: only the file's functions are run.
"""

import ast
import json
import sys
from pathlib import Path

import pandas

path, truth = map(Path, sys.argv[1:])
tree = ast.parse((path.parent / "gymline_verl.py").read_text(encoding="utf-8"))
names = {}
functions = ast.Module([node for node in tree.body if isinstance(node, ast.FunctionDef)], [])
exec(compile(functions, "gymline_verl.py", "exec"), names)

lines = [json.loads(line) for line in truth.read_text(encoding="utf-8").splitlines()]
differing = []
for backend in ({}, {"dtype_backend": "pyarrow"}):
    frame = pandas.read_parquet(path, **backend)
    for index, line in enumerate(lines):
        row = frame.iloc[index].to_dict()
        if names["without_none"](row["messages"]) != line["messages"] or json.loads(row["tools"]) != json.loads(line["tools"]):
            differing.append(index)
print(json.dumps({"rows": len(lines), "differing": differing}))
