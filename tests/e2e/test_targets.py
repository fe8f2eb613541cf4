# SPDX-License-Identifier: Apache-2.0
"""Where endpoints may point: nothing private, in whatever notation, at any moment (I7)."""

import pytest

from support.receiver import reply
from support.server import Server

FORBIDDEN_HOSTS = [
    "127.0.0.1",
    "127.255.255.254",
    "127.0.0.1.",
    "localhost",
    "LOCALHOST",
    "localhost.",
    "10.0.0.1",
    "172.16.0.1",
    "172.31.255.255",
    "192.168.0.1",
    "169.254.169.254",
    "100.64.0.1",
    "0.0.0.0",
    "0.1.2.3",
    "192.0.0.1",
    "192.0.2.1",
    "198.18.0.1",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "[::1]",
    "[::]",
    "[0:0:0:0:0:0:0:1]",
    "[fc00::1]",
    "[fd12:3456::1]",
    "[fe80::1]",
    "[fe80::1%25lo]",
    "[ff02::1]",
    "[2001:db8::1]",
    "[100::1]",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[::ffff:10.0.0.1]",
    "[::127.0.0.1]",
    "[64:ff9b::127.0.0.1]",
    "[64:ff9b::a00:1]",
    "[64:ff9b:1::a00:1]",
    "[2002:7f00:1::]",
    "[2002:a00:1::1]",
    "[2001:0:7f00:1::]",
    "[2001::80ff:fffe]",
    # Other notations of 127.0.0.1, as some libraries read them.
    "2130706433",
    "0x7f000001",
    "0x7f.0.0.1",
    "0177.0.0.1",
    "017700000001",
    "127.1",
    "127.0.1",
    "%31%32%37.0.0.1",
    "①②⑦.⓪.⓪.①",
    "127。0。0。1",
]
NO_TARGETS = [
    "",
    "nonsense",
    "/hook",
    "//example.com/hook",
    "ftp://example.com/",
    "file:///etc/passwd",
    "gopher://example.com/",
    "javascript:alert(1)",
    "data:text/plain,a",
    "http://",
    "http:///hook",
    "http://user@example.com/",
    "http://user:password@example.com/",
    "http://example.com@127.0.0.1/",
    "http://example.com:0/",
    "http://example.com:65536/",
    "http://example.com:80a/",
    "http://exa mple.com/",
    "http://example.com/a b",
    "http://example.com/\r\nX-A: b",
    "http://example.com\\@127.0.0.1/",
    "http://[::1/",
    "http://" + "a" * 64 + ".com/",
    "https://example.com/" + "a" * 3000,
    5,
]


@pytest.fixture(scope="module")
def strict(tmp_path_factory):
    """A server that allows no private target."""
    server = Server(tmp_path_factory.mktemp("strict"), allow="").start()
    yield server
    server.close()


@pytest.fixture(scope="module")
def strict_org(strict):
    return strict.new_org()


@pytest.mark.parametrize("host", FORBIDDEN_HOSTS)
def test_a_forbidden_address_is_refused_at_creation(strict_org, host):
    for url in (f"http://{host}/hook", f"https://{host}:8443/hook"):
        assert strict_org.api.post("/v1/endpoints", {"url": url}, status=422).fields == ["url"]


@pytest.mark.parametrize("url", NO_TARGETS)
def test_what_is_no_web_address_is_refused_at_creation(org, url):
    assert org.api.post("/v1/endpoints", {"url": url}, status=422).fields == ["url"]
    assert org.api.pages("/v1/endpoints") == []


def test_a_public_address_is_taken(strict_org):
    for host in ("93.184.216.34", "[2606:2800:220:1:248:1893:25c8:1946]"):
        made = strict_org.api.post("/v1/endpoints", {"url": f"https://{host}/", "enabled": False}, status=201).json
        for wrong in ("http://127.0.0.1/", "http://localhost/"):
            path = f"/v1/endpoints/{made['id']}"
            assert strict_org.api.patch(path, {"url": wrong}, status=422).fields == ["url"]
            assert strict_org.endpoint(made["id"])["url"] == made["url"]


def test_every_outgoing_request_is_held_to_the_rule(strict_org, receiver):
    url = receiver.on("/hook")
    sample = {"event": "call_logged", "type": "incoming", "url": url}
    assert strict_org.api.post("/v1/playground/send", sample, status=422).fields == ["url"]
    path = f"/v1/calls/{strict_org.log_call()['call_id']}/recording"
    assert strict_org.api.put(path, {"url": url, "fetch": True}, status=422).fields == ["url"]
    assert receiver.connection_count == 0


def test_the_rule_holds_at_every_connection_and_not_only_at_creation(own_server, receiver):
    org = own_server.start().new_org()
    url = receiver.on("/hook")
    endpoints = [org.new_endpoint(one, retry_schedule=[]) for one in (url, url.replace("127.0.0.1", "localhost"))]
    call_id = org.log_call()["call_id"]
    receiver.wait_for_count(2, "/hook")
    connections = receiver.connection_count
    assert own_server.terminate() == 0
    own_server.allow = "10.0.0.0/8"
    own_server.restart()
    logged = org.log_call()
    for endpoint in endpoints:
        [attempt] = org.wait_for_state(logged, endpoint, "failed")["attempts"]
        assert (attempt["error"], attempt["status_code"]) == ("forbidden_target", None)
        told = org.api.post(f"/v1/endpoints/{endpoint['id']}/test", {}, status=200).json
        assert (told["ok"], told["error"]) == (False, "forbidden_target")
    assert org.api.put(f"/v1/calls/{call_id}/recording", {"url": url, "fetch": True}, status=422).fields == ["url"]
    assert receiver.connection_count == connections


def test_allow_targets_opens_just_what_it_names(own_server, new_receiver):
    own_server.allow = "127.0.0.1,::1/128"
    org = own_server.start().new_org()
    for host in ("127.0.0.1", "::1"):
        receiver = new_receiver(host)
        org.new_endpoint(receiver.on("/hook"))
        org.log_call()
        receiver.wait_for_count(1, "/hook")
    for url in ("http://127.0.0.2/", "http://10.0.0.1/", "http://[fd00::1]/"):
        assert org.api.post("/v1/endpoints", {"url": url}, status=422).fields == ["url"]


def test_an_inbox_of_this_server_is_always_a_target(strict_org):
    inbox = strict_org.new_inbox()
    endpoint = strict_org.new_endpoint(inbox["url"])
    strict_org.wait_for_state(strict_org.log_call(), endpoint, "delivered")
    for path in ("/healthz", "/in/", "/in/../healthz", "/in/a/../../healthz", "/v1/calls", "/in/%2e%2e/healthz"):
        url = strict_org.server.base + path
        assert strict_org.api.post("/v1/endpoints", {"url": url}, status=422).fields == ["url"], path


def test_a_name_that_does_not_resolve_fails_as_dns_or_is_refused(org):
    answer = org.api.post("/v1/endpoints", {"url": "http://no-such-host.invalid/", "retry_schedule": []})
    if answer.status == 201:
        endpoint = answer.json
        [attempt] = org.wait_for_state(org.log_call(), endpoint, "failed", seconds=60)["attempts"]
        assert attempt["error"] in ("dns", "timeout")
    else:
        assert answer.status == 422 and answer.fields == ["url"]


def test_the_environment_of_the_server_names_no_proxy_for_it(own_server, receiver, new_receiver):
    proxy = new_receiver()
    proxy.on("/", reply(502))
    names = ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY", "https_proxy")
    own_server.extra = {name: proxy.base for name in names}
    org = own_server.start().new_org()
    endpoint = org.new_endpoint(receiver.on("/hook"), retry_schedule=[])
    org.wait_for_state(org.log_call(), endpoint, "delivered", "failed")
    assert proxy.requests() == [] and len(receiver.requests("/hook")) == 1
