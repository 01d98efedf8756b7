"""Models of torchvision, timm, torch.nn and Hugging Face, exported and counted: both counts must agree.

Run by hand where torch, torchvision, timm and transformers are installed (archcalc need not be: it is
imported from this checkout):

    python tests/differential/torch_exports.py tests/data/torch_exports.csv [FAMILY:NAME …]

Each model is built on the meta device, without weights, exported with torch.export, saved without stack
traces, and counted from the file. Expected are the module's own parameters, and half of what torch's
FlopCounterMode says, with gradients on and plain attention (it counts fused ones as 0 on the CPU). Work
that depends on no input or reaches no output is run by torch and not counted by archcalc: it is a column
of its own, and the sum of both must be torch's number. A row that is recorded is not run again.
Recorded with torch 2.14.1, torchvision 0.29.1, timm 1.0.31, transformers 5.24.0.
"""

from __future__ import annotations

import csv
import os
import signal
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))
os.environ.setdefault("HF_HUB_OFFLINE", "1")

import torch  # noqa: E402
from torch import nn  # noqa: E402
from torch.nn.attention import SDPBackend, sdpa_kernel  # noqa: E402
from torch.utils.flop_counter import FlopCounterMode  # noqa: E402

from archcalc.errors import ArchError  # noqa: E402
from archcalc.interop.batch import per_image  # noqa: E402
from archcalc.interop.load import read  # noqa: E402
from archcalc.interop.prune import prune  # noqa: E402
from archcalc.interop.tally import Tally, count, tally  # noqa: E402

FIELDS = ("model", "parameters", "used", "multiplies", "not_counted", "torch", "verdict", "of_two")
SECONDS = 600  # for one model
Made = tuple[nn.Module, tuple[Any, ...], dict[str, Any]]

# FlopCounterMode knows no rule for recurrent layers on meta: arithmetic decides, written out here.
# A layer multiplies steps · gates · hidden · (inputs + hidden) for every direction.
RECURRENT = {
    "nn:lstm": 50 * (2 * 4 * 128 * (80 + 128) + 2 * 4 * 128 * (256 + 128) + 256 * 30),
    "nn:gru": 50 * (3 * 128 * (80 + 128) + 3 * 128 * (128 + 128) + 128 * 30),
    "nn:rnn": 50 * (128 * (80 + 128) + 128 * 30),
}

TIMM = """
beit_base_patch16_224 botnet26t_256 caformer_s18 cait_s24_224 coat_tiny coatnet_0_rw_224
convformer_s18 convit_small convmixer_768_32 convnext_tiny convnextv2_tiny crossvit_15_240
cs3darknet_m cspresnet50 davit_tiny deit3_small_patch16_224 densenet121 dla34 dm_nfnet_f0 dpn68
edgenext_small efficientformer_l1 efficientformerv2_s0 efficientnet_b0 efficientvit_b0
efficientvit_m0 eva02_tiny_patch14_224 fastvit_t8 fbnetc_100 focalnet_tiny_srf gcvit_tiny gernet_s
ghostnet_100 ghostnetv2_100 halonet26t haloregnetz_b hardcorenas_a hgnet_tiny hiera_tiny_224
hrnet_w18_small inception_next_tiny inception_resnet_v2 inception_v3 inception_v4 lambda_resnet26t
lcnet_050 legacy_senet154 legacy_xception levit_128 maxvit_tiny_rw_224 maxxvit_rmlp_nano_rw_256
mixer_s16_224 mixnet_s mnasnet_100 mobilenetv1_100 mobilenetv2_100 mobilenetv3_large_100
mobilenetv4_conv_small mobileone_s0 mobilevit_s mobilevitv2_050 mvitv2_tiny nasnetalarge nest_tiny
nextvit_small nf_resnet50 pit_s_224 pnasnet5large poolformer_s12 pvt_v2_b0 rdnet_tiny regnetx_004
regnety_004 regnetz_b16 repghostnet_050 repvgg_a0 repvit_m1 res2net50_26w_4s resmlp_12_224
resnest14d resnet18 resnetv2_50 resnetv2_50x1_bit rexnet_100 samvit_base_patch16 sebotnet33ts_256
selecsls42b semnasnet_075 seresnet18 sequencer2d_s skresnet18 spnasnet_100 starnet_s1
swin_tiny_patch4_window7_224 swinv2_tiny_window8_256 swinv2_cr_tiny_224 tf_efficientnet_b0
tf_mixnet_s tiny_vit_5m_224 tinynet_a tnt_s_legacy_patch16_224 tresnet_m twins_svt_small vgg11
visformer_tiny vit_relpos_small_patch16_224 vit_tiny_patch16_224 volo_d1_224 vovnet39a
wide_resnet50_2 xception41 xcit_nano_12_p16_224 condensed eca_resnet33ts vit_base_patch16_siglip_224
vit_so150m_patch16_reg4_gap_256 shvit_s1 swiftformer_xs csatv2 fasternet_t0 hieradet_small
naflexvit_base_patch16_gap
"""


def torchvision_models() -> Iterator[tuple[str, Callable[[], Made]]]:
    import torchvision
    from torchvision import models

    def classifier(name: str) -> Made:
        size = 299 if name == "inception_v3" else 224
        return torchvision.models.get_model(name, weights=None), (torch.randn(1, 3, size, size),), {}

    def segmentation(name: str) -> Made:
        model = torchvision.models.get_model(name, weights=None, weights_backbone=None)
        return model, (torch.randn(1, 3, 224, 224),), {}

    def video(name: str) -> Made:
        large = name in ("mvit_v1_b", "mvit_v2_s", "s3d")  # they take no smaller video
        size = (1, 3, 16, 224, 224) if large else (1, 3, 16 if "swin" in name else 8, 112, 112)
        return torchvision.models.get_model(name, weights=None), (torch.randn(size),), {}

    def backbone(name: str) -> Made:
        model = torchvision.models.get_model(name, weights=None, weights_backbone=None).backbone
        return model, (torch.randn(1, 3, 320, 320),), {}

    def flow(name: str) -> Made:
        image = torch.randn(1, 3, 128, 128)
        return torchvision.models.get_model(name, weights=None), (image, image), {"num_flow_updates": 2}

    parts = {
        "classifier": (models, classifier),
        "segmentation": (models.segmentation, segmentation),
        "video": (models.video, video),
        "detection": (models.detection, backbone),
        "flow": (models.optical_flow, flow),
    }
    for part, (module, make) in parts.items():
        for name in torchvision.models.list_models(module=module):
            prefix = "torchvision" if part == "classifier" else f"torchvision.{part}"
            yield f"{prefix}:{name}", lambda name=name, make=make: make(name)


def timm_models() -> Iterator[tuple[str, Callable[[], Made]]]:
    import timm

    def make(name: str) -> Made:
        model = timm.create_model(name)
        return model, (torch.randn(1, *model.default_cfg["input_size"]),), {}

    known = set(timm.list_models())
    for name in TIMM.split():
        if name in known:
            yield f"timm:{name}", lambda name=name: make(name)


class Head(nn.Module):
    """A recurrent layer and a linear one on each of its outputs."""

    def __init__(self, layer: nn.Module, width: int) -> None:
        super().__init__()
        self.layer, self.head = layer, nn.Linear(width, 30)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.layer(x)[0])


def plain_models() -> Iterator[tuple[str, Callable[[], Made]]]:
    def steps() -> tuple[torch.Tensor, ...]:
        return (torch.randn(1, 50, 80),)

    def transformer(**kw: Any) -> Made:
        words = torch.randn(10, 1, 64), torch.randn(7, 1, 64)
        return nn.Transformer(64, 4, 2, 2, 128, **kw), words, {}

    two_ways = {"batch_first": True, "bidirectional": True}
    yield "nn:lstm", lambda: (Head(nn.LSTM(80, 128, 2, **two_ways), 256), steps(), {})
    yield "nn:gru", lambda: (Head(nn.GRU(80, 128, 2, batch_first=True), 128), steps(), {})
    yield "nn:rnn", lambda: (Head(nn.RNN(80, 128, batch_first=True), 128), steps(), {})
    yield "nn:transformer", transformer
    yield "nn:transformer_gelu", lambda: transformer(activation="gelu", norm_first=True)


def hugging_face_models() -> Iterator[tuple[str, Callable[[], Made]]]:
    import transformers as t

    def ids(n: int = 64) -> tuple[torch.Tensor, ...]:
        return (torch.zeros(1, n, dtype=torch.long),)

    off = {"use_cache": False}
    small = {"hidden_size": 256, "num_hidden_layers": 4, "vocab_size": 1000, "num_attention_heads": 8}
    llama = {**small, "intermediate_size": 688, "num_key_value_heads": 2}
    gpt2 = {"n_embd": 256, "n_layer": 4, "vocab_size": 1000, "n_head": 8}
    pair = {"decoder_input_ids": ids(32)[0], **off}
    made: dict[str, Callable[[], Made]] = {
        "bert-base": lambda: (t.BertForMaskedLM(t.BertConfig()), ids(), {}),
        "bert": lambda: (t.BertForMaskedLM(t.BertConfig(**small, intermediate_size=512)), ids(), {}),
        "gpt2": lambda: (t.GPT2LMHeadModel(t.GPT2Config(**gpt2)), ids(), off),
        "distilbert": lambda: (t.DistilBertModel(t.DistilBertConfig()), ids(), {}),
        "roberta": lambda: (t.RobertaModel(t.RobertaConfig()), ids(), {}),
        "vit": lambda: (t.ViTModel(t.ViTConfig()), (torch.randn(1, 3, 224, 224),), {}),
        "llama": lambda: (t.LlamaForCausalLM(t.LlamaConfig(**llama)), ids(), off),
        "mistral": lambda: (t.MistralForCausalLM(t.MistralConfig(**llama)), ids(), off),
        "qwen2": lambda: (t.Qwen2ForCausalLM(t.Qwen2Config(**llama)), ids(), off),
        "t5": lambda: (t.T5Model(t.T5Config(num_layers=2)), (), {"input_ids": ids()[0], **pair}),
    }
    for name, make in made.items():
        yield f"transformers:{name}", make


# asked for the values of a mask while it is exported, which a tensor on meta has not
WITH_VALUES = ("transformers:bert", "transformers:gpt2", "transformers:llama", "transformers:mistral",
               "transformers:qwen2")  # fmt: skip

FAMILIES = (torchvision_models, plain_models, hugging_face_models, timm_models)


def products_of_torch(model: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> int:
    with sdpa_kernel(SDPBackend.MATH), FlopCounterMode(display=False) as counter:
        model(*args, **kwargs)
    return int(counter.get_total_flops()) // 2


def exported(model: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any], folder: str) -> str:
    """The path of the model's file, without stack traces, which weigh more than the rest."""
    program = torch.export.export(model, args, kwargs)
    for node in program.graph.nodes:
        node.meta.pop("stack_trace", None)
    path = f"{folder}/model.pt2"
    torch.export.save(program, path)
    return path


def counted(path: str) -> tuple[Tally, int]:
    """What archcalc counts, and the products of what depends on no input or reaches no output."""
    trace = read(path, {}, {})
    pruned = prune(trace)
    rest = (*pruned.folded, *pruned.dropped)
    return tally(trace, pruned), sum(count(operation, trace.tensors).products for operation in rest)


def of_two(model: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any], one: Tally) -> str:
    """'equal' if an export for a batch of two is counted, per image, as the export for one is."""
    args = tuple(torch.cat([x, x]) if isinstance(x, torch.Tensor) else x for x in args)
    kwargs = {k: torch.cat([x, x]) if isinstance(x, torch.Tensor) else x for k, x in kwargs.items()}
    with tempfile.TemporaryDirectory() as folder:
        trace = read(exported(model, args, kwargs, folder), {}, {})
    pruned = prune(trace)
    whole = per_image(trace, pruned)
    counts = tally(whole, pruned).counts
    if counts == one.counts:
        return "equal"
    return f"DIFFERENT: {counts} {one.counts}" if whole.notes[-1].startswith("exp") else whole.notes[-1]


def row(name: str, make: Callable[[], Made]) -> dict[str, object]:
    try:
        with torch.device("cpu" if name in WITH_VALUES else "meta"):
            model, args, kwargs = make()
    except NotImplementedError:  # it computes its widths with tensors
        model, args, kwargs = make()
        model, args = model.to("meta"), tuple(x.to("meta") for x in args)
    model = model.eval()
    parameters = sum(p.numel() for p in model.parameters())
    expected = RECURRENT.get(name) or products_of_torch(model, args, kwargs)
    with tempfile.TemporaryDirectory() as folder:
        found, rest = counted(exported(model, args, kwargs, folder))
    products = found.counts.products
    agrees = found.parameters_of_the_file == parameters and products + rest == expected
    verdict = "equal" if agrees else f"DIFFERENT: {found.parameters_of_the_file} {products}+{rest}"
    two = of_two(model, args, kwargs, found)
    values = (name, parameters, found.parameters, products, rest, expected, verdict, two)
    return dict(zip(FIELDS, values, strict=True))


def late(*_: object) -> None:
    raise TimeoutError(f"more than {SECONDS} seconds")


def main(target: Path, wanted: list[str]) -> None:
    warnings.filterwarnings("ignore")
    signal.signal(signal.SIGALRM, late)
    rows: dict[str, dict[str, object]] = {}
    if target.exists():
        rows = {str(r["model"]): dict(r) for r in csv.DictReader(target.open(encoding="utf-8"))}
    for family in FAMILIES:
        for name, make in family():
            if (wanted and not any(name.startswith(w) for w in wanted)) or (name in rows and not wanted):
                continue
            signal.alarm(SECONDS)
            try:
                rows[name] = row(name, make)
            except ArchError as error:
                rows[name] = {"model": name, "verdict": f"REFUSED: {error}"[:300]}
            except Exception as error:  # torch cannot build, run or export it: said, and on to the next
                rows[name] = {"model": name, "verdict": f"torch: {type(error).__name__}: {error}"[:120]}
            signal.alarm(0)
            print(*rows[name].values(), flush=True)
            with target.open("w", encoding="utf-8", newline="") as file:
                writer = csv.DictWriter(file, FIELDS, lineterminator="\n")
                writer.writeheader()
                writer.writerows(rows.values())


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
