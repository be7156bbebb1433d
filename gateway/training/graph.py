"""The trained weights as an ONNX graph, in fp32 or with int8 weights, for onnxruntime to run.

Owns the graph, written down node by node (no tracer, no torch), and the rounding to int8: one scale for each column of a
matrix and for each row of the embeddings, and 7 bits in the matrices. Processors without VNNI add products of 8 and 8
bits in 16, and saturate; with 7 bits no sum can, so that every processor gets the same numbers (docs/decisions/0028).
The activations are rounded as they come, by the largest and smallest of the window: windows are run one at a time.
"""

from collections.abc import Mapping
from typing import Any, Final

import numpy as np

from gateway.training.network import EPSILON, layers_of
from gateway.training.pretrained import HEADS, WIDTH

_OPSET: Final = 20
_WEIGHT_MAX: Final = 63
_ROW_MAX: Final = 127


class _Graph:
    """Nodes and constants under way to a model."""

    def __init__(self, weights: Mapping[str, Any], *, int8: bool) -> None:
        from onnx import helper, numpy_helper

        self._helper, self._to_tensor = helper, numpy_helper.from_array
        self._weights = weights
        self._int8 = int8
        self.nodes: list[Any] = []
        self.constants: list[Any] = []
        self._known: set[str] = set()

    def constant(self, name: str, value: Any) -> str:
        """Keep ``value`` under ``name`` once, and return the name."""
        if name not in self._known:
            self._known.add(name)
            self.constants.append(self._to_tensor(np.ascontiguousarray(value), name))
        return name

    def add(self, kind: str, *inputs: str, outputs: int = 1, **attributes: Any) -> str:
        """Add a node and return its first output; the others have the same name with ``.1``, ``.2``."""
        name = f"n{len(self.nodes)}"
        names = [name, *(f"{name}.{number}" for number in range(1, outputs))]
        self.nodes.append(
            self._helper.make_node(kind, list(inputs), names, name=f"{kind}{name}", **attributes)
        )
        return name

    def linear(self, name: str, state: str, matrix: Any, bias: Any) -> str:
        """Return ``state`` times ``matrix`` plus ``bias``, the matrix as int8 where wanted."""
        offset = self.constant(f"{name}.bias", bias.astype(np.float32))
        if not self._int8:
            return self.add("Add", self.add("MatMul", state, self.constant(f"{name}.weight", matrix)), offset)
        scale = np.abs(matrix).max(axis=0) / _WEIGHT_MAX
        rounded = np.round(matrix / np.where(scale > 0, scale, 1)).astype(np.int8)
        quantised = self.add("DynamicQuantizeLinear", state, outputs=3)
        product = self.add(
            "MatMulInteger", quantised, self.constant(f"{name}.int8", rounded), f"{quantised}.2",
            self.constant("zero", np.array(0, dtype=np.int8)),
        )  # fmt: skip
        factor = self.add("Mul", f"{quantised}.1", self.constant(f"{name}.scale", scale.astype(np.float32)))
        return self.add("Add", self.add("Mul", self.add("Cast", product, to=1), factor), offset)

    def dense(self, name: str, state: str) -> str:
        """Return the layer ``name`` of the weights over ``state``."""
        return self.linear(name, state, self._weights[f"{name}.weight"].T, self._weights[f"{name}.bias"])

    def norm(self, name: str, state: str) -> str:
        """Return ``state`` normalised by the weights ``name``."""
        scale = self.constant(f"{name}.weight", self._weights[f"{name}.weight"])
        bias = self.constant(f"{name}.bias", self._weights[f"{name}.bias"])
        return self.add("LayerNormalization", state, scale, bias, axis=-1, epsilon=EPSILON)

    def embedded(self) -> str:
        """Return the rows of the embeddings for the input ``pieces``, with their places."""
        table = self._weights["embeddings.word_embeddings.weight"]
        if self._int8:
            scale = np.abs(table).max(axis=1, keepdims=True) / _ROW_MAX
            rows = self.constant(
                "words.int8", np.round(table / np.where(scale > 0, scale, 1)).astype(np.int8)
            )
            found = self.add("Cast", self.add("Gather", rows, "pieces"), to=1)
            words = self.add(
                "Mul",
                found,
                self.add("Gather", self.constant("words.scale", scale.astype(np.float32)), "pieces"),
            )
        else:
            words = self.add("Gather", self.constant("words", table), "pieces")
        places = self._weights["embeddings.position_embeddings.weight"]
        places = places + self._weights["embeddings.token_type_embeddings.weight"][0]
        length = self.add("Shape", "pieces", start=1, end=2)
        first = self.add(
            "Slice",
            self.constant("places", places[:256]),
            self._integers("from", 0),
            length,
            self._integers("axis", 0),
        )
        return self.norm("embeddings.LayerNorm", self.add("Add", words, first))

    def layer(self, number: int, state: str) -> str:
        """Return one layer over ``state``: attention, then the two matrices in between."""
        at = f"encoder.layer.{number}"
        names = [f"{at}.attention.self.{name}" for name in ("query", "key", "value")]
        matrix = np.concatenate([self._weights[f"{name}.weight"].T for name in names], axis=1)
        bias = np.concatenate([self._weights[f"{name}.bias"] for name in names])
        all_three = self.add(
            "Split",
            self.linear(f"{at}.attention.self", state, matrix, bias),
            outputs=3,
            axis=-1,
            num_outputs=3,
        )
        heads = []
        for found, turned in (
            (all_three, [0, 2, 1, 3]),
            (f"{all_three}.1", [0, 2, 3, 1]),
            (f"{all_three}.2", [0, 2, 1, 3]),
        ):
            split = self.add("Reshape", found, self._integers("split", 0, 0, HEADS, WIDTH // HEADS))
            heads.append(self.add("Transpose", split, perm=turned))
        root = self.constant("root", np.array((WIDTH / HEADS) ** -0.5, dtype=np.float32))
        share = self.add("Softmax", self.add("Mul", self.add("MatMul", heads[0], heads[1]), root), axis=-1)
        seen = self.add("Transpose", self.add("MatMul", share, heads[2]), perm=[0, 2, 1, 3])
        seen = self.add("Reshape", seen, self._integers("join", 0, 0, WIDTH))
        state = self.norm(
            f"{at}.attention.output.LayerNorm",
            self.add("Add", state, self.dense(f"{at}.attention.output.dense", seen)),
        )
        inner = self.add("Gelu", self.dense(f"{at}.intermediate.dense", state))
        return self.norm(
            f"{at}.output.LayerNorm", self.add("Add", state, self.dense(f"{at}.output.dense", inner))
        )

    def _integers(self, name: str, *values: int) -> str:
        return self.constant(name, np.array(values, dtype=np.int64))


def onnx_graph(weights: Mapping[str, Any], *, int8: bool) -> bytes:
    """Return the serialised graph: ``pieces`` (1, n) of int64 in, ``scores`` (1, n, scores) out."""
    from onnx import TensorProto, checker, helper

    graph = _Graph(weights, int8=int8)
    state = graph.embedded()
    for number in range(layers_of(weights)):
        state = graph.layer(number, state)
    head = graph.add("MatMul", state, graph.constant("head.weight", weights["head.weight"].T))
    graph.nodes.append(
        helper.make_node("Add", [head, graph.constant("head.bias", weights["head.bias"])], ["scores"])
    )
    count = int(weights["head.bias"].shape[0])
    model = helper.make_model(
        helper.make_graph(
            graph.nodes,
            "encoder",
            [helper.make_tensor_value_info("pieces", TensorProto.INT64, [1, "n"])],
            [helper.make_tensor_value_info("scores", TensorProto.FLOAT, [1, "n", count])],
            graph.constants,
        ),
        opset_imports=[helper.make_opsetid("", _OPSET)],
        producer_name="gateway",
    )
    model.ir_version = 9
    checker.check_model(model)
    octets: bytes = model.SerializeToString(deterministic=True)
    return octets
