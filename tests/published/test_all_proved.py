"""No network is bundled whose counts are not checked against a source other than archcalc."""

from __future__ import annotations

import csv
from pathlib import Path

from support.exact import NETWORKS

from archcalc.spec import catalog

HERE = Path(__file__).parent
# networks whose own test cites a paper or another package: the file that has it
ELSEWHERE = {"inception": "test_papers.py", "lenet5_1998": "test_papers.py"}


def test_every_bundled_network_is_proved() -> None:
    exact = {name.partition(":")[0] for name in NETWORKS.values()}
    torchvision = {row["name"] for row in csv.DictReader((HERE.parent / "data/torchvision.csv").open())}
    for entry in catalog.bundled():
        assert entry.name in exact | torchvision | ELSEWHERE.keys(), entry.name


def test_the_other_sources_are_there() -> None:
    for name, file in ELSEWHERE.items():
        assert f'"{name}"' in (HERE / file).read_text(encoding="utf-8"), name
