"""The network as users of transformers know it: `AutoConfig`, `AutoModel`, `save_pretrained`, `push_to_hub`.

Importing this module registers both classes. The files are those that `load_model` reads and `save_checkpoint` writes,
and it is they who do the work. The model is no `PreTrainedModel`: that class imports torchvision wherever there is one,
and whatever is missing in a file it would make up.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor
from transformers import AutoConfig, AutoModel, PreTrainedConfig
from transformers.utils import PushToHubMixin

from mpgsam2.checkpoint.load import load
from mpgsam2.checkpoint.save import MODEL_TYPE, save_parts
from mpgsam2.errors import InputError
from mpgsam2.inference.config import InferenceConfig
from mpgsam2.inference.results import FrameResult
from mpgsam2.inference.segmenter import Segmenter
from mpgsam2.inference.tokenizer import Tokenizer
from mpgsam2.network.config import LARGE, ModelConfig
from mpgsam2.network.model import MPGSAM2
from mpgsam2.network.prior import ClipContext

if TYPE_CHECKING:
    from typing_extensions import Self

_SIZES = ("encoder", "prior", "tracker")
_OURS = (*_SIZES, "calibration", "window", "interleaved")
_HUB_OPTIONS = ("cache_dir", "force_download", "local_files_only", "revision", "token")

_AUTO_MODEL_ARGUMENTS = ("_from_auto", "adapter_kwargs", "proxies", "trust_remote_code")  # which it adds by itself


class MPGSAM2Config(PreTrainedConfig):
    """What `config.json` holds: every size, under the names of `ModelConfig`, and how the network is asked.

    It serves the network as a `ModelConfig` does.
    """

    model_type = MODEL_TYPE

    def __init__(self, window: int | None = None, interleaved: bool = False, **settings: Any) -> None:
        """Take everything as it is in `config.json`; sizes that are not given are those of the large published network.

        Args:
            window, interleaved: see `InferenceConfig`.
            settings: `encoder`, `prior`, `tracker` and `calibration` as dictionaries; the rest is transformers'.

        Raises:
            InputError: a size is missing in a part, or not one of this version's.
        """
        sizes = ModelConfig.from_dict(LARGE.to_dict() | {p: settings.pop(p) for p in _SIZES if p in settings})
        calibration = settings.pop("calibration", {})
        super().__init__(**settings)
        self.encoder, self.prior, self.tracker = sizes.encoder, sizes.prior, sizes.tracker
        self.calibration = InferenceConfig.from_settings({"calibration": calibration}).calibration
        self.window, self.interleaved = window, interleaved

    @property
    def sizes(self) -> ModelConfig:
        """The network's."""
        return ModelConfig(self.encoder, self.prior, self.tracker)

    def inference(self, dtype: torch.dtype) -> InferenceConfig:
        """Return how a network of that dtype is asked."""
        return InferenceConfig(self.window, self.interleaved, calibration=self.calibration, dtype=dtype)

    def to_dict(self) -> dict[str, Any]:
        """Return all of it as plain values."""
        return super().to_dict() | {part: asdict(getattr(self, part)) for part in (*_SIZES, "calibration")}

    def to_diff_dict(self) -> dict[str, Any]:
        """Return what is written to `config.json`: of ours all, since `load_model` knows no defaults."""
        return super().to_diff_dict() | {name: value for name, value in self.to_dict().items() if name in _OURS}


class MPGSAM2Model(PushToHubMixin, MPGSAM2):
    """The network as `AutoModel` finds it, which can also be asked sentences.

    Attributes:
        config: a `MPGSAM2Config`.
        tokenizer: sentence → ids; None for a network that was built from its configuration alone.
        name: what records call the checkpoint.
    """

    config_class = MPGSAM2Config
    config: MPGSAM2Config  # type: ignore[assignment]  # which serves as a `ModelConfig` does

    def __init__(self, config: MPGSAM2Config | ModelConfig) -> None:
        """Build the network with weights that nothing was learned by."""
        whole = config if isinstance(config, MPGSAM2Config) else MPGSAM2Config(**config.to_dict())
        super().__init__(whole.sizes)
        self.config = whole
        self.tokenizer: Tokenizer | None = None
        self.name = "unnamed"

    @property
    def segmenter(self) -> Segmenter:
        """What `load_model` returns, of this network.

        Raises:
            InputError: the network was not loaded, so it has no words.
        """
        if self.tokenizer is None:
            raise InputError("This network has no tokenizer: load it with from_pretrained, or with mpgsam2.load_model.")
        return Segmenter(self, self.tokenizer, self.name, self.config.inference(self.dtype))

    def encode_clip(
        self,
        frames: Iterable[np.ndarray],
        input_ids: Tensor | list[int],
        *,
        without: frozenset[str] = frozenset(),
        longest: int | None = None,
    ) -> ClipContext:
        """Encode as `MPGSAM2.encode_clip` does; where windows are interleaved, one is the longest if you do not say."""
        usual = self.config.window if self.config.interleaved else None
        return super().encode_clip(frames, input_ids, without=without, longest=longest or usual)

    def segment(
        self, frames: Iterable[np.ndarray], expression: str, *, without: frozenset[str] = frozenset()
    ) -> Iterator[FrameResult]:
        """Segment what a sentence names, frame by frame: see `Segmenter.segment`."""
        return self.segmenter.segment(frames, expression, without=without)

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
    ) -> Self:
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
        if unknown := sorted(name for name, value in options.items() if value and name not in _AUTO_MODEL_ARGUMENTS):
            raise InputError(f"MPG-SAM 2 cannot be loaded with {', '.join(unknown)}: leave that out.")
        if isinstance(dtype, str):
            dtype = getattr(torch, dtype, None)
        name = str(pretrained_model_name_or_path)
        model = load(
            f"{name}/{subfolder}" if subfolder else name,
            device_map,
            torch.bfloat16 if dtype == torch.bfloat16 else torch.float32,
            kind=cls,
            settings=None if config is None else config.to_dict(),
            **hub_options,
        )
        network = model.network
        assert isinstance(network, cls)
        network.tokenizer, network.name = model.tokenizer, model.name
        network.config = MPGSAM2Config(
            **network.config.sizes.to_dict(), **model.inference.to_settings(), name_or_path=name
        )
        return network

    @classmethod
    def _from_config(cls, config: MPGSAM2Config, **_: Any) -> Self:
        return cls(config)  # what `AutoModel.from_config` calls

    def save_pretrained(self, save_directory: str | Path, *, max_shard_size: int | str | None = None) -> None:
        """Write the folder that `save_checkpoint` writes.

        Args:
            save_directory: the folder.
            max_shard_size: not heeded, the weights are one file; `push_to_hub` gives it.
        """
        inference = self.config.inference(self.dtype)
        save_parts(self.state_dict(), self.config.sizes, inference, self.tokenizer, Path(save_directory))


AutoConfig.register(MODEL_TYPE, MPGSAM2Config)
AutoModel.register(MPGSAM2Config, MPGSAM2Model)
