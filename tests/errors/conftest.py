"""The tests of this folder share two modules, which pytest's import mode would not find."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
