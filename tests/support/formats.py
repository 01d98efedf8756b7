"""The types of values that most tests count bytes of."""

from archcalc.formats import formats_of

FLOAT32 = formats_of("float32")
