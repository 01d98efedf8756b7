"""archcalc diff: `compare` under the usual name."""

from archcalc.commands.compare import made

command = made("diff")
