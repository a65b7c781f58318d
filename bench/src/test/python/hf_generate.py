#!/usr/bin/env python3
"""Times generation by Hugging Face transformers on the CPU: the peer of `mixt5-bench.jar generate`.

The same work: T5 v1.1 with random weights, random source tokens, exactly so many new tokens (the end token is forbidden
until the last one), key/value cache, fp32.

    pip install torch==2.13.0 transformers==5.18.0
    MALLOC_MMAP_THRESHOLD_=4294967296 MALLOC_TRIM_THRESHOLD_=8589934592 \
        python bench/src/test/python/hf_generate.py --size small --batch 8 --src 512 --new-tokens 64

The variables keep glibc from giving memory back to the system after each tensor, which is the peer's best setting.
Prints one JSON object: median, least and most seconds of a call of generate(), new tokens a second, peak resident memory.
"""
import argparse
import json
import resource
import statistics
import time

import torch
import transformers
from torch import nn
from transformers import T5Config, T5ForConditionalGeneration

SIZES = {  # d_model, d_kv, heads, d_ff, layers
    "tiny": (128, 32, 4, 256, 2),
    "small": (512, 64, 6, 1024, 8),
    "base": (768, 64, 12, 2048, 12),
}
VOCABULARY, FIRST_WORD = 32128, 3


def build(size):
    d_model, d_kv, heads, d_ff, layers = SIZES[size]
    torch.manual_seed(42)
    model = T5ForConditionalGeneration(T5Config(
        vocab_size=VOCABULARY, d_model=d_model, d_kv=d_kv, num_heads=heads, d_ff=d_ff, num_layers=layers,
        num_decoder_layers=layers, feed_forward_proj="gated-gelu", tie_word_embeddings=False, pad_token_id=0,
        eos_token_id=1, decoder_start_token_id=0)).eval()
    # T5 v1.1 has a head of its own; transformers 5 ties it whatever the configuration says.
    model.lm_head.weight = nn.Parameter(model.lm_head.weight.detach().clone())
    return model


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--size", choices=SIZES, default="small")
    p.add_argument("--batch", type=int, default=8)
    p.add_argument("--src", type=int, default=512)
    p.add_argument("--new-tokens", type=int, default=64)
    p.add_argument("--num-beams", type=int, default=1)
    p.add_argument("--runs", type=int, default=5)
    p.add_argument("--warmup", type=int, default=2)
    p.add_argument("--threads", type=int, default=2)
    a = p.parse_args()
    torch.set_num_threads(a.threads)
    model = build(a.size)
    source = torch.randint(FIRST_WORD, VOCABULARY, (a.batch, a.src))
    mask = torch.ones_like(source)
    seconds = []
    for run in range(-a.warmup, a.runs):
        start = time.perf_counter()
        with torch.inference_mode():
            ids = model.generate(source, attention_mask=mask, do_sample=False, num_beams=a.num_beams,
                                 min_new_tokens=a.new_tokens, max_new_tokens=a.new_tokens)
        if run >= 0:
            seconds.append(time.perf_counter() - start)
        assert ids.shape == (a.batch, 1 + a.new_tokens)
    median = statistics.median(seconds)
    print(json.dumps(dict(
        peer=f"transformers {transformers.__version__}, torch {torch.__version__}", size=a.size, batch=a.batch,
        src=a.src, new_tokens=a.new_tokens, num_beams=a.num_beams,
        generate_s=dict(median=median, min=min(seconds), max=max(seconds)),
        new_tokens_per_s=a.batch * a.new_tokens / median,
        peak_rss_mib=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)))


if __name__ == "__main__":
    main()
