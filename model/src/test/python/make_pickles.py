#!/usr/bin/env python3
"""Writes the weights of the tiny golden models again as PyTorch does, and a few files that mean harm.

Run, from the repository root (torch 2.13.0 made the committed files):

    pip install torch==2.13.0 safetensors numpy
    python model/src/test/python/make_pickles.py

Reads model/src/test/resources/golden and writes to model/src/test/resources/torch (or to the folder given):

    tiny-t5-v1_1/pytorch_model.bin      zip archive, fp32, a head of its own
    tiny-t5-v1_0/pytorch_model.bin      the format before the zip archive; the head, and the embeddings of encoder and decoder, share the
                                        embedding's storage, as transformers saves a tied model
    tiny-switch-tied/pytorch_model.bin  zip archive, fp64, parameters with gradients (torch._utils._rebuild_parameter)
    tiny-switch-untied/                 model.safetensors.index.json and three shards
    tiny-moe-top1/                      pytorch_model.bin.index.json and three shards
    types.bin, types-legacy.bin,        what state dicts can hold: every type, views with an offset, transposed and strided ones, one storage
    types-big.bin                       under two names, scalars, empty tensors, numbers and texts beside tensors; the last as a big-endian machine writes it
    types.json                          their elements, in row-major order
    hostile/*.bin                       pickles that call os.system in every way that pickle knows; loading them with Python's pickle makes a file
                                        mixt5-was-here in the working directory
"""
import collections
import json
import os
import pathlib
import pickle
import shutil
import struct
import sys
import zipfile

import torch
from safetensors.torch import load_file, save_file

RESOURCES = pathlib.Path(__file__).resolve().parents[1] / "resources"
OUT = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else RESOURCES / "torch"
HARM = "touch mixt5-was-here"


def weights(name):
    return collections.OrderedDict(load_file(RESOURCES / "golden" / name / "model.safetensors"))


def folder(name):
    directory = OUT / name
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)
    return directory


def shard(tensors, directory, stem, extension, save):
    """Three files of about the same number of tensors, and the index that says which holds what."""
    names = list(tensors)
    places = {}
    for i in range(3):
        file = f"{stem}-{i + 1:05}-of-00003.{extension}"
        part = {n: tensors[n].clone() for n in names[i::3]}
        save(part, directory / file)
        places.update(dict.fromkeys(part, file))
    size = sum(t.nbytes for t in tensors.values())
    index = {"metadata": {"total_size": size}, "weight_map": dict(sorted(places.items()))}
    (directory / f"{stem}.{extension}.index.json").write_text(json.dumps(index, indent=2) + "\n")


def models():
    torch.save(weights("tiny-t5-v1_1"), folder("tiny-t5-v1_1") / "pytorch_model.bin")

    tied = weights("tiny-t5-v1_0")
    for name in ("encoder.embed_tokens.weight", "decoder.embed_tokens.weight", "lm_head.weight"):
        tied[name] = tied["shared.weight"]
    torch.save(tied, folder("tiny-t5-v1_0") / "pytorch_model.bin", _use_new_zipfile_serialization=False)

    doubles = {n: torch.nn.Parameter(t.double()) for n, t in weights("tiny-switch-tied").items()}
    torch.save(collections.OrderedDict(doubles), folder("tiny-switch-tied") / "pytorch_model.bin")

    shard(weights("tiny-switch-untied"), folder("tiny-switch-untied"), "model", "safetensors",
          lambda part, file: save_file(part, file, metadata={"format": "pt"}))
    shard(weights("tiny-moe-top1"), folder("tiny-moe-top1"), "pytorch_model", "bin", torch.save)


def types():
    tensors = collections.OrderedDict()
    values = torch.tensor([0.0, -0.0, 1.0, -1.5, 3.1415927, 65504.0, 6e-8, -2.5e-5, float("inf"), float("-inf")])
    for dtype in (torch.float64, torch.float32, torch.float16, torch.bfloat16):
        tensors[str(dtype)] = values.to(dtype)
    for dtype in (torch.int64, torch.int32, torch.int8, torch.uint8):
        tensors[str(dtype)] = torch.arange(6).to(dtype).reshape(2, 3)
    tensors["torch.bool"] = torch.tensor([True, False, True])
    base = torch.arange(60, dtype=torch.float32).reshape(3, 4, 5)
    tensors["base"] = base
    tensors["same"] = base
    tensors["offset"] = base[1]
    tensors["transposed"] = base.permute(2, 0, 1)
    tensors["strided"] = base[:, ::2, 1::3]
    tensors["one-row"] = base[1:2, :, 2:3]
    tensors["scalar"] = torch.tensor(7.25)
    tensors["scalar-of-base"] = base[2, 3, 4]
    tensors["empty"] = torch.zeros(0, 5)
    tensors["number"] = 3
    tensors["text"] = "\u00e9"
    tensors["nested"] = {"a": [1, 2.5, None, (True, False)]}
    tensors._metadata = collections.OrderedDict([("", {"version": 1})])
    torch.save(tensors, OUT / "types.bin")
    torch.save(tensors, OUT / "types-legacy.bin", _use_new_zipfile_serialization=False)
    big_endian(OUT / "types.bin", tensors, OUT / "types-big.bin")
    described = {n: {"shape": list(t.shape), "values": [str(v) for v in t.double().flatten().tolist()]}
                 for n, t in tensors.items() if isinstance(t, torch.Tensor)}
    (OUT / "types.json").write_text(json.dumps(described, indent=1) + "\n")


def big_endian(original, tensors, target):
    """The archive with every storage's elements reversed, which is all that PyTorch on such a machine does otherwise."""
    widths = {}
    for t in tensors.values():
        if isinstance(t, torch.Tensor):
            widths[t.untyped_storage()._cdata] = t.element_size()
    widths = list(widths.values())  # storages are numbered in the order in which they are met
    with zipfile.ZipFile(original) as source, zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as copy:
        for name in source.namelist():
            data = source.read(name)
            if "/data/" in name:
                width = widths[int(name.rsplit("/", 1)[1])]
                data = b"".join(data[i:i + width][::-1] for i in range(0, len(data), width))
            copy.writestr(zipfile.ZipInfo(name), b"big" if name.endswith("/byteorder") else data)


class Evil:
    """What pickle calls when it reads one."""

    def __reduce__(self):
        return os.system, (HARM,)


class EvilState:
    """What pickle calls where a class gives __reduce_ex__ a state setter, protocol 5's sixth item."""

    def __reduce_ex__(self, protocol):
        return collections.OrderedDict, (), {"_metadata": Evil()}


def hostile():
    directory = folder("hostile")
    harm = HARM.encode()
    text = b"X" + struct.pack("<I", len(harm)) + harm
    pickles = {f"reduce-{p}": pickle.dumps({"shared.weight": Evil()}, protocol=p) for p in range(6)}
    pickles["build"] = pickle.dumps({"shared.weight": EvilState()}, protocol=2)
    pickles["global"] = b"\x80\x02cos\nsystem\n" + text + b"\x85R."
    pickles["stack-global"] = b"\x80\x04\x8c\x02os\x8c\x06system\x93" + text + b"\x85R."
    pickles["inst"] = b"(S'" + harm + b"'\nios\nsystem\n."
    pickles["obj"] = b"\x80\x02(cos\nsystem\n" + text + b"o."
    pickles["newobj"] = b"\x80\x02cos\nsystem\n" + text + b"\x85\x81."
    pickles["eval"] = b"\x80\x02cbuiltins\neval\nX\x10\x00\x00\x00__import__('os')\x85R."
    pickles["getattr"] = b"\x80\x02c__builtin__\ngetattr\ncos\nsystem\n\x85R."
    pickles["load-from-bytes"] = b"\x80\x02ctorch.storage\n_load_from_bytes\nU\x00\x85R."
    pickles["extension"] = b"\x80\x02\x82\x01" + text + b"\x85R."
    for name, data in pickles.items():
        with zipfile.ZipFile(directory / f"{name}.bin", "w", zipfile.ZIP_STORED) as archive:
            archive.writestr(zipfile.ZipInfo("archive/data.pkl"), data)


if __name__ == "__main__":
    OUT.mkdir(parents=True, exist_ok=True)
    models()
    types()
    hostile()
