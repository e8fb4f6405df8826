"""A process reward model: a head of two classes, bad and good, at the end of each of the agent's steps.

  python prm.py --data datasets/steps/0c44d1be9f27 --model ./my-model --out runs/prm
  python prm.py --config run.yaml --set labels=hard
  python prm.py --config run.yaml --dry-run

The loss is the cross-entropy with the step's reward as the probability of good (`soft`), or with its label (`hard`), as
a mean over steps. The head is saved as a token classifier; class 1 is good, as in TRL's PRMTrainer.
"""

import sys
from dataclasses import replace

from gymline_trainer.config import PrmConfig
from gymline_trainer.prepare import prepare
from gymline_trainer.program import program


def main(config: PrmConfig, is_dry: bool) -> None:
    options = replace(config.encode_options(), separator=config.separator)
    prepared = prepare("prm", config, options)

    from gymline_trainer.collate import Batch
    from gymline_trainer.estimate import dry_run
    from gymline_trainer.loop import Algorithm, Outcome
    from gymline_trainer.losses import step_cross_entropy
    from gymline_trainer.model import Scores
    from gymline_trainer.training import Run

    if is_dry:
        print(dry_run(prepared, "steps"))
        return

    def loss(scores: Scores, batch: Batch) -> Outcome:
        targets = batch.soft if config.labels == "soft" else batch.targets.float()
        losses = step_cross_entropy(scores.logits, targets)
        good = scores.logits.detach().softmax(-1)[:, 1]
        sums = {
            "accuracy": (((good > 0.5) == (batch.targets == 1)).sum(), len(losses)),
            "brier": (((good - targets) ** 2).sum(), len(losses)),
        }
        return Outcome(losses.sum(), sums)

    Run(prepared, Algorithm("prm", "steps", loss, items=lambda batch: len(batch.targets))).train()


if __name__ == "__main__":
    sys.exit(program(PrmConfig, __doc__, main))
