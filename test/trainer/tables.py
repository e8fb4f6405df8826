"""Made-up tables of trajectory prefixes, as `gymline critic table` would write them."""

import json
from pathlib import Path

import numpy as np

NAMES = ["skill", "errors", "steps", "noise", "kind"]
DIRECTIONS = [1, -1, 0, 0, 0]
RELATIVE = [False, False, True, False, False]


def write_table(path: Path, trajectories=120, groups=12, sets=("one", "two"), seed=1, informative=True, spare=()) -> Path:
    """`skill` and `errors` tell more of the outcome the longer a run goes on. `spare`: lines to put at the end."""
    random = np.random.default_rng(seed)
    lines = [json.dumps({"schema": "gymline.critic-table.v1", "features_version": 1, "features": NAMES, "directions": DIRECTIONS, "relative": RELATIVE})]
    for number in range(trajectories):
        group = int(random.integers(0, groups))
        quality = random.normal()
        label = int(random.random() < 1 / (1 + np.exp(-2.5 * quality)))
        shown = quality if informative else random.normal()
        steps = int(random.integers(2, 12))
        for step in range(steps + 1):
            seen = step / steps
            features = [shown * seen + 0.3 * random.normal(), float(random.poisson(np.exp(-shown * seen))), np.log1p(step)]
            features += [random.normal(), float(number % 3)]
            row = {"id": f"t{number}", "group": f"g{group}", "task": "", "set": sets[group % len(sets)]}
            lines.append(json.dumps({**row, "step": step, "steps": steps, "label": label, "features": [round(float(f), 4) for f in features]}))
    path.write_text("\n".join([*lines, *spare]) + "\n")
    return path
