"""Functions and classes that torch lacks; a file that needs them has them before its blocks."""

from __future__ import annotations

from collections.abc import Collection

PRELUDE = {
    "HalfNorm": '''
class HalfNorm(nn.BatchNorm2d):
    """A batch norm that learns a scale ("weight") or a shift ("bias"), and not the other."""

    def __init__(self, channels, part, eps=1e-5):
        super().__init__(channels, eps, affine=False)
        self.register_parameter(part, nn.Parameter(torch.full((channels,), float(part == "weight"))))
''',
    "ends": '''
def ends(y, units):
    """The last step of the way on, and the first of the way back."""
    return torch.cat([y[:, -1, :units], y[:, 0, units:]], 1)
''',
    "to_depth": '''
def to_depth(x, factor):
    """Blocks of a map [n, h, w, c] as channels; vertical neighbors come before horizontal ones."""
    n, h, w, c = x.shape
    x = F.pad(x, (0, 0, 0, -w % factor, 0, -h % factor))
    x = x.unflatten(2, (-1, factor)).unflatten(1, (-1, factor))
    return x.permute(0, 1, 3, 4, 2, 5).flatten(3)
''',
    "waves": '''
def waves(places, channels):
    """Sines and cosines of the place, by turns."""
    pair = torch.arange(channels) // 2
    angle = torch.arange(places)[:, None] * 10000.0 ** (-2 * pair / channels)
    return torch.where(torch.arange(channels) % 2 == 1, angle.cos(), angle.sin())
''',
    "swiglu": '''
def swiglu(x):
    """The first half of the channels as the gate of the second."""
    gate, value = x.chunk(2, -1)
    return F.silu(gate) * value
''',
    "turn": '''
def turn(x, base):
    """Halves of a head as pairs, turned by the angle of their place."""
    half = x.shape[-1] // 2
    places = torch.arange(x.shape[-2], device=x.device)[:, None]
    angle = places * float(base) ** (-torch.arange(half, device=x.device) / half)
    first, second = x.split(half, -1)
    cosine, sine = angle.cos(), angle.sin()
    return torch.cat([first * cosine - second * sine, second * cosine + first * sine], -1)
''',
    "attend": '''
def attend(query, key, value, heads, kv, causal=False, base=0):
    """Attention of every head: [n, tokens, channels] in and out."""
    query = query.unflatten(2, (heads, -1)).transpose(1, 2)
    key, value = (part.unflatten(2, (kv, -1)).transpose(1, 2) for part in (key, value))
    if base:
        query, key = turn(query, base), turn(key, base)
    key, value = (part.repeat_interleave(heads // kv, 1) for part in (key, value))
    mixed = F.scaled_dot_product_attention(query, key, value, is_causal=causal)
    return mixed.transpose(1, 2).flatten(2)
''',
    "WindowAttention": '''
class WindowAttention(nn.Module):
    """Attention in windows of a map [n, h, w, channels], with a bias for each distance of two places.

    With a shift the map is rolled before and back behind; what the roll brought together stays apart.
    """

    def __init__(self, channels, heads, window, shift=0):
        super().__init__()
        self.heads, self.window, self.shift = heads, window, shift
        self.query, self.key, self.value, self.output = (nn.Linear(channels, channels) for _ in range(4))
        self.position = nn.Parameter(torch.zeros((2 * window - 1) ** 2, heads))

    def cut(self, x):
        x = x.unflatten(2, (-1, self.window)).unflatten(1, (-1, self.window))
        return x.transpose(2, 3).flatten(3, 4).flatten(0, 2)

    def bias(self):
        places = torch.arange(self.window)
        apart = places[:, None] - places + self.window - 1
        pairs = apart[:, None, :, None] * (2 * self.window - 1) + apart[None, :, None, :]
        return self.position[pairs.flatten(2).flatten(0, 1)].permute(2, 0, 1)

    def forward(self, x):
        n, h, w, _ = x.shape
        side = self.window
        x = F.pad(x, (0, 0, 0, -w % side, 0, -h % side))
        _, high, wide, _ = x.shape
        down, across = (self.shift if size > side else 0 for size in (h, w))
        tokens, bias = self.cut(x.roll((-down, -across), (1, 2))), self.bias()
        if down or across:
            rows, columns = torch.arange(high) >= high - down, torch.arange(wide) >= wide - across
            region = self.cut((2 * rows[:, None] + columns.int()).expand(n, -1, -1)[..., None])
            bias = bias + torch.where(region == region.transpose(1, 2), 0.0, -torch.inf)[:, None]
        parts = (layer(tokens) for layer in (self.query, self.key, self.value))
        heads = (part.unflatten(2, (self.heads, -1)).transpose(1, 2) for part in parts)
        mixed = F.scaled_dot_product_attention(*heads, attn_mask=bias)
        made = self.output(mixed.transpose(1, 2).flatten(2))
        made = made.unflatten(0, (n, high // side, -1)).unflatten(3, (side, side))
        made = made.transpose(2, 3).flatten(3, 4).flatten(1, 2)
        return made.roll((down, across), (1, 2))[:, :h, :w]
''',
    "Attention": '''
class Attention(nn.Module):
    """Attention of a sequence to itself, or to another one."""

    def __init__(
        self, channels, heads, kv=0, width=0, memory=0, causal=False, base=0, bias=True, output=True
    ):
        super().__init__()
        self.heads, self.kv, self.causal, self.base = heads, kv or heads, causal, base
        width, memory = width or channels, memory or channels
        inner = width // heads * self.kv
        self.query = nn.Linear(channels, width, bias=bias)
        self.key = nn.Linear(memory, inner, bias=bias)
        self.value = nn.Linear(memory, inner, bias=bias)
        self.output = nn.Linear(width, channels, bias=bias) if output else nn.Identity()

    def forward(self, x, memory=None, values=None):
        memory = x if memory is None else memory
        values = memory if values is None else values
        parts = self.query(x), self.key(memory), self.value(values)
        return self.output(attend(*parts, self.heads, self.kv, self.causal, self.base))
''',
}

# the replacements for a file without rotary embeddings
_TURNING = (
    ('causal=False, base=0):\n    """Attention of', 'causal=False):\n    """Attention of'),
    ("    if base:\n        query, key = turn(query, base), turn(key, base)\n", ""),
    ("causal=False, base=0, bias", "causal=False, bias"),
    (
        "self.causal, self.base = heads, kv or heads, causal, base",
        "self.causal = heads, kv or heads, causal",
    ),
    ("self.causal, self.base)", "self.causal)"),
)


def prelude(needs: Collection[str]) -> list[str]:
    """Return the functions and classes of these names; each follows those that it calls."""
    found = [text.strip() for name, text in PRELUDE.items() if name in needs]
    if "turn" not in needs:
        for turned, plain in _TURNING:
            found = [text.replace(turned, plain) for text in found]
    return found
