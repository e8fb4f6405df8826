"""The program of training jobs: fetches what a plan names, runs the script of its algorithm, uploads what comes of it.

  python job.py s3://store/trainings/0123456789ab/plan.json

It may be started again at any time, as a queue does whose instance was taken away: it goes on from the newest whole checkpoint
in S3, and does nothing where the output stands already. Exit codes are those of the scripts (gymline_trainer/program.py).
GYMLINE_TRAINER_PROCESSES says how many processes share the run, one for each GPU; by default one.
"""

import argparse
import hashlib
import json
import os
import sys
import tempfile
from pathlib import Path

from gymline_trainer.errors import ConfigError, TrainerError
from gymline_trainer.launch import Launch
from gymline_trainer.plan import Plan, read_plan
from gymline_trainer.s3 import bucket_and_key, client, fetched
from gymline_trainer.s3_folder import S3Folder
from gymline_trainer.s3_model import model_folder
from gymline_trainer.s3_output import MANIFEST, read_manifest, upload_output
from gymline_trainer.signals import STOPPED
from gymline_trainer.sources import cache_folder


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("plan", help="a plan in S3, as `gymline train … --cloud` writes it")
    place = parser.parse_args().plan
    launch = Launch()
    try:
        return run(place, launch)
    except TrainerError as error:
        print(f"error: {error}", file=sys.stderr)
        # What S3 refuses while the machine goes is no fault of the run.
        return STOPPED if launch.is_told else 1


def run(place: str, launch: Launch) -> int:
    if not place.startswith("s3://"):
        raise ConfigError("a plan lies in S3; submit it with `gymline train … --cloud`", place)
    plan = fetch_plan(place)
    say(f"run {plan.run}: {plan.algorithm}, try {os.environ.get('AWS_BATCH_JOB_ATTEMPT', '1')}")
    done = read_manifest(plan.output)
    if done is not None:
        if done.get("run") != plan.run:
            raise TrainerError("another run has written there; give another name with --out", f"{plan.output}/{MANIFEST}")
        say(f"done before: {plan.output}")
        clear(plan)
        return 0
    for option in ("model", "tokenizer"):
        url = plan.options.get(option)
        if isinstance(url, str) and url.startswith("s3://"):
            say(f"fetching {url}")
            model_folder(url, cache_folder(), weights=option == "model")
    # A folder of this try alone: what goes on is in S3.
    with tempfile.TemporaryDirectory(prefix="gymline-train-") as work:
        out = Path(work) / "out"
        config = Path(work) / "config.json"
        config.write_text(json.dumps(plan.config(str(out), template_file(plan))))
        script = Path(__file__).parent / f"{plan.algorithm}.py"
        code = STOPPED if launch.is_told else launch.run([sys.executable, str(script), "--config", str(config)], processes())
        if code != 0:
            return code
        # From here on SIGTERM counts for nothing: what is left takes less time than doing it again.
        count = upload_output(out, plan.output, about(plan))
    say(f"done: {plan.output} ({count} files)")
    clear(plan)
    return 0


def fetch_plan(url: str) -> Plan:
    bucket, key = bucket_and_key(url)
    with tempfile.TemporaryDirectory() as work:
        path = fetched(client(), url, bucket, key, Path(work) / "plan.json")
        return read_plan(path.read_bytes(), url)


def template_file(plan: Plan) -> str | None:
    """By its content, so that it has the same name in each try: a run goes on under the same options alone."""
    if plan.template is None:
        return None
    path = cache_folder() / "templates" / f"{hashlib.sha256(plan.template.encode()).hexdigest()[:32]}.jinja"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(plan.template, encoding="utf-8")
    return str(path)


def processes() -> int:
    text = os.environ.get("GYMLINE_TRAINER_PROCESSES", "1")
    if not text.isdigit() or int(text) < 1:
        raise ConfigError(f"it must be a whole number of at least 1, and not {text}", "GYMLINE_TRAINER_PROCESSES")
    return int(text)


def about(plan: Plan) -> dict[str, object]:
    """What a model's manifest says of where it came from."""
    return {"run": plan.run, "algorithm": plan.algorithm, "plan": {name: value for name, value in plan.text.items() if name != "template"}}


def clear(plan: Plan) -> None:
    """Checkpoints are large, and a run that is done needs none. Where they cannot be removed, they expire."""
    try:
        folder = S3Folder(plan.checkpoints)
        for name in folder.folders():
            folder.remove(name, first="complete.json")
    except TrainerError as error:
        say(f"its checkpoints stay: {error}")


def say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
