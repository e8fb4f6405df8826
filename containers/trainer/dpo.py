"""Direct preference optimisation on pairs of trajectories that begin with the same prompt.

  python dpo.py --data datasets/pairs/5b1c0e77a2d4 --model runs/sft/trained --out runs/dpo
  python dpo.py --config run.yaml --set beta=0.05 --set loss=sigmoid_norm
  python dpo.py --config run.yaml --dry-run

Only what the agent wrote counts towards the log-probability of a side: what a tool answered is no merit of the policy.
Sides of agents differ in length by hundreds of tokens; `loss: sigmoid_norm` and `ipo` go by log-probabilities per token.
The reference is the model begun with; each side is scored by it once, before the first step.
"""

import sys
from dataclasses import replace

from gymline_trainer.checks import Needs
from gymline_trainer.config import DpoConfig
from gymline_trainer.prepare import prepare
from gymline_trainer.program import program


def main(config: DpoConfig, is_dry: bool) -> None:
    options = replace(config.encode_options(), margin_weights=config.margin_weights)
    prepared = prepare("dpo", config, options, Needs(margin=config.margin_weights))

    import torch

    from gymline_trainer.collate import Batch
    from gymline_trainer.estimate import dry_run
    from gymline_trainer.loop import Algorithm, Outcome
    from gymline_trainer.losses import Sides, dpo_losses, sequence_sums
    from gymline_trainer.model import Scores
    from gymline_trainer.training import Run

    if is_dry:
        print(dry_run(prepared, "language", needs_reference=True))
        return

    def loss(scores: Scores, batch: Batch) -> Outcome:
        by_side = lambda values: sequence_sums(values, batch.sequence, batch.sequences).chunk(2)
        chosen, rejected = by_side(scores.logprobs)
        reference_chosen, reference_rejected = by_side(batch.reference)
        tokens = by_side(torch.ones_like(batch.reference))
        sides = Sides(chosen, rejected, reference_chosen, reference_rejected, *tokens)
        losses, good, bad = dpo_losses(sides, config.beta, config.label_smoothing, config.loss)
        count = len(losses)
        sums = {
            "accuracy": ((good > bad).sum(), count),
            "margin": ((good - bad).sum(), count),
            "chosen_reward": (good.sum(), count),
            "rejected_reward": (bad.sum(), count),
        }
        return Outcome((batch.pair_weights * losses).sum(), sums)

    Run(prepared, Algorithm("dpo", "language", loss, items=lambda batch: len(batch.pair_weights), needs_reference=True)).train()


if __name__ == "__main__":
    sys.exit(program(DpoConfig, __doc__, main))
