"""Group-relative policy optimisation on attempts that were collected before (offline), in groups of one task each.

  python grpo.py --data datasets/groups/91f0c2d8b3aa --model runs/sft/trained --out runs/grpo
  python grpo.py --config run.yaml --set advantage=credit
  python grpo.py --config run.yaml --set loss=dapo --set clip_epsilon_high=0.28 --set kl_coef=0
  python grpo.py --config run.yaml --set loss=dr_grpo --set scale_rewards=false

Each token has a ratio of its own, to the policy that wrote it: its recorded log-probability where the log has one, else
that of the model begun with. Advantages are within the group (advantages.py); with `advantage` other than `trajectory`
each step's tokens have their own. A group whose rewards are all equal teaches nothing and is left out.

How tokens add up (`loss`): `grpo`, each trajectory weighs the same, however long; `dapo`, each token weighs the same;
`dr_grpo`, the sum over tokens, divided by `max_length` times the number of trajectories. A trajectory that was cut into
parts counts as one, wherever its parts are.
"""

import math
import sys
from collections import Counter
from dataclasses import replace

from gymline_trainer.checks import Needs
from gymline_trainer.config import GrpoConfig
from gymline_trainer.encoded import IGNORED
from gymline_trainer.prepare import prepare
from gymline_trainer.program import program


def main(config: GrpoConfig, is_dry: bool) -> None:
    options = replace(config.encode_options(), advantage=config.advantage, scale=config.scale_rewards, keep_flat=config.keep_flat)
    prepared = prepare("grpo", config, options, Needs(step_rewards=config.advantage != "trajectory"))

    import torch

    from gymline_trainer.collate import Batch
    from gymline_trainer.estimate import dry_run
    from gymline_trainer.loop import Algorithm, Outcome
    from gymline_trainer.losses import Clipping, Divergence, grpo_losses
    from gymline_trainer.model import Scores
    from gymline_trainer.training import Run

    # Trained tokens of each trajectory, over all its parts; and whether all have a recorded log-probability.
    tokens: Counter[str] = Counter()
    is_recorded = config.old_logprobs == "auto"
    for data in (prepared.train, *([] if prepared.evaluation is None else [prepared.evaluation])):
        own: Counter[str] = Counter()
        for sequence in data:
            trained = [value for value, label in zip(sequence["behaviour_logprobs"], sequence["labels"]) if label != IGNORED]
            own[sequence["trajectory"]] += len(trained)
            is_recorded = is_recorded and not any(map(math.isnan, trained))
        tokens |= own
    needs_reference = config.kl_coef > 0 or not is_recorded

    if is_dry:
        print(dry_run(prepared, "language", needs_reference))
        return

    high = config.clip_epsilon if config.clip_epsilon_high is None else config.clip_epsilon_high
    clipping = Clipping(config.clip_epsilon, high, config.ratio_cap or math.inf)

    def lengths(batch: Batch) -> torch.Tensor:
        """[N]: trained tokens of the trajectory that each token is of."""
        own = torch.tensor([tokens[name] for name in batch.trajectories], dtype=torch.float32, device=batch.targets.device)
        return own[batch.sequence]

    def items(batch: Batch) -> float:
        if config.loss == "dapo":
            return len(batch.targets)
        # Parts count as the share of the trajectory that they are.
        trajectories = float((1 / lengths(batch)).sum())
        return trajectories * (config.max_length if config.loss == "dr_grpo" else 1)

    def loss(scores: Scores, batch: Batch) -> Outcome:
        old = batch.reference
        if config.old_logprobs == "auto":
            old = batch.behaviour if old is None else torch.where(batch.behaviour.isnan(), old, batch.behaviour)
        divergence = Divergence(batch.reference, config.kl_coef, config.kl_correction) if config.kl_coef > 0 else None
        made = grpo_losses(scores.logprobs, old, batch.advantages, clipping, divergence)
        losses = made.losses / lengths(batch) if config.loss == "grpo" else made.losses
        count = len(batch.targets)
        sums = {
            "kl": (made.kl.sum(), count),
            "ratio": (made.ratio.sum(), count),
            "clipped": (made.is_clipped.sum(), count),
            "advantage": (batch.advantages.sum(), count),
        }
        return Outcome(losses.sum(), sums)

    Run(prepared, Algorithm("grpo", "language", loss, items, needs_reference)).train()


if __name__ == "__main__":
    sys.exit(program(GrpoConfig, __doc__, main))
