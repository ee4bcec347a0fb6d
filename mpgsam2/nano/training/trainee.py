"""Nano's network at the beginning of its training, and its objective."""

from __future__ import annotations

from typing import cast

import torch
from sam2.modeling.position_encoding import PositionEmbeddingSine
from torch import Tensor, nn

from mpgsam2.checkpoint.tokenizer import WordTokenizer
from mpgsam2.inference.config import InferenceConfig
from mpgsam2.inference.segmenter import Segmenter
from mpgsam2.nano.synthetic import VOCABULARY
from mpgsam2.nano.training.data import Batch
from mpgsam2.nano.training.losses import AuxiliaryHeads, mask_loss, prior_loss
from mpgsam2.nano.training.recipe import Stage
from mpgsam2.network.beit3 import UNKNOWN
from mpgsam2.network.config import NANO
from mpgsam2.network.model import MPGSAM2
from mpgsam2.network.prior import ClipContext
from mpgsam2.training.forward import encode, track
from mpgsam2.training.trainer import Trainee

WINDOW = 16  # frames that nano encodes together: more were never seen in training


def new_network() -> MPGSAM2:
    """Return a nano with fresh weights, set where learning is quickest."""
    network = MPGSAM2(NANO)
    d, grid = NANO.encoder.width, NANO.encoder.grid
    with torch.no_grad():
        # Coordinates at full strength: a table that starts as noise loses them on the way through the layers.
        sine = PositionEmbeddingSine(d, temperature=20, warmup_cache=False)(torch.zeros(1, d, grid, grid))
        cast(nn.Embedding, network.beit3.encoder.embed_positions["A"]).weight[3:] = sine[0].flatten(1).T
        network.vmtoken.multihead_attn.out_proj.bias.fill_(1)  # the gate starts open,
        network.mask_product.bias.fill_(-3)  # the prior nearly empty,
        network.visual_model.sam_mask_decoder.pred_obj_score_head.layers[-1].bias.fill_(2)  # and the object present
        if network.config.prior.frame_positions:
            network.frame_position_linear.weight.zero_()
    return network


def in_words(network: MPGSAM2) -> Segmenter:
    """Return nano as one that is asked sentences."""
    return Segmenter(network, WordTokenizer(VOCABULARY), "nano", InferenceConfig(WINDOW, interleaved=True))


def attend_alike(network: MPGSAM2) -> None:
    """Let every patch attend to those like it, in all frames, when training of the frame-joint layer begins.

    Queries equal keys, so a patch of a moving thing finds the thing's other places, and pe(t) tells their order. From
    random weights attention is nearly even over all patches of a clip, and motion was not learned in 3,000 steps.
    """
    d = network.config.encoder.width
    with torch.no_grad():
        attention = network.visual_ifi.self_attn
        alike = 1.6 * torch.linalg.qr(torch.randn(d, d))[0]
        attention.in_proj_weight[: 2 * d] = alike.repeat(2, 1)
        attention.in_proj_bias[: 2 * d] = 0
        network.frame_position_linear.weight.copy_(0.5 * torch.eye(d))


class NanoTrainee(Trainee):
    """The network with its training-only heads; its forward pass is a stage's loss."""

    def __init__(self, network: MPGSAM2, stage: Stage) -> None:
        super().__init__()
        self.net = network
        self.helpers = AuxiliaryHeads(network.config.encoder)  # states on disk name their weights by this attribute
        self.stage = stage
        network.visual_ifi.register_forward_hook(self._keep_joint)

    def forward(self, batch: Batch) -> dict[str, Tensor]:
        """Return scalar losses by name; their sum is what is minimised."""
        losses = {}
        frames, trains = batch.small.shape[1], self.stage.trains
        if trains == "tracker":
            return {"mask": self._track(batch, self._true_context(batch), None)}
        with torch.set_grad_enabled(trains != "answers"):
            encoded = encode(self.net, batch.small, batch.pair_clip, batch.input_ids)
        logits, context = self.net.generate_prior(encoded, frames)
        if trains != "answers":
            classes, patches, words = (x.unflatten(0, (-1, frames)) for x in encoded)
            shown = (batch.coverage.sum(dim=(-2, -1)) > 0).float()
            answers = {name: answer[batch.pair_clip] for name, answer in batch.attributes.items()}
            losses["prior"] = prior_loss(logits.squeeze(2), batch.coverage)
            losses["helpers"] = self.helpers(
                classes, patches, self._joint.view_as(patches), words, shown, answers, batch.places
            )
        if trains != "prior":
            shows_truth = torch.rand(len(batch.pair_clip), device=batch.coverage.device) < self.stage.true_priors
            prior = torch.where(shows_truth[:, None, None, None, None], batch.coverage[:, :, None], context.prior)
            losses["mask"] = self._track(batch, context._replace(prior=prior), batch.input_ids != UNKNOWN)
        return losses

    def _keep_joint(self, layer: nn.Module, given: tuple[Tensor, ...], joint: Tensor) -> None:
        self._joint = joint

    def _true_context(self, batch: Batch) -> ClipContext:
        """Return the true mask as an imperfect prior, and nothing else: the tracker's own training."""
        covered = batch.coverage[:, :, None]
        pairs, frames, grid = covered.shape[0], covered.shape[1], covered.shape[-1]
        c = self.net.config.tracker.width
        sure = torch.empty(pairs, frames, 1, 1, 1, device=covered.device).uniform_(0.4, 1)
        missed = torch.rand_like(sure) < 0.15
        missed[:, 0] = False
        prior = (covered * sure * ~missed + 0.1 * torch.rand_like(covered)).clamp(0, 1)
        return ClipContext(
            prior,
            covered.new_zeros(pairs, frames * grid**2, c),
            covered.new_zeros(pairs, frames, 1, c),
            covered.new_zeros(pairs, frames, batch.input_ids.shape[1], c),
        )

    def _track(self, batch: Batch, context: ClipContext, words: Tensor | None) -> Tensor:
        outputs = track(self.net, batch.large, batch.pair_clip, context, words)
        sentence = self.net.text2one_linear(context.text_features[:, :, 0]).squeeze(-1)  # P × T
        return mask_loss(
            torch.stack([output.candidate_logits for output in outputs], dim=1),
            torch.stack([output.iou for output in outputs], dim=1),
            torch.stack([output.object_score_logit for output in outputs], dim=1),
            batch.masks,
            sentence,
            self.stage.presence,
        )
