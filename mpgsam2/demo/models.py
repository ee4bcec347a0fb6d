"""Which models answer here: the published ones first where there is a GPU, and never none."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass

import torch

from mpgsam2.checkpoint import SHORT_NAMES, load_model
from mpgsam2.checkpoint.source import HubUnreachable
from mpgsam2.errors import InputError
from mpgsam2.inference.segmenter import Segmenter
from mpgsam2.network.dtype import choose_dtype

_NANO = "nano"  # which comes with the code
_SAME_NAME = "There are two models named {}: rename the folder or file of one of them."
_NO_ROOM = "There is not enough memory here for it."
_FAULT = "It could not be loaded, for a reason that stands in the log."

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Models:
    """What answers here.

    Attributes:
        loaded: at least one, the usual one first.
        left_out: why the others are not here, a sentence by the name.
    """

    loaded: list[Segmenter]
    left_out: dict[str, str]


def load_models(names: str | None, device: str | torch.device, dtype: str = "auto") -> Models:
    """Load every model that can be loaded.

    Args:
        names: separated by commas, the usual one first; see `load_model`. None or empty: where there is a GPU the
            published checkpoints and nano, elsewhere nano alone, for which nothing is downloaded.
        device: where they run.
        dtype: of matrix products, see `network.dtype.choose_dtype`.

    Returns:
        The models, in that order. If none of them can be loaded nano is there in their place.

    Raises:
        InputError: not even nano can be loaded.
    """
    wanted = [name.strip() for name in (names or "").split(",") if name.strip()]
    if not wanted:
        wanted = [*SHORT_NAMES, _NANO] if torch.device(device).type == "cuda" else [_NANO]
    models = _load(dict.fromkeys(wanted), device, dtype)
    if not models.loaded and _NANO not in wanted:
        models.loaded.append(load_model(_NANO, device, choose_dtype(dtype, device)))
    if not models.loaded:
        raise InputError(" ".join(models.left_out.values()))
    return models


def by_name(models: Iterable[Segmenter]) -> dict[str, Segmenter]:
    """Return the models by their names, which visitors choose them by and records tell.

    Raises:
        InputError: two have the same one.
    """
    named: dict[str, Segmenter] = {}
    for model in models:
        if model.name in named:
            raise InputError(_SAME_NAME.format(model.name))
        named[model.name] = model
    return named


def _load(names: Iterable[str], device: str | torch.device, dtype: str) -> Models:
    models = Models([], {})
    unreachable = None
    for name in names:
        if unreachable and name in SHORT_NAMES:  # the same repository: asking again would only take time
            models.left_out[name] = unreachable
            continue
        try:
            model = load_model(name, device, choose_dtype(dtype, device))
            by_name([*models.loaded, model])
            models.loaded.append(model)
        except InputError as error:
            models.left_out[name] = str(error)
            if name in SHORT_NAMES and isinstance(error, HubUnreachable):
                unreachable = str(error)
        except (MemoryError, torch.OutOfMemoryError):
            models.left_out[name] = _NO_ROOM
        except Exception:  # a page with fewer models is better than none
            _log.exception("The model %s cannot be loaded", name)
            models.left_out[name] = _FAULT
        if name in models.left_out:
            _log.warning("The model %s is left out: %s", name, models.left_out[name])
    return models
