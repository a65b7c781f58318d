#!/usr/bin/env python3
"""Writes what Hugging Face transformers generates for 50 prompts with the tiny models that make_goldens.py has written.

Run, from the repository root (torch 2.13.0 and transformers 5.18.0 made the committed files):

    pip install torch==2.13.0 transformers==5.18.0 safetensors
    python model/src/test/python/make_generation_goldens.py

Writes generation.json beside each model in model/src/test/resources/golden:

    prompts  50 lists of ids, of unequal lengths
    cases    name, config (keys of GenerationConfig), ids (one list to an output, those of a prompt one after another: what
             follows the start token, up to and with the end token) and, for beams, scores (sequences_scores)
    filters  of tiny-t5-v1_1 only: rows of logits, and for temperatures, top_k and top_p the probabilities that the logits
             processors leave, as [token, probability] with the most probable first

The script checks that every choice is clear: in double precision the ids are the same, and outputs differ in length.
"""
import json
import pathlib

import torch
import transformers
from safetensors.torch import load_file
from torch import nn
from transformers import T5Config, T5ForConditionalGeneration
from transformers.generation.logits_process import TemperatureLogitsWarper, TopKLogitsWarper, TopPLogitsWarper

GOLDEN = pathlib.Path(__file__).resolve().parents[1] / "resources" / "golden"
PAD, END, PROMPTS = 0, 1, 50
BEAMS = dict(num_beams=4)
CASES = {
    "greedy": dict(max_length=20),
    "greedy, 12 new tokens": dict(max_new_tokens=12),
    "greedy, default length": dict(),
    "greedy, min_length": dict(max_length=20, min_length=9),
    "greedy, no_repeat_ngram_size 2": dict(max_length=24, no_repeat_ngram_size=2),
    "greedy, no_repeat_ngram_size 1": dict(max_length=24, no_repeat_ngram_size=1),
    "4 beams": dict(max_length=20, **BEAMS),
    "4 beams, no length penalty": dict(max_length=20, length_penalty=0.0, **BEAMS),
    "4 beams, longer preferred": dict(max_length=20, length_penalty=2.0, **BEAMS),
    "4 beams, shorter preferred": dict(max_length=20, length_penalty=-0.5, **BEAMS),
    "4 beams, early stopping": dict(max_length=20, early_stopping=True, **BEAMS),
    "4 beams, early stopping, longer preferred": dict(max_length=20, early_stopping=True, length_penalty=2.0, **BEAMS),
    "4 beams, never stopping early": dict(max_length=20, early_stopping="never", **BEAMS),
    "4 beams, never stopping early, shorter preferred": dict(
        max_length=20, early_stopping="never", length_penalty=-1.0, **BEAMS),
    "4 beams, all 4": dict(max_length=16, num_return_sequences=4, **BEAMS),
    "4 beams, 2, early stopping": dict(max_length=16, num_return_sequences=2, early_stopping=True, **BEAMS),
    "4 beams, min_new_tokens": dict(max_new_tokens=18, min_new_tokens=7, **BEAMS),
    "4 beams, no_repeat_ngram_size 3": dict(max_length=24, no_repeat_ngram_size=3, **BEAMS),
    "4 beams, exactly 10 tokens": dict(max_new_tokens=10, min_new_tokens=10, **BEAMS),
    "2 beams": dict(max_length=20, num_beams=2),
    "7 beams, 3": dict(max_length=14, num_beams=7, num_return_sequences=3),
}
TIED_CASES = ("greedy", "4 beams", "4 beams, early stopping", "4 beams, all 4")
FILTERS = [dict(temperature=t, top_k=k, top_p=p) for t, k, p in (
    (1.0, 0, 1.0), (1.0, 5, 1.0), (0.7, 50, 0.9), (1.5, 0, 0.5), (1.0, 0, 0.0), (0.3, 10, 0.95), (2.0, 1, 0.9))]


def load(name):
    config = T5Config.from_pretrained(GOLDEN / name)
    config._attn_implementation = "eager"
    model = T5ForConditionalGeneration(config).eval()
    tensors = load_file(GOLDEN / name / "model.safetensors")
    with torch.no_grad():
        if "lm_head.weight" in tensors:  # transformers 5 ties on construction whatever the configuration says
            model.lm_head.weight = nn.Parameter(torch.empty_like(model.shared.weight))
        for key, parameter in model.named_parameters():
            parameter.copy_(tensors[key])
    return model


def prompts(vocabulary, seed):
    generator = torch.Generator().manual_seed(seed)
    lengths = torch.randint(1, 40, (PROMPTS,), generator=generator).tolist()
    return [torch.randint(2, vocabulary, (length,), generator=generator).tolist() for length in lengths]


def outputs(model, texts, config):
    """Ids without start token and padding, and scores."""
    width = max(len(text) for text in texts)
    ids = torch.tensor([text + [PAD] * (width - len(text)) for text in texts])
    mask = torch.tensor([[1] * len(text) + [0] * (width - len(text)) for text in texts])
    with torch.no_grad():
        out = model.generate(ids, attention_mask=mask, do_sample=False, output_scores=True,
                             return_dict_in_generate=True, **config)
    rows = []
    for row in out.sequences[:, 1:].tolist():
        rows.append(row[:row.index(END) + 1] if END in row else row)
    scores = out.sequences_scores.tolist() if config.get("num_beams", 1) > 1 else None
    # Behind the end token comes padding, or, where padding has the id 0, more end tokens: beam search's way.
    for row, full in zip(rows, out.sequences[:, 1:].tolist()):
        assert all(token in (PAD, END) for token in full[len(row):])
    return rows, scores


def filtered(logits, temperature, top_k, top_p):
    scores = logits
    if temperature != 1.0:
        scores = TemperatureLogitsWarper(temperature)(None, scores)
    if top_k != 0:
        scores = TopKLogitsWarper(top_k)(None, scores)
    if top_p < 1.0:
        scores = TopPLogitsWarper(top_p)(None, scores)
    rows = []
    for row in scores.double().softmax(-1):
        order = row.argsort(descending=True)
        rows.append([[int(i), float(row[i])] for i in order if row[i] > 0])
    return rows


def write(name, seed, cases):
    model = load(name)
    texts = prompts(model.config.vocab_size, seed)
    found = []
    for case in cases:
        ids, scores = outputs(model, texts, CASES[case])
        exact, _ = outputs(load(name).double(), texts, CASES[case])
        assert ids == exact, (name, case, "a choice is so close that rounding changes it: take other prompts")
        lengths = {len(row) for row in ids}
        assert len(lengths) > 2 or "exactly" in case, (name, case, lengths)
        entry = dict(name=case, config=CASES[case], ids=ids)
        if scores:
            entry["scores"] = [round(score, 7) for score in scores]
        found.append(entry)
        print(name, case, {length: sum(len(row) == length for row in ids) for length in sorted(lengths)})
    lines = [f' "torch": "{torch.__version__}"', f' "transformers": "{transformers.__version__}"',
             f' "prompts": {json.dumps(texts)}',
             ' "cases": [\n  ' + ",\n  ".join(json.dumps(entry) for entry in found) + "\n ]"]
    if name == "tiny-t5-v1_1":
        logits = torch.randn((3, 60), generator=torch.Generator().manual_seed(seed)) * 2
        entries = [dict(**settings, rows=filtered(logits, **settings)) for settings in FILTERS]
        lines.append(f' "logits": {json.dumps(logits.tolist())}')
        lines.append(' "filters": [\n  ' + ",\n  ".join(json.dumps(entry) for entry in entries) + "\n ]")
    (GOLDEN / name / "generation.json").write_text("{\n" + ",\n".join(lines) + "\n}\n")


def main():
    torch.set_num_threads(1)
    write("tiny-t5-v1_1", 5, CASES)
    write("tiny-t5-v1_0", 6, TIED_CASES)


if __name__ == "__main__":
    main()
