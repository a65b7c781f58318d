#!/usr/bin/env python3
"""Writes two tiny SwitchTransformers checkpoints and their golden numbers, computed by Hugging Face transformers.

Run, from the repository root (torch 2.13.0 and transformers 5.18.0 made the committed files):

    pip install torch==2.13.0 transformers==5.18.0 safetensors numpy
    python model/src/test/python/make_switch_goldens.py

Writes tiny-switch-tied (head tied to the embedding, every second block a mixture) and tiny-switch-untied (a head of its
own, every block a mixture, three places an expert and sequence, so that tokens are dropped) to
model/src/test/resources/golden (or to the folder given). Each holds what save_pretrained writes and

    golden.safetensors  input_ids, attention_mask, labels, logits, encoder, and grad.<name> under this project's names
    golden.json         loss: the labels' mean cross-entropy as transformers computes it, plus alpha times the balance
                        loss and beta times the z-loss, each the mean over the mixtures, over tokens that count,
                        from transformers' router logits; aux: that balance loss; routing: per mixture, encoder first,
                        tokens per expert before drops, and drops

Evaluation mode, fp32.

    python model/src/test/python/make_switch_goldens.py --check DIR

prints instead, as JSON, what transformers computes from a directory that this project saved, golden ids as its input.
"""
import json
import pathlib
import re
import sys

import torch
import transformers
from safetensors.torch import save_file
from torch import nn
from transformers import SwitchTransformersConfig, SwitchTransformersForConditionalGeneration

DEFAULT_OUT = pathlib.Path(__file__).resolve().parents[1] / "resources" / "golden"
VOCABULARY, PAD, END, EXPERTS = 64, 0, 1, 4
ALPHA, BETA = 0.02, 0.003
VARIANTS = {
    "tiny-switch-tied": dict(seed=5, tied=True, sparse=1, capacity=64, d_model=12, d_ff=12),
    "tiny-switch-untied": dict(seed=8, tied=False, sparse=2, capacity=3, d_model=8, d_ff=8),
}


def our_name(name):
    name = re.sub(r"\.mlp\.router\.classifier\.", ".gate.", name)
    name = re.sub(r"\.mlp\.experts\.expert_(\d+)\.", r".experts.\1.", name)
    return name.replace(".mlp.", ".DenseReluDense.")


def build(seed, tied, sparse, capacity, d_model, d_ff):
    """A model whose every weight matters: norms that are not 1, a large position bias, a decisive router."""
    config = SwitchTransformersConfig(
        vocab_size=VOCABULARY, d_model=d_model, d_kv=4, d_ff=d_ff, num_heads=2, num_layers=2, num_decoder_layers=2,
        num_sparse_encoder_layers=sparse, num_sparse_decoder_layers=sparse, num_experts=EXPERTS,
        expert_capacity=capacity, router_aux_loss_coef=ALPHA, router_z_loss_coef=BETA, tie_word_embeddings=tied,
        pad_token_id=PAD, eos_token_id=END, decoder_start_token_id=PAD)
    torch.manual_seed(seed)
    model = SwitchTransformersForConditionalGeneration(config).eval()
    with torch.no_grad():
        for name, p in model.named_parameters():
            if "layer_norm" in name:
                p.copy_(1 + 0.2 * torch.randn_like(p))
            elif "relative_attention_bias" in name:
                p.copy_(torch.randn_like(p))
        if not tied:
            model.lm_head.weight.mul_(0.3)
            # transformers 5 then unties the stacks' embeddings too, which T5 and the published checkpoints share.
            model.encoder.embed_tokens.weight = model.decoder.embed_tokens.weight = model.shared.weight
    return model


def make_batch(seed):
    g = torch.Generator().manual_seed(seed)
    ids = torch.randint(2, VOCABULARY, (3, 14), generator=g)
    labels = torch.randint(2, VOCABULARY, (3, 9), generator=g)
    for row, (source, target) in enumerate(((14, 9), (10, 6), (3, 1))):
        ids[row, source - 1], ids[row, source:] = END, PAD
        labels[row, target - 1], labels[row, target:] = END, -100
    return dict(input_ids=ids, attention_mask=(ids != PAD).long(), labels=labels)


def route_numbers(logits, valid, capacity):
    """Balance loss, z-loss, counts and drops of one mixture."""
    real = logits[valid]
    chosen = nn.functional.one_hot(real.argmax(-1), EXPERTS).float()
    balance = EXPERTS * (chosen.mean(0) * real.softmax(-1).mean(0)).sum()
    per_row = [nn.functional.one_hot(row[v].argmax(-1), EXPERTS).sum(0) for row, v in zip(logits, valid)]
    dropped = sum(int((count - capacity).clamp(min=0).sum()) for count in per_row)
    return balance, real.logsumexp(-1).pow(2).mean(), dict(counts=chosen.sum(0).long().tolist(), dropped=dropped)


def run(model, batch):
    out = model(**batch, output_router_logits=True)
    cross_entropy = nn.functional.cross_entropy(out.logits.flatten(0, 1), batch["labels"].flatten(), ignore_index=-100)
    layers = [(x, batch["attention_mask"].bool()) for x in out.encoder_router_logits]
    layers += [(x, batch["labels"] != -100) for x in out.decoder_router_logits]
    numbers = [route_numbers(x, valid, model.config.expert_capacity) for x, valid in layers]
    balance = torch.stack([n[0] for n in numbers]).mean()
    z = torch.stack([n[1] for n in numbers]).mean()
    return cross_entropy + ALPHA * balance + BETA * z, balance, out, [n[2] for n in numbers]


def write(out, seed, tied, sparse, capacity, **sizes):
    model = build(seed, tied, sparse, capacity, **sizes)
    batch = make_batch(seed)
    loss, balance, result, routing = run(model, batch)
    plain = model(**batch)
    torch.testing.assert_close(plain.logits, result.logits, rtol=0, atol=0)
    assert (sum(r["dropped"] for r in routing) > 0) == (capacity < 9), routing
    tensors = dict(batch, logits=result.logits.detach(), encoder=result.encoder_last_hidden_state.detach())
    loss.backward()
    # An expert that only padding chose has a gradient of zeros in transformers and none where padding is not routed.
    tensors.update({"grad." + our_name(name): p.grad for name, p in model.named_parameters()
                    if p.grad is not None and p.grad.any()})
    tensors = {k: v.detach().clone() for k, v in tensors.items()}
    out.mkdir(parents=True, exist_ok=True)
    for stack in (model.encoder, model.decoder):  # a gradient of one embedding, but three tensors on disk
        if not tied:
            stack.embed_tokens.weight = nn.Parameter(model.shared.weight.detach().clone())
    model.save_pretrained(out)
    (out / "generation_config.json").unlink(missing_ok=True)
    save_file({k: v.contiguous() for k, v in tensors.items()}, out / "golden.safetensors")
    golden = dict(torch=torch.__version__, transformers=transformers.__version__, loss=float(loss.detach()),
                  aux=float(balance.detach()), routing=routing)
    lines = [f" {json.dumps(key)}: {json.dumps(value)}" for key, value in golden.items()]
    (out / "golden.json").write_text("{\n" + ",\n".join(lines) + "\n}\n")


def check(directory):
    model, loading = SwitchTransformersForConditionalGeneration.from_pretrained(
        directory, output_loading_info=True, dtype=torch.float32, local_files_only=True)
    batch = make_batch(5)
    with torch.no_grad():
        logits = model.eval()(**batch).logits
    valid = batch["labels"] != -100
    print(json.dumps(dict(missing=sorted(loading["missing_keys"]), unexpected=sorted(loading["unexpected_keys"]),
                          tied=model.lm_head.weight.data_ptr() == model.shared.weight.data_ptr(),
                          logits=logits[valid].flatten().tolist())))


def main():
    torch.set_num_threads(1)
    if sys.argv[1:2] == ["--check"]:
        check(sys.argv[2])
        return
    out = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else DEFAULT_OUT
    for name, settings in VARIANTS.items():
        write(out / name, **settings)


if __name__ == "__main__":
    main()
