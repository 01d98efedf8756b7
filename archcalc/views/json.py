"""Write one JSON document, whose shape does not depend on the options."""

from __future__ import annotations

import json
from collections.abc import Sequence

from archcalc.reports.model import Report

SCHEMA_VERSION = 1


def render(command: str, reports: Sequence[Report]) -> str:
    document = {
        "schema_version": SCHEMA_VERSION,
        "command": command,
        "networks": [document for report in reports for document in report.documents()],
    }
    return json.dumps(document, indent=2)  # in ASCII: control characters arrive escaped
