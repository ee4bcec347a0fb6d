"""The network as users of transformers know it: `AutoConfig`, `AutoModel`, `save_pretrained`, `push_to_hub`.

Importing this module registers both classes. The files are those that `load_model` reads and `save_checkpoint` writes,
and it is they who do the work. The model is no `PreTrainedModel`: that class imports torchvision wherever there is one,
and whatever is missing in a file it would make up.
"""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from transformers import AutoConfig, AutoModel, PreTrainedConfig
from transformers.utils import PushToHubMixin

from mpgsam2.checkpoint.load import load
from mpgsam2.checkpoint.save import MODEL_TYPE, save_checkpoint
from mpgsam2.errors import InputError
from mpgsam2.network.config import LARGE, ModelConfig
from mpgsam2.network.model import MPGSAM2

_PARTS = ("encoder", "prior", "tracker", "calibration")
_HUB_OPTIONS = ("cache_dir", "force_download", "local_files_only", "revision", "token")

_OF_AUTO_MODEL = ("_from_auto", "adapter_kwargs", "proxies", "trust_remote_code")  # which it adds by itself


class MPGSAM2Config(PreTrainedConfig):
    """What `config.json` holds: every size, under the names of `ModelConfig`, and how longer clips are cut.

    It serves the network as a `ModelConfig` does.
    """

    model_type = MODEL_TYPE

    def __init__(self, window: int | None = None, interleaved: bool = False, **settings: Any) -> None:
        """Everything is as in `config.json`; sizes that are not given are those of the large published network.

        Args:
            window, interleaved: see `MPGSAM2`.
            settings: `encoder`, `prior`, `tracker` and `calibration` as dictionaries; the rest is transformers'.

        Raises:
            InputError: a size is missing in a part, or not one of this version's.
        """
        sizes = ModelConfig.from_dict(LARGE.to_dict() | {p: settings.pop(p) for p in _PARTS if p in settings})
        super().__init__(**settings)
        self.encoder, self.prior, self.tracker = sizes.encoder, sizes.prior, sizes.tracker
        self.calibration = sizes.calibration
        self.window, self.interleaved = window, interleaved

    def to_dict(self) -> dict[str, Any]:
        """All of it as plain values."""
        return super().to_dict() | {part: asdict(getattr(self, part)) for part in _PARTS}

    def to_diff_dict(self) -> dict[str, Any]:
        """What is written to `config.json`: of ours all, since `load_model` knows no defaults."""
        ours = (*_PARTS, "window", "interleaved")
        return super().to_diff_dict() | {name: value for name, value in self.to_dict().items() if name in ours}


class MPGSAM2Model(PushToHubMixin, MPGSAM2):
    """The network, as `AutoModel` finds it; what it does stands in `MPGSAM2`, from `segment` on.

    Attributes:
        config: a `MPGSAM2Config`.
    """

    config_class = MPGSAM2Config

    def __init__(self, config: MPGSAM2Config | ModelConfig) -> None:
        """Build the network with weights that nothing was learned by."""
        super().__init__(config)
        if isinstance(config, ModelConfig):
            self.config = MPGSAM2Config(**config.to_dict())
        else:
            self.window, self.interleaved = config.window, config.interleaved

    @classmethod
    def from_pretrained(
        cls,
        pretrained_model_name_or_path: str | Path,
        *,
        config: MPGSAM2Config | None = None,
        subfolder: str = "",
        dtype: torch.dtype | str | None = None,
        device_map: torch.device | str = "cpu",
        **options: Any,
    ) -> MPGSAM2Model:
        """Load what `load_model` loads, with its tokenizer.

        Args:
            pretrained_model_name_or_path: any name that `load_model` takes.
            config: in place of the checkpoint's own.
            subfolder: in the folder or repository.
            dtype: of matrix products, float32 unless "bfloat16" is asked for; weights are always float32.
            device_map: the one device where the network goes.
            options: `cache_dir`, `force_download`, `local_files_only`, `revision`, `token`, as everywhere on the hub.

        Raises:
            InputError: as `load_model` does, or an option is none of these.
        """
        hub_options = {name: options.pop(name) for name in _HUB_OPTIONS if options.get(name) is not None}
        if unknown := sorted(name for name, value in options.items() if value and name not in _OF_AUTO_MODEL):
            raise InputError(f"MPG-SAM 2 cannot be loaded with {', '.join(unknown)}: leave that out.")
        if isinstance(dtype, str):
            dtype = getattr(torch, dtype, None)
        name = str(pretrained_model_name_or_path)
        net = load(
            cls,
            f"{name}/{subfolder}" if subfolder else name,
            device_map,
            torch.bfloat16 if dtype == torch.bfloat16 else torch.float32,
            settings=None if config is None else config.to_dict(),
            **hub_options,
        )
        net.config.window, net.config.interleaved, net.config.name_or_path = net.window, net.interleaved, name
        return net

    @classmethod
    def _from_config(cls, config: MPGSAM2Config, **_: Any) -> MPGSAM2Model:
        return cls(config)  # what `AutoModel.from_config` calls

    def save_pretrained(self, save_directory: str | Path, *, max_shard_size: int | str | None = None) -> None:
        """Write the folder that `save_checkpoint` writes.

        Args:
            save_directory: the folder.
            max_shard_size: not heeded, the weights are one file; `push_to_hub` gives it.
        """
        save_checkpoint(self, save_directory)


AutoConfig.register(MODEL_TYPE, MPGSAM2Config)
AutoModel.register(MPGSAM2Config, MPGSAM2Model)
