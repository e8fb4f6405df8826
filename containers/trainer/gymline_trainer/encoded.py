"""What the data side hands to the training loops: sequences of tokens, as plain Python lists of equal length T."""

from typing import TypedDict

# Not trained on: the index that torch's cross-entropy leaves out.
IGNORED = -100


class Chunk(TypedDict):
    """Which part of a trajectory a sequence is."""

    trajectory: str
    # From 0.
    index: int
    of: int


class Encoded(TypedDict):
    """One sequence. `labels` are not shifted: `labels[t]` is `input_ids[t]` where that token is trained on."""

    input_ids: list[int]
    # The token itself where it is trained on, `IGNORED` elsewhere.
    labels: list[int]
    # The agent's step, from 0 in the whole trajectory, that a trained token belongs to; -1 elsewhere.
    step_ids: list[int]
    # 1.0, or the step's weight; 0.0 where nothing is trained.
    weights: list[float]
    chunk: Chunk
    # Of the sequence: own steps less reward; see curriculum.py.
    difficulty: float


class EncodedGrpo(Encoded):
    """A sequence of an attempt that belongs to a group."""

    # Per token: the trajectory's or the step's; 0.0 where nothing is trained.
    advantages: list[float]
    # Per token: log-probability under the policy that wrote it; NaN where it is unknown or nothing is trained.
    behaviour_logprobs: list[float]
    group: str
    trajectory: str
    # Of the whole trajectory.
    reward: float


class EncodedPair(TypedDict):
    """Two ways to go on from one prompt. In both, all of the prompt is masked."""

    chosen: Encoded
    rejected: Encoded
    # 1.0 unless pairs are weighed by their margin.
    weight: float


class EncodedPrm(TypedDict):
    """A trajectory whose steps are judged. `labels` and `targets` stand at the last token of each step."""

    input_ids: list[int]
    # 1 good, 0 bad, `IGNORED` everywhere but at the ends of steps.
    labels: list[int]
    # The step's reward in [0, 1]; NaN where `labels` is `IGNORED`.
    targets: list[float]
    step_ids: list[int]
    weights: list[float]
    chunk: Chunk
    difficulty: float
