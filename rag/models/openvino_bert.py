"""A plain BERT in OpenVINO, for passages. The only module that imports openvino.

The graph is built operation by operation from the weights in the model's own file, so nothing is
exported or cached, and neither PyTorch nor transformers is imported. Matrix products are in
bfloat16 where the processor has instructions for it.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Sequence
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import numpy as np

from rag.errors import InputError, ModelError
from rag.models.bert import Bert, Layer, Linear, Norm
from rag.models.pooling import Forward
from rag.types.arrays import TokenVectors

if TYPE_CHECKING:
    from openvino import AsyncInferQueue, Core, InferRequest, Node
    from tokenizers import Encoding


PRECISION_VARIABLE = "RAG_PRECISION"

_HINTS = {"bfloat16": "bf16", "float32": "f32"}
"""OpenVINO's names."""


def is_installed() -> bool:
    """Whether openvino is installed, without importing it."""
    return find_spec("openvino") is not None


def precision() -> str:
    """The precision of matrix products, ``bfloat16`` or ``float32``: ``$RAG_PRECISION``, or else
    bfloat16 if the processor has instructions for it. Raises InputError if the variable has
    another value.
    """
    asked = os.environ.get(PRECISION_VARIABLE)
    if asked in _HINTS:
        return asked
    if asked:
        raise InputError(f"{PRECISION_VARIABLE} must be float32 or bfloat16, not “{asked}”")
    has_instructions = "BF16" in _core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")
    return "bfloat16" if has_instructions else "float32"


class OpenVinoBert:
    """A BERT compiled by OpenVINO for this machine's CPU. Runs are serialised across threads.

    Each text runs unpadded on its own; one text per core runs at a time, each in its own thread, so
    no core waits for another.
    """

    def __init__(self, bert: Bert) -> None:
        self._running = threading.Lock()
        self._words = bert.word_embeddings
        try:
            self._queue = _compile(bert)
        except (ImportError, RuntimeError) as error:
            raise ModelError(
                f"OpenVINO does not run here: {str(error).strip().partition(chr(10))[0]}; "
                "to use PyTorch, remove it: pip uninstall openvino"
            ) from error

    def forward(self, encodings: Sequence[Encoding], _prompt: str) -> Forward:
        """Run the model over tokenised texts, longest first, so that all cores finish together."""
        found: dict[int, TokenVectors] = {}

        def keep(request: InferRequest, text: int) -> None:
            found[text] = request.get_output_tensor(0).data.copy()

        with self._running:
            self._queue.set_callback(keep)
            for text in sorted(range(len(encodings)), key=lambda i: -len(encodings[i].ids)):
                # Looked up here, so that the graph has no copy of the vocabulary's vectors.
                self._queue.start_async([self._words[encodings[text].ids]], text)
            self._queue.wait_all()
        tokens = [found[text] for text in range(len(encodings))]
        return Forward(tokens, np.stack([one.mean(axis=0) for one in tokens]))


def _core() -> Core:
    # By default, openvino reports its import to Google Analytics. None in sys.modules makes the
    # telemetry package unimportable; openvino works without it.
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]
    import openvino

    return openvino.Core()


def _compile(bert: Bert) -> AsyncInferQueue:
    core = _core()
    from openvino import AsyncInferQueue

    # By default, OpenVINO would use float16 where the processor has no bfloat16.
    hints = {"PERFORMANCE_HINT": "THROUGHPUT", "INFERENCE_PRECISION_HINT": _HINTS[precision()]}
    return AsyncInferQueue(core.compile_model(_model(bert), "CPU", hints))


def _model(bert: Bert) -> Any:  # noqa: ANN401 - openvino.Model
    """Build the graph: word embeddings of one text in, its token vectors out; both have the shape
    (tokens, width), float32.
    """
    import openvino
    from openvino import opset13 as ops

    def constant(values: Any) -> Node:  # noqa: ANN401 - an array or a list
        return ops.constant(np.asarray(values))

    def linear(x: Node, by: Linear) -> Node:
        product = ops.matmul(x, constant(by.weight), transpose_a=False, transpose_b=True)
        return ops.add(product, constant(by.bias))

    def norm(x: Node, by: Norm) -> Node:
        y = ops.mvn(
            x,
            axes=constant([-1]),
            normalize_variance=True,
            eps=by.epsilon,
            eps_mode="inside_sqrt",
        )
        return ops.add(ops.multiply(y, constant(by.weight)), constant(by.bias))

    def split(x: Node) -> Node:
        """Reshape (tokens, width) to (1, heads, tokens, head width)."""
        each = ops.reshape(
            x, constant([1, -1, bert.heads, width // bert.heads]), special_zero=False
        )
        return ops.transpose(each, constant([0, 2, 1, 3]))

    def attention(x: Node, layer: Layer) -> Node:
        mixed = ops.scaled_dot_product_attention(
            split(linear(x, layer.query)),
            split(linear(x, layer.key)),
            split(linear(x, layer.value)),
        )
        joined = ops.reshape(
            ops.transpose(mixed, constant([0, 2, 1, 3])), constant([-1, width]), special_zero=False
        )
        return linear(joined, layer.attention_output)

    width = bert.word_embeddings.shape[1]
    words = ops.parameter([-1, width], np.float32, "words")
    count = ops.gather(ops.shape_of(words), constant([0]), constant(0))
    places = ops.slice(
        constant(bert.position_embeddings), constant([0]), count, constant([1]), constant([0])
    )
    x = norm(
        ops.add(ops.add(words, places), constant(bert.segment_embeddings[:1])), bert.embedding_norm
    )
    for layer in bert.layers:
        x = norm(ops.add(x, attention(x, layer)), layer.attention_norm)
        wide = ops.gelu(linear(x, layer.intermediate), "erf")
        x = norm(ops.add(x, linear(wide, layer.output)), layer.output_norm)
    return openvino.Model([x], [words], "bert")
