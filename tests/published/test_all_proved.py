"""No network is bundled whose counts are not checked against a source other than archcalc."""

from __future__ import annotations

import csv
from pathlib import Path

from support.exact import NETWORKS

from archcalc.spec import catalog

HERE = Path(__file__).parent
# networks whose own test cites a paper or another package: the file that has it
ELSEWHERE = {
    "allconv": "test_papers_zoo_a.py",
    "bert_base": "test_papers_sequences.py",
    "bert_large": "test_papers_sequences.py",
    "convnext_xlarge": "test_papers_zoo_c.py",
    "crnn": "test_papers_zoo_c.py",
    "darknet19": "test_papers_zoo_b.py",
    "darknet53": "test_papers_zoo_b.py",
    "deeplabv3_resnet101": "test_papers_zoo_c.py",
    "deeplabv3_resnet50": "test_papers_zoo_c.py",
    "ds_cnn": "test_papers_zoo_c.py",
    "efficientnet_v2_b0": "test_papers_zoo_c.py",
    "efficientnet_v2_b1": "test_papers_zoo_c.py",
    "efficientnet_v2_b2": "test_papers_zoo_c.py",
    "efficientnet_v2_b3": "test_papers_zoo_c.py",
    "efficientnet_v2_l": "test_papers_zoo_c.py",
    "efficientnet_v2_m": "test_papers_zoo_c.py",
    "efficientnet_v2_s": "test_papers_zoo_c.py",
    "espcn_x2": "test_papers_zoo_c.py",
    "espcn_x3": "test_papers_zoo_c.py",
    "espcn_x4": "test_papers_zoo_c.py",
    "gpt2": "test_papers_sequences.py",
    "gpt2_medium": "test_papers_sequences.py",
    "gpt2_untied": "test_papers_sequences.py",
    "hrnet_w18": "test_papers_zoo_c.py",
    "hrnet_w32": "test_papers_zoo_c.py",
    "hrnet_w48": "test_papers_zoo_c.py",
    "inception": "test_papers.py",
    "inception_320": "test_papers_zoo_a.py",
    "inception_3a": "test_papers_zoo_a.py",
    "inception_resnet_v2": "test_papers_zoo_a.py",
    "inception_resnet_v2_keras": "test_papers_zoo_a.py",
    "inception_v4": "test_papers_zoo_a.py",
    "lenet5_1998": "test_papers.py",
    "llama3_8b": "test_papers_sequences.py",
    "llama3_copy": "test_papers_sequences.py",
    "m11": "test_papers_zoo_c.py",
    "m18": "test_papers_zoo_c.py",
    "m3": "test_papers_zoo_c.py",
    "m5": "test_papers_zoo_c.py",
    "m5_keywords": "test_papers_zoo_c.py",
    "mc3_18": "test_papers_zoo_c.py",
    "mixer_b_16": "test_papers_zoo_b.py",
    "mixer_b_32": "test_papers_zoo_b.py",
    "mixer_l_16": "test_papers_zoo_b.py",
    "mobilenet_v1_025": "test_papers_zoo_a.py",
    "mobilenet_v1_050": "test_papers_zoo_a.py",
    "mobilenet_v1_075": "test_papers_zoo_a.py",
    "mobilenet_v2_035": "test_papers_zoo_a.py",
    "mobilenet_v2_050": "test_papers_zoo_a.py",
    "mobilenet_v2_075": "test_papers_zoo_a.py",
    "mobilenet_v2_130": "test_papers_zoo_a.py",
    "mobilenet_v2_140": "test_papers_zoo_a.py",
    "mobilenet_v3_large_075": "test_papers_zoo_a.py",
    "mobilenet_v3_small_075": "test_papers_zoo_a.py",
    "nasnet_large": "test_papers_zoo_c.py",
    "nasnet_mobile": "test_papers_zoo_c.py",
    "r2plus1d_18": "test_papers_zoo_c.py",
    "r3d_18": "test_papers_zoo_c.py",
    "regnet_x_200mf": "test_papers_zoo_b.py",
    "regnet_x_400mf_pycls": "test_papers_zoo_b.py",
    "regnet_y_200mf": "test_papers_zoo_b.py",
    "regnet_y_800mf_pycls": "test_papers_zoo_b.py",
    "regnet_y_8gf_pycls": "test_papers_zoo_b.py",
    "repvgg_a0": "test_papers_zoo_b.py",
    "repvgg_a1": "test_papers_zoo_b.py",
    "repvgg_a2": "test_papers_zoo_b.py",
    "repvgg_b0": "test_papers_zoo_b.py",
    "repvgg_b1": "test_papers_zoo_b.py",
    "repvgg_b2": "test_papers_zoo_b.py",
    "repvgg_b3": "test_papers_zoo_b.py",
    "resnet101_v2": "test_papers_zoo_b.py",
    "resnet101_v2_keras": "test_papers_zoo_b.py",
    "resnet152_v2": "test_papers_zoo_b.py",
    "resnet152_v2_keras": "test_papers_zoo_b.py",
    "resnet200_v2": "test_papers_zoo_b.py",
    "resnet50_v2": "test_papers_zoo_b.py",
    "se_resnet50": "test_papers_zoo_b.py",
    "siamese": "test_papers_zoo_c.py",
    "swin_b": "test_papers_zoo_b.py",
    "swin_s": "test_papers_zoo_b.py",
    "transformer_base": "test_papers_zoo_c.py",
    "transformer_big": "test_papers_zoo_c.py",
    "unet": "test_papers_zoo_b.py",
    "unet_paper": "test_papers_zoo_b.py",
    "vgg11_lrn": "test_papers_zoo_a.py",
    "vgg16_torch": "test_papers_zoo_a.py",
    "wide_resnet16_8": "test_papers_zoo_b.py",
    "wide_resnet28_10": "test_papers_zoo_b.py",
    "wide_resnet40_4": "test_papers_zoo_b.py",
    "xception": "test_papers_zoo_a.py",
    "yolov3": "test_papers_zoo_c.py",
}


def test_every_bundled_network_is_proved() -> None:
    exact = {name.partition(":")[0] for name in NETWORKS.values()}
    torchvision = {row["name"] for row in csv.DictReader((HERE.parent / "data/torchvision.csv").open())}
    for entry in catalog.bundled():
        assert entry.name in exact | torchvision | ELSEWHERE.keys(), entry.name


def test_the_other_sources_are_there() -> None:
    for name, file in ELSEWHERE.items():
        assert f'"{name}"' in (HERE / file).read_text(encoding="utf-8"), name
