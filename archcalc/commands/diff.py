"""archcalc diff: `compare` under the name that people look for."""

from archcalc.commands.compare import made

command = made("diff")
