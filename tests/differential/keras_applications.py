"""All of keras.applications from their JSON: totals, trainable and multiplies, against Keras itself.

    python keras_applications.py 3 FOLDER    with keras and tensorflow: JSON files and facts of Keras 3
    python keras_applications.py 2 FOLDER    the same with tf_keras
    python keras_applications.py count FOLDER > tests/data/keras_applications.csv    with archcalc

Keras counts the weights; the multiplies are counted from the operations of the TensorFlow graph that it
runs, by their own shapes. torch's FlopCounterMode (keras on torch) gave the same for ResNet50,
MobileNetV3Small, DenseNet121, EfficientNetB0, ConvNeXtTiny and Xception.
"""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Iterator
from math import prod
from pathlib import Path
from typing import Any

_NAMES = """
Xception VGG16 VGG19 ResNet50 ResNet101 ResNet152 ResNet50V2 ResNet101V2 ResNet152V2 InceptionV3
InceptionResNetV2 MobileNet MobileNetV2 MobileNetV3Small MobileNetV3Large DenseNet121 DenseNet169
DenseNet201 NASNetMobile NASNetLarge EfficientNetB0 EfficientNetB1 EfficientNetB2 EfficientNetB3
EfficientNetB4 EfficientNetB5 EfficientNetB6 EfficientNetB7 EfficientNetV2B0 EfficientNetV2B1
EfficientNetV2B2 EfficientNetV2B3 EfficientNetV2S EfficientNetV2M EfficientNetV2L ConvNeXtTiny
ConvNeXtSmall ConvNeXtBase ConvNeXtLarge ConvNeXtXLarge
"""
NAMES = _NAMES.split()


def operations(graph: Any) -> Iterator[Any]:
    """The operations of a graph, with those of the functions that it calls."""
    for op in graph.get_operations():
        if op.type in ("PartitionedCall", "StatefulPartitionedCall"):
            yield from operations(graph._get_function(op.get_attr("f").name).graph)
        else:
            yield op


def products(graph: Any) -> int:
    total = 0
    for op in operations(graph):
        if op.type == "Conv2D":
            total += prod(op.outputs[0].shape) * prod(op.inputs[1].shape[:3])
        elif op.type == "DepthwiseConv2dNative":
            total += prod(op.outputs[0].shape) * prod(op.inputs[1].shape[:2])
        elif op.type == "MatMul":
            rows, columns = op.inputs[0].shape
            inner = rows if op.get_attr("transpose_a") else columns
            total += prod(op.outputs[0].shape) * inner
        assert op.type not in ("BatchMatMulV2", "Einsum", "Conv3D", "Conv2DBackpropInput"), op.type
    return total


def record(keras: Any, folder: Path) -> None:
    import tensorflow as tf

    facts = {}
    for name in NAMES:
        model = getattr(keras.applications, name)(weights=None)
        size = [extent or 224 for extent in model.input_shape[1:]]
        (folder / f"{name}.json").write_text(model.to_json())
        run = tf.function(lambda x, model=model: model(x, training=False))
        graph = run.get_concrete_function(tf.TensorSpec([1, *size])).graph
        facts[name] = {
            "size": size,
            "total": int(model.count_params()),
            "trainable": sum(prod(w.shape) for w in model.trainable_weights),
            "multiplies": products(graph),
        }
        keras.backend.clear_session()
    (folder / "facts.json").write_text(json.dumps(facts))


def counted(path: Path, size: list[int]) -> dict[str, int]:
    """What archcalc counts of the file; the size is given where the file leaves it free."""
    from archcalc import load_model

    config = json.loads(path.read_text())["config"]
    name = config["layers"][0]["config"]["name"]
    model = load_model(str(path), inputs={name: (1, *size)})
    sizes = {w.name: prod(model.trace.tensors[w.tensor].shape) for w in model.trace.weights}
    return {
        "total": sum(sizes.values()),
        "trainable": sum(sizes[w.name] for w in model.trace.weights if w.trains),
        "multiplies": model.multiplies,
    }


def count(folder: Path) -> None:
    rows = csv.writer(sys.stdout, lineterminator="\n")
    rows.writerow(("model", "input", "total", "trainable", "multiplies", "keras_3", "keras_2"))
    facts = {d: json.loads((folder / d / "facts.json").read_text()) for d in ("3", "2")}
    for name in NAMES:
        verdicts = []
        for dialect in ("3", "2"):
            fact = dict(facts[dialect][name])
            mine = counted(folder / dialect / f"{name}.json", fact.pop("size"))
            verdicts.append("equal" if mine == fact else f"differs: {mine}")
        first = facts["3"][name]
        size = "x".join(map(str, first["size"]))
        rows.writerow((name, size, first["total"], first["trainable"], first["multiplies"], *verdicts))


if __name__ == "__main__":
    what, where = sys.argv[1], Path(sys.argv[2])
    if what == "count":
        count(where)
    else:
        import importlib

        (where / what).mkdir(parents=True, exist_ok=True)
        record(importlib.import_module("keras" if what == "3" else "tf_keras"), where / what)
