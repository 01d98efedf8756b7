"""What is wrong with a layer is said in one line with its place; hostile files are bounded."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest

from archcalc import load_model
from archcalc.errors import ArchError

Config = dict[str, Any]


def image(*size: int | None) -> Config:
    return {"class_name": "InputLayer", "config": {"name": "in", "batch_shape": [None, *size]}}


def layer(cls: str, **config: Any) -> Config:
    return {"class_name": cls, "config": {"name": "x", **config}}


def model(*layers: Config) -> Config:
    return {"class_name": "Sequential", "config": {"layers": list(layers)}}


def said(tmp_path: Path, document: Any, **options: Any) -> tuple[str, str]:
    path = tmp_path / "m.json"
    path.write_text(document if isinstance(document, str) else json.dumps(document))
    with pytest.raises(ArchError) as error:
        load_model(str(path), **options)
    diagnostic = error.value.diagnostics[0]
    return diagnostic.message, "; ".join(map(str, diagnostic.notes)) or diagnostic.help


MAP = image(9, 9, 4)
CASES = [
    (layer("Conv2D", filters=2, kernel_size=11), "its window of 11×11 is larger than its input of 9×9"),
    (layer("Conv2D", filters=-2, kernel_size=3), "filters must be a positive integer, not -2"),
    (
        layer("Conv2D", filters=10**30, kernel_size=3),
        f"filters must be a positive integer, not {10**30}",
    ),
    (layer("Conv2D", filters=4, kernel_size=[3]), "kernel_size has 1 numbers for 2 axes"),
    (
        layer("Conv2D", filters=4, kernel_size=3, padding="full"),
        "padding 'full' is none of same, valid and causal",
    ),
    (
        layer("Conv2D", filters=4, kernel_size=3, groups=3),
        "3 groups do not divide 4 channels and 4 filters",
    ),
    (layer("Conv2D"), "filters is not given"),
    (layer("Conv1D", filters=1, kernel_size=1), "it reads 2 axes, and gets 9×9×4"),
    (
        layer("Conv2DTranspose", filters=1, kernel_size=3, output_padding=1),
        "output_padding of a transposed convolution is not read",
    ),
    (layer("ZeroPadding2D", padding=[1, 2, 3]), "padding has 3 entries for 2 axes"),
    (layer("ZeroPadding2D", padding=[1, -2]), "padding must be integers from 0, not [1, -2]"),
    (layer("Cropping2D", cropping=5), "it cuts 10 of 9"),
    (layer("UpSampling2D", interpolation="area"), "interpolation 'area' is not known"),
    (
        layer("UpSampling2D", size=1 << 39),
        "what it makes is larger than anything that is read",
    ),
    (layer("BatchNormalization", axis=2), "a norm of axis 2 of 4 is not read"),
    (layer("BatchNormalization", axis=7), "axis 7 is none of 4 axes"),
    (layer("LayerNormalization", axis=1), "a norm over other axes than the last ones is not read"),
    (layer("GroupNormalization", groups=3), "3 groups do not divide 4 channels"),
    (layer("Reshape", target_shape=[5, -1]), "324 values do not make 5×-1"),
    (layer("Permute", dims=[1, 1, 2]), "(0, 1, 1, 2) is no order of 4 axes"),
    (layer("LSTM", units=3), "it reads one sequence of vectors, and makes one output"),
    (
        layer("GRU", units=3, activation="relu"),
        "a recurrent layer is counted with activation tanh only",
    ),
    (layer("Bidirectional", layer={"class_name": "Dense"}), "it wraps no recurrent layer that is known"),
    (
        layer("MultiHeadAttention", num_heads=1, key_dim=1),
        "it reads query, value and key as sequences, and nothing else",
    ),
    (layer("CustomScaleLayer"), "it joins two inputs"),
    (layer("Rescaling", scale=[1, 2, 3]), "3 numbers for 4 channels"),
    (layer("Reshape"), "its settings are not written as Keras writes them"),
]


@pytest.mark.parametrize(("bad", "fact"), CASES, ids=lambda value: str(value)[:50])
def test_a_layer_that_cannot_be(tmp_path: Path, bad: Config, fact: str) -> None:
    message, _ = said(tmp_path, model(MAP, bad))
    assert message == f"m.json: layer 'x' ({bad['class_name']}): {fact}"


def test_unknown_layers_are_listed_once_a_kind(tmp_path: Path) -> None:
    strange = [layer("Spiral", name=f"s{i}") for i in range(3)]
    code = layer("Lambda", name="code", function="…")
    message, notes = said(tmp_path, model(MAP, *strange, code, layer("Activation", activation="odd")))
    assert message == "m.json holds 5 layers that archcalc does not know"
    assert notes == (
        "Spiral, no rule counts it: layer 's0' (Spiral) and 2 more; "
        "Lambda, Python code, which is never run: layer 'code' (Lambda); "
        "Activation, its activation 'odd' is not known: layer 'x' (Activation)"
    )


def functional(tmp_path: Path) -> Config:
    """A stranger between two layers, in Keras 3's words: what it makes is recorded."""

    def tensor(name: str, *shape: int | None) -> Config:
        config = {"shape": [None, *shape], "keras_history": [name, 0, 0]}
        return {"class_name": "__keras_tensor__", "config": config}

    def reads(*tensors: Config) -> list[Config]:
        return [{"args": list(tensors), "kwargs": {}}]

    entry = {"class_name": "InputLayer", "config": {"batch_shape": [None, 6]}, "name": "in"}
    odd = {"class_name": "Spiral", "config": {}, "name": "odd", "inbound_nodes": reads(tensor("in", 6))}
    last = {"class_name": "Dense", "config": {"units": 2}, "name": "out"}
    layers = [{**entry, "inbound_nodes": []}, odd, {**last, "inbound_nodes": reads(tensor("odd", 5))}]
    ends = {"input_layers": [["in", 0, 0]], "output_layers": [["out", 0, 0]]}
    return {"class_name": "Functional", "module": "keras", "config": {"layers": layers, **ends}}


def test_a_recorded_shape_lets_the_others_be_counted(tmp_path: Path) -> None:
    document = functional(tmp_path)
    message, notes = said(tmp_path, document)
    assert message == "m.json holds an operation that archcalc does not know"
    assert notes == "Spiral: layer 'odd' (Spiral)"
    counted = load_model(str(tmp_path / "m.json"), allow_unknown=True)
    assert (counted.multiplies, counted.complete) == (5 * 2, False)


def test_a_recorded_shape_must_be_the_computed_one(tmp_path: Path) -> None:
    document = functional(tmp_path)
    document["config"]["layers"][1]["class_name"] = "Activation"
    assert said(tmp_path, document)[0] == (
        "m.json: layer 'odd' (Activation): it makes 6, where the file records 5"
    )


def test_calls_that_wait_for_each_other(tmp_path: Path) -> None:
    document = functional(tmp_path)
    odd = document["config"]["layers"][1]["inbound_nodes"][0]["args"][0]["config"]
    odd["keras_history"] = ["out", 0, 0]
    assert said(tmp_path, document)[0] == "m.json: layer 'odd' waits for tensors that nothing makes"


@pytest.mark.parametrize(
    ("document", "message", "help"),
    [
        (
            {"class_name": "MyModel", "config": {}},
            "MyModel is Python code: only Sequential and Functional models have their layers in "
            "the file",
            "",
        ),
        (
            {"format": "graph-model", "modelTopology": {"node": []}},
            "a graph model of tfjs, not its layers",
            "convert it to a layers model: tensorflowjs_converter --output_format tfjs_layers_model",
        ),
        (model(), "it has no layers", ""),
        (model(MAP, layer("ReLU"), layer("ReLU")), "two layers are called 'x'", ""),
        ({"class_name": "Model", "config": 3}, "its model is not written as Keras writes it", ""),
        (model(image(*[1] * 30)), "the shape of an input is no list of a few sizes", ""),
        (
            model(image(None, 4)),
            "it leaves sizes free: axis 1 of in",
            "give each one: --input in=NxNx4",
        ),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_file_that_is_no_model(tmp_path: Path, document: Config, message: str, help: str) -> None:
    assert said(tmp_path, document) == (f"m.json: {message}", help)


def test_models_in_models_in_models(tmp_path: Path) -> None:
    """Nested a hundred deep; and one called twice at each of thirty levels, 2³⁰ calls."""
    inner = model(image(4), layer("ReLU"))
    for _ in range(100):
        inner = model(image(4), {**inner, "name": "m"})
    start = time.monotonic()
    assert "models are nested more than 30 deep" in said(tmp_path, inner)[0]
    twice = model(image(4), layer("Identity"))
    for _ in range(28):
        calls = [[[["in", 0, 0]]], [[["m", 0, 0]]]]
        layers = [{**image(4), "name": "in"}, {**twice, "name": "m", "inbound_nodes": calls}]
        ends = {"input_layers": [["in", 0, 0]], "output_layers": [["m", 1, 0]]}
        twice = {"class_name": "Functional", "config": {"layers": layers, **ends}}
    assert said(tmp_path, twice)[0].endswith("the model calls layers more than 200,000 times")
    assert time.monotonic() - start < 20


def test_json_of_great_depth(tmp_path: Path) -> None:
    text = '{"class_name": ' + "[" * 100_000
    assert said(tmp_path, text)[0] == "m.json is nested too deeply"


def test_json_that_is_none(tmp_path: Path) -> None:
    assert said(tmp_path, '{"class_name": ')[0].startswith("m.json is no JSON: ")
