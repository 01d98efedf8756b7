"""Recorded model files that have layers and more than a few of them."""

from __future__ import annotations

from pathlib import Path

_DATA = Path(__file__).parents[1] / "data"
_NAMES = """
pt2/resnet18.pt2 pt2/attention.pt2 pt2/two_inputs.pt2 pt2/windows_of_two.pt2 pt2/training.pt2
keras/images_2.json keras/images_3.json keras/sequences_3.json keras/shared_2.json keras/shared_3.keras
keras/vgg16_3.json onnx/classifier.onnx onnx/volume.onnx
"""
_FOLDERS = [*(_DATA / "pt2" / "torchvision").glob("*.pt2"), *(_DATA / "weighted").glob("*.pt2")]
RECORDED = [*(_DATA / name for name in _NAMES.split()), *sorted(_FOLDERS)]
