"""Models of Keras count as Keras counts them: small files in every dialect, and all its applications."""

from __future__ import annotations

import csv
import json
from math import prod
from pathlib import Path
from typing import Any

import pytest

from archcalc import load, load_model
from archcalc.imported import Model

DATA = Path(__file__).parents[2] / "data"
FACTS = json.loads((DATA / "keras" / "facts.json").read_text())
APPLICATIONS = list(csv.DictReader((DATA / "keras_applications.csv").open(encoding="utf-8")))


def model(name: str) -> Model:
    (path,) = (DATA / "keras").glob(f"{name}.*")
    return load_model(str(path))


def sizes(found: Model) -> dict[str, int]:
    return {w.name: prod(found.trace.tensors[w.tensor].shape) for w in found.trace.weights}


@pytest.mark.parametrize("name", FACTS)
def test_counts_are_those_of_keras(name: str) -> None:
    """keras_fixtures.py made the files with the libraries, and the facts by them: both dialects."""
    found, fact = model(name), FACTS[name]
    weights = sizes(found)
    assert sum(weights.values()) == fact["total"]
    assert sum(weights[w.name] for w in found.trace.weights if w.trains) == fact["trainable"]
    # torch counted Keras 3's forward pass; Keras 2's networks are the same ones
    assert found.multiplies == FACTS[f"{name[:-1]}3"]["multiplies"]
    tensors = found.trace.tensors
    assert [list(tensors[output].shape) for output in found.trace.outputs] == fact["outputs"]


@pytest.mark.parametrize("name", FACTS)
def test_shapes_are_those_of_keras(name: str) -> None:
    """Images are written channels first: axis 1 is Keras' last."""
    found, last = model(name), {}
    for operation in found.trace.operations:
        last[operation.module] = found.trace.tensors[operation.outputs[0]].shape
    compared = 0
    for layer, (batch, *rest) in FACTS[name]["shapes"].items():
        if layer in last:
            either = (batch, *rest), (batch, *rest[-1:], *rest[:-1])
            assert last[layer] in either, layer
            compared += 1
    assert compared > 1


def test_dialects_agree() -> None:
    for name in ("images", "shared", "sequences", "plain"):
        assert model(f"{name}_2").counts == model(f"{name}_3").counts


def test_vgg16() -> None:
    """138,357,544 parameters, as published; 3×3 and dense products of its table."""
    found = model("vgg16_3")
    assert found.parameters == 138_357_544
    widths = [(224, 3, 64), (224, 64, 64), (112, 64, 128), (112, 128, 128), (56, 128, 256)]
    widths += [(56, 256, 256)] * 2 + [(28, 256, 512)] + [(28, 512, 512)] * 2 + [(14, 512, 512)] * 3
    products = sum(size * size * 9 * before * after for size, before, after in widths)
    assert found.multiplies == products + 25088 * 4096 + 4096 * 4096 + 4096 * 1000


@pytest.mark.parametrize("row", APPLICATIONS, ids=lambda row: row["model"])
def test_all_applications_were_equal(row: dict[str, str]) -> None:
    """What tests/differential/keras_applications.py recorded, from JSON of Keras 3 and Keras 2."""
    assert (row["keras_3"], row["keras_2"]) == ("equal", "equal")


def test_what_was_tried() -> None:
    assert len(APPLICATIONS) == 40


def written(tmp_path: Path, document: Any) -> str:
    (tmp_path / "model.json").write_text(json.dumps(document))
    return str(tmp_path / "model.json")


def dense(name: str, units: int, **more: Any) -> dict[str, Any]:
    return {"class_name": "Dense", "config": {"name": name, "units": units, **more}}


def test_tfjs_writes_layers_as_a_list(tmp_path: Path) -> None:
    """2·16 + 16·3 products, as many weights, and 16 + 3 biases."""
    layers = [dense("a", 16, batch_input_shape=[None, 2]), dense("b", 3, activation="softmax")]
    topology = {"class_name": "Sequential", "config": layers, "keras_version": "tfjs-layers 1.2.2"}
    found = load_model(written(tmp_path, {"modelTopology": topology, "weightsManifest": []}))
    assert (found.multiplies, found.parameters) == (80, 99)
    assert found.trace.source == "tfjs layers model, Keras tfjs-layers 1.2.2"


def test_tfjs_wraps_what_keras_wrote(tmp_path: Path) -> None:
    config = json.loads((DATA / "keras" / "images_2.json").read_text())
    topology = {"keras_version": "2.21.0", "backend": "tensorflow", "model_config": config}
    found = load_model(written(tmp_path, {"format": "layers-model", "modelTopology": topology}))
    assert found.counts == model("images_2").counts


@pytest.mark.parametrize("name", ["images_2", "images_3", "shared_2", "shared_3", "vgg16_3"])
def test_files_are_read_as_layers(name: str) -> None:
    """`load` makes archcalc's own layers of them: memory, field and the rest work."""
    (path,) = (DATA / "keras").glob(f"{name}.*")
    counts, counted = load(str(path)).analyze(), model(name)
    assert (counts.parameters, counts.multiplies) == (counted.parameters, counted.multiplies)


def test_layers_that_are_frozen_say_so() -> None:
    """tower's first conv: 3·3·1·4 weights and 4 biases."""
    assert model("shared_3").frozen == 40


def test_a_free_size_is_given_by_the_name_of_the_input(tmp_path: Path) -> None:
    conv = {"name": "c", "filters": 2, "kernel_size": 3, "batch_input_shape": [None, None, 8, 1]}
    document = {"class_name": "Sequential", "config": [{"class_name": "Conv2D", "config": conv}]}
    path = written(tmp_path, document)
    # (10 − 2)·(8 − 2) positions · 2 filters · 9 products
    assert load_model(path, inputs={"c_input": (1, 10, 8, 1)}).multiplies == 8 * 6 * 2 * 9
    assert load_model(path, inputs={"c_input": (4, 10, 8, 1)}).multiplies == 8 * 6 * 2 * 9


def test_files_say_that_shapes_were_computed() -> None:
    assert model("images_3").trace.notes == (
        "Keras' file holds layers: shapes were computed from them, and are written channels first",
    )
