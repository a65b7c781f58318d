#!/usr/bin/env python3
"""Writes the golden numbers of the engine's ops, computed by PyTorch and Hugging Face transformers.

Run, from the repository root (torch 2.13.0 and transformers 5.18.0 made the committed files):

    pip install torch==2.13.0 transformers==5.18.0 safetensors numpy
    python engine/src/test/python/make_goldens.py

Writes ops.safetensors and ops.json to engine/src/test/resources/golden (or to the folder given). Every input is an
fp32 number; every expected value is computed from those inputs in double precision and rounded once, when it is
saved, so that a test's tolerance is its own rounding and not PyTorch's. Integers are int32.

A tensor is named `<case>.<role>`. Roles: the inputs by their own names (x, weight, q, ...), `y` the output, `dy` the
gradient flowing into it, `grad.<input>` the gradient that comes out. ops.json holds, for each case, the op, its
attributes, one sentence, and the shapes by role.
"""
import json
import math
import pathlib
import sys

import torch
import transformers
from safetensors.torch import save_file
from torch.nn import functional as F
from transformers.activations import ACT2FN
from transformers.models.t5.modeling_t5 import T5Attention, T5LayerNorm, eager_attention_forward
from transformers.optimization import Adafactor

DEFAULT_OUT = pathlib.Path(__file__).resolve().parents[1] / "resources" / "golden"
BUCKETS, MAX_DISTANCE = 32, 128


class Goldens:
    """Collects the tensors and the index, and draws the inputs from one seeded generator."""

    def __init__(self, seed):
        self.generator = torch.Generator().manual_seed(seed)
        self.tensors, self.cases = {}, {}

    def normal(self, *shape, scale=1.0):
        """Fp32 numbers, held in double so that everything computed from them is double."""
        return (torch.randn(*shape, generator=self.generator) * scale).double()

    def ids(self, high, *shape):
        return torch.randint(0, high, shape, generator=self.generator)

    def case(self, name, op, about, tensors, **attributes):
        for role, value in tensors.items():
            value = value.detach().reshape(value.shape or (1,))  # a scalar is stored as one element
            dtype = torch.float32 if value.is_floating_point() else torch.int32
            self.tensors[f"{name}.{role}"] = value.to(dtype).contiguous().clone()
        shapes = {role: list(value.shape) or [1] for role, value in tensors.items()}
        self.cases[name] = dict(op=op, about=about, **attributes, tensors=shapes)

    def differentiable(self, name, op, about, function, inputs, constants=None, dy=None, extra=None, **attributes):
        """One forward and one backward: y = function(**inputs), gradients of sum(y * dy)."""
        leaves = {role: value.clone().requires_grad_() for role, value in inputs.items()}
        y = function(**leaves)
        dy = self.normal(*y.shape) if dy is None else dy
        gradients = torch.autograd.grad(y, list(leaves.values()), dy)
        roles = dict(inputs, **(constants or {}), **(extra or {}), y=y, dy=dy)
        roles.update({f"grad.{role}": gradient for role, gradient in zip(leaves, gradients)})
        self.case(name, op, about, roles, **attributes)


def rms_norm(g):
    """T5LayerNorm in double (the module itself takes its mean square in fp32, which the check allows for)."""
    def function(x, weight, eps=1e-6):
        module = T5LayerNorm(x.shape[-1], eps)
        y = weight * x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + eps)
        module.weight.data = weight.detach().float()
        torch.testing.assert_close(module(x.detach().float()), y.detach().float(), rtol=1e-5, atol=1e-6)
        return y

    for name, rows, width in (("rms_norm", 7, 13), ("rms_norm.wide", 5, 64)):
        x = g.normal(rows, width)
        x[1] *= 1e-3  # about the size where eps counts
        x[2] *= 1e3
        x = x.float().double()
        weight = (1 + 0.3 * g.normal(width)).float().double()
        g.differentiable(name, "rms_norm", "row 1 is tiny, so that eps counts; row 2 is large", function,
                         dict(x=x, weight=weight), eps=1e-6)


def linear(g):
    for name, rows, width, out in (("linear", 7, 13, 5), ("linear.wide", 9, 64, 17)):
        g.differentiable(name, "linear", "y = x weight^T, weight [out, in] as Hugging Face stores it",
                         lambda x, weight: F.linear(x, weight),
                         dict(x=g.normal(rows, width), weight=g.normal(out, width)))


def activations(g):
    gelu_new = ACT2FN["gelu_new"]
    extremes = torch.tensor([-20.0, -6.0, -1e-4, 0.0, 1e-4, 6.0, 20.0], dtype=torch.float64).float().double()
    for name, shape in (("gated_gelu", (7, 13)), ("gated_gelu.wide", (3, 64))):
        a = g.normal(*shape, scale=2.0)
        a[0, :7] = extremes
        g.differentiable(name, "gated_gelu", "y = gelu_new(a) * b, the tanh form; the first row starts with extremes",
                         lambda a, b: gelu_new(a) * b, dict(a=a, b=g.normal(*shape)))
    x = g.normal(7, 13)
    x[0, :7] = extremes
    g.differentiable("relu", "relu", "the gradient at 0 is 0", lambda x: torch.relu(x), dict(x=x))


def cross_entropy(g):
    for name, rows, vocab, scale, about in (
            ("cross_entropy", 6, 97, 2.0, "logits of ordinary size"),
            ("cross_entropy.large", 7, 101, 40.0, "logits so large that exp without the maximum taken off overflows")):
        labels = g.ids(vocab, rows)
        labels[1] = labels[rows - 1] = -100
        labels[0], labels[2] = 0, vocab - 1
        g.differentiable(name, "cross_entropy", about + "; mean over the labels that are not -100",
                         lambda logits: F.cross_entropy(logits, labels, ignore_index=-100),
                         dict(logits=g.normal(rows, vocab, scale=scale)), constants=dict(labels=labels),
                         dy=torch.ones((), dtype=torch.float64), ignore_index=-100)


def embedding(g):
    ids = g.ids(11, 3, 5)
    ids[0], ids[2, 0] = torch.tensor([4, 4, 4, 10, 0]), 4
    ids[ids == 7] = 6  # id 7 is never looked up
    g.differentiable("embedding", "embedding", "id 4 is looked up often, id 7 never (its gradient row is 0)",
                     lambda table: F.embedding(ids, table), dict(table=g.normal(11, 13)), constants=dict(ids=ids))


def relative_bucket(relative, bidirectional):
    return T5Attention._relative_position_bucket(relative, bidirectional, BUCKETS, MAX_DISTANCE)


def relative_position(g):
    relative = torch.arange(-300, 301)
    g.case("relative_position", "relative_position", "bucket of key position minus query position",
           dict(relative=relative, bidirectional=relative_bucket(relative, True),
                causal=relative_bucket(relative, False)), num_buckets=BUCKETS, max_distance=MAX_DISTANCE)


def attention_bias(table, query_length, key_length, causal):
    """[buckets, H] to [H, Sq, Sk]."""
    relative = torch.arange(key_length)[None, :] - torch.arange(query_length)[:, None]
    return table[relative_bucket(relative, not causal)].permute(2, 0, 1)


def attend(q, k, v, bias, key_lengths, causal):
    """softmax(q k^T + bias, over the keys that are there) v, without scaling. q, k, v: [B, S, H, K]."""
    query, key = torch.arange(q.shape[1]), torch.arange(k.shape[1])
    visible = (key[None, :] < key_lengths[:, None])[:, None, None, :]
    if causal:
        visible = visible & (key[None, :] <= query[:, None])
    mask = torch.zeros(visible.shape, dtype=q.dtype).masked_fill(~visible, torch.finfo(q.dtype).min)
    return eager_attention_forward(torch.nn.Module().eval(), q.transpose(1, 2), k.transpose(1, 2), v.transpose(1, 2),
                                   mask, scaling=1.0, position_bias=bias)[0]


def attention(g):
    padded = "padding after each length; dy is 0 on padded queries, and y there means nothing"
    cases = (  # name, queries, keys, query lengths, key lengths, heads, width, causal, with a bias, about
        ("attention.encoder", 18, 18, (18, 13, 1), (18, 13, 1), 2, 5, False, True, "bidirectional self-attention; "),
        ("attention.decoder", 19, 19, (19, 18, 4), (19, 18, 4), 3, 4, True, True, "causal self-attention; "),
        ("attention.cross", 6, 17, (6, 5, 2), (17, 9, 3), 1, 7, False, False, "cross-attention, no bias; "),
        ("attention.long", 110, 110, (110,), (110,), 1, 3, False, True,
         "every bidirectional bucket but 16, which no distance falls into; "),
        ("attention.long_causal", 125, 125, (125,), (125,), 1, 3, True, True, "every causal bucket; "))
    for name, sq, sk, query_lengths, key_lengths, heads, width, causal, biased, about in cases:
        query_lengths, key_lengths = torch.tensor(query_lengths), torch.tensor(key_lengths)
        batch = len(query_lengths)
        inputs = dict(q=g.normal(batch, sq, heads, width), k=g.normal(batch, sk, heads, width),
                      v=g.normal(batch, sk, heads, width))
        dy = g.normal(batch, sq, heads, width)
        dy *= (torch.arange(sq)[None, :] < query_lengths[:, None])[:, :, None, None]
        extra = {}
        if biased:
            inputs["table"] = g.normal(BUCKETS, heads)
            if sq < 100:
                extra["bias"] = attention_bias(inputs["table"], sq, sk, causal)

        def function(q, k, v, table=None):
            bias = None if table is None else attention_bias(table, sq, sk, causal)
            return attend(q, k, v, bias, key_lengths, causal)

        g.differentiable(name, "attention", about + padded, function, inputs,
                         constants=dict(query_lengths=query_lengths, key_lengths=key_lengths), dy=dy, extra=extra,
                         causal=causal, num_buckets=BUCKETS if biased else 0, max_distance=MAX_DISTANCE)


def optimizer_case(g, name, op, about, optimizer, steps=4, state=(), **attributes):
    """Parameters before (p0) and after each step (p1, ...), the gradient of each step (g1, ...), the last state."""
    parameters = {"matrix": g.normal(7, 13), "vector": 1 + 0.1 * g.normal(13), "small": g.normal(5, 3, scale=1e-4)}
    parameters = {k: torch.nn.Parameter(v.float().double()) for k, v in parameters.items()}
    run = optimizer(list(parameters.values()))
    roles = {f"{k}.p0": p.detach().clone() for k, p in parameters.items()}
    for step in range(1, steps + 1):
        size = (1.0, 0.02, 3.0, 10.0)[step - 1]  # so that moments lag and clipping bites
        for k, p in parameters.items():
            p.grad = (g.normal(*p.shape, scale=size)).float().double()
            if k == "matrix":
                p.grad[3] = 0  # a row without gradient, as an embedding has
            roles[f"{k}.g{step}"] = p.grad.clone()
        run.step()
        roles.update({f"{k}.p{step}": p.detach().clone() for k, p in parameters.items()})
    for k, p in parameters.items():
        roles.update({f"{k}.{s}": run.state[p][s] for s in state if s in run.state[p]})
    g.case(name, op, about, roles, steps=steps, **attributes)


def optimizers(g):
    for name, decay in (("adamw.decay", 0.1), ("adamw.plain", 0.0)):
        settings = dict(lr=1e-2, betas=(0.9, 0.999), eps=1e-8, weight_decay=decay)
        optimizer_case(g, name, "adamw", "decoupled weight decay, bias correction", state=("exp_avg", "exp_avg_sq"),
                       optimizer=lambda p: torch.optim.AdamW(p, **settings), **settings)
    shared = dict(eps=(1e-30, 1e-3), clip_threshold=1.0, decay_rate=-0.8)
    for name, about, settings in (
            ("adafactor.fixed", "fixed rate, scaled by the parameter's size",
             dict(lr=1e-2, scale_parameter=True, relative_step=False, warmup_init=False, weight_decay=0.0)),
            ("adafactor.decay", "the same with weight decay",
             dict(lr=1e-2, scale_parameter=True, relative_step=False, warmup_init=False, weight_decay=0.1)),
            ("adafactor.unscaled", "fixed rate, not scaled",
             dict(lr=1e-3, scale_parameter=False, relative_step=False, warmup_init=False, weight_decay=0.0)),
            ("adafactor.warmup", "T5's relative step, warming up",
             dict(lr=None, scale_parameter=True, relative_step=True, warmup_init=True, weight_decay=0.0))):
        optimizer_case(g, name, "adafactor", about + "; matrices are factored, vectors are not",
                       lambda p: Adafactor(p, **shared, **settings),
                       state=("exp_avg_sq_row", "exp_avg_sq_col", "exp_avg_sq"), **shared, **settings)


def clip_grad_norm(g):
    for name, scale, about in (("clip_grad_norm", 1.0, "the norm is above 1: scaled by 1 / (norm + 1e-6)"),
                               ("clip_grad_norm.small", 1e-3, "the norm is below 1: left alone")):
        parameters = [torch.nn.Parameter(torch.zeros(shape, dtype=torch.float64)) for shape in ((7, 13), (13,), (3, 5))]
        roles = {}
        for i, p in enumerate(parameters):
            p.grad = g.normal(*p.shape, scale=scale).float().double()
            roles[f"grad.{i}"] = p.grad.clone()
        roles["norm"] = torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        roles.update({f"clipped.{i}": p.grad for i, p in enumerate(parameters)})
        g.case(name, "clip_grad_norm", about, roles, max_norm=1.0)


def places(chosen, p, valid, capacity, groups, reroute):
    """Which expert takes each entry (token, choice), and in which row: one-hot products and ranks by cumulated sums."""
    tokens, k = chosen.shape
    experts = p.shape[1]
    final, keys, start = chosen.clone(), {}, 0
    for group, length in enumerate(groups):
        end = start + length
        room = capacity(int(valid[start:end].sum()))
        # [k * n, E], all first choices before all second ones
        onehot = F.one_hot(chosen[start:end], experts) * valid[start:end, None, None]
        onehot = onehot.transpose(0, 1).reshape(-1, experts)
        rank = ((onehot.cumsum(0) - 1) * onehot).sum(1)
        used = torch.minimum(onehot.sum(0), torch.tensor(room)).tolist()
        waiting = []
        for i in range(k * length):
            token, choice = start + i % length, i // length
            if valid[token]:
                if rank[i] < room:
                    keys[token, choice] = (int(chosen[token, choice]), group, int(rank[i]))
                else:
                    waiting.append((token, choice))
        untried = {t: [int(e) for e in torch.sort(p[t], descending=True, stable=True).indices if e not in chosen[t]]
                   for t, _ in waiting}
        while reroute and any(untried[t] for t, _ in waiting):
            still = []
            for token, choice in waiting:
                expert = untried[token].pop(0) if untried[token] else None
                if expert is not None and used[expert] < room:
                    keys[token, choice] = (expert, group, used[expert])
                    final[token, choice] = expert
                    used[expert] += 1
                else:
                    still.append((token, choice))
            waiting = still
        start = end
    slots = torch.full((tokens, k), -1)
    for row, entry in enumerate(sorted(keys, key=keys.get)):
        slots[entry] = row
    return torch.where(valid[:, None], final, -1), slots


def moe_layer(x, router, matrices, valid, k, gate, policy, factor, groups):
    """A router and its experts, linear ones, by a loop over the experts: all that a routing consists of, by role."""
    experts = len(matrices)
    logits = x @ router.T
    p = logits.softmax(-1)
    chosen = torch.sort(p.detach(), dim=-1, descending=True, stable=True).indices[:, :k]
    limited = policy != "dropless"
    final, slots = places(chosen, p, valid, lambda n: math.ceil(factor * k * n / experts) if limited else n, groups,
                          policy == "no_token_left_behind")
    kept = slots >= 0
    weight = p.gather(1, final.clamp(min=0))
    if gate == "renormalized":
        weight = weight / weight.sum(-1, keepdim=True)
    if gate == "preserving":
        weight = weight / weight.detach()
    weight = weight * kept
    y = torch.zeros_like(x)
    for e, w in enumerate(matrices):
        token, choice = torch.where(kept & (final == e))
        y = y.index_add(0, token, (x[token] @ w.T) * weight[token, choice, None])
    n = int(valid.sum())
    counts = (F.one_hot(chosen, experts) * valid[:, None, None]).sum((0, 1))
    balance = experts * (counts / (k * n) * (p[valid].sum(0) / n)).sum()
    first = p[valid].gather(1, final[valid][:, :1])
    stats = torch.stack([torch.tensor(float(n)), (k * n - kept.sum()).float(),
                         -(p * p.log())[valid].sum(-1).mean(), first.mean()])
    return dict(y=y, weights=weight, experts=final.int(), slots=slots.int(), counts=counts.int(), balance=balance,
                z=logits.logsumexp(-1)[valid].pow(2).mean(), stats=stats)


def mixtures(g):
    every = dict(tokens=13, experts=4, k=1, gate="raw", policy="dropless", factor=1.0, groups=None, padding=())
    sequences = [5, 1, 7]
    for name, change in (
            ("moe.top1", {}), ("moe.preserving", dict(gate="preserving")), ("moe.top2", dict(k=2, gate="renormalized")),
            ("moe.top8", dict(k=8, experts=10, gate="renormalized", tokens=5)),
            ("moe.capacity", dict(policy="capacity")),
            ("moe.capacity.top2", dict(policy="capacity", k=2, gate="renormalized", factor=0.7, padding=(0, 6, 12))),
            ("moe.capacity.sequences", dict(policy="capacity", groups=sequences, factor=1.25, padding=(1, 9))),
            ("moe.rerouted", dict(policy="no_token_left_behind")),
            ("moe.rerouted.top2", dict(policy="no_token_left_behind", k=2, gate="renormalized", factor=0.8,
                                       groups=sequences, padding=(2, 3, 11))),
            ("moe.few", dict(policy="capacity", tokens=3, experts=4)),
            ("moe.one", dict(policy="capacity", tokens=1))):
        c = dict(every, **change)
        width, valid = 6, torch.ones(c["tokens"], dtype=torch.bool)
        valid[list(c["padding"])] = False
        inputs = dict(x=g.normal(c["tokens"], width), router=g.normal(c["experts"], width, scale=0.7),
                      matrices=g.normal(c["experts"], width, width, scale=0.4))
        inputs["x"][:, 0] += 1  # so that some experts are more in demand than others
        inputs["x"] = inputs["x"].float().double()
        leaves = {role: value.clone().requires_grad_() for role, value in inputs.items()}
        groups = c["groups"] or [c["tokens"]]
        roles = moe_layer(leaves["x"], leaves["router"], list(leaves["matrices"]), valid, c["k"], c["gate"],
                          c["policy"], c["factor"], groups)
        dy, dbalance, dz = g.normal(c["tokens"], width), g.normal(1), g.normal(1)
        loss = (roles["y"] * dy).sum() + dbalance[0] * roles["balance"] + dz[0] * roles["z"]
        gradients = torch.autograd.grad(loss, list(leaves.values()))
        roles.update({f"grad.{role}": gradient for role, gradient in zip(leaves, gradients)})
        g.case(name, "moe", "router and linear experts; y, balance and z are differentiated",
               dict(inputs, valid=valid.int(), groups=torch.tensor(groups), dy=dy, dbalance=dbalance, dz=dz, **roles),
               top_k=c["k"], gate=c["gate"], policy=c["policy"], capacity_factor=c["factor"])


def main():
    out = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else DEFAULT_OUT
    torch.set_num_threads(1)
    g = Goldens(seed=20250101)
    for make in (rms_norm, linear, activations, cross_entropy, embedding, relative_position, attention, optimizers,
                 clip_grad_norm, mixtures):
        make(g)
    out.mkdir(parents=True, exist_ok=True)
    save_file(g.tensors, out / "ops.safetensors")
    lines = [f"  {json.dumps(name)}: {json.dumps(case)}" for name, case in g.cases.items()]  # one line a case
    versions = json.dumps(dict(torch=torch.__version__, transformers=transformers.__version__))
    (out / "ops.json").write_text(versions[:-1] + ', "cases": {\n' + ",\n".join(lines) + "\n}}\n")
    print(f"{len(g.cases)} cases, {len(g.tensors)} tensors, {(out / 'ops.safetensors').stat().st_size} bytes")


if __name__ == "__main__":
    main()
