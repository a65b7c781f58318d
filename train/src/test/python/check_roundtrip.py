#!/usr/bin/env python3
"""Loads a Hugging Face T5 directory in transformers and prints what it computes, as one JSON object.

A cross-check of directories that this project saved: does transformers read them, and to the same numbers?

    pip install torch==2.13.0 transformers==5.18.0 safetensors numpy
    python train/src/test/python/check_roundtrip.py DIR --ids '[[5, 9, 1], [7, 1]]' --labels '[[8, 1], [4, 6, 1]]'

Rows may differ in length; they are padded here, and what is printed is cut back to each row's own length. Without
--labels the decoder reads its own greedy output. --ids and --labels take JSON, or @FILE with JSON in it.

Prints: tied (does the head share the embedding), missing and unexpected tensors, parameters, greedy ids (from the
start token on, up to the end token), decoder_input_ids, logits [row][position][vocabulary], and loss with --labels.
Exit code 1 if a tensor was missing or unexpected.
"""
import argparse
import json
import pathlib
import sys

import torch
from transformers import T5ForConditionalGeneration


def rows_of(text):
    return json.loads(pathlib.Path(text[1:]).read_text() if text.startswith("@") else text)


def padded(rows, value):
    width = max(map(len, rows))
    return torch.tensor([row + [value] * (width - len(row)) for row in rows])


def up_to_end(row, end):
    return row[:row.index(end) + 1] if end in row else row


def main():
    p = argparse.ArgumentParser(description="What transformers computes from a T5 directory, as JSON.")
    p.add_argument("directory")
    p.add_argument("--ids", required=True, type=rows_of, help="input ids, a list of rows, or @FILE")
    p.add_argument("--labels", type=rows_of, help="target ids, a list of rows, or @FILE")
    p.add_argument("--max-length", type=int, default=20, help="of the greedy ids, the start token counted")
    p.add_argument("--first", type=int, help="print only so many logits of each position")
    p.add_argument("--no-logits", action="store_true")
    a = p.parse_args()

    model, loading = T5ForConditionalGeneration.from_pretrained(
        a.directory, output_loading_info=True, dtype=torch.float32, local_files_only=True)
    model.eval()
    config = model.config
    ids = padded(a.ids, config.pad_token_id)
    mask = padded([[1] * len(row) for row in a.ids], 0)  # by length: a pad id inside a row is a token like any other
    with torch.no_grad():
        generated = model.generate(ids, attention_mask=mask, max_length=a.max_length, do_sample=False, num_beams=1)
        greedy = [[row[0]] + up_to_end(row[1:], config.eos_token_id) for row in generated.tolist()]
        if a.labels is None:
            decoder_rows, labels = [row[:-1] for row in greedy], None
        else:
            decoder_rows = [[config.decoder_start_token_id] + row[:-1] for row in a.labels]
            labels = padded(a.labels, -100)
        out = model(input_ids=ids, attention_mask=mask, labels=labels,
                    decoder_input_ids=padded(decoder_rows, config.pad_token_id))
    result = dict(tied=model.lm_head.weight.data_ptr() == model.shared.weight.data_ptr(),
                  missing=sorted(loading["missing_keys"]), unexpected=sorted(loading["unexpected_keys"]),
                  parameters=sum(q.numel() for q in model.parameters()), greedy=greedy,
                  decoder_input_ids=decoder_rows)
    if labels is not None:
        result["loss"] = float(out.loss)
    if not a.no_logits:
        result["logits"] = [row[:len(decoder), :a.first].tolist() for row, decoder in zip(out.logits, decoder_rows)]
    print(json.dumps(result))
    return 1 if result["missing"] or result["unexpected"] else 0


if __name__ == "__main__":
    sys.exit(main())
