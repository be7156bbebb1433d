"""The network while it learns: the encoder's forward pass in torch, over a plain table of named weights.

Owns the arithmetic of a six-layer BERT with a score per category for every piece, and the loss. Refuses to know the
corpus. Functions over a dict of tensors, named as in the file of the pretrained weights, so that `graph` can write the
same numbers down as ONNX without a tracer; a test holds the two against each other. Needs torch (extra ``train``).
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from gateway.inspection.encoder import CATEGORIES, Window
from gateway.training.pretrained import HEADS, WIDTH, Pretrained

SCORES: Final = len(CATEGORIES) + 1
"""One a category, and one that the sentence crosses at all."""
EPSILON: Final = 1e-12
WORDS: Final = "embeddings.word_embeddings.weight"
"""Left as pretrained: most words of live mail are in no corpus of ours, and must stay where their neighbours are."""
_PIECE_LOSS: Final = 0.3
"""Weight of the loss on single pieces, which teaches where in a sentence the crossing stands."""
Tensors = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Lesson:
    """A window, the categories of each of its judged units and pieces as bits, and how much each unit counts."""

    window: Window
    labels: tuple[int, ...]
    marks: tuple[tuple[int, ...], ...]
    weights: tuple[float, ...]


def weights_of(start: Pretrained, seed: int) -> Tensors:
    """Return the trainable tensors: the pretrained ones, and a head that begins at chance."""
    import torch

    torch.manual_seed(seed)
    kept = {
        name: value for name, value in start.weights.items() if name.startswith(("embeddings.", "encoder."))
    }
    tensors = {name: torch.tensor(value) for name, value in kept.items() if not name.endswith("position_ids")}
    tensors["head.weight"] = torch.empty(SCORES, WIDTH).normal_(std=0.02)
    tensors["head.bias"] = torch.full((SCORES,), -2.0)
    for name, tensor in tensors.items():
        tensor.requires_grad_(name != WORDS)
    return tensors


def scores(weights: Mapping[str, Any], numbers: Any, mask: Any, dropout: float = 0.0) -> Any:
    """Return the scores (windows, pieces, `SCORES`) of padded windows; ``mask`` is true where a piece is."""
    import torch.nn.functional as F  # noqa: N812 - torch's own custom

    def linear(name: str, value: Any) -> Any:
        return F.linear(value, weights[f"{name}.weight"], weights[f"{name}.bias"])

    def norm(name: str, value: Any) -> Any:
        return F.layer_norm(value, (WIDTH,), weights[f"{name}.weight"], weights[f"{name}.bias"], EPSILON)

    def dropped(value: Any) -> Any:
        return F.dropout(value, dropout, training=dropout > 0)

    count, length = numbers.shape
    table = weights[WORDS]
    places = weights["embeddings.position_embeddings.weight"][:length]
    kind = weights["embeddings.token_type_embeddings.weight"][0]
    state = dropped(norm("embeddings.LayerNorm", F.embedding(numbers, table) + places + kind))
    allowed = mask[:, None, None, :]
    for layer in range(layers_of(weights)):
        at = f"encoder.layer.{layer}"
        query, key, value = (
            linear(f"{at}.attention.self.{name}", state).view(count, length, HEADS, -1).transpose(1, 2)
            for name in ("query", "key", "value")
        )
        seen = F.scaled_dot_product_attention(query, key, value, attn_mask=allowed)
        seen = seen.transpose(1, 2).reshape(count, length, WIDTH)
        state = norm(
            f"{at}.attention.output.LayerNorm", state + dropped(linear(f"{at}.attention.output.dense", seen))
        )
        inner = F.gelu(linear(f"{at}.intermediate.dense", state))
        state = norm(f"{at}.output.LayerNorm", state + dropped(linear(f"{at}.output.dense", inner)))
    return linear("head", dropped(state))


def layers_of(weights: Mapping[str, Any]) -> int:
    """Return how many layers ``weights`` have."""
    return sum(name.endswith("intermediate.dense.weight") for name in weights)


def padded(windows: Sequence[Window]) -> tuple[Any, Any]:
    """Return the numbers of ``windows`` in one tensor, and the mask of what is there."""
    import torch

    longest = max(len(window.numbers) for window in windows)
    numbers = torch.zeros(len(windows), longest, dtype=torch.long)
    mask = torch.zeros(len(windows), longest, dtype=torch.bool)
    for row, window in enumerate(windows):
        numbers[row, : len(window.numbers)] = torch.tensor(window.numbers)
        mask[row, : len(window.numbers)] = True
    return numbers, mask


def soft_maximum(found: Any) -> Any:
    """Return the scores of one unit from those of its pieces, as `gateway.inspection.encoder.pooled`."""
    import torch

    return torch.logsumexp(found, dim=0) - math.log(found.shape[0])


def loss(found: Any, lessons: Sequence[Lesson], balance: Any) -> Any:
    """Return the mean loss over the units of ``lessons``; ``balance`` is how much a true label outweighs a false one."""
    import torch
    import torch.nn.functional as F  # noqa: N812 - torch's own custom

    pooled: list[Any] = []
    labels: list[list[float]] = []
    counts: list[float] = []
    pieces: list[Any] = []
    marks: list[list[float]] = []
    for row, lesson in enumerate(lessons):
        units = zip(lesson.window.spans, lesson.labels, lesson.marks, lesson.weights, strict=True)
        for (begin, end), label, marked, weight in units:
            pooled.append(soft_maximum(found[row, begin:end]))
            labels.append(truths(label))
            counts.append(weight)
            pieces.append(found[row, begin:end])
            marks += map(truths, marked)
    weight = torch.tensor(counts)[:, None]
    of_units = F.binary_cross_entropy_with_logits(
        torch.stack(pooled), torch.tensor(labels), weight=weight, pos_weight=balance
    )
    of_pieces = F.binary_cross_entropy_with_logits(torch.cat(pieces), torch.tensor(marks))
    return of_units + _PIECE_LOSS * of_pieces


def truths(label: int) -> list[float]:
    """Return ``label`` as one number a score: 1 where it is true, the last that there is any."""
    return [*(float(label >> number & 1) for number in range(len(CATEGORIES))), float(label != 0)]
