"""Losses as functions of tensors. All are sums, or one value per token or pair: what they are divided by spans all batches
of a step of the optimizer, on all devices, so that how a step is cut into batches changes nothing.

N: trained tokens of a batch, one after the other; S: its sequences; P: its pairs.
"""

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from .config import DpoLoss


def token_logprobs(logits: Tensor, targets: Tensor) -> Tensor:
    """[N, V], [N] -> [N]: log-probability of each target, in float32."""
    return -F.cross_entropy(logits.float(), targets, reduction="none")


def weighted_cross_entropy(logprobs: Tensor, weights: Tensor) -> Tensor:
    """[N], [N] -> sum of weight times cross-entropy; to be divided by the number of tokens, not by the sum of weights."""
    return -(weights * logprobs).sum()


def sequence_sums(values: Tensor, sequence: Tensor, count: int) -> Tensor:
    """[N], [N] -> [S]: sums by sequence. count: S."""
    return values.new_zeros(count).index_add(0, sequence, values)


@dataclass(frozen=True)
class Sides:
    """Log-probabilities of pairs, [P] each: sums over the tokens that are trained. *_tokens: how many these are."""

    chosen: Tensor
    rejected: Tensor
    reference_chosen: Tensor
    reference_rejected: Tensor
    chosen_tokens: Tensor
    rejected_tokens: Tensor


def dpo_losses(
    sides: Sides,
    beta: float,
    label_smoothing: float = 0.0,
    kind: DpoLoss = "sigmoid",
) -> tuple[Tensor, Tensor, Tensor]:
    """Loss of each pair, and the rewards beta * (log p - log p_ref) of both sides, [P] each.

    With z = beta * ((chosen - its reference) - (rejected - its reference)):

    sigmoid       -(1 - e) log s(z) - e log s(-z), e the label smoothing (Rafailov et al. 2023; Mitchell 2023)
    sigmoid_norm  the same, of log-probabilities per token, so that the longer side gains nothing by its length
    ipo           (z / beta - 1 / (2 beta))^2, of log-probabilities per token (Azar et al. 2023; per token as in TRL)
    """
    chosen = sides.chosen - sides.reference_chosen
    rejected = sides.rejected - sides.reference_rejected
    rewards = (beta * chosen).detach(), (beta * rejected).detach()
    if kind != "sigmoid":
        chosen = chosen / sides.chosen_tokens
        rejected = rejected / sides.rejected_tokens
    if kind == "ipo":
        return (chosen - rejected - 1 / (2 * beta)) ** 2, *rewards
    z = beta * (chosen - rejected)
    losses = -(1 - label_smoothing) * F.logsigmoid(z)
    if label_smoothing > 0:
        losses = losses - label_smoothing * F.logsigmoid(-z)
    return losses, *rewards


@dataclass(frozen=True)
class Clipping:
    """Ratios are clipped to [1 - low, 1 + high]; none counts more than `cap`."""

    low: float = 0.2
    high: float = 0.2
    cap: float = math.inf


@dataclass(frozen=True)
class PolicyTokens:
    """[N] each. losses: with the KL term. is_clipped: where clipping stopped the gradient."""

    losses: Tensor
    kl: Tensor
    ratio: Tensor
    is_clipped: Tensor


@dataclass(frozen=True)
class Divergence:
    """KL term: from `reference`, [N], with weight `coef`. corrects: by the ratio, as tokens come from another policy."""

    reference: Tensor
    coef: float
    corrects: bool = True


def grpo_losses(
    logprobs: Tensor,
    old: Tensor,
    advantages: Tensor,
    clipping: Clipping = Clipping(),
    divergence: Divergence | None = None,
) -> PolicyTokens:
    """Clipped policy gradient per token (Shao et al. 2024): -min(r A, clip(r) A) + coef * KL, with r = p / p_old.

    KL is exp(d) - d - 1 with d = log p_ref - log p (Schulman's k3), which is never below 0. Its mean is the divergence where
    tokens come from p; these come from p_old, so r times it is what has the right mean (DeepSeek-V3.2; so does TRL).
    """
    ratio = torch.exp(logprobs - old)
    clipped = torch.clamp(ratio, 1 - clipping.low, 1 + clipping.high)
    free = torch.clamp(ratio, max=clipping.cap) * advantages
    losses = -torch.min(free, clipped * advantages)
    is_clipped = ((ratio < 1 - clipping.low) & (advantages < 0)) | ((ratio > 1 + clipping.high) & (advantages > 0))
    if divergence is None:
        return PolicyTokens(losses, torch.zeros_like(losses), ratio.detach(), is_clipped)
    d = divergence.reference - logprobs
    kl = torch.exp(d) - d - 1
    if divergence.corrects:
        kl = ratio * kl
    return PolicyTokens(losses + divergence.coef * kl, kl.detach(), ratio.detach(), is_clipped)


def step_cross_entropy(logits: Tensor, targets: Tensor) -> Tensor:
    """[N, 2], [N] -> [N]. targets: probability that a step is good; hard labels are 0 and 1. Class 1 is good, as in TRL."""
    logprobs = F.log_softmax(logits.float(), dim=-1)
    return -(targets * logprobs[:, 1] + (1 - targets) * logprobs[:, 0])
