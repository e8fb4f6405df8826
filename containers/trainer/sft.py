"""Supervised fine-tuning on trajectories: the agent's own tokens, all else masked.

  python sft.py --data datasets/coding/3f2a9c01d4e5 --model ./my-model --out runs/sft
  python sft.py --config run.yaml --set learning_rate=1e-5 --set use_lora=true
  python sft.py --config run.yaml --dry-run
  accelerate launch --config_file configs/fsdp.yaml sft.py --config run.yaml

The loss of a step is the sum of w * cross-entropy over the trained tokens of all its batches, divided by their number;
w is 1, or with `step_weighted_loss` the reward of the token's step over the mean reward of the trajectory's steps.
"""

import sys
from dataclasses import replace

from gymline_trainer.checks import Needs
from gymline_trainer.config import SftConfig
from gymline_trainer.prepare import prepare
from gymline_trainer.program import program


def main(config: SftConfig, is_dry: bool) -> None:
    options = replace(config.encode_options(), step_weights=config.step_weighted_loss)
    prepared = prepare("sft", config, options, Needs(step_rewards=config.step_weighted_loss))

    from gymline_trainer.collate import Batch
    from gymline_trainer.estimate import dry_run
    from gymline_trainer.loop import Algorithm, Outcome
    from gymline_trainer.losses import weighted_cross_entropy
    from gymline_trainer.model import Scores
    from gymline_trainer.training import Run

    if is_dry:
        print(dry_run(prepared, "language"))
        return

    def loss(scores: Scores, batch: Batch) -> Outcome:
        count = len(batch.targets)
        sums = {"nll": (-scores.logprobs.detach().sum(), count)}
        if scores.is_top is not None:
            sums["token_accuracy"] = (scores.is_top.sum(), count)
        return Outcome(weighted_cross_entropy(scores.logprobs, batch.weights), sums)

    Run(prepared, Algorithm("sft", "language", loss, items=lambda batch: len(batch.targets))).train()


if __name__ == "__main__":
    sys.exit(program(SftConfig, __doc__, main))
