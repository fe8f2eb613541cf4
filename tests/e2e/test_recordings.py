# SPDX-License-Identifier: Apache-2.0
"""Recordings: taken in, served by link, deleted, and fetched from elsewhere."""

import pytest

from support import audio
from support.api import Wire
from support.patience import Deadline
from support.receiver import raw, reply
from support.server import has_address_sanitizer

MIB = 1024 * 1024
MPEG = {"Content-Type": "audio/mpeg"}


def put_audio(org, call_id: int, content=None, content_type: str = "audio/mpeg", **rest):
    headers = {"Content-Type": content_type}
    path = f"/v1/calls/{call_id}/recording"
    return org.api.put(path, body=audio.mp3() if content is None else content, headers=headers, **rest)


def link_of(org, call_id: int) -> str:
    """The recording_url, as a path of this server."""
    url = org.api.get(f"/v1/calls/{call_id}", status=200).json["data"]["call_details"]["recording_url"]
    assert url.startswith(org.server.base + "/recordings/")
    return url.removeprefix(org.server.base)


def files(server) -> list:
    return sorted(path for path in (server.data / "recordings").rglob("*") if path.is_file())


def wait_for_files(server, count: int) -> list:
    """The files once they are so many: what is not wanted goes a little later than the answer."""
    deadline, visitor = Deadline(), server.visitor()
    while len(found := files(server)) != count and not deadline.is_over():
        visitor.get("/healthz", status=200)
    assert len(found) == count, found
    return found


@pytest.mark.parametrize(
    "content_type, content, served_as, ending",
    [
        ("audio/mpeg", audio.mp3(), "audio/mpeg", ".mp3"),
        ("audio/mpeg", b"ID3\x04" + bytes(100), "audio/mpeg", ".mp3"),
        ("audio/wav", audio.wav(), "audio/wav", ".wav"),
        ("audio/x-wav", audio.wav(), "audio/wav", ".wav"),
        ("audio/ogg", b"OggS" + bytes(100), "audio/ogg", ".ogg"),
        ("audio/mp4", b"\0\0\0\x20ftypM4A " + bytes(100), "audio/mp4", ".m4a"),
        ("audio/aac", b"\xff\xf1\x50\x80" + bytes(100), "audio/aac", ".aac"),
        ("audio/amr", b"#!AMR\n" + bytes(100), "audio/amr", ".amr"),
        ("audio/flac", b"fLaC" + bytes(100), "audio/flac", ".flac"),
        ("audio/webm", b"\x1a\x45\xdf\xa3\x93\x42\x82\x88webm" + bytes(100), "audio/webm", ".webm"),
    ],
)
def test_each_kind_of_audio_comes_back_as_it_went_in(org, receiver, content_type, content, served_as, ending):
    org.new_endpoint(receiver.on("/hook"), events=["recording_updated"])
    call_id = org.log_call()["call_id"]
    answer = put_audio(org, call_id, content, content_type, status=200).json
    [request] = receiver.wait_for_count(1, "/hook")
    details = request.json["data"]["call_details"]
    assert request.payload_id == answer["payload_id"]
    assert details["file_status"] == "completed" and details["recording_url"].endswith(ending)
    served = org.server.visitor().get(details["recording_url"].removeprefix(org.server.base), status=200)
    assert served.body == content
    assert served.headers["Content-Type"] == served_as
    assert org.api.get(f"/v1/calls/{call_id}/recording", status=200).body == content


@pytest.mark.parametrize(
    "content_type, content",
    [
        ("audio/mpeg", audio.wav()),
        ("audio/wav", audio.mp3()),
        ("audio/ogg", b"<html><script>alert(1)</script>" + bytes(100)),
        ("audio/mpeg", b"MZ" + bytes(100)),
        ("audio/flac", b"fLa"),
        ("audio/mpeg", b""),
    ],
)
def test_content_that_is_not_what_it_says_is_refused_and_leaves_nothing(own_server, content_type, content):
    org = own_server.start().new_org()
    call_id = org.log_call()["call_id"]
    assert put_audio(org, call_id, content, content_type).status == 422
    call = org.api.get(f"/v1/calls/{call_id}", status=200).json
    assert call["data"]["call_details"]["file_status"] == "pending"
    assert org.events(event="recording_updated") == []
    wait_for_files(own_server, 0)


def test_a_large_upload_that_is_refused_half_way_still_gets_its_answer(org):
    call_id = org.log_call()["call_id"]
    answer = put_audio(org, call_id, bytes(40 * MIB))
    assert answer.status == 422 and answer.json["detail"]
    org.log_call()


@pytest.mark.slow
def test_a_large_recording_is_streamed_through_flat_memory(own_server):
    org = own_server.start().new_org()
    call_id = org.log_call()["call_id"]
    small = org.log_call()["call_id"]
    put_audio(org, small, status=200)
    before = own_server.memory_peak_bytes()
    size = 120 * MIB
    headers = MPEG | {"Content-Length": str(size)}
    path = f"/v1/calls/{call_id}/recording"
    org.api.put(path, body=audio.endless_mp3(size), headers=headers, status=200, timeout=120)
    served = org.server.visitor().get(link_of(org, call_id), status=200, timeout=120).body
    assert len(served) == size and served[: 64 * 1024] == next(audio.endless_mp3(size))
    if not has_address_sanitizer():
        assert own_server.memory_peak_bytes() - before < 16 * MIB


def test_a_chunked_upload_is_taken(org):
    call_id = org.log_call()["call_id"]
    headers = MPEG | {"Transfer-Encoding": "chunked"}
    path = f"/v1/calls/{call_id}/recording"
    org.api.request("PUT", path, body=iter([audio.mp3(5), audio.mp3(6)]), headers=headers, status=200)
    assert org.server.visitor().get(link_of(org, call_id)).body == audio.mp3(5) + audio.mp3(6)


def test_an_upload_that_breaks_off_leaves_nothing(own_server):
    org = own_server.start().new_org()
    call_id = org.log_call()["call_id"]
    content = audio.mp3(2000)
    head = (
        f"PUT /v1/calls/{call_id}/recording HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {org.token}\r\n"
        f"Content-Type: audio/mpeg\r\nContent-Length: {len(content)}\r\n\r\n"
    ).encode()
    put_audio(org, call_id, audio.mp3(7), status=200)
    for sent in (len(head) + 10, len(head) + 200_000, -1):
        with Wire(own_server.address) as wire:
            wire.send((head + content)[:sent])
            wait_for_files(own_server, 2)
        wait_for_files(own_server, 1)
    for sent in (len(head) + 10, -1):  # and at once, so that the end comes with the last bytes
        with Wire(own_server.address) as wire:
            wire.send((head + content)[:sent])
    with Wire(own_server.address) as wire:
        wire.send((head + content)[:-1])
        wait_for_files(own_server, 2)
    wait_for_files(own_server, 1)
    with Wire(own_server.address) as wire:
        wire.send((head + content)[:-1])
        wait_for_files(own_server, 2)
        own_server.kill()
    own_server.restart()
    assert [path.stat().st_size for path in wait_for_files(own_server, 1)] == [7 * 417]
    assert org.server.visitor().get(link_of(org, call_id), status=200).body == audio.mp3(7)


@pytest.mark.parametrize(
    "wanted, first, last",
    [
        ("bytes=0-0", 0, 0),
        ("bytes=0-99", 0, 99),
        ("bytes=100-", 100, 8339),
        ("bytes=-1", 8339, 8339),
        ("bytes=-99999", 0, 8339),
        ("bytes=8000-99999", 8000, 8339),
        ("bytes=8339-8339", 8339, 8339),
    ],
)
def test_a_range_is_206_with_just_these_bytes(org, wanted, first, last):
    call_id, content = org.log_call()["call_id"], audio.mp3()
    assert len(content) == 8340
    put_audio(org, call_id, content, status=200)
    answer = org.server.visitor().get(link_of(org, call_id), headers={"Range": wanted}, status=206)
    assert answer.body == content[first : last + 1]
    assert answer.headers["Content-Range"] == f"bytes {first}-{last}/8340"
    assert answer.headers["Content-Length"] == str(last - first + 1)


@pytest.mark.parametrize("wanted", ["bytes=8340-", "bytes=9000-9999", "bytes=-0"])
def test_a_range_outside_of_the_file_is_416(org, wanted):
    call_id = org.log_call()["call_id"]
    put_audio(org, call_id, status=200)
    answer = org.server.visitor().get(link_of(org, call_id), headers={"Range": wanted}, status=416)
    assert answer.headers["Content-Range"] == "bytes */8340"


@pytest.mark.parametrize("wanted", ["bytes=5-2", "items=0-5", "bytes=a-b", "bytes=", "bytes=0-1,5-6", "bytes=--1"])
def test_a_range_that_says_nothing_is_as_if_it_were_not_there(org, wanted):
    call_id = org.log_call()["call_id"]
    put_audio(org, call_id, status=200)
    answer = org.server.visitor().get(link_of(org, call_id), headers={"Range": wanted})
    assert answer.status == 200 and len(answer.body) == 8340


def test_head_and_conditional_requests_send_no_audio(org):
    call_id = org.log_call()["call_id"]
    put_audio(org, call_id, status=200)
    visitor, link = org.server.visitor(), link_of(org, call_id)
    head = visitor.request("HEAD", link, status=200)
    assert (head.headers["Content-Length"], head.headers["Accept-Ranges"], head.body) == ("8340", "bytes", b"")
    etag = head.headers["ETag"]
    assert visitor.get(link, headers={"If-None-Match": etag}, status=304).body == b""
    visitor.get(link, headers={"If-Range": etag, "Range": "bytes=0-9"}, status=206)
    visitor.get(link, headers={"If-Range": '"other"', "Range": "bytes=0-9"}, status=200)


def test_a_link_cannot_be_guessed_nor_turned_to_another_call(org):
    first, second = (org.log_call()["call_id"] for _ in range(2))
    for call_id in (first, second):
        put_audio(org, call_id, status=200)
    visitor, link = org.server.visitor(), link_of(org, first)
    name = link.removeprefix("/recordings/").removesuffix(".mp3")
    number, _, signature = name.partition("-")
    assert number == str(first) and len(signature) >= 32
    flipped = ("1" if signature[0] == "0" else "0") + signature[1:]
    for wrong in (
        f"{second}-{signature}.mp3",
        f"{first}-{flipped}.mp3",
        f"{first}-{signature[:-1]}.mp3",
        f"{first}-{signature}0.mp3",
        f"{first}-.mp3",
        f"{first}.mp3",
        f"{first}-{'0' * len(signature)}.mp3",
        f"0{first}-{signature}.mp3",
        f"{first}-{signature}.mp3/..",
        f"..%2f{first}-{signature}.mp3",
    ):
        assert visitor.get("/recordings/" + wrong).status == 404, wrong
    assert link_of(org, second).partition("-")[2] != link.partition("-")[2]


def test_after_a_deletion_the_link_is_dead_and_the_file_is_gone(own_server, receiver):
    org = own_server.start().new_org()
    org.new_endpoint(receiver.on("/hook"), events=["recording_updated"])
    call_id = org.log_call()["call_id"]
    put_audio(org, call_id, status=200)
    old = link_of(org, call_id)
    org.api.delete(f"/v1/calls/{call_id}/recording", status=204)
    requests = receiver.wait_for_count(2, "/hook")
    details = requests[1].json["data"]["call_details"]
    assert (details["file_status"], details["recording_url"]) == ("deleted", None)
    visitor = own_server.visitor()
    visitor.get(old, status=404)
    org.api.get(f"/v1/calls/{call_id}/recording", status=404)
    put_audio(org, call_id, audio.mp3(3), status=200)
    new = link_of(org, call_id)
    assert new != old
    visitor.get(old, status=404)
    visitor.get(new, status=200)
    assert own_server.terminate() == 0
    assert [path.stat().st_size for path in files(own_server)] == [3 * 417]


def test_a_link_outlives_a_restart(own_server):
    org = own_server.start().new_org()
    call_id = org.log_call()["call_id"]
    put_audio(org, call_id, status=200)
    link = link_of(org, call_id)
    own_server.kill()
    own_server.restart()
    assert own_server.visitor().get(link, status=200).body == audio.mp3()


def test_the_same_audio_again_emits_nothing_and_other_audio_replaces_it(own_server):
    org = own_server.start().new_org()
    call_id = org.log_call()["call_id"]
    put_audio(org, call_id, status=200)
    put_audio(org, call_id, status=200)
    assert len(org.events(event="recording_updated")) == 1
    put_audio(org, call_id, audio.wav(), "audio/wav", status=200)
    assert len(org.events(event="recording_updated")) == 2
    assert own_server.visitor().get(link_of(org, call_id), status=200).body == audio.wav()
    assert own_server.terminate() == 0
    assert len(files(own_server)) == 1


def test_a_recording_may_live_elsewhere(org, receiver):
    org.new_endpoint(receiver.on("/hook"))
    url = "https://recordings.example.com/rec_88231.mp3?x=1"
    first = org.log_call(recording={"url": url})
    second = org.log_call()
    org.api.put(f"/v1/calls/{second['call_id']}/recording", {"url": url}, status=200)
    details = [request.json["data"]["call_details"] for request in receiver.wait_for_count(3, "/hook")]
    shown = {(one["call_id"], one["file_status"], one["recording_url"]) for one in details}
    assert (first["call_id"], "completed", url) in shown
    assert (second["call_id"], "pending", None) in shown
    assert (second["call_id"], "completed", url) in shown
    moved = org.api.get(f"/v1/calls/{second['call_id']}/recording", status=302)
    assert moved.headers["Location"] == url


@pytest.mark.parametrize("content_type", ["audio/mpeg", "application/octet-stream"])
def test_a_recording_is_fetched_and_served_as_ours(org, receiver, content_type):
    content = audio.mp3(500)
    source = receiver.on("/audio", reply(200, [("Content-Type", content_type)], content))
    call_id = org.log_call()["call_id"]
    body = {"url": source, "fetch": True}
    assert org.api.put(f"/v1/calls/{call_id}/recording", body, status=200).json["file_status"] == "uploading"

    def is_there():
        details = org.api.get(f"/v1/calls/{call_id}", status=200).json["data"]["call_details"]
        return details["file_status"] == "completed"

    org.wait_until(is_there)
    assert org.server.visitor().get(link_of(org, call_id), status=200).body == content
    [fetched] = receiver.requests("/audio")
    assert fetched.method == "GET"
    assert fetched.header("Authorization") is None
    kinds = [org.event(event["payload_id"])["payload"]["data"] for event in org.events(event="recording_updated")]
    assert [data["call_details"]["file_status"] for data in kinds] == ["completed", "uploading"]


@pytest.mark.slow
def test_a_fetch_that_breaks_off_is_tried_again(org, receiver):
    content = audio.mp3(5)
    cut = b"HTTP/1.1 200 OK\r\nContent-Type: audio/mpeg\r\nContent-Length: 2085\r\n\r\n" + content[:100]
    source = receiver.on("/audio", raw(cut), reply(200, [("Content-Type", "audio/mpeg")], content))
    call_id = org.log_call()["call_id"]
    org.api.put(f"/v1/calls/{call_id}/recording", {"url": source, "fetch": True}, status=200)
    receiver.wait_for_answers(2, "/audio", 30)

    def is_there():
        return org.api.get(f"/v1/calls/{call_id}/recording").status == 200

    org.wait_until(is_there)
    assert org.server.visitor().get(link_of(org, call_id), status=200).body == content


@pytest.mark.parametrize(
    "body, fields",
    [
        ({}, [""]),
        ({"url": "nonsense"}, ["url"]),
        ({"url": "https://a.example/b.mp3", "file_status": "none"}, ["file_status"]),
        ({"file_status": "completed"}, ["file_status"]),
        ({"file_status": "deleted"}, ["file_status"]),
        ({"fetch": True}, ["", "fetch"]),
        ({"url": "ftp://a.example/b.mp3", "fetch": True}, ["url"]),
        ({"file_status": "failed", "colour": "red"}, ["colour"]),
    ],
)
def test_a_wrong_word_about_a_recording_is_refused(org, body, fields):
    path = f"/v1/calls/{org.log_call()['call_id']}/recording"
    assert sorted(org.api.put(path, body, status=422).fields) == sorted(fields)
    assert org.events(event="recording_updated") == []
