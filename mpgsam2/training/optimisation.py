"""How weights change: which learn, at what rates, and how fast the rates rise and fall."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True)
class Optimisation:
    """AdamW's settings for one run of training.

    Attributes:
        rate: learning rate.
        weight_decay: AdamW's.
        clip_norm: the gradient's greatest norm, over all parameters.
        betas: AdamW's.
        new: parts of the names of parameters that learn at `new_rate` instead.
        new_rate: their learning rate.
        frozen: names of modules or parameters of the network that do not learn.
        warm_up: steps in which the rates rise linearly from zero.
        plateau: part of the training, 0..1, after which the rates fall linearly to zero; 1: they stay.
        ema_decay: of the moving average of the weights that is scored and saved in their place; None: no average.
    """

    rate: float
    weight_decay: float
    clip_norm: float
    betas: tuple[float, float] = (0.9, 0.999)
    new: tuple[str, ...] = ()
    new_rate: float = 0.0
    frozen: tuple[str, ...] = ()
    warm_up: int = 0
    plateau: float = 1.0
    ema_decay: float | None = None

    def factor(self, step: int, part: float) -> float:
        """Return what the rates are multiplied with.

        Args:
            step: how many were taken before.
            part: of the training that is over, 0..1.
        """
        rise = min((step + 1) / self.warm_up, 1) if self.warm_up else 1
        fall = min((1 - part) / (1 - self.plateau), 1) if self.plateau < 1 else 1
        return rise * fall

    def freeze(self, network: nn.Module) -> None:
        """Let the frozen parts learn no more.

        Raises:
            ValueError: the network has no part of that name.
        """
        for name in self.frozen:
            parts = [x for key, x in network.named_parameters() if key == name or key.startswith(f"{name}.")]
            if not parts:
                raise ValueError(f"the network has no {name} to freeze")
            for parameter in parts:
                parameter.requires_grad_(False)

    def groups(self, trainee: nn.Module) -> list[dict[str, Any]]:
        """Return AdamW's groups of the parameters that learn, each with its `rate`."""
        usual: list[nn.Parameter] = []
        new: list[nn.Parameter] = []
        for name, parameter in trainee.named_parameters():
            if parameter.requires_grad:
                (new if any(part in name for part in self.new) else usual).append(parameter)
        rates = ((usual, self.rate), (new, self.new_rate))
        return [{"params": parameters, "lr": rate, "rate": rate} for parameters, rate in rates if parameters]
