"""The losses of the GRPO family as their papers write them, one token at a time in NumPy.

Every function takes a batch of completions and gives back the loss, the negative of the paper's objective. A batch is a
list of completions of one or more tokens, each with its advantage and the log-probabilities of its tokens: under the
policy (``new``), under the policy that sampled it (``old``) and under the reference (``ref``); ``still`` stands for the
policy where an equation stops the gradient.
"""

from dataclasses import dataclass

import numpy as np

LIMIT = 8
"""Tokens that a completion may have."""


@dataclass(frozen=True)
class Completion:
    advantage: float
    new: np.ndarray
    old: np.ndarray
    ref: np.ndarray
    still: np.ndarray | None = None

    @property
    def ratios(self):
        return np.exp(self.new - self.old)

    @property
    def still_ratios(self):
        return np.exp((self.new if self.still is None else self.still) - self.old)

    def __len__(self):
        return len(self.new)


def clipped(ratio, advantage, low, high):
    return min(ratio * advantage, min(max(ratio, 1 - low), 1 + high) * advantage)


def tokens(completion, low, high):
    return [clipped(ratio, completion.advantage, low, high) for ratio in completion.ratios]


def grpo(batch):
    """arXiv 2402.03300, equation 3, with the estimate of the KL divergence of equation 4."""
    objective = 0.0
    for completion in batch:
        terms = tokens(completion, 0.2, 0.2)
        for token, (new, ref) in enumerate(zip(completion.new, completion.ref, strict=True)):
            terms[token] -= 0.04 * (np.exp(ref - new) - (ref - new) - 1)
        objective += sum(terms) / len(completion) / len(batch)
    return -objective


def gspo(batch):
    """arXiv 2507.18071, equation 5, with the ratio of whole answers of equation 7."""
    objective = 0.0
    for completion in batch:
        ratio = np.exp(sum(completion.new - completion.old) / len(completion))
        objective += clipped(ratio, completion.advantage, 3e-4, 4e-4) / len(batch)
    return -objective


def dapo(batch):
    """arXiv 2503.14476, equation 8, with the clip range of its section 4.1."""
    total = sum(map(len, batch))
    return -sum(sum(tokens(completion, 0.2, 0.28)) for completion in batch) / total


def dr_grpo(batch):
    """arXiv 2503.20783, the equation of section 3.2; every sum over tokens over one constant, as in its listing 1."""
    return -sum(sum(tokens(completion, 0.2, 0.2)) for completion in batch) / (len(batch) * LIMIT)


def cispo(batch):
    """arXiv 2506.13585, equations 4 and 5: the gradient doesn't flow through the ratios."""
    total, objective = sum(map(len, batch)), 0.0
    for completion in batch:
        for ratio, new in zip(completion.still_ratios, completion.new, strict=True):
            objective += min(ratio, 5.0) * completion.advantage * new / total
    return -objective


def sapo(batch):
    """arXiv 2511.20347, the equations of section 3."""
    objective = 0.0
    for completion in batch:
        temperature = 1.0 if completion.advantage > 0 else 1.05
        gates = [4 / temperature / (1 + np.exp(-temperature * (ratio - 1))) for ratio in completion.ratios]
        objective += sum(gate * completion.advantage for gate in gates) / len(completion) / len(batch)
    return -objective


def bnpo(batch):
    """The mean over the tokens of the batch, clipped as in GRPO."""
    total = sum(map(len, batch))
    return -sum(sum(tokens(completion, 0.2, 0.2)) for completion in batch) / total


LOSSES = {"grpo": grpo, "gspo": gspo, "dapo": dapo, "dr_grpo": dr_grpo, "cispo": cispo, "sapo": sapo, "bnpo": bnpo}
