#!/usr/bin/env python3
"""Times training steps by Hugging Face transformers on sequences of SQuAD's lengths: the peer of `mixt5-bench.jar step --ragged`.

The same work: T5 v1.1 with random weights, random tokens in sequences of the same lengths, forward with dropout, backward,
clipping to norm 1, AdamW. Each batch is padded to its longest sequence, the padding masked and left out of the loss.

    pip install torch==2.13.0 transformers==5.18.0
    MALLOC_MMAP_THRESHOLD_=4294967296 MALLOC_TRIM_THRESHOLD_=8589934592 \
        python bench/src/test/python/hf_ragged_step.py --size small --steps 16

Prints one JSON object: seconds of a step, source tokens a second without the padding, the share of padding, peak memory.
"""
import argparse
import json
import pathlib
import resource
import statistics
import time

import torch
import transformers
from torch import nn

import hf_generate

LENGTHS = pathlib.Path(__file__).parents[2] / "main/resources/io/mixt5/bench/squad-lengths.json"
IGNORED = -100


def padded(lengths, filling):
    rows = [torch.randint(hf_generate.FIRST_WORD, hf_generate.VOCABULARY, (length,)) for length in lengths]
    return nn.utils.rnn.pad_sequence(rows, batch_first=True, padding_value=filling)


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--size", choices=hf_generate.SIZES, default="small")
    p.add_argument("--steps", type=int, default=16)
    p.add_argument("--warmup", type=int, default=3)
    p.add_argument("--pad-to", type=int, help="pad all sources to so many tokens")
    p.add_argument("--threads", type=int, default=2)
    a = p.parse_args()
    torch.set_num_threads(a.threads)
    model = hf_generate.build(a.size).train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-5, weight_decay=0.01, fused=True)
    batches = json.loads(LENGTHS.read_text())
    seconds, tokens, places = [], 0, 0
    for i in range(a.warmup + a.steps):
        lengths = [source for source, _ in batches[i % len(batches)]]
        source = padded(lengths, 0)
        if a.pad_to:
            source = nn.functional.pad(source, (0, a.pad_to - source.shape[1]))
        labels = padded([target for _, target in batches[i % len(batches)]], IGNORED)
        start = time.perf_counter()
        model(input_ids=source, attention_mask=(source != 0).long(), labels=labels).loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        if i >= a.warmup:
            seconds.append(time.perf_counter() - start)
            tokens += sum(lengths)
            places += source.numel()
    print(json.dumps(dict(
        peer=f"transformers {transformers.__version__}, torch {torch.__version__}", size=a.size, lengths="SQuAD",
        step_s=dict(median=statistics.median(seconds), min=min(seconds), max=max(seconds)),
        source_tokens_per_s=tokens / sum(seconds), padding=1 - tokens / places,
        peak_rss_mib=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)))


if __name__ == "__main__":
    main()
