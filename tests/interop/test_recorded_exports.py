"""What tests/differential/torch_exports.py recorded: files counted as torch counts their modules."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

DATA = Path(__file__).parents[1] / "data"
ROWS = {row["model"]: row for row in csv.DictReader((DATA / "torch_exports.csv").open(encoding="utf-8"))}

# attention among the images of a batch, in timm's own code: no axis is the batch
MIXES_IMAGES = ("timm:csatv2",)
# sequences before images: the first axis of its inputs is no batch
SEQUENCE_FIRST = ("nn:transformer", "nn:transformer_gelu")


@pytest.mark.parametrize("model", ROWS)
def test_parameters_and_multiplies_are_torchs(model: str) -> None:
    row = ROWS[model]
    assert row["verdict"] == "equal"
    assert int(row["multiplies"]) + int(row["not_counted"]) == int(row["torch"])
    assert int(row["used"]) <= int(row["parameters"])


@pytest.mark.parametrize("model", ROWS)
def test_an_export_for_two_images_counts_one(model: str) -> None:
    if model not in (*MIXES_IMAGES, *SEQUENCE_FIRST):
        assert ROWS[model]["of_two"] == "equal"
    else:
        assert ROWS[model]["of_two"].startswith("counts are those of the whole input")


def test_what_was_tried() -> None:
    families = [name.partition(":")[0] for name in ROWS]
    assert families.count("torchvision") == 80  # all that torchvision.models lists
    assert families.count("timm") >= 70
    assert {"torchvision.segmentation", "torchvision.video", "torchvision.detection"} <= set(families)
    assert {"nn:transformer", "nn:lstm", "nn:gru", "transformers:bert", "transformers:gpt2"} <= set(ROWS)


def test_googlenet_has_two_counts() -> None:
    """torchvision documents 6,624,904; with the two classifiers of training it is 13,004,888."""
    row = ROWS["torchvision:googlenet"]
    assert (row["used"], row["parameters"]) == ("6624904", "13004888")


DOCUMENTED = list(csv.DictReader((DATA / "torchvision.csv").open(encoding="utf-8")))


@pytest.mark.parametrize("documented", DOCUMENTED, ids=lambda row: row["name"])
def test_counts_are_those_that_torchvision_documents(documented: dict[str, str]) -> None:
    row = ROWS[f"torchvision:{documented['name']}"]
    # inception_v3's documented number is with the classifier of training, googlenet's without
    assert documented["params"] in (row["used"], row["parameters"])
    if documented["input"] in ("224", "299"):  # the sizes that are exported
        giga = round(int(row["multiplies"]) / 10**9, 3)
        assert abs(giga - float(documented["gmacs"])) < 0.0011  # their last digit
