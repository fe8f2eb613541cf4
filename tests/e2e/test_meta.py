# SPDX-License-Identifier: Apache-2.0
"""What the server tells of itself, without a token."""

import re

from support.patience import Deadline

METRIC = re.compile(
    r'([a-zA-Z_:][a-zA-Z0-9_:]*)(\{[a-zA-Z_]+="[^"\n]*"(,[a-zA-Z_]+="[^"\n]*")*\})? (-?[0-9.e+]+|NaN|\+Inf)'
)


def metrics(server) -> dict[str, float]:
    answer = server.visitor().get("/metrics", status=200)
    assert answer.headers["Content-Type"].startswith("text/plain")
    text = answer.body.decode()
    assert text.endswith("\n")
    values = {}
    for line in text.splitlines():
        if line.startswith("#"):
            assert re.fullmatch(r"# (HELP|TYPE) callsync_\w+ .+", line), line
            continue
        match = METRIC.fullmatch(line)
        assert match, line
        values[match[1] + (match[2] or "")] = float(match[4])
    return values


def test_health_and_readiness_are_told(server):
    for path in ("/healthz", "/readyz"):
        server.visitor().get(path, status=200)


def test_metrics_are_prometheus_text_and_count_what_happens(own_server, receiver):
    org = own_server.start().new_org()
    endpoint = org.new_endpoint(receiver.on("/hook"))
    before = metrics(own_server)
    for _ in range(3):
        org.wait_for_state(org.log_call(), endpoint, "delivered")
    names = ("calls_logged", "events", "deliveries", "deliveries_delivered", "attempts")
    keys = [f"callsync_{name}_total" for name in names]
    deadline = Deadline()
    after = metrics(own_server)
    # A result is counted just after it has been told.
    while any(after[key] - before[key] != 3 for key in keys) and not deadline.is_over():
        after = metrics(own_server)
    assert [after[key] - before[key] for key in keys] == [3] * len(keys)
    assert after["callsync_attempts_failed_total"] == before["callsync_attempts_failed_total"]
    assert after["callsync_http_requests_total"] > before["callsync_http_requests_total"]


def test_openapi_describes_the_routes(server):
    answer = server.visitor().get("/openapi.json", status=200)
    assert answer.headers["Content-Type"].startswith("application/json")
    document = answer.json
    assert document["openapi"].startswith("3.")
    for path, method in (
        ("/v1/calls", "post"),
        ("/v1/calls/{call_id}/recording", "put"),
        ("/v1/endpoints/{id}/secret/rotate", "post"),
        ("/v1/deliveries/{id}/retry", "post"),
        ("/v1/stream", "get"),
    ):
        assert method in document["paths"][path], path


def test_the_documentation_is_a_page_that_runs_no_foreign_script(server):
    answer = server.visitor().get("/docs", status=200)
    assert answer.headers["Content-Type"].startswith("text/html")
    assert b"<html" in answer.body.lower()
    assert not re.search(rb"<script[^>]+src=.?(https?:)?//", answer.body)


def test_the_front_door_is_open(server):
    assert server.visitor().get("/", status=200).body
