#!/usr/bin/env python3
"""Writes two tiny T5 checkpoints and their golden numbers, computed by PyTorch and Hugging Face transformers.

Run, from the repository root (torch 2.13.0 and transformers 5.18.0 made the committed files):

    pip install torch==2.13.0 transformers==5.18.0 safetensors numpy
    python model/src/test/python/make_goldens.py

Writes tiny-t5-v1_1 (gated-gelu, a head of its own) and tiny-t5-v1_0 (relu, the head tied to the embedding, the
decoder's output scaled by d_model^-0.5) to model/src/test/resources/golden (or to the folder given). Each holds a
Hugging Face directory (config.json, generation_config.json, model.safetensors) and

    golden.safetensors  input_ids, attention_mask, labels (int64), loss [1], logits, encoder_last_hidden_state and
                        grad.<name> for every parameter. Logits at ignored labels and encoder states at padding are
                        what transformers computes there; an implementation that skips padding has no such rows.
    golden.json         loss, norm of the whole gradient, the losses before each of five steps of AdamW (lr 1e-3, weight
                        decay 0.01 on everything) and of Adafactor (lr 1e-2, scaled by the parameter's size, clip
                        threshold 1), no clipping of the gradient; greedy ids as generate() returns them: from the start
                        token on, padded with 0 after the end token, at most generation_max_length long.

Weights are fp32. Everything expected is computed from them in double precision and rounded when it is saved, except the
greedy ids, which are fp32's; the script checks that transformers, unchanged and in fp32, agrees. No dropout.
"""
import copy
import json
import pathlib
import sys

import torch
import transformers
from safetensors.torch import save_file
from torch import nn
from transformers import T5Config, T5ForConditionalGeneration
from transformers.models.t5.modeling_t5 import T5LayerNorm
from transformers.optimization import Adafactor

DEFAULT_OUT = pathlib.Path(__file__).resolve().parents[1] / "resources" / "golden"
VOCABULARY, PAD, END, MAX_LENGTH = 72, 0, 1, 20
SOURCE_LENGTHS, TARGET_LENGTHS = (23, 16, 9, 1), (19, 12, 5, 1)  # past 8 and 16, where buckets turn logarithmic
# Sizes that are no multiple of a vector, and inner widths (heads x d_kv) larger and smaller than d_model.
VARIANTS = {
    "tiny-t5-v1_1": dict(seed=24, tied=False, feed_forward_proj="gated-gelu", d_model=20, d_kv=8, num_heads=4, d_ff=30),
    "tiny-t5-v1_0": dict(seed=103, tied=True, feed_forward_proj="relu", d_model=28, d_kv=6, num_heads=4, d_ff=30),
}


class DoubleLayerNorm(nn.Module):
    """T5LayerNorm without its detour through fp32."""

    def __init__(self, norm):
        super().__init__()
        self.weight, self.eps = norm.weight, norm.variance_epsilon

    def forward(self, x):
        return self.weight * x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + self.eps)


def build(seed, tied, **sizes):
    """A model whose every weight matters: norms that are not 1, a large position bias, an end token that is chosen."""
    config = T5Config(vocab_size=VOCABULARY, num_layers=2, num_decoder_layers=2, dropout_rate=0.0, pad_token_id=PAD,
                      eos_token_id=END, decoder_start_token_id=PAD, tie_word_embeddings=tied, **sizes)
    config._attn_implementation = "eager"
    torch.manual_seed(seed)
    model = T5ForConditionalGeneration(config).eval()
    with torch.no_grad():
        if not tied:  # transformers 5 ties on construction whatever the configuration says
            model.lm_head.weight = nn.Parameter(torch.randn_like(model.shared.weight) * 0.4)
        for name, p in model.named_parameters():
            if "layer_norm" in name:
                p.copy_(1 + 0.2 * torch.randn_like(p))
            elif "relative_attention_bias" in name:
                p.copy_(torch.randn_like(p))
            elif name.endswith((".o.weight", ".wo.weight")):
                p.mul_(2)  # so that a tied model does not just repeat the token that it reads
        model.shared.weight.mul_(0.5)
        model.lm_head.weight[END].mul_(2.5)
    return model


def in_double(model):
    model = copy.deepcopy(model).double()
    for module in list(model.modules()):
        for name, child in module.named_children():
            if isinstance(child, T5LayerNorm):
                setattr(module, name, DoubleLayerNorm(child))
    return model


def make_batch(seed):
    generator = torch.Generator().manual_seed(seed)
    rows = len(SOURCE_LENGTHS)
    ids = torch.randint(2, VOCABULARY, (rows, max(SOURCE_LENGTHS)), generator=generator)
    labels = torch.randint(2, VOCABULARY, (rows, max(TARGET_LENGTHS)), generator=generator)
    for row, (source, target) in enumerate(zip(SOURCE_LENGTHS, TARGET_LENGTHS)):
        ids[row, source - 1], ids[row, source:] = END, PAD
        labels[row, target - 1], labels[row, target:] = END, -100
    return dict(input_ids=ids, attention_mask=(ids != PAD).long(), labels=labels)


def losses(model, batch, optimizer):
    """The loss before each of five steps."""
    model = copy.deepcopy(model)
    optimizer = optimizer(model.parameters())
    seen = []
    for _ in range(5):
        optimizer.zero_grad()
        loss = model(**batch).loss
        loss.backward()
        optimizer.step()
        seen.append(float(loss.detach()))
    return seen


def numbers(model, batch):
    """Everything expected of the model as it is: tensors by name, and what goes into golden.json."""
    model.zero_grad()
    out = model(**batch)
    out.loss.backward()
    gradients = {"grad." + name: p.grad.clone() for name, p in model.named_parameters()}
    tensors = dict(loss=out.loss.detach().reshape(1), logits=out.logits.detach(),
                   encoder_last_hidden_state=out.encoder_last_hidden_state.detach(), **gradients)
    norm = torch.sqrt(sum(g.double().pow(2).sum() for g in gradients.values()))
    scalars = {
        "loss": float(out.loss.detach()), "grad_norm": float(norm),
        "adamw_losses_lr1e-3_wd0.01": losses(
            model, batch, lambda p: torch.optim.AdamW(p, lr=1e-3, weight_decay=0.01)),
        "adafactor_losses_lr1e-2_scaled": losses(
            model, batch, lambda p: Adafactor(p, lr=1e-2, scale_parameter=True, relative_step=False)),
    }
    return tensors, scalars


def greedy(model, batch):
    """Greedy ids, after a check that no choice is so close that rounding might change it."""
    with torch.no_grad():
        out = model.generate(batch["input_ids"], attention_mask=batch["attention_mask"], max_length=MAX_LENGTH,
                             do_sample=False, num_beams=1, output_logits=True, return_dict_in_generate=True)
    best = torch.stack(out.logits, 1).topk(2).values
    ended = (out.sequences == END).cumsum(1)[:, :-1] > 0  # what follows the end token is padding, not a choice
    return out.sequences, float((best[..., 0] - best[..., 1])[~ended].min())


def write(out, name, seed, tied, **sizes):
    model = build(seed, tied, **sizes)
    batch = make_batch(seed)
    tensors, scalars = numbers(in_double(model), batch)
    plain_tensors, plain_scalars = numbers(model, batch)
    for key, value in tensors.items():
        plain = plain_tensors[key].double()
        assert (plain - value).abs().max() <= 1e-5 * max(1e-3, value.abs().max()), (name, key)
    for key, value in scalars.items():
        torch.testing.assert_close(torch.tensor(plain_scalars[key]), torch.tensor(value), rtol=2e-5, atol=0)
    ids, margin = greedy(model, batch)
    ended = (ids == END).any(1)
    assert margin > 1e-2 and ended.any() and not ended.all(), "choose a seed where some rows end and some do not"

    out.mkdir(parents=True, exist_ok=True)
    model.config.tie_word_embeddings = tied  # transformers 5 would write true
    model.save_pretrained(out)
    save_file({k: v.contiguous() if v.dtype == torch.int64 else v.float().contiguous()
               for k, v in dict(batch, **tensors).items()}, out / "golden.safetensors")
    golden = dict(torch=torch.__version__, transformers=transformers.__version__, **scalars,
                  generation_max_length=MAX_LENGTH, greedy=ids.tolist(), input_ids=batch["input_ids"].tolist(),
                  labels=batch["labels"].tolist())
    lines = [f" {json.dumps(key)}: {json.dumps(value)}" for key, value in golden.items()]
    (out / "golden.json").write_text("{\n" + ",\n".join(lines) + "\n}\n")


def main():
    out = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else DEFAULT_OUT
    torch.set_num_threads(1)
    for name, settings in VARIANTS.items():
        write(out / name, name, **settings)


if __name__ == "__main__":
    main()
