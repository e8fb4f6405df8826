"""Exports a run that is trained: one model for Transformers and vLLM, ONNX for onnxruntime, a model card.

  python export.py --run runs/sft
  python export.py --run runs/sft --set export=model --set export_dtype=bfloat16

What is written is compared with the trained model first, and the comparison is recorded in the run's training.json.
"""

import sys
from pathlib import Path

from gymline_trainer.config import ExportConfig
from gymline_trainer.program import program
from gymline_trainer.run_record import read_run


def main(config: ExportConfig, is_dry: bool) -> None:
    run = read_run(Path(config.run))
    if is_dry:
        dataset = run.value["dataset"]
        print(f"{run.algorithm} on {dataset['name']} {dataset['version']}, {run.value['steps']} steps; export: {config.export}")
        return

    from gymline_trainer.exporting import ExportPlan, export_run

    say = lambda line: print(line, file=sys.stderr, flush=True)
    export_run(run.folder, ExportPlan(config.export, config.export_dtype, config.model), say)


if __name__ == "__main__":
    sys.exit(program(ExportConfig, __doc__, main))
