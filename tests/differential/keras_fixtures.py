"""Make tests/data/keras with the real libraries: small networks in both dialects, and facts by Keras.

    python keras_fixtures.py 3    with keras and torch: the multiplies are what torch counts as it runs
    python keras_fixtures.py 2    with tf_keras

A `.keras` file is kept without its weights, which are not read. `vgg16_3.json` is
`keras.applications.VGG16(weights=None).to_json()`.
"""

from __future__ import annotations

import json
import os
import sys
import zipfile
from math import prod
from pathlib import Path
from typing import Any

DIALECT = sys.argv[1]
os.environ["KERAS_BACKEND"] = "torch"
if DIALECT == "3":
    import keras as K
else:
    import tf_keras as K
L = K.layers
DATA = Path(__file__).parents[1] / "data" / "keras"


def images() -> Any:
    x = start = L.Input((33, 30, 3), name="image")
    x = L.Rescaling(1 / 127.5, offset=-1.0)(x)
    x = L.Conv2D(8, 3, strides=2, padding="same", use_bias=False, name="stem")(x)
    x = L.ReLU(6.0)(L.BatchNormalization(scale=False)(x))
    a = L.DepthwiseConv2D(3, padding="same", depth_multiplier=2)(x)
    a = L.SeparableConv2D(8, 5, padding="same", activation="swish")(a)
    gate = L.GlobalAveragePooling2D(keepdims=True)(a)
    a = L.Multiply()([a, L.Conv2D(8, 1, activation="sigmoid")(gate)])
    x = L.PReLU(shared_axes=[1, 2])(L.Add()([x, a]))
    x = L.ZeroPadding2D(((0, 1), (2, 3)))(x)
    x = L.Conv2D(12, (3, 2), dilation_rate=(2, 1), groups=2, name="dilated")(x)
    x = L.MaxPooling2D(3, strides=2, padding="same")(x)
    x = L.Conv2DTranspose(6, 3, strides=2, padding="same")(x)
    x = L.Cropping2D(((1, 0), (0, 2)))(x)
    x = L.AveragePooling2D(2)(L.UpSampling2D(2, interpolation="bilinear")(x))
    x = L.Dense(5, activation="gelu", name="mixed")(L.LayerNormalization()(x))
    x = x * 0.5 + 1.0
    x = L.Dropout(0.3)(L.Flatten()(x))
    return K.Model(start, L.Dense(10, activation="softmax", name="head")(x), name="images")


def shared() -> Any:
    layers = [L.Input((16, 16, 1)), L.Conv2D(4, 3, name="c"), L.MaxPooling2D(), L.Flatten()]
    tower = K.Sequential([*layers, L.Dense(7, name="d")], name="tower")
    tower.layers[0].trainable = False
    left, right = (L.Input((16, 16, 1), name=name) for name in ("left", "right"))
    twice = L.Dense(14, activation="tanh", name="twice")
    x = twice(twice(L.Concatenate()([tower(left), tower(right)])))
    y = L.Subtract()([x, twice(x)])
    return K.Model([left, right], [L.Dense(1, name="out")(y), x], name="pair")


def sequences() -> Any:
    start = L.Input((12,), dtype="int32", name="ids")
    x = L.Embedding(50, 16, name="table")(start)
    x = L.LayerNormalization()(L.Add()([x, L.MultiHeadAttention(4, 5, name="mha")(x, x)]))
    x = L.TimeDistributed(L.Dense(6), name="each")(x)
    x = L.Conv1D(8, 3, padding="causal", name="causal")(x)
    x = L.Bidirectional(L.GRU(5, return_sequences=True), name="both")(x)
    x = L.Bidirectional(L.LSTM(3), merge_mode="concat", name="ends")(x)
    return K.Model(start, L.Dense(2, name="out")(x), name="sequences")


def plain() -> Any:
    if DIALECT == "2":
        first = [L.Conv1D(4, 5, input_shape=(20, 2), name="c")]
    else:
        first = [L.Input((20, 2)), L.Conv1D(4, 5, name="c")]
    return K.Sequential([*first, L.LSTM(6, name="r"), L.Dense(3, name="out")], name="plain")


def products(model: Any) -> int:
    import torch
    from torch.nn.attention import SDPBackend, sdpa_kernel
    from torch.utils.flop_counter import FlopCounterMode

    kinds = {"int32": torch.int32, "float32": torch.float32}
    inputs = [torch.zeros(1, *i.shape[1:], dtype=kinds[i.dtype]) for i in model.inputs]
    counter = FlopCounterMode(display=False)
    with torch.no_grad(), sdpa_kernel(SDPBackend.MATH), counter:
        model(inputs if len(inputs) > 1 else inputs[0], training=False)
    return int(counter.get_total_flops()) // 2


def facts(model: Any) -> dict[str, Any]:
    own = [layer for layer in model.layers if not isinstance(layer, K.Model) and layer.name != "twice"]
    found = {
        "version": K.__version__,
        "total": int(model.count_params()),
        "trainable": sum(prod(w.shape) for w in model.trainable_weights),
        "outputs": [[1, *output.shape[1:]] for output in model.outputs],
        "shapes": {
            layer.name: [1, *layer.output.shape[1:]] for layer in own if hasattr(layer.output, "shape")
        },
    }
    return found | ({"multiplies": products(model)} if DIALECT == "3" else {})


def save(model: Any, name: str) -> None:
    if name != "shared_3":
        (DATA / f"{name}.json").write_text(model.to_json())
        return
    path = DATA / f"{name}.keras"
    model.save(path)
    with zipfile.ZipFile(path) as whole:
        kept = {member: whole.read(member) for member in ("metadata.json", "config.json")}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for member, text in kept.items():
            file.writestr(member, text)


if __name__ == "__main__":
    index = DATA / "facts.json"
    every = json.loads(index.read_text()) if index.exists() else {}
    for make in (images, shared, sequences, plain):
        name, model = f"{make.__name__}_{DIALECT}", make()
        save(model, name)
        every[name] = facts(model)
    index.write_text(json.dumps(every, indent=1, sort_keys=True) + "\n")
