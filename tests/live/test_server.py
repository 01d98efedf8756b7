"""The server of the live page: what it refuses, what it answers, what it writes."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import Any

import pytest
from support.live import SMALL, ask, send, served

import archcalc
from archcalc.live import asked, page
from archcalc.live.question import question
from archcalc.live.session import Beginning, Session
from archcalc.operators import TABLE

VENDOR = Path(page.__file__).with_name("vendor")


def test_only_the_whole_address_opens_the_page() -> None:
    with served() as server:
        assert server.server_address[0] == "127.0.0.1"
        token = server.token
        assert send(server, "GET", f"/{token}/")[0] == 200
        elsewhere = ["/", "", "/x", f"/{token}", f"/{token[:-1]}/", f"/{token}/?", "/favicon.ico"]
        inside = [
            "page.css",
            "../page.css",
            "vendor/codemirror.js",
            "%2e%2e/session.py",
            "..%2f..%2fcli.py",
        ]
        for path in [*elsewhere, *(f"/{token}/{name}" for name in inside)]:
            code, _, body = send(server, "GET", path or "//")
            assert (code, token.encode() in body) == (404, False), path


def test_the_policy_lets_nothing_in() -> None:
    with served() as server:
        policies = [send(server, "GET", f"/{server.token}/")[1] for _ in range(2)]
    first, second = (headers["Content-Security-Policy"] for headers in policies)
    assert first != second  # a nonce each
    assert "unsafe" not in first and "default-src 'none'" in first and "frame-ancestors 'none'" in first
    assert policies[0]["Referrer-Policy"] == "no-referrer"  # the address is a secret
    assert policies[0]["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({"Host": "localhost:{port}"}, 403),
        ({"Host": "evil.example:{port}"}, 403),
        ({"Host": "127.0.0.1"}, 403),
        ({"Host": None}, 403),
        ({"Origin": None}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "http://127.0.0.1:1"}, 403),
        ({"Origin": "https://127.0.0.1:{port}"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Content-Type": "text/plain"}, 415),
        ({"Content-Type": "application/x-www-form-urlencoded"}, 415),
        ({"Content-Type": None}, 415),
        ({"Content-Length": None}, 411),
        ({"Content-Length": "-1"}, 411),
        ({"Content-Length": "１"}, 411),
        ({"Transfer-Encoding": "chunked"}, 411),
        ({"Content-Length": str(1 << 25)}, 413),
        ({"Content-Length": "9" * 5000}, 413),
    ],
)
def test_headers_of_others_are_refused(headers: dict[str, str | None], code: int) -> None:
    with served() as server:
        made = {k: v and v.replace("{port}", str(server.server_port)) for k, v in headers.items()}
        made = {k: v and v.encode().decode("latin-1") for k, v in made.items()}
        path = f"/{server.token}/opened"
        assert send(server, "POST", path, b"{}")[0] == 200
        assert send(server, "POST", path, b"{}", made)[0] == code


@pytest.mark.parametrize("method", ["PUT", "DELETE", "OPTIONS", "HEAD", "PATCH", "CONNECT"])
def test_other_methods_are_refused(method: str) -> None:
    with served() as server:
        assert send(server, method, f"/{server.token}/opened", b"")[0] == 501


@pytest.mark.parametrize(
    "path", ["/{wrong}/opened", "/opened", "/{token}/", "/{token}/exit", "/{token}/../opened"]
)
def test_other_questions_are_refused(path: str) -> None:
    with served() as server:
        wrong = server.token[::-1]
        assert send(server, "POST", path.format(token=server.token, wrong=wrong), b"{}")[0] == 404


TEXT: dict[str, Any] = {"text": SMALL}


@pytest.mark.parametrize(
    ("what", "body"),
    [
        ("answer", b""),
        ("answer", b"[1]"),
        ("answer", b"\xff"),
        ("answer", b"[" * 100_000),
        ("answer", {}),
        ("answer", {"text": 1}),
        ("answer", rb'{"text": "\ud800"}'),
        ("answer", {**TEXT, "number": 1.5}),
        ("answer", {**TEXT, "page": "x" * 5000}),
        ("answer", {**TEXT, "settings": ["n"]}),
        ("answer", {**TEXT, "settings": {"n": 3}}),
        ("answer", {**TEXT, "settings": {str(i): "" for i in range(2000)}}),
        ("answer", {**TEXT, "expand": "stage1"}),
        ("answer", {**TEXT, "close": [1]}),
        ("answer", {**TEXT, "by": "beauty"}),
        ("answer", {**TEXT, "bare": "yes"}),
        ("answer", {**TEXT, "wide": 0}),
        ("answer", {**TEXT, "wide": "1"}),
        ("begin", {"settings": {"n": "9" * 5000}}),  # what is open is not told before
        ("sweep", {**TEXT, "variable": "n"}),
        ("sweep", {**TEXT, "variable": "n", "values": ["1"] * 201}),
        ("sweep", {**TEXT, "variable": "n", "values": [1]}),
        ("export", {**TEXT, "form": "exe"}),
        ("bundled", {"name": "/etc/passwd"}),
        ("bundled", {"name": "../pyproject"}),
        ("bundled", {"name": "./resnet50"}),
        ("save", {}),
    ],
)
def test_what_no_page_asks_is_refused(what: str, body: bytes | dict[str, Any]) -> None:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    with served() as server:
        assert send(server, "POST", f"/{server.token}/{what}", data)[0] == 400


def test_totals_are_those_of_the_commands() -> None:
    with served() as server:
        totals, drawn = ask(server, "answer", text=SMALL, settings={"n": "7"})
    # 8×8 → 6×6 → 4×4: 7 filters of 3·3·3, then 5 of 3·3·7
    assert totals["totals"]["parameters"] == str(7 * 28 + 5 * 64)
    assert totals["totals"]["multiplies"] == str(6 * 6 * 7 * 27 + 4 * 4 * 5 * 63)
    assert sum(int(row[6]) for row in drawn["rows"]) == int(totals["totals"]["multiplies"])
    assert drawn["svg"].startswith("<svg ")


def test_counts_beyond_those_of_a_browser_are_exact() -> None:
    text = 'input = "8x8x3"\nlayers = "flatten | linear 1000000007 | linear 1000000009"\n'
    with served() as server:
        (totals, *_) = ask(server, "answer", text=text, bare=True)
    assert int(totals["totals"]["multiplies"]) == 192 * 1000000007 + 1000000007 * 1000000009 > 1 << 53


@pytest.mark.parametrize("before", ["", "# 🦆 and ß\n"])
def test_mistakes_have_their_exact_characters(before: str) -> None:
    text = before + SMALL.replace("conv 5 k3", "conv 5 k9")
    with served() as server:
        ((mistake),) = ask(server, "answer", text=text)[0]["mistakes"]
    start, end = mistake["place"]
    units = text.encode("utf-16-le")  # as JavaScript counts
    assert units[2 * start : 2 * end].decode("utf-16-le") == "k9"
    assert "window" in mistake["message"] or "9" in mistake["message"]


def test_a_setting_that_does_not_fit_is_told() -> None:
    with served() as server:
        ((mistake),) = ask(server, "answer", text=SMALL, settings={"n": "many"})[0]["mistakes"]
        assert mistake["message"] == "`n` must be an integer, not `many`"
        assert mistake["place"] is None
        # a variable that has left the text is no mistake: it may come back
        assert ask(server, "answer", text=SMALL, settings={"m": "1"})[0]["part"] == "totals"


def test_late_answers_are_dropped() -> None:
    session = Session(Beginning("net.toml", SMALL, "", {}, ""))
    ask_first = {"page": "a", "number": 1, "text": SMALL}
    first = asked.ANSWERS["answer"](session, ask_first)
    assert next(first)["part"] == "totals"
    second = asked.ANSWERS["answer"](session, {**ask_first, "number": 2})
    other = asked.ANSWERS["answer"](session, {**ask_first, "page": "b"})
    assert list(first) == []  # its picture is not drawn any more
    assert [part["part"] for part in second] == ["totals", "drawn"]
    assert len(list(other)) == 2  # another tab


def test_a_sweep_counts_as_the_commands_do() -> None:
    text = archcalc.load("inception").spec.source.text
    asked = {"text": text, "variant": "inception", "variable": "bottleneck", "block": "5x5"}
    with served() as server:
        names, *points = ask(server, "sweep", **asked, values=["8", "16", "-1"])
    assert "multiplies" in dict(names["metrics"])
    for point in points[:2]:
        whole = archcalc.load("inception", bottleneck=int(point["value"])).analyze()
        assert point["metrics"]["multiplies"] == str(whole.multiplies)
        assert point["metrics"]["parameters"] == str(whole.parameters)
    # 28·28·16·192 for the reduction, 28·28·32·5·5·16 behind it; with biases
    assert points[1]["metrics"]["block multiplies"] == str(2_408_448 + 10_035_200)
    assert points[1]["metrics"]["block parameters"] == str(16 * 193 + 32 * (25 * 16 + 1))
    assert "metrics" not in points[2] and points[2]["why"]


@pytest.mark.parametrize(
    ("spec", "settings"),
    [
        ("inception", {"bottleneck": "16", "proj": "0", "input": "56x56x192"}),
        ("inception:inception_3a", {"bottleneck": "24", "n1": "8"}),
        ("resnet50", {"n": "2,3,4,5", "bias": "true", "stride": "1x1", "se": "16"}),
        ("mobilenet_v2", {"width": "0.75"}),
        ("vgg16", {"classes": "10"}),
    ],
)
def test_settings_are_written_into_the_text(spec: str, settings: dict[str, str]) -> None:
    """The text then means what it meant with the settings; other variants mean what they did."""
    network = archcalc.load(spec)
    text, variant = network.spec.source.text, network.variant or ""
    asked = {"text": text, "variant": variant, "settings": settings}
    with served() as server:
        (found,) = ask(server, "written", **asked)
        before = ask(server, "answer", **asked)[0]
        for start, end, new in reversed(found["edits"]):
            text = text[:start] + new + text[end:]
        after = ask(server, "answer", text=text, variant=variant)[0]
        assert after["totals"] == before["totals"]
        assert after["input"] == before["input"]
        others = [name for name in after["variants"] if name != variant][:3]
        for other in others if variant and "input" not in settings else []:
            old = ask(server, "answer", text=network.spec.source.text, variant=other, bare=True)
            new = ask(server, "answer", text=text, variant=other, bare=True)
            assert new[0]["totals"] == old[0]["totals"]


def test_layers_have_their_places_in_the_text() -> None:
    """Also behind letters that a browser counts as two."""
    text = "# 🦆\n" + SMALL
    with served() as server:
        (found,) = ask(server, "places", text=text)
    units = text.encode("utf-16-le")
    words = [units[2 * a : 2 * b].decode("utf-16-le") for a, b in found["places"]]
    assert words == ['"8x8x3"', "conv", "relu", "conv"]
    assert found["places"][1][0] < found["places"][2][0] < found["places"][3][0]


def test_settings_become_defaults_without_variants() -> None:
    with served() as server:
        (found,) = ask(server, "written", text=SMALL, settings={"n": "7"})
    ((start, end, new),) = found["edits"]
    assert SMALL[:start] + new + SMALL[end:] == SMALL.replace("default = 4", "default = 7")


def test_bundled_networks_are_opened_by_name() -> None:
    with served() as server:
        names = {name for name, _, _ in ask(server, "bundled")[0]["networks"]}
        assert {"resnet50", "vgg16", "inception"} < names
        (opened,) = ask(server, "bundled", name="vgg16")
    assert opened["text"] == archcalc.load("vgg16").spec.source.text
    assert (opened["variant"], opened["file"]) == ("vgg16", "")


@pytest.mark.parametrize("form", ["svg", "toml", "expanded", "csv"])
def test_what_is_seen_is_exported(form: str) -> None:
    with served() as server:
        (found,) = ask(server, "export", form=form, text=SMALL, settings={"n": "7"})
    text = found["text"]
    if form == "toml":
        assert text == SMALL
    elif form == "expanded":
        assert archcalc.load(text).analyze().parameters == 7 * 28 + 5 * 64
    elif form == "csv":
        assert str(6 * 6 * 7 * 27) in text.splitlines()[1]
    else:
        assert text.startswith("<svg ") and "7" in text


def test_labels_are_data() -> None:
    hit = "</title></svg></script><script>1</script>"
    text = SMALL.replace("Small", hit)
    with served() as server:
        parts = ask(server, "answer", text=text)
    assert "<script" not in parts[1]["svg"]


# --- saving


def version(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
def test_saving_keeps_the_bytes_of_a_file(mark: bytes, end: bytes, tmp_path: Path) -> None:
    file = tmp_path / "net.toml"
    data = mark + SMALL.encode().replace(b"\n", end)
    file.write_bytes(data)
    file.chmod(0o640)
    with served(file=str(file)) as server:
        (opened,) = ask(server, "opened")
        assert opened["text"] == SMALL
        (saved,) = ask(server, "save", text=SMALL, version=opened["version"])
        assert file.read_bytes() == data
        changed = SMALL.replace("k3", "k5")
        (saved,) = ask(server, "save", text=changed, version=saved["version"])
    assert file.read_bytes() == mark + changed.encode().replace(b"\n", end)
    assert saved["version"] == version(file.read_bytes())
    assert file.stat().st_mode & 0o777 == 0o640
    assert os.listdir(tmp_path) == ["net.toml"]


def test_mixed_line_ends_stay_where_nothing_changed(tmp_path: Path) -> None:
    file = tmp_path / "net.toml"
    data = SMALL.encode().replace(b"\n", b"\r\n", 2)
    file.write_bytes(data)
    with served(file=str(file)) as server:
        (opened,) = ask(server, "opened")
        ask(server, "save", text=opened["text"], version=opened["version"])
    assert file.read_bytes() == data


def refused(server: Any, text: str, version: str) -> str:
    (part,) = ask(server, "save", text=text, version=version)
    message: str = part["mistakes"][0]["message"]
    return message


def test_a_file_that_changed_is_not_overwritten(tmp_path: Path) -> None:
    file = tmp_path / "net.toml"
    file.write_text(SMALL)
    with served(file=str(file)) as server:
        (opened,) = ask(server, "opened")
        file.write_text("theirs")
        assert refused(server, SMALL, opened["version"]) == f"`{file}` has changed on disk"
        assert file.read_text() == "theirs"
        file.unlink()
        assert refused(server, SMALL, opened["version"]) == f"`{file}` is no longer there"
        assert os.listdir(tmp_path) == []


def test_the_second_of_two_tabs_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "net.toml"
    file.write_text(SMALL)
    with served(file=str(file)) as server:
        (one,), (two,) = ask(server, "opened"), ask(server, "opened")
        ask(server, "save", text=SMALL + "# one\n", version=one["version"])
        assert "changed on disk" in refused(server, SMALL + "# two\n", two["version"])
    assert file.read_text() == SMALL + "# one\n"


def test_a_new_file_is_made_once(tmp_path: Path) -> None:
    file = tmp_path / "new.toml"
    with served(file=str(file)) as server:
        (opened,) = ask(server, "opened")
        assert (opened["text"], opened["version"]) == (SMALL, "")
        assert not file.exists()
        ask(server, "save", text=SMALL, version="")
        assert file.read_text() == SMALL
        assert "changed on disk" in refused(server, "x", "")


def test_a_link_stays_one(tmp_path: Path) -> None:
    file, link = tmp_path / "net.toml", tmp_path / "link.toml"
    file.write_text(SMALL)
    link.symlink_to(file)
    with served(file=str(link)) as server:
        (opened,) = ask(server, "opened")
        ask(server, "save", text="x = 1\n", version=opened["version"])
    assert link.is_symlink() and file.read_text() == "x = 1\n"


def test_there_may_be_no_file_or_none_that_can_be_written(tmp_path: Path) -> None:
    with served() as server:
        assert refused(server, SMALL, "") == "there is no file to save to"
    place = tmp_path / "gone" / "net.toml"
    with served(file=str(place)) as server:
        assert refused(server, SMALL, "") == f"cannot write `{place}`: no such file or directory"
    with served(file=str(tmp_path)) as server:
        code, _, body = send(server, "POST", f"/{server.token}/opened", b"{}")
        assert code == 200 and b"is a directory" in body


# --- what is in the package


def test_codemirror_is_the_one_that_is_written_down() -> None:
    pins = json.loads((VENDOR / "codemirror.json").read_text())
    assert version((VENDOR / "codemirror.js").read_bytes()) == pins["sha256"]
    assert pins["license"] == "MIT" and "MIT License" in (VENDOR / "LICENSE").read_text()
    for name, (number, hash) in pins["packages"].items():
        assert number[0].isdigit() and hash.startswith("sha512-"), name
    for file in VENDOR.iterdir():
        hosts = set(file.read_text().split("://")[1:]) if file.is_file() else set()
        assert all(host.startswith("www.w3.org/2000/svg") for host in hosts), file


def test_no_part_of_the_page_ends_its_script() -> None:
    for file in (page.FIRST, *page.SCRIPTS):
        assert "</script" not in file.read_text().lower() and "NONCE" not in file.read_text(), file


def test_questions_have_defaults() -> None:
    assert question({"text": ""}).by == "multiplies"


def test_the_first_question_is_answered_with_what_is_open() -> None:
    with served(settings={"n": "6"}) as server:
        opened, totals, drawn = ask(server, "begin", page="a", text="not read")
        linked = ask(server, "begin", page="b", settings={"n": "7"}, variant=None)
        (plain,) = ask(server, "begin", page="c", settings={}, bare=True)[1:]
    assert (opened["part"], opened["text"], opened["settings"]) == ("opened", SMALL, {"n": "6"})
    assert totals["totals"]["parameters"] == str(6 * 28 + 5 * 55)
    assert drawn["svg"].startswith("<svg ")
    assert linked[1]["totals"]["parameters"] == str(7 * 28 + 5 * 64)  # what the link says
    assert plain["totals"]["parameters"] == str(4 * 28 + 5 * 37)  # it says that there are none


def test_operators_are_told_with_their_arguments() -> None:
    with served() as server:
        (told,) = ask(server, "operators")
    usages = {name: (usage, about, arguments) for name, usage, about, arguments in told["operators"]}
    assert set(usages) == set(TABLE)
    usage, about, arguments = usages["maxpool"]
    assert usage.startswith("maxpool ") and about
    assert all(name and help for name, help in arguments)


def test_what_is_answered_ahead_gives_way_to_a_page() -> None:
    session = Session(Beginning("net.toml", SMALL, "", {}, ""))
    ahead = asked.ANSWERS["begin"](session, {})
    assert [next(ahead)["part"], next(ahead)["part"]] == ["opened", "totals"]
    assert len(list(asked.ANSWERS["begin"](session, {"page": "a"}))) == 3
    assert list(ahead) == []
