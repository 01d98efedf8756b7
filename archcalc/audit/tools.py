"""The tools of `--as`, by name."""

from __future__ import annotations

from archcalc.audit.keras_tool import KERAS
from archcalc.audit.thop_tools import THOP
from archcalc.audit.torch_profilers import FVCORE, TORCHINFO
from archcalc.audit.torch_summaries import PTFLOPS, TORCHSUMMARY

TOOLS = {tool.name: tool for tool in (TORCHINFO, THOP, FVCORE, TORCHSUMMARY, PTFLOPS, KERAS)}
