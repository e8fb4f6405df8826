"""Prints what the trained model gives for every row of a table, without ONNX: predict_sklearn.py TABLE SEED."""

import argparse
import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "containers/trainer"))

import critic
import numpy as np

if __name__ == "__main__":
    table = critic.read_table(Path(sys.argv[1]))
    options = argparse.Namespace(seed=int(sys.argv[2]), prefixes=4)
    model = critic.train(table, np.arange(len(table.label)), options)
    print(json.dumps({"kind": model.kind, "probabilities": model.predict(table.x, table.set[table.trajectory]).tolist()}))
