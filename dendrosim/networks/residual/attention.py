"""Transformer blocks over tokens, and the embedding of an image as patches."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...kernels.memory import aligned
from .blocks import Block
from .parts import Embedding, Floats, Norm, Parameters, Perceptron, Work, lanes, linear_work, uniform


class TransformerBlock(Block):
    """``f(h) = A(h) + M(h + A(h))``: attention of several heads, then a perceptron, each after a layer normalisation.

    A row of h holds the tokens of a sample one after the other. Parameters of the part with attention begin with
    ``attention``, those of the perceptron with ``mlp``; query, key and value share one matrix.

    Parameters
    ----------
    tokens, width, heads, hidden : int
    """

    def __init__(self, tokens: int, width: int, heads: int, hidden: int) -> None:
        self.tokens, self.width, self.heads = tokens, width, heads
        self.norm, self.perceptron = Norm(width), Perceptron((width, hidden, width))

    def initial(self, rng: np.random.Generator) -> Parameters:
        mix, bias = uniform(self.width, 3 * self.width, rng)
        out, out_bias = uniform(self.width, self.width, rng)
        attention = {**self.norm.initial(), "in": mix, "in_bias": bias, "out": out, "out_bias": out_bias}
        mlp = {**self.norm.initial(), **self.perceptron.initial(rng)}
        return {f"{part}_{k}": v for part, it in (("attention", attention), ("mlp", mlp)) for k, v in it.items()}

    def cache(self, n: int, dtype: Any) -> dict[str, Any]:
        rows, d = n * self.tokens, self.width
        made: dict[str, Any] = {
            name: aligned((rows, d), dtype) for name in ("mixed", "stream", "da", "mlp_out", "dx", "dmixed")
        }
        made |= {name: aligned((rows, 3 * d), dtype) for name in ("qkv", "dqkv")}
        made |= {name: aligned((n, self.heads, self.tokens, self.tokens), dtype) for name in ("weights", "score")}
        made["by_head"] = aligned((n, self.heads, self.tokens, d // self.heads), dtype)
        norms = {name: self.norm.cache(rows, dtype) for name in ("attention_norm", "mlp_norm")}
        return {**made, **norms, "mlp": self.perceptron.cache(rows, dtype), "a": aligned((rows, d), dtype)}

    def _part(self, p: Parameters, part: str) -> Parameters:
        return {name[len(part) + 1 :]: value for name, value in p.items() if name.startswith(f"{part}_")}

    def _split(self, array: Floats, n: int) -> list[Floats]:
        """Queries, keys and values as views of shape (n, heads, tokens, width / heads)."""
        parts = array.reshape(n, self.tokens, 3, self.heads, -1)
        return [parts[:, :, i].transpose(0, 2, 1, 3) for i in range(3)]

    def _heads(self, array: Floats, n: int) -> Floats:
        return array.reshape(n, self.tokens, self.heads, -1).transpose(0, 2, 1, 3)

    def forward(self, p: Parameters, h: Floats, f: Floats, cache: dict[str, Any]) -> None:
        from ...kernels import residual

        n, d = len(h), self.width
        h, f = h.reshape(-1, d), f.reshape(-1, d)
        first, second = self._part(p, "attention"), self._part(p, "mlp")
        u = self.norm.forward(first, h, cache["attention_norm"])
        np.matmul(u, first["in"], out=cache["qkv"])
        cache["qkv"] += first["in_bias"]
        q, k, v = self._split(cache["qkv"], n)
        weights = np.matmul(q, k.swapaxes(2, 3), out=cache["weights"])
        vector = lanes(self.tokens)
        rows, memory = n * self.heads * self.tokens, np.empty(len(vector), weights.dtype)
        residual.softmax(weights.reshape(-1), (d // self.heads) ** -0.5, rows, self.tokens, memory, vector)
        np.matmul(weights, v, out=cache["by_head"])
        self._heads(cache["mixed"], n)[...] = cache["by_head"]
        np.matmul(cache["mixed"], first["out"], out=cache["a"])
        cache["a"] += first["out_bias"]
        np.add(h, cache["a"], out=cache["stream"])
        u = self.norm.forward(second, cache["stream"], cache["mlp_norm"])
        self.perceptron.forward(second, u, cache["mlp_out"], cache["mlp"])
        np.add(cache["a"], cache["mlp_out"], out=f)

    def back(self, p: Parameters, df: Floats, cache: dict[str, Any], dh: Floats | None) -> None:
        from ...kernels import residual

        n, d = len(df), self.width
        df = df.reshape(-1, d)
        first, second = self._part(p, "attention"), self._part(p, "mlp")
        norm, back = cache["mlp_norm"], cache["mlp_norm"]["back"]
        self.perceptron.back(second, df, cache["mlp"], back)
        self.norm.backward(second, back, norm, cache["dx"])  # d(h + A), besides df itself
        da = np.add(df, cache["dx"], out=cache["da"])
        mixed = self._heads(np.matmul(da, first["out"].T, out=cache["dmixed"]), n)
        q, k, v = self._split(cache["qkv"], n)
        dq, dk, dv = self._split(cache["dqkv"], n)
        weights = cache["weights"]
        by_head, score = cache["by_head"], cache["score"]
        dv[...] = np.matmul(weights.swapaxes(2, 3), mixed, out=by_head)
        np.matmul(mixed, v.swapaxes(2, 3), out=score)
        table = (-1, self.tokens)
        residual.softmax_back(score.reshape(table), weights.reshape(table), (d // self.heads) ** -0.5)
        dq[...] = np.matmul(score, k, out=by_head)
        dk[...] = np.matmul(score.swapaxes(2, 3), q, out=by_head)
        norm, back = cache["attention_norm"], cache["attention_norm"]["back"]
        np.matmul(cache["dqkv"], first["in"].T, out=back)
        if dh is not None:
            into = dh.reshape(-1, d)
            self.norm.backward(first, back, norm, into)
            into += cache["dx"]

    def work(self, h: Floats, df: Floats, cache: dict[str, Any], gradients: Parameters) -> list[Work]:
        first, second = self._part(gradients, "attention"), self._part(gradients, "mlp")
        norm, mlp_norm = cache["attention_norm"], cache["mlp_norm"]
        pairs = (("in", norm["out"], cache["dqkv"]), ("out", cache["mixed"], cache["da"]))
        attention = [self.norm.work(norm["back"], norm, first)]
        for name, below, dy in pairs:
            renamed = {"weight": first[name], "bias": first[f"{name}_bias"]}
            weight, bias = linear_work("", below, dy, renamed)
            attention += [Work((name,), weight.compute, weight.rows), Work((f"{name}_bias",), bias.compute)]
        mlp = self.perceptron.work(mlp_norm["out"], df.reshape(-1, self.width), cache["mlp"], second)
        mlp.append(self.norm.work(mlp_norm["back"], mlp_norm, second))
        return [one.named(part) for part, all_ in (("attention", attention), ("mlp", mlp)) for one in all_]


class PatchEmbedding(Embedding):
    """Patches of an image through one matrix, a token of its own before them, and a position added to each.

    Parameters
    ----------
    channels, side, patch, width : int
        Images are square, (channels, side, side).
    center, scale : arrays of shape (channels * side * side,)
    """

    def __init__(self, channels: int, side: int, patch: int, width: int, center: Floats, scale: Floats) -> None:
        super().__init__(channels * side * side, width, center, scale)
        self.shape, self.patch = (channels, side // patch, patch, side // patch, patch), patch
        self.patches, self.values = (side // patch) ** 2, channels * patch * patch

    def initial(self, rng: np.random.Generator) -> Parameters:
        weight, bias = uniform(self.values, self.width, rng)
        tokens = 0.02 * rng.standard_normal((self.patches + 2, self.width))
        return {"weight": weight, "bias": bias, "class": tokens[0], "position": tokens[1:]}

    def cache(self, n: int, dtype: Any) -> dict[str, Any]:
        made = super().cache(n, dtype)
        rows = n * self.patches
        return {**made, "patches": aligned((rows, self.values), dtype), "made": aligned((rows, self.width), dtype)}

    def forward(self, p: Parameters, inputs: Floats, h: Floats, cache: dict[str, Any]) -> None:
        x, n = self.standardised(inputs, cache), len(inputs)
        c, rows, high, columns, wide = self.shape
        cut = cache["patches"].reshape(n, rows, columns, c, high, wide)
        cut[...] = x.reshape(n, *self.shape).transpose(0, 2, 4, 1, 3, 5)
        np.matmul(cache["patches"], p["weight"], out=cache["made"])
        cache["made"] += p["bias"]
        tokens = h.reshape(n, self.patches + 1, self.width)
        tokens[:, 0] = p["class"]
        tokens[:, 1:] = cache["made"].reshape(n, self.patches, self.width)
        tokens += p["position"]

    def work(self, inputs: Floats, dh: Floats, cache: dict[str, Any], gradients: Parameters) -> list[Work]:
        def compute(*_: int) -> None:
            tokens = dh.reshape(len(dh), self.patches + 1, self.width)
            np.sum(tokens, axis=0, out=gradients["position"])
            gradients["class"][...] = gradients["position"][0]
            cache["made"].reshape(len(dh), self.patches, self.width)[...] = tokens[:, 1:]
            np.matmul(cache["patches"].T, cache["made"], out=gradients["weight"])
            np.sum(cache["made"], axis=0, out=gradients["bias"])

        return [Work(("weight", "bias", "class", "position"), compute)]
