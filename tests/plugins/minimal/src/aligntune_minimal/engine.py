"""The engine: a training loop in plain PyTorch. It knows nothing of AlignTune."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import torch
from torch.nn.functional import log_softmax
from torch.nn.utils.rnn import pad_sequence

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from aligntune_minimal.encoding import Example
    from aligntune_minimal.settings import Settings

_CERTAIN = 1 - 1e-6
"""The highest probability whose complement still has a logarithm in 32 bits."""


class Loop:
    """Trains a causal language model on examples.

    Args:
        model: The model, on its device.
        examples: What to train on.
        settings: How.
    """

    def __init__(self, model: Any, examples: Sequence[Example], settings: Settings) -> None:
        self.model = model
        self.settings = settings
        self.step = 0
        self._examples = examples
        self._per_step = settings.batch_size * settings.gradient_accumulation_steps
        self.total_steps = settings.total_steps(len(examples))

    def run(self, on_step: Callable[[dict[str, float]], None]) -> float:
        """Train to the end and return the mean loss.

        Args:
            on_step: Called after every optimiser step with its figures; what it raises ends the run.
        """
        settings = self.settings
        decayed = [weight for weight in self.model.parameters() if weight.dim() > 1]
        others = [weight for weight in self.model.parameters() if weight.dim() < 2]
        optimizer = torch.optim.AdamW(
            [{"params": decayed, "weight_decay": settings.weight_decay}, {"params": others, "weight_decay": 0.0}],
            lr=settings.learning_rate,
            betas=tuple(settings.adam_betas),
        )
        schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, self._share_of_learning_rate)
        losses = []
        self.step = 0
        self.model.train()
        for examples in self._in_order():
            rate = schedule.get_last_lr()[0]
            figures = self._backward(examples)
            if settings.max_grad_norm:
                torch.nn.utils.clip_grad_norm_(self.model.parameters(), settings.max_grad_norm)
            optimizer.step()
            schedule.step()
            optimizer.zero_grad()
            self.step += 1
            losses.append(figures["loss"])
            on_step({**figures, "learning_rate": rate})
        return sum(losses) / len(losses)

    def score(self, examples: Sequence[Example]) -> dict[str, float]:
        """The figures of examples that are not trained on."""
        was_training = self.model.training
        self.model.eval()
        totals: dict[str, float] = {}
        with torch.no_grad():
            for batch in self._batches(examples):
                for name, value in self._sums(batch).items():
                    totals[name] = totals.get(name, 0.0) + float(value)
        self.model.train(was_training)
        return _means(totals)

    def _in_order(self) -> Iterator[list[Example]]:
        """The examples of each step, shuffled anew for every pass."""
        shuffler = torch.Generator().manual_seed(self.settings.seed)
        step = 0
        while True:
            order = torch.randperm(len(self._examples), generator=shuffler).tolist()
            for start in range(0, len(order), self._per_step):
                if step == self.total_steps:
                    return
                step += 1
                yield [self._examples[index] for index in order[start : start + self._per_step]]

    def _batches(self, examples: Sequence[Example]) -> Iterator[Sequence[Example]]:
        for start in range(0, len(examples), self.settings.batch_size):
            yield examples[start : start + self.settings.batch_size]

    def _backward(self, examples: Sequence[Example]) -> dict[str, float]:
        """Add up the gradient of the mean over all trained tokens of a step, batch by batch."""
        count = sum(sum(example.trained[1:]) for example in examples)
        totals: dict[str, float] = {}
        for batch in self._batches(examples):
            sums = self._sums(batch)
            (sums["loss"] / count).backward()
            for name, value in sums.items():
                totals[name] = totals.get(name, 0.0) + float(value)
        return _means(totals)

    def _sums(self, batch: Sequence[Example]) -> dict[str, Any]:
        """Sums over a batch's trained tokens: the loss, and of good and of bad answers the log-probability."""
        device = self.model.device

        def padded(values: list[tuple[int, ...]] | list[tuple[bool, ...]]) -> Any:
            return pad_sequence([torch.tensor(value) for value in values], batch_first=True).to(device)

        tokens = padded([example.tokens for example in batch])
        mask = padded([(1,) * len(example.tokens) for example in batch])
        trained = padded([example.trained for example in batch])[:, 1:]
        good = torch.tensor([[example.good] for example in batch], device=device) & trained
        with torch.autocast(device.type, torch.bfloat16, enabled=self.settings.precision == "bf16"):
            logits = self.model(input_ids=tokens, attention_mask=mask).logits
        log_p = log_softmax(logits[:, :-1].float(), dim=-1).gather(-1, tokens[:, 1:, None]).squeeze(-1)
        unlikelihood = -torch.log1p(-log_p.exp().clamp(max=_CERTAIN))
        losses = torch.where(good, -log_p, self.settings.unlikelihood_weight * unlikelihood)
        bad = trained & ~good
        return {
            "loss": losses[trained].sum(),
            "logp/good": log_p[good].sum().detach(),
            "logp/bad": log_p[bad].sum().detach(),
            "tokens/good": good.sum(),
            "tokens/bad": bad.sum(),
        }

    def _share_of_learning_rate(self, step: int) -> float:
        settings, total = self.settings, self.total_steps
        warmup = settings.warmup_steps
        if warmup is None:
            warmup = math.ceil(settings.warmup_ratio * total)
        if step < warmup:
            return step / warmup
        done = (step - warmup) / max(1, total - warmup)
        falling = {"linear": 1 - done, "cosine": (1 + math.cos(math.pi * done)) / 2, "constant": 1.0}
        return max(0.0, falling[settings.lr_scheduler])


def _means(totals: dict[str, float]) -> dict[str, float]:
    good, bad = totals["tokens/good"], totals["tokens/bad"]
    means = {"loss": totals["loss"] / (good + bad)}
    means |= {"logp/good": totals["logp/good"] / good} if good else {}
    means |= {"logp/bad": totals["logp/bad"] / bad} if bad else {}
    return means
