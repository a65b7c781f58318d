#!/usr/bin/env python3
"""Writes two tiny T5 v1.1 checkpoints with mixtures of experts and their golden numbers, computed by PyTorch.

Run, from the repository root (torch 2.13.0 and transformers 5.18.0 made the committed files):

    pip install torch==2.13.0 transformers==5.18.0 safetensors numpy
    python model/src/test/python/make_moe_goldens.py

Writes tiny-moe-top2 (two experts a token, renormalized, no drops) and tiny-moe-top1 (one expert a token, raw gate,
places for a share of 0.75, balance and z-loss) to model/src/test/resources/golden (or to the folder given). Each holds
config.json and model.safetensors, in MixT5's names, and

    golden.safetensors  input_ids, attention_mask, labels, logits, encoder, grad.<name> of each parameter that has one
    golden.json         loss with its router losses; aux, the mean balance loss; routing: per mixture, encoder first,
                        how often each expert was chosen, before drops, and drops; the losses before each of five steps
                        of AdamW (lr 1e-3, weight decay 0.01 on everything)

A label in the middle of a sequence is ignored: its decoder token counts as padding, which is never routed. Evaluation
mode, fp32. Attention, norms and embeddings are transformers'; the mixture below is written token by token.
"""
import json
import math
import pathlib
import sys

import torch
import transformers
from safetensors.torch import save_file
from torch import nn
from transformers import T5Config, T5ForConditionalGeneration
from transformers.models.t5.modeling_t5 import T5DenseGatedActDense, T5LayerNorm

DEFAULT_OUT = pathlib.Path(__file__).resolve().parents[1] / "resources" / "golden"
EXPERTS, VOCABULARY, PAD, END = 4, 64, 0, 1
SHAPE = dict(vocab_size=VOCABULARY, d_model=16, d_kv=4, num_heads=2, d_ff=12, num_layers=2, num_decoder_layers=2,
             feed_forward_proj="gated-gelu", pad_token_id=PAD, eos_token_id=END, decoder_start_token_id=PAD,
             tie_word_embeddings=False)
VARIANTS = {
    "tiny-moe-top2": dict(seed=31, num_experts_per_tok=2, router_gate="renormalized", router_aux_loss_coef=0.02),
    "tiny-moe-top1": dict(seed=32, num_experts_per_tok=1, router_gate="raw", router_aux_loss_coef=0.01,
                          router_z_loss_coef=0.003, eval_capacity_policy="capacity", eval_capacity_factor=0.75),
}


class Mixture(nn.Module):
    """In place of a block's last layer. Before a pass, valid [B, T] says which tokens are not padding."""

    def __init__(self, config, settings):
        super().__init__()
        self.settings = settings
        self.layer_norm = T5LayerNorm(config.d_model, eps=config.layer_norm_epsilon)
        self.gate = nn.Linear(config.d_model, EXPERTS, bias=False)
        self.experts = nn.ModuleList(T5DenseGatedActDense(config) for _ in range(EXPERTS))

    def forward(self, hidden):
        normed = self.layer_norm(hidden)
        tokens = [(b, t) for b, row in enumerate(self.valid.tolist()) for t, valid in enumerate(row) if valid]
        k = self.settings["num_experts_per_tok"]
        logits = torch.stack([self.gate(normed[place]) for place in tokens])
        p = logits.softmax(-1)
        weights, chosen = p.topk(k, dim=-1)
        if self.settings["router_gate"] == "renormalized":
            weights = weights / weights.sum(-1, keepdim=True)
        capacity = len(tokens) * k
        if "eval_capacity_factor" in self.settings:
            capacity = math.ceil(self.settings["eval_capacity_factor"] * k * len(tokens) / EXPERTS)
        self.counts, self.dropped = [0] * EXPERTS, 0
        sums = {}
        for choice in range(k):
            for n, place in enumerate(tokens):
                expert = int(chosen[n, choice])
                self.counts[expert] += 1
                if self.counts[expert] > capacity:
                    self.dropped += 1
                    continue
                sums[place] = sums.get(place, 0) + weights[n, choice] * self.experts[expert](normed[place])
        share = torch.tensor(self.counts) / (k * len(tokens))
        self.balance = EXPERTS * (share * p.mean(0)).sum()
        self.z = logits.logsumexp(-1).pow(2).mean()
        zero = torch.zeros_like(hidden[0, 0])
        return hidden + torch.stack([torch.stack([sums.get((b, t), zero) for t in range(hidden.shape[1])])
                                     for b in range(hidden.shape[0])])


def build(settings):
    torch.manual_seed(settings["seed"])
    config = T5Config(dropout_rate=0.0, **SHAPE)
    model = T5ForConditionalGeneration(config)
    model.lm_head.weight = nn.Parameter(torch.randn(VOCABULARY, config.d_model) * 0.4)  # transformers 5 has tied it
    for stack in (model.encoder, model.decoder):
        stack.block[1].layer[-1] = Mixture(config, settings)
    with torch.no_grad():
        for name, p in model.named_parameters():
            if "layer_norm" in name:
                p.copy_(1 + 0.2 * torch.randn_like(p))
            elif "relative_attention_bias" in name:
                p.copy_(torch.randn_like(p))
            elif ".gate." in name:
                p.copy_(0.5 * torch.randn_like(p))
            elif ".experts." in name:
                p.copy_(torch.randn_like(p) * p.shape[1] ** -0.5)
    return model.eval()


def make_batch(seed):
    g = torch.Generator().manual_seed(seed)
    ids, labels = (torch.randint(2, VOCABULARY, (3, n), generator=g) for n in (13, 8))
    for row, (source, target) in enumerate(((13, 8), (9, 5), (2, 2))):
        ids[row, source - 1], ids[row, source:] = END, PAD
        labels[row, target - 1], labels[row, target:] = END, -100
    labels[0, 3] = labels[1, 0] = -100
    return dict(input_ids=ids, attention_mask=(ids != PAD).long(), labels=labels)


def run(model, batch, settings):
    mixtures = [model.encoder.block[1].layer[-1], model.decoder.block[1].layer[-1]]
    mixtures[0].valid, mixtures[1].valid = batch["attention_mask"].bool(), batch["labels"] != -100
    out = model(**batch)
    balance = sum(m.balance for m in mixtures) / len(mixtures)
    z = sum(m.z for m in mixtures) / len(mixtures)
    loss = out.loss + settings["router_aux_loss_coef"] * balance + settings.get("router_z_loss_coef", 0) * z
    return loss, balance, out, [dict(counts=m.counts, dropped=m.dropped) for m in mixtures]


def adamw(model, batch, settings):
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, weight_decay=0.01)
    losses = []
    for _ in range(5):
        optimizer.zero_grad()
        loss = run(model, batch, settings)[0]
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
    return losses


def write(out, settings):
    model, batch = build(settings), make_batch(settings["seed"])
    loss, balance, result, routing = run(model, batch, settings)
    loss.backward()
    assert ("eval_capacity_factor" in settings) == any(r["dropped"] for r in routing), routing
    out.mkdir(parents=True, exist_ok=True)
    config = dict(model_type="t5", **SHAPE, scale_decoder_outputs=False, activate_moe=True, num_local_experts=EXPERTS,
                  num_moe_layers=1, **{k: v for k, v in settings.items() if k != "seed"})
    (out / "config.json").write_text(json.dumps(config, indent=1) + "\n")
    weights = {name: p.detach().clone() for name, p in model.named_parameters() if "embed_tokens" not in name}
    save_file(weights, out / "model.safetensors")
    tensors = dict(batch, logits=result.logits.detach(), encoder=result.encoder_last_hidden_state.detach())
    tensors.update({"grad." + name: p.grad.clone() for name, p in model.named_parameters() if p.grad is not None})
    save_file(tensors, out / "golden.safetensors")
    golden = dict(torch=torch.__version__, transformers=transformers.__version__, loss=float(loss.detach()),
                  aux=float(balance.detach()), routing=routing,
                  adamw_losses_lr1e3_wd001=adamw(model, batch, settings))
    lines = [f" {json.dumps(key)}: {json.dumps(value)}" for key, value in golden.items()]
    (out / "golden.json").write_text("{\n" + ",\n".join(lines) + "\n}\n")


def main():
    torch.set_num_threads(1)
    out = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else DEFAULT_OUT
    for name, settings in VARIANTS.items():
        write(out / name, settings)


if __name__ == "__main__":
    main()
