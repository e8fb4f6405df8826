"""Checks trajectories with Harbor's own models.

Reads JSON Lines of {"name", "trajectory"} from the file named in the first argument and prints one JSON object:
how many were checked, and for each invalid one its name and what is wrong.
"""

import json
import sys

from harbor.models.trajectories import Trajectory
from pydantic import ValidationError

checked = 0
invalid = []
with open(sys.argv[1], encoding="utf-8") as lines:
    for line in lines:
        row = json.loads(line)
        checked += 1
        try:
            Trajectory.model_validate(row["trajectory"])
        except ValidationError as error:
            problems = error.errors(include_input=False, include_url=False, include_context=False)
            where = [f"{'.'.join(map(str, p['loc']))}: {p['msg']}" for p in problems[:5]]
            invalid.append({"name": row["name"], "problems": where})
print(json.dumps({"checked": checked, "invalid": invalid}))
