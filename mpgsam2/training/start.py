"""The network that training begins with: a checkpoint, or BEiT-3's and SAM 2's own weights (benchmarks.md 2)."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from torch import Tensor

from mpgsam2.checkpoint import load_model
from mpgsam2.checkpoint.find import VOCABULARY_VARIABLE
from mpgsam2.checkpoint.read import read_weights
from mpgsam2.checkpoint.tokenizer import is_vocabulary, load_tokenizer
from mpgsam2.errors import InputError
from mpgsam2.inference.segmenter import Segmenter
from mpgsam2.network.config import PriorConfig, TrackerConfig, config_from_state_dict
from mpgsam2.network.model import MPGSAM2
from mpgsam2.network.state_dict import load_strict

_BEIT3, _SAM2 = "beit3.", "image_encoder."  # with which names of tensors begin in either file

# Of what is new, by the beginnings of the names. No file tells their sizes, which are the published ones.
NEW = (
    "text_hidden_fcs.",
    "text_feat_linear.",
    "mask_linear.",
    "mask_product.",
    "vmtoken.",
    "visual_ifi.",
    "meo_linear.",
    "text2one_linear.",
    "visual_model.sam_mask_decoder.patch_linear.",
    "visual_model.sam_mask_decoder.vtlfusion_module.",
    "visual_model.sam_mask_decoder.mmfusion_module.",
    "visual_model.sam_mask_decoder.objfusion_module.",
)


def load_start(names: Sequence[str]) -> Segmenter:
    """Return the network to train, with its words.

    Args:
        names: one that `load_model` takes; or two files, `beit3_*_patch16_224.pth` and `sam2_hiera_*.pt` in either
            order, with BEiT-3's vocabulary beside one of them or named in `MPGSAM2_VOCABULARY`.

    Raises:
        InputError: they cannot be read, do not fit together, or there is no vocabulary.
    """
    if len(names) == 1:
        return load_model(names[0])
    if len(names) != 2:
        raise InputError("Start at one checkpoint, or at two files: BEiT-3's and SAM 2's.")
    files = [Path(name).expanduser() for name in names]
    for file in files:
        if not file.is_file():
            raise InputError(f"There is no file “{file.name}”: check its name and where it lies.")
    weights = [read_weights(file) for file in files]
    network = from_parts(_with(_BEIT3, weights), _with(_SAM2, weights))
    return Segmenter(network, load_tokenizer(_vocabulary(files)), files[0].stem)


def from_parts(beit3: Mapping[str, Tensor], sam2: Mapping[str, Tensor]) -> MPGSAM2:
    """Build the network that BEiT-3's and SAM 2's tensors fit; everything else is new.

    Args:
        beit3: under BEiT-3's names; what is not its encoder is left alone.
        sam2: under SAM 2's names.

    Raises:
        InputError: tensors are missing, unexpected or wrongly shaped; the sentence names them.
    """
    given = {f"mm_extractor.{name}": x for name, x in beit3.items() if name.startswith(_BEIT3)}
    given |= {f"visual_model.{name}": x for name, x in sam2.items()}
    sizes = {
        "visual_ifi.linear1.weight": PriorConfig.feed_forward,
        "visual_model.sam_mask_decoder.mmfusion_module.linear1.weight": TrackerConfig.fusion_feed_forward,
    }
    network = MPGSAM2(config_from_state_dict(given | {name: torch.empty(size, 0) for name, size in sizes.items()}))
    new = {name: x for name, x in network.state_dict().items() if name.startswith(NEW)}
    load_strict(network, given | new)
    return network


def _with(beginning: str, weights: Sequence[Mapping[str, Tensor]]) -> Mapping[str, Tensor]:
    for tensors in weights:
        if any(name.startswith(beginning) for name in tensors):
            return tensors
    of = {_BEIT3: "BEiT-3's (beit3_*_patch16_224.pth)", _SAM2: "SAM 2's (sam2_hiera_*.pt)"}[beginning]
    raise InputError(f"Neither of the two files is {of}.")


def _vocabulary(files: Sequence[Path]) -> Path:
    for folder in dict.fromkeys(file.parent for file in files):
        if any(is_vocabulary(path.name) for path in folder.iterdir()):
            return folder
    return Path(os.environ.get(VOCABULARY_VARIABLE) or files[0].parent).expanduser()
