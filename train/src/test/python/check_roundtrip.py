#!/usr/bin/env python3
"""Loads Hugging Face directories in transformers and prints what it computes, one JSON object a line.

A cross-check of directories that this project saved: does transformers read them, and to the same numbers? RoundTripTest
runs it where there is a Python with these; it can be run by hand:

    pip install torch==2.13.0 transformers==5.18.0 safetensors sentencepiece protobuf numpy
    python train/src/test/python/check_roundtrip.py DIR... --ids '[[5, 9, 1], [7, 1]]' --labels '[[8, 1], [4, 6, 1]]'

Rows may differ in length; they are padded here, and what is printed is cut back to each row's own length. Without
--labels the decoder reads its own greedy output. --ids, --labels and --texts take JSON, or @FILE with JSON in it.

Prints of each directory: its name, the model's class, tied (does the head share the embedding), missing and unexpected
tensors, parameters, greedy ids (from the start token on, up to the end token), decoder_input_ids, logits
[row][position][vocabulary], and loss with --labels. Exit code 1 if a tensor was missing or unexpected.

    ... --make DIR --seed 5     first saves random tiny models below DIR by save_pretrained, then goes on with them too
    ... --texts '["a", "b"]'    prints besides the ids that the directory's tokenizer gives these texts, its end token
                                last, by AutoTokenizer and by T5Tokenizer, and the texts of the ids
"""
import argparse
import json
import pathlib
import sys

import torch
import transformers
from torch import nn
from transformers import (AutoTokenizer, SwitchTransformersConfig, SwitchTransformersForConditionalGeneration, T5Config,
                          T5ForConditionalGeneration, T5Tokenizer)

CLASSES = {"t5": T5ForConditionalGeneration, "switch_transformers": SwitchTransformersForConditionalGeneration}
SIZES = dict(vocab_size=64, d_model=12, d_kv=4, num_heads=2, num_layers=2, num_decoder_layers=2, pad_token_id=0,
             eos_token_id=1, decoder_start_token_id=0)
SWITCH = dict(num_experts=4, router_jitter_noise=0.0, **SIZES)
MODELS = {
    "t5-tied": (T5Config(d_ff=20, tie_word_embeddings=True, **SIZES), {}),
    "t5-untied": (T5Config(d_ff=20, feed_forward_proj="gated-gelu", **SIZES), {}),
    "t5-unequal": (T5Config(d_ff=20, tie_word_embeddings=True, **{**SIZES, "num_decoder_layers": 3}), {}),
    "t5-sharded": (T5Config(d_ff=20, tie_word_embeddings=True, **SIZES), dict(max_shard_size="8KB")),
    "t5-bfloat16": (T5Config(d_ff=20, tie_word_embeddings=True, dtype="bfloat16", **SIZES), {}),
    "switch-tied": (SwitchTransformersConfig(
        d_ff=12, num_sparse_encoder_layers=1, num_sparse_decoder_layers=1, expert_capacity=64,
        tie_word_embeddings=True, **SWITCH), {}),
    "switch-untied": (SwitchTransformersConfig(
        d_ff=12, num_sparse_encoder_layers=2, num_sparse_decoder_layers=2, expert_capacity=2,
        tie_word_embeddings=False, **SWITCH), {}),
}


def json_of(text):
    return json.loads(pathlib.Path(text[1:]).read_text() if text.startswith("@") else text)


def padded(rows, value):
    width = max(map(len, rows))
    return torch.tensor([row + [value] * (width - len(row)) for row in rows])


def up_to_end(row, end):
    return row[:row.index(end) + 1] if end in row else row


def make(root, seed):
    """Random models whose every weight matters: norms that are not 1, position biases, decisive routers."""
    directories = []
    for number, (name, (config, saving)) in enumerate(MODELS.items()):
        torch.manual_seed(1000 * seed + number)
        model = CLASSES[config.model_type](config)
        with torch.no_grad():
            for parameter, value in model.named_parameters():
                if "layer_norm" in parameter:
                    value.copy_(1 + 0.2 * torch.randn_like(value))
                elif "relative_attention_bias" in parameter or "router" in parameter:
                    value.copy_(torch.randn_like(value))
                else:
                    value.copy_(torch.randn_like(value) * value.shape[-1] ** -0.5)
            if "untied" in name:
                # transformers 5 ties a T5 on construction, and unties a Switch's stacks too, which its checkpoints share.
                model.lm_head.weight = nn.Parameter(torch.randn_like(model.shared.weight) * config.d_model ** -0.5)
                config.tie_word_embeddings = False
                for stack in (model.encoder, model.decoder):
                    stack.embed_tokens.weight = nn.Parameter(model.shared.weight.clone())
        directory = root / name
        model.to(torch.bfloat16 if "bfloat16" in name else torch.float32).save_pretrained(directory, **saving)
        directories.append(directory)
    return directories


def compute(directory, ids_rows, label_rows, max_length):
    kind = json.loads((pathlib.Path(directory) / "config.json").read_text())["model_type"]
    model, loading = CLASSES[kind].from_pretrained(
        directory, output_loading_info=True, dtype=torch.float32, local_files_only=True)
    model.eval()
    config = model.config
    ids = padded(ids_rows, config.pad_token_id)
    mask = padded([[1] * len(row) for row in ids_rows], 0)  # by length: a pad id inside a row is a token like any other
    with torch.no_grad():
        generated = model.generate(ids, attention_mask=mask, max_length=max_length, do_sample=False, num_beams=1,
                                   use_cache=False)  # which transformers 5 makes too short for a longer decoder
        greedy = [[row[0]] + up_to_end(row[1:], config.eos_token_id) for row in generated.tolist()]
        if label_rows is None:
            decoder_rows, labels = [row[:-1] for row in greedy], None
        else:
            decoder_rows = [[config.decoder_start_token_id] + row[:-1] for row in label_rows]
            labels = padded(label_rows, -100)
        out = model(input_ids=ids, attention_mask=mask, labels=labels,
                    decoder_input_ids=padded(decoder_rows, config.pad_token_id))
    result = dict(directory=pathlib.Path(directory).name, model=type(model).__name__,
                  tied=model.lm_head.weight.data_ptr() == model.shared.weight.data_ptr(),
                  missing=sorted(loading["missing_keys"]), unexpected=sorted(loading["unexpected_keys"]),
                  parameters=sum(q.numel() for q in model.parameters()), greedy=greedy,
                  decoder_input_ids=decoder_rows)
    if labels is not None:
        result["loss"] = float(out.loss)
    result["logits"] = [row[:len(decoder)] for row, decoder in zip(out.logits, decoder_rows)]
    return result


def tokenize(directory, texts):
    auto = AutoTokenizer.from_pretrained(directory, local_files_only=True)
    own = T5Tokenizer.from_pretrained(directory, local_files_only=True)
    ids = auto(texts).input_ids
    return dict(auto=ids, own=own(texts).input_ids, decoded=[auto.decode(row) for row in ids],
                special=sorted(auto.all_special_ids))


def main():
    p = argparse.ArgumentParser(description="What transformers computes from a model's directory, as JSON.")
    p.add_argument("directory", nargs="*")
    p.add_argument("--ids", required=True, type=json_of, help="input ids, a list of rows, or @FILE")
    p.add_argument("--labels", type=json_of, help="target ids, a list of rows, or @FILE")
    p.add_argument("--texts", type=json_of, help="texts for the tokenizer, a list, or @FILE")
    p.add_argument("--max-length", type=int, default=20, help="of the greedy ids, the start token counted")
    p.add_argument("--first", type=int, help="print only so many logits of each position")
    p.add_argument("--no-logits", action="store_true")
    p.add_argument("--make", type=pathlib.Path, metavar="DIR", help="save random models below DIR first")
    p.add_argument("--seed", type=int, default=5, help="of those models")
    a = p.parse_args()

    torch.set_num_threads(1)
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    code = 0
    for directory in (make(a.make, a.seed) if a.make else []) + a.directory:
        result = compute(directory, a.ids, a.labels, a.max_length)
        logits = result.pop("logits")
        if not a.no_logits:
            result["logits"] = [row[:, :a.first].tolist() for row in logits]
        if a.texts and (pathlib.Path(directory) / "tokenizer_config.json").exists():
            result["tokens"] = tokenize(directory, a.texts)
        print(json.dumps(result), flush=True)
        code = 1 if result["missing"] or result["unexpected"] else code
    return code


if __name__ == "__main__":
    sys.exit(main())
