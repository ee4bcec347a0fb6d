"""What strangers may try against the page, and against each other: `python app.py`, spoken to over HTTP by hand.

`docs/security.md` says what each of these tests shows.
"""

from __future__ import annotations

import itertools
import json
import random
import re
import resource
import signal
import socket
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from threading import Thread

import psutil
import pytest
from gradio_client import Client
from gradio_client.exceptions import AppError
from stranger import ROOT, USUAL, App, Stranger, fd, stranger, until

from mpgsam2 import Segmenter
from mpgsam2.demo import build_demo
from mpgsam2.demo.errors import FAULT
from mpgsam2.demo.request_filter import allowed
from mpgsam2.demo.run_queue import FULL, MOST_WAITING, PER_SESSION
from mpgsam2.demo.uploads import NO_ROOM, TOO_LARGE

EXAMPLE = ROOT / "examples" / "moving.mp4"
MUCH = "the red circle\nthe blue star\nthe green square\nthe circle"


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    app = App(tmp_path_factory.mktemp("app") / "temporary")
    yield app
    app.end()


@pytest.fixture
def clean(app: App) -> Iterator[App]:
    """The app; when the test ends everything is as it was, the slot too."""
    before = app.files()
    yield app
    until(lambda: app.files() == before, "files stay")
    assert psutil.Process(app.process.pid).children(recursive=True) == []


def first_answer(messages: Iterator[dict]) -> dict:
    """The record of the first answer of `/segment`."""
    return next(m for m in messages if m["msg"] == "process_generating")["output"]["data"][-1]


def last(record: object) -> dict:
    """The record of an answer of `/segment`."""
    return record["data"][-1]


# ----------------------------------------------------------------------------------------------------- whose files


def test_nobody_deletes_or_reads_what_is_not_theirs(clean: App, tiny: Path) -> None:
    with stranger(clean.url) as victim:
        clip = Path(victim.upload(tiny))
        answered, output = victim.ask(fd(clip), last=1)
        assert answered
        overlay = Path(output["data"][2]["path"])
        uploads = clip.parents[1]
        before = clean.files()
        paths = [uploads / "nothing.mp4", uploads, uploads.parent, overlay.parent / "x", overlay, overlay.parent]
        paths += [clip.parent, clip.parent / "x.mp4", uploads / "x" / ".." / overlay.parent.name / "run.json"]
        paths += [uploads / ".lock", "/etc/passwd", ROOT / "app.py", "clip.mp4", ""]
        for path in paths:
            with stranger(clean.url) as attacker:
                for asked in (
                    attacker.ask(fd(path)),
                    attacker.ask(fd(EXAMPLE), ground_truth=fd(path)),
                    attacker.look(fd(path)),
                ):
                    assert "Looking" not in str(asked) and not (asked[0] and "frames" in str(asked)), (path, asked)
        time.sleep(0.5)
        assert clean.files() == before
        assert victim.ask(fd(clip), last=1)[0]


def interleavings() -> list[tuple[tuple[str, int], ...]]:
    """Every order in which two visitors can choose a clip, run and leave; one of them is the first to choose."""
    steps = [(step, visitor) for visitor in (0, 1) for step in ("choose", "run", "leave")]
    orders = set()
    for places in itertools.combinations(range(6), 3):
        sequences = [iter(steps[:3]), iter(steps[3:])]
        orders.add(tuple(next(sequences[0 if place in places else 1]) for place in range(6)))
    return sorted(order for order in orders if order[0] == ("choose", 0))


def test_two_who_share_a_file_lose_nothing_in_any_order(clean: App, tiny: Path) -> None:
    for order, shared in zip(interleavings(), itertools.cycle(["the same file", "an example"])):
        visitors, paths = [Stranger(clean.url).come() for _ in range(2)], {}
        for step, who in order:
            visitor = visitors[who]
            if step == "choose":
                paths[who] = EXAMPLE if shared == "an example" else visitor.upload(tiny)
                told = visitor.look(fd(paths[who]))
                assert "frames of" in str(told), told
            elif step == "run":
                answered, output = visitor.ask(fd(paths[who]), last=1)
                assert answered, (order, step, who, output)
                assert all(Path(file["path"]).is_file() for file in output["data"][:4])
            else:
                visitor.leave()
    assert EXAMPLE.is_file()


def test_who_waits_keeps_a_file_that_another_session_named_first(clean: App, clips: Path, tiny: Path) -> None:
    """One upload, whose path two sessions give; the first leaves while the second waits."""
    with stranger(clean.url) as busy, stranger(clean.url) as second:
        first = Stranger(clean.url).come()
        path = first.upload(tiny)
        slow = busy.begin(fd(busy.upload(clips / "long.mp4")), expression=MUCH)
        assert first.look(fd(path))[0]
        waiting = second.begin(fd(path))
        messages = second.messages()
        next(message for message in messages if message["msg"] == "process_generating")
        first.leave()
        busy.close(slow)
        ends = [message for message in messages if message["msg"] == "process_completed"]
        assert [(end["event_id"], end["success"]) for end in ends] == [(waiting, True)]


def test_the_same_file_uploaded_twice_has_two_paths_nobody_can_guess(clean: App, tiny: Path) -> None:
    with stranger(clean.url) as one, stranger(clean.url) as two:
        paths = [Path(visitor.upload(tiny)) for visitor in (one, two, one)]
        assert len({path.parent.name for path in paths}) == 3
        assert all(re.fullmatch("[0-9a-f]{64}", path.parent.name) for path in paths)
        assert all(path.name == "tiny.mp4" and path.read_bytes() == tiny.read_bytes() for path in paths)
        for visitor in (one, two):
            for path in paths:
                visitor.look(fd(path))


# ---------------------------------------------------------------------------------------------------------- routes


ROUTES = """
GET /                                          POST /gradio_api/call/v2/{api_name}
HEAD /                                         POST /gradio_api/call/v2/{api_name}/
GET /assets/{path:path}                        POST /gradio_api/call/{api_name}
GET /config                                    POST /gradio_api/call/{api_name}/
GET /config/                                   POST /gradio_api/cancel
GET /favicon.ico                               POST /gradio_api/queue/join
GET /gradio_api/app_id                         POST /gradio_api/reset
GET /gradio_api/call/v2/{api_name}/{event_id}  POST /gradio_api/reset/
GET /gradio_api/call/{api_name}/{event_id}     POST /gradio_api/upload
GET /gradio_api/file={path_or_url:path}        GET /manifest.json
HEAD /gradio_api/file={path_or_url:path}       GET /robots.txt
GET /gradio_api/heartbeat/{session_hash}       GET /static/{path:path}
GET /gradio_api/info                           GET /svelte/{path:path}
GET /gradio_api/info/                          GET /theme.css
GET /gradio_api/queue/data                     GET /gradio_api/theme.css
GET /gradio_api/startup-events                 GET /gradio_api/upload_progress
"""


def flat(routes: Iterable) -> Iterator:
    """Routes, those of included routers in their place."""
    for route in routes:
        included = getattr(route, "original_router", None)
        yield from flat(included.routes) if included else [route]


def test_only_these_of_gradios_routes_remain(model: Segmenter, tmp_path: Path) -> None:
    """A newer Gradio may bring more: they are closed until somebody lists them here and in the gate."""
    mounted = {
        f"{method} {route.path}"
        for route in flat(build_demo([model], tmp_path).app.routes)
        for method in getattr(route, "methods", None) or ["GET"]
        if allowed(method, re.sub("{.*?}", "x", route.path))
    }
    assert mounted == set(re.findall(r"[A-Z]+ /\S*", ROUTES))


def test_what_the_page_does_not_need_is_not_found(clean: App, tiny: Path, tmp_path: Path) -> None:
    playlist = f"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n{tiny}\n#EXT-X-ENDLIST\n"
    with stranger(clean.url) as attacker:
        get, post = attacker.http.get, attacker.http.post
        api = "/gradio_api"
        body = {"data": [None, *USUAL.values()], "session_hash": attacker.session}
        segment = attacker.segment_index()
        answers = [
            post(f"{api}/process_recording", files={"files": ("r.mp4", playlist)}),
            get(f"{api}/deep_link", params={"session_hash": attacker.session}),
            get("/", params={"deep_link": "../x"}).status_code == 200 and get(f"{api}/deep_link/"),
            post(f"{api}/run/segment", json=body),
            post(f"{api}/run/segment/", json=body),
            post(f"{api}/api/segment", json=body),
            post(f"{api}/api/predict", json=body | {"fn_index": segment}),
            post(f"{api}/run/predict", json=body | {"fn_index": segment}),
            post(f"{api}/run/predict", json=body | {"fn_index": attacker.look_index()}),
            post(f"{api}/component_server", json={"data": 0, "component_id": 1, "session_hash": "x", "fn_name": "x"}),
            *(get(f"{api}/{path}") for path in ("file=http://127.0.0.1/", "file=https://example.com/", "proxy=x")),
            *(get(f"{api}/{path}") for path in ("file/etc/passwd", "openapi.json", "dev/reload", "token", "user")),
            *(get(f"{api}/{path}") for path in ("queue/status", "stream/a/b/c/playlist.m3u8", "vibe-code", "runs")),
            *(get(f"/monitoring{path}") for path in ("", "/summary", "/x")),
            *(get(path) for path in ("/pwa_icon", "/logout", "/docs", f"{api}/custom_component/a/client/b/c")),
            *(post(f"{api}/{path}", json={}) for path in ("vibe-edit", "stream/x", "run-history/connect")),
            post("/login", json={}),
            attacker.http.put(f"{api}/upload"),
            attacker.http.delete(f"{api}/file=x"),
        ]
        assert [(answer.url.path, answer.status_code) for answer in answers if answer.status_code != 404] == []


def test_files_are_served_with_ranges_and_only_those_of_visitors_and_examples(clean: App, tiny: Path) -> None:
    with stranger(clean.url) as visitor:
        path = visitor.upload(tiny)
        visitor.look(fd(path))
        get = visitor.http.get
        whole = get(f"/gradio_api/file={path}")
        part = get(f"/gradio_api/file={path}", headers={"Range": "bytes=10-19"})
        assert whole.content == tiny.read_bytes()
        assert (part.status_code, part.content) == (206, whole.content[10:20])
        assert get(f"/gradio_api/file={EXAMPLE}").content == EXAMPLE.read_bytes()
        for other in (ROOT / "app.py", ROOT / "examples" / "make.py", "/etc/passwd", Path(path).parents[1]):
            assert get(f"/gradio_api/file={other}").status_code == 403


def test_requests_of_a_wrong_form_are_refused(clean: App) -> None:
    """Among them a session's name by which Gradio could not cancel anybody's run any more."""
    one = Stranger(clean.url)
    for session in ("a<gradio-sep>b", "", "x" * 65, 7, ["x"], "\ud800", "../x"):
        assert one.join(one.segment_index(), [None, *USUAL.values()], session_hash=session).status_code == 400
    for body in (b"{", b"\xff", b"[" * 100_000):
        assert one.http.post("/gradio_api/queue/join", content=body).status_code == 400
    assert one.http.post("/gradio_api/queue/join", content=b" " * 2_000_000).status_code == 413
    for data in (None, 7, {}, "x"):
        assert one.join(one.segment_index(), data).status_code in (200, 422)
    for path, asked in (
        ("call/nothing", {"data": []}),
        ("call/v2/nothing", {}),
        ("call/v2/segment", {"nothing": 1}),
        ("queue/join", {"fn_index": 10**30, "data": [], "session_hash": "a"}),
    ):
        answer = one.http.post(f"/gradio_api/{path}", json=asked)
        assert (answer.status_code, answer.json()) == (400, {"detail": "The request asks for what is not here."})
    assert one.http.get(f"/assets/{'x' * 4000}").status_code == 400


@pytest.mark.parametrize("address", ["http://{}/a.mp4", "HTTPS://{}/a.mp4", " http://{}", "ftp://{}/a", "data:,x"])
def test_an_address_in_the_place_of_a_file_is_refused_and_never_fetched(clean: App, address: str) -> None:
    told = "A file cannot be given by its address: download it, and upload it here."
    with stranger(clean.url) as one, socket.create_server(("127.0.0.1", 0)) as other:
        other.setblocking(False)
        file = fd(address.format(f"127.0.0.1:{other.getsockname()[1]}"))
        file |= {"url": file["path"]}
        for answered, output in (one.ask(file), one.ask(fd(EXAMPLE), ground_truth=file)):
            assert (answered, output["error"]) == (False, told)
        assert told in str(one.look(file))
        with pytest.raises(BlockingIOError):
            other.accept()


def test_another_site_cannot_send_anything_to_a_page_on_this_machine(clean: App, tiny: Path) -> None:
    post = Stranger(clean.url).http.post
    for origin, status in (("http://evil.example", 403), ("null", 403), (clean.url, 400)):
        for path in ("upload", "queue/join"):
            assert post(f"/gradio_api/{path}", content=b"{", headers={"Origin": origin}).status_code == status


# ----------------------------------------------------------------------------------------------------------- uploads


def test_broken_uploads_leave_nothing(clean: App) -> None:
    one = Stranger(clean.url)
    form = {"Content-Type": "multipart/form-data; boundary=x"}
    begin = b'--x\r\nContent-Disposition: form-data; name="files"; filename="a.mp4"\r\n\r\n'
    post = one.http.post
    plain = {"Content-Type": "text/plain"}
    long = begin.replace(b"a.mp4", b"a" * 5000) + b"x\r\n--x--\r\n"
    for body, headers in ((begin + b"cut off", form), (b"no form", form), (b"{}", {}), (begin, plain), (long, form)):
        answer = post("/gradio_api/upload", content=body, headers=headers)
        assert (answer.status_code, answer.text) in [(400, "The upload is broken: please try again."), (200, "[]")]
    megabyte = bytes(1_000_000)
    answer = post("/gradio_api/upload", content=(begin if i == 0 else megabyte for i in range(202)), headers=form)
    assert (answer.status_code, answer.text) == (413, TOO_LARGE)


def test_twins_of_one_request_are_one_upload(clean: App, tiny: Path) -> None:
    with stranger(clean.url) as one:
        twins = [("files", ("tiny.mp4", tiny.read_bytes()))] * 2
        first, second = one.http.post("/gradio_api/upload", files=twins).json()
        assert first == second and "2 frames" in str(one.look(fd(first)))


# ---------------------------------------------------------------------------------------------------------- extremes


def extremes() -> Iterator[dict]:
    huge = [2**63, -(2**63), 2**64, 10**308, 1e308, -1e308, float("inf"), float("nan"), int("9" * 309)]
    huge += [2.5, True, "3", [], {}]
    for name in ("first", "last", "every", "longest_side", "threshold", "opacity", "object"):
        yield from ({name: value} for value in huge)
    yield from ({name: value} for name in ("pattern", "compare") for value in ("false", 2, [], {}))
    yield from ({"without": value} for value in ("prior", ["x"], [["prior"]], [{}], {}, 7, ["\ud800"]))
    yield from ({"model": value} for value in ("\ud800", "x" * 3000, 7, [], {}, "../nano", "large-mevis"))
    yield from ({"expression": value} for value in ("the red \ud800 circle", "\udfff", 7, [], {}, "x" * 900_000))
    yield from ({"scored": value} for value in ("the red \ud800 circle", 7, []))
    yield from ({"ground_truth": value} for value in (7, "x", [], {"path": 7}, {"path": None}))


def test_extremes_are_answered_with_one_sentence(clean: App) -> None:
    with stranger(clean.url) as one:
        for settings in extremes():
            answered, output = one.ask(fd(EXAMPLE), **({"last": 1} | settings))
            assert not answered or settings in ({"pattern": 2},), (settings, output)
            told = json.loads(output)["detail"] if isinstance(output, str) else output["error"]
            if "ground_truth" in settings and told is None:  # Gradio finds that it is no file
                continue
            assert re.fullmatch(r"[“A-Z].{15,250}\.", told), (settings, told)
            assert FAULT not in told and "Traceback" not in told and "9" * 100 not in told, (settings, told)


def test_what_is_usual_can_be_left_out(clean: App) -> None:
    usual = {"model": "", "last": 0, "longest_side": 0, "without": None}
    with stranger(clean.url) as one:
        answered, output = one.ask(fd(EXAMPLE), **(usual | {"every": 6000}))
        assert answered and last(output)["frames"] == 1
        assert one.ask(fd(EXAMPLE), **(usual | {"model": None, "last": 1.0, "threshold": 0.05, "opacity": 0}))[0]


def test_the_page_counts_from_one_in_its_refusals_too(clean: App) -> None:
    with stranger(clean.url) as one:
        told = [one.ask(fd(EXAMPLE), first=49), one.ask(fd(EXAMPLE), last=99), one.ask(fd(EXAMPLE), first=9, last=3)]
        assert [output["error"] for _, output in told] == [
            "There is no frame 49 in “moving.mp4”, which has 48 frames: they are counted from 1 to 48.",
            "There is no frame 99 in “moving.mp4”, which has 48 frames: they are counted from 1 to 48.",
            "The last frame, 3, lies before the first, 9: swap them.",
        ]
        _, remark = one.look(fd(EXAMPLE), first=49)
        assert "no frame 49" in str(remark)


def crafted(random: random.Random, paths: list[str]) -> object:
    """Anything that a request can hold."""
    numbers = [0, -1, 1, 2**31, 2**63, 1e308, -0.5, 7, 900]
    texts = ["", "the red circle", "\ud800", "../../x", "<img src=x onerror=alert(1)>", "x" * 5000, "😀", "\0"]
    kinds = ["path", "path", "path", "number", "text", "none", "list", "dict", "bool"]
    match random.choice(kinds):
        case "path":
            return fd(random.choice(paths)) | random.choice([{}, {"url": "http://127.0.0.1/"}, {"is_stream": True}])
        case "number":
            return random.choice(numbers)
        case "text":
            return random.choice(texts)
        case "list":
            return [crafted(random, paths) for _ in range(random.randrange(3))]
        case "dict":
            return {random.choice(["path", "meta", "url", "x"]): random.choice([*texts, *numbers])}
        case "bool":
            return random.random() < 0.5
    return None


def throw(app: App, victim: Stranger, theirs: list[str], calls: int, seed: int) -> None:
    """So many crafted calls over all endpoints; checks what comes back and what lies there after."""
    chance = random.Random(seed)
    before = app.files()
    with stranger(app.url) as attacker:
        dependencies = attacker.dependencies()
        uploads = str(Path(theirs[0]).parents[1])
        paths = [f"{uploads}/x.mp4", uploads, f"{uploads}/..", "/etc/passwd", str(ROOT), "x", ""]
        paths += [str(EXAMPLE), "\ud800"]
        paths += [f"{theirs[0]}/..", f"{theirs[0]}/../..", f"{theirs[0]}.x"]
        for _ in range(calls):
            one = chance.choice(dependencies)
            usual = one["api_name"] == "segment" and chance.random() < 0.6
            data = [crafted(chance, paths) for _ in one["inputs"]]
            if usual:  # all as it should be but one
                data = [fd(EXAMPLE), *(USUAL | {"last": 1}).values()]
                data[chance.randrange(len(data))] = crafted(chance, paths)
            body = {"event_data": chance.choice([None, {"index": chance.choice([0, -9, 99, "x"])}, 7])}
            told = json.dumps(attacker.call(one["id"], data, **body))
            assert "Traceback" not in told and 'File "' not in told, told
            assert not any(Path(path).parent.name in told for path in theirs[1:]), told
    until(lambda: app.files() == before, "files of other sessions changed, or some stay")
    assert victim.ask(fd(theirs[0]), last=1)[0]


def test_crafted_calls_do_no_harm(clean: App, tiny: Path) -> None:
    with stranger(clean.url) as victim:
        clip = victim.upload(tiny)
        _, output = victim.ask(fd(clip), last=1)
        throw(clean, victim, [clip, *(file["path"] for file in output["data"][:4])], calls=60, seed=1)


# ---------------------------------------------------------------------------------------------------- line and slot


def test_who_asks_twenty_times_lets_others_go_first(clean: App, clips: Path, tiny: Path) -> None:
    with stranger(clean.url) as greedy, stranger(clean.url) as modest:
        slow = greedy.begin(fd(greedy.upload(clips / "long.mp4")), expression=MUCH)
        path, theirs = greedy.upload(tiny), modest.upload(tiny)
        events = [greedy.begin(fd(path), last=1) for _ in range(19)]
        served: list[str] = []
        heard: set[str] = set()

        def listen(visitor: Stranger) -> None:
            for message in visitor.messages():
                if message["msg"] == "process_generating":
                    heard.add(message["event_id"])
                if message["msg"] == "process_completed":
                    if message["success"]:
                        served.append(message["event_id"])
                    else:
                        refused.append(message["output"]["error"])

        refused: list[str] = []
        listeners = [Thread(target=listen, args=[greedy], daemon=True)]
        listeners[0].start()
        until(lambda: len(refused) == 20 - PER_SESSION, str(refused))
        assert set(refused) == {f"You have {PER_SESSION} runs here already: wait for one of them to end, or stop it."}
        mine = modest.begin(fd(theirs), last=1)
        listeners.append(Thread(target=listen, args=[modest], daemon=True))
        listeners[1].start()
        until(lambda: mine in heard, "it never waited")
        greedy.close(slow)
        for listener in listeners:
            listener.join()
        others = [event for event in events if event in served]
        assert len(others) == PER_SESSION - 1
        assert served.index(mine) < min(map(served.index, others)), "came last, went first"


def test_a_full_line_is_told_in_our_words_and_clips_are_looked_at_meanwhile(clean: App, clips: Path) -> None:
    busy = Stranger(clean.url).come()
    busy.begin(fd(busy.upload(clips / "long.mp4")), expression=MUCH)
    talks = [busy.messages()]  # whoever stops listening has left
    first_answer(talks[0])
    waiting = [Stranger(clean.url).come() for _ in range(MOST_WAITING)]
    for number, one in enumerate(waiting):
        one.begin(fd(EXAMPLE), last=1)
        talks.append(one.messages())
        told = first_answer(talks[-1])
        assert told["before"] == number + 1 and told["text"].startswith("Waiting for a free slot …"), told
    with stranger(clean.url) as late:
        assert late.ask(fd(EXAMPLE)) == (False, {"error": FULL, "duration": 10, "visible": True, "title": "Error"})
        _, remark = late.look(fd(EXAMPLE))
        assert "48 frames of 480 × 360" in str(remark)
    client = Client(clean.url, verbose=False, download_files=False)
    with pytest.raises(AppError, match=re.escape(FULL)):
        client.predict(clip=None, expression="the red circle", api_name="/segment")
    client.close()
    for one in [*waiting, busy]:
        one.leave()


def test_eight_at_once_get_what_each_gets_alone(clean: App) -> None:
    clips = sorted((ROOT / "examples").glob("*.mp4"))
    asked = [(clips[number % len(clips)], {"first": 1 + number, "last": 2 + number}) for number in range(8)]

    def answer(number: int, into: list) -> None:
        with stranger(clean.url) as one:
            clip, settings = asked[number]
            into[number] = last(one.ask(fd(clip), **settings)[1])["queries"]

    alone: list = [None] * 8
    together: list = [None] * 8
    for number in range(8):
        answer(number, alone)
    visitors = [Thread(target=answer, args=[number, together], daemon=True) for number in range(8)]
    for visitor in visitors:
        visitor.start()
    for visitor in visitors:
        visitor.join()
    assert together == alone and len({json.dumps(queries) for queries in alone}) == 8


@pytest.mark.parametrize(
    ("messages", "way"), [(0, "cancel"), (1, "leave"), (2, "cancel"), (8, "stop listening"), (8, "leave")]
)
def test_a_run_that_is_given_up_ends(clean: App, clips: Path, way: str, messages: int) -> None:
    """Before its first message, while the clip is looked at, before the first frame, in its midst."""
    process = psutil.Process(clean.process.pid)
    with stranger(clean.url) as other:
        one = Stranger(clean.url).come()
        path = one.upload(clips / "long.mp4")
        threads = process.num_threads()
        event = one.begin(fd(path))
        talk = one.messages()
        for _ in zip(range(messages), (m for m in talk if m["msg"] == "process_generating"), strict=False):
            pass
        if way == "cancel":
            one.close(event)
        elif way == "stop listening":
            next(talk)
            talk.close()
        if way != "cancel" or messages:
            talk.close()
        one.leave()
        assert other.ask(fd(EXAMPLE), last=1)[0], "the slot is free"
        until(lambda: process.children(recursive=True) == [], "children stay")
        until(lambda: process.num_threads() <= threads + 3, "threads stay")


def test_one_run_of_several_is_given_up(clean: App, clips: Path) -> None:
    """Gradio by itself would end them all, and never say so."""
    with stranger(clean.url) as one:
        path = one.upload(clips / "long.mp4")
        events = [one.begin(fd(path), expression=MUCH), *(one.begin(fd(EXAMPLE), last=1) for _ in range(2))]
        one.close(events[0])
        ended = {m["event_id"]: m["success"] for m in one.messages() if m["msg"] == "process_completed"}
        assert ended == dict.fromkeys(events, True)


# -------------------------------------------------------------------------------------------------- the end of it all


def test_nothing_outlives_the_app_and_what_was_killed_is_swept(tmp_path: Path, clips: Path) -> None:
    def small_files() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (3_000_000, 3_000_000))  # as on a full disk, for what is larger

    temporary = tmp_path / "temporary"
    temporary.mkdir()
    (temporary / "gradio" / "mpgsam2-of-another").mkdir(parents=True)
    (temporary / "gradio" / "run-of-another").mkdir()
    (temporary / "gradio" / "run-of-another" / "file").write_text("not ours")
    others = {"gradio", "gradio/mpgsam2-of-another", "gradio/run-of-another", "gradio/run-of-another/file"}

    def run_on(app: App) -> None:
        one = Stranger(app.url)
        one.begin(fd(one.upload(clips / "long.mp4")), expression=MUCH)
        talk = one.messages()
        next(m for m in talk if m["msg"] == "process_generating" and "Frame" in json.dumps(m))
        assert any(name.endswith(".part") for name in app.files())

    def left() -> set[str]:
        return {name for name in App.files(killed) if not name.startswith("gradio/vibe_edit_history")}

    killed = App(temporary, before=small_files)
    answer = Stranger(killed.url).http.post("/gradio_api/upload", files={"files": ("a.mp4", bytes(4_000_000))})
    assert (answer.status_code, answer.text) == (507, NO_ROOM)
    run_on(killed)
    killed.end(signal.SIGKILL)
    assert left() - others
    app = App(temporary)
    home = Path(Stranger(app.url).upload(b"x", "x.mp4")).parents[1]
    assert {name.split("/")[1] for name in left() - others} == {home.name}, "swept"
    run_on(app)
    app.end(signal.SIGTERM)
    until(lambda: left() == others, str(left()))
