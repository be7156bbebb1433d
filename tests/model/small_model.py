"""A model of one layer with weights drawn at random: every step of the real one, in a second and without torch."""

import hashlib
from pathlib import Path

import msgspec
import numpy as np

from gateway.inspection.encoder import CATEGORIES, FORMAT, GRAPH, MANIFEST, VOCABULARY, WORDINGS, Manifest
from gateway.inspection.wording import SILENT
from gateway.training.graph import onnx_graph

WIDTH = 384
INNER = 1536
WORDS = [
    "i",
    "you",
    "your",
    "we",
    "the",
    "a",
    "to",
    "of",
    "and",
    "is",
    "are",
    "was",
    "will",
    "can",
    "for",
    "in",
    "on",
    "at",
    "it",
    "that",
    "this",
    "with",
    "be",
    "have",
    "not",
    "me",
    "us",
    "let",
    "know",
    "thank",
    "please",
    "officer",
    "case",
    "court",
    "statement",
    "update",
    "monday",
    "friday",
    "coffee",
    "drink",
    "lovely",
    "looked",
    "smile",
    "call",
    "number",
    "text",
    "photo",
    "meet",
    "work",
    "station",
    "victim",
    "support",
    "team",
    "would",
    "like",
    "take",
    "sign",
    "tell",
    "nobody",
    "keep",
    "quiet",
    "home",
    "phone",
    "x",
]
PIECES = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", *"abcdefghijklmnopqrstuvwxyz0123456789.,;:!?'\"-()@£",
          *(f"##{letter}" for letter in "abcdefghijklmnopqrstuvwxyz0123456789"), *WORDS, "##ing", "##ed", "##ly")  # fmt: skip


def weights(layers: int = 1, seed: int = 7) -> dict[str, np.ndarray]:
    """Return random weights under the names of the pretrained file, with the head that training adds."""
    draw = np.random.default_rng(seed)

    def drawn(*shape: int, by: float = 0.05) -> np.ndarray:
        return draw.normal(0, by, shape).astype(np.float32)

    found = {
        "embeddings.word_embeddings.weight": drawn(len(PIECES), WIDTH, by=0.5),
        "embeddings.position_embeddings.weight": drawn(512, WIDTH),
        "embeddings.token_type_embeddings.weight": drawn(2, WIDTH),
        "embeddings.LayerNorm.weight": np.ones(WIDTH, np.float32),
        "embeddings.LayerNorm.bias": drawn(WIDTH),
        "head.weight": drawn(len(CATEGORIES) + 1, WIDTH, by=0.15),
        "head.bias": drawn(len(CATEGORIES) + 1),
    }
    for layer in range(layers):
        at = f"encoder.layer.{layer}"
        shapes = {
            "attention.self.query": (WIDTH, WIDTH), "attention.self.key": (WIDTH, WIDTH),
            "attention.self.value": (WIDTH, WIDTH), "attention.output.dense": (WIDTH, WIDTH),
            "intermediate.dense": (INNER, WIDTH), "output.dense": (WIDTH, INNER),
        }  # fmt: skip
        for name, shape in shapes.items():
            found[f"{at}.{name}.weight"] = drawn(*shape)
            found[f"{at}.{name}.bias"] = drawn(shape[0])
        for name in ("attention.output.LayerNorm", "output.LayerNorm"):
            found[f"{at}.{name}.weight"] = np.ones(WIDTH, np.float32)
            found[f"{at}.{name}.bias"] = drawn(WIDTH)
    return found


def write(folder: Path, *, int8: bool = True, temperature: float = 1.0, wordings: bytes = SILENT) -> Path:
    """Write the small model into ``folder`` as training would, and return it."""
    folder.mkdir(parents=True, exist_ok=True)
    files = {
        GRAPH: onnx_graph(weights(), int8=int8),
        VOCABULARY: "\n".join(PIECES).encode(),
        WORDINGS: wordings,
    }
    for name, content in files.items():
        (folder / name).write_bytes(content)
    manifest = Manifest(
        format=FORMAT, categories=CATEGORIES, temperature=temperature, made={"seed": 7},
        files={name: hashlib.sha256(content).hexdigest() for name, content in files.items()},
    )  # fmt: skip
    (folder / MANIFEST).write_bytes(msgspec.json.encode(manifest))
    return folder
