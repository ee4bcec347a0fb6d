"""One step after the other: losses, gradients, weights and, where it is asked for, their moving average."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from mpgsam2.checkpoint import save_checkpoint
from mpgsam2.inference.segmenter import Segmenter
from mpgsam2.network.model import MPGSAM2
from mpgsam2.training.optimisation import Optimisation

if TYPE_CHECKING:
    from accelerate import Accelerator

_NETWORK = "net."
_EMA_WARM_UP = 10  # the average follows the weights closely at first: its decay is at most step / (step + 10)


class Trainee(nn.Module):
    """A module that holds the network and whose forward pass is the objective.

    Attributes:
        net: the network; states on disk name its weights by this attribute.
    """

    net: MPGSAM2

    def forward(self, batch: Any) -> dict[str, Tensor]:
        """Return scalar losses by name; their sum is minimised."""
        raise NotImplementedError


class Trainer:
    """A trainee, its optimiser and the processes that share the work.

    Attributes:
        steps: taken so far, in all runs together.
        average: the network with the moving average of its weights; None without one.
    """

    def __init__(self, trainee: Trainee, optimisation: Optimisation, accelerator: Accelerator) -> None:
        optimisation.freeze(trainee.net)
        self.steps = 0
        self.accelerator = accelerator
        self._optimisation = optimisation
        self._network = trainee.net
        self.average = None if optimisation.ema_decay is None else copy.deepcopy(trainee.net).to(accelerator.device)
        optimiser = torch.optim.AdamW(
            optimisation.groups(trainee),
            betas=optimisation.betas,
            weight_decay=optimisation.weight_decay,
            fused=accelerator.device.type == "cuda",
        )
        if accelerator.state.deepspeed_plugin is not None:  # which clips by itself and counts batches, not clips
            settings = accelerator.state.deepspeed_plugin.deepspeed_config
            settings |= {"gradient_clipping": optimisation.clip_norm, "train_micro_batch_size_per_gpu": 1}
        self._trainee, self._optimiser = accelerator.prepare(trainee, optimiser)
        accelerator.register_for_checkpointing(self)

    def step(self, batch: Any, part: float) -> dict[str, Tensor]:
        """Learn from a batch; a step whose gradient is not finite changes nothing.

        Args:
            batch: what the trainee takes, on the accelerator's device.
            part: of the training that is over, 0..1.

        Returns:
            This process's losses by name.
        """
        factor = self._optimisation.factor(self.steps, part)
        for group in self._optimiser.param_groups:
            group["lr"] = group["rate"] * factor
        losses = self._trainee(batch)
        self.accelerator.backward(sum(losses.values()))
        norm = self.accelerator.clip_grad_norm_(self._trainee.parameters(), self._optimisation.clip_norm)
        if norm is None or norm.isfinite():
            self._optimiser.step()
        self._optimiser.zero_grad()
        self.steps += 1
        self._follow()
        return {name: loss.detach() for name, loss in losses.items()}

    def _follow(self) -> None:
        if self.average is not None and (longest := self._optimisation.ema_decay):
            decay = min(longest, self.steps / (self.steps + _EMA_WARM_UP))
            with torch.no_grad():
                torch._foreach_lerp_(list(self.average.parameters()), list(self._network.parameters()), 1 - decay)

    def write_checkpoint(self, model: Segmenter, folder: Path) -> None:
        """Write the network as it is now, or its average, for `load_model`; all processes must come here together.

        Args:
            model: what is saved beside the weights: words, and how the network is asked.
            folder: see `save_checkpoint`.
        """
        if self.average is None:  # in parts on several devices, perhaps
            whole = self.accelerator.get_state_dict(self._trainee)
            weights = {name.removeprefix(_NETWORK): x for name, x in whole.items() if name.startswith(_NETWORK)}
        else:
            weights = self.average.state_dict()
        if self.accelerator.is_main_process:
            save_checkpoint(model, folder, weights=weights)
        self.accelerator.wait_for_everyone()

    def state_dict(self) -> dict[str, Any]:
        """Return what the accelerator keeps of this beside weights, optimiser and random numbers."""
        return {"steps": self.steps, "average": None if self.average is None else self.average.state_dict()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take up what `state_dict` told."""
        self.steps = state["steps"]
        if self.average is not None:
            self.average.load_state_dict(state["average"])
