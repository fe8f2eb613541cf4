# SPDX-License-Identifier: Apache-2.0
"""Calls in batches and lists, contacts and staff: what is stored, shown, and emitted."""

import json

from support.api import now_text
from support.org import new_phone

BATCH = "/v1/calls/batch"


def test_each_call_of_a_batch_stands_on_its_own(org):
    calls = [
        {"type": "incoming", "phone": new_phone(), "external_id": "a"},
        {"type": "video", "phone": "12 34"},
        {"type": "missed", "phone": None},
        {"type": "incoming", "phone": new_phone(), "external_id": "a"},
        {"type": "incoming", "phone": new_phone(), "staff_id": "nobody"},
        5,
        {"type": "outgoing", "phone": "911", "duration": 3},
    ]
    results = org.api.post(BATCH, {"calls": calls}, status=200).json["results"]
    assert [result["status"] for result in results] == [201, 422, 201, 200, 422, 422, 201]
    assert results[3]["call_id"] == results[0]["call_id"]
    assert sorted(error["field"] for error in results[1]["errors"]) == ["phone", "type"]
    assert [error["field"] for error in results[4]["errors"]] == ["staff_id"]
    stored = {call["call_id"] for call in org.api.pages("/v1/calls")}
    assert stored == {result["call_id"] for result in results if "call_id" in result}
    logged = {event["payload_id"] for event in org.events(event="call_logged")}
    assert logged == {results[i]["payload_id"] for i in (0, 2, 6)}


def test_a_batch_of_a_thousand_is_delivered_whole(org, receiver):
    org.new_endpoint(receiver.on("/hook"), max_in_flight=50, ordering="none")
    calls = [{"type": "incoming", "phone": new_phone()} for _ in range(1000)]
    results = org.api.post(BATCH, {"calls": calls}, status=200).json["results"]
    assert {result["status"] for result in results} == {201}
    requests = receiver.wait_for_count(1000, "/hook", 60)
    assert {request.payload_id for request in requests} == {result["payload_id"] for result in results}


def test_a_batch_of_none_or_of_more_than_a_thousand_is_refused(org):
    assert org.api.post(BATCH, {"calls": []}, status=422).fields == ["calls"]
    calls = [{"type": "incoming", "phone": None}] * 1001
    assert org.api.post(BATCH, {"calls": calls}, status=422).fields == ["calls"]
    assert org.api.post(BATCH, {"calls": {}}, status=422).fields == ["calls"]
    assert org.api.pages("/v1/calls") == []


def test_a_batch_of_wrong_calls_alone_stores_nothing(org):
    results = org.api.post(BATCH, {"calls": [{"type": "x", "phone": None}]}, status=200).json["results"]
    assert [result["status"] for result in results] == [422]
    assert org.api.pages("/v1/calls") == []


def test_lists_go_on_where_they_were_while_rows_arrive(org):
    first = [org.log_call()["call_id"] for _ in range(25)]
    seen, cursor = [], None
    while True:
        page = org.api.get("/v1/calls?limit=10" + (f"&cursor={cursor}" if cursor else ""), status=200).json
        seen += [call["call_id"] for call in page["data"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
        org.log_call()
        org.log_call()
    assert seen == first[::-1]


def test_every_list_has_pages_without_gaps_or_repetitions(org, receiver):
    org.new_endpoint(receiver.on("/hook"))
    for i in range(7):
        contact = org.new_contact()
        org.log_call(phone=contact["phone"], staff={"id": f"emp_{i}", "name": "A"})
        org.new_token("read")
        org.new_endpoint(receiver.base + f"/more{i}", enabled=False)
    receiver.wait_for_count(7, "/hook")
    for what in ("calls", "contacts", "staff", "tokens", "endpoints", "events", "deliveries"):
        whole = org.api.pages(f"/v1/{what}")
        pieces = org.api.pages(f"/v1/{what}", limit=3)
        assert [_id(row) for row in pieces] == [_id(row) for row in whole], what
        assert len({_id(row) for row in whole}) == len(whole) >= 7, what


def _id(row: dict):
    return row.get("id") or row.get("payload_id") or row["call_id"]


def test_a_cursor_of_another_list_is_refused_or_harmless(org):
    for _ in range(3):
        org.log_call()
    cursor = org.api.get("/v1/calls?limit=1", status=200).json["next_cursor"]
    for text in (cursor[:-1], cursor + "A", cursor[::-1], "0", "-1", "%00"):
        assert org.api.get(f"/v1/calls?cursor={text}").status in (200, 400, 422), text


def test_filters_find_calls(org):
    contact = org.new_contact()
    org.api.post("/v1/staff", {"id": "emp_1", "name": "A"}, status=201)
    wanted = org.log_call(
        phone=contact["phone"], staff_id="emp_1", name="Findme", type="outgoing", started_at="2024-04-28T11:58:00Z"
    )["call_id"]
    other = org.log_call(recording="none")["call_id"]
    org.api.patch(f"/v1/calls/{wanted}", {"reviewed": True}, status=200)
    for query in (
        f"phone=%2B{contact['phone'][1:]}",
        "staff_id=emp_1",
        f"contact_id={contact['id']}",
        "type=outgoing",
        "file_status=pending",
        "analysis_status=pending",
        "reviewed=true",
        "since=2024-04-28T11:58:00Z&until=2024-04-28T11:58:01Z",
        "q=findm",
    ):
        found = [call["call_id"] for call in org.api.pages("/v1/calls?" + query)]
        assert found == [wanted], query
    assert [call["call_id"] for call in org.api.pages("/v1/calls?reviewed=false")] == [other]
    assert org.api.pages("/v1/calls?q=%25") == org.api.pages("/v1/calls?q=_") == []


def test_a_call_shows_its_data_events_and_deliveries(org, receiver):
    endpoint = org.new_endpoint(receiver.on("/hook"))
    logged = org.log_call()
    org.wait_for_state(logged, endpoint, "delivered")
    call = org.api.get(f"/v1/calls/{logged['call_id']}", status=200).json
    [event] = call["events"]
    [delivery] = event["deliveries"]
    assert event["payload_id"] == logged["payload_id"]
    assert (delivery["endpoint_id"], delivery["state"]) == (endpoint["id"], "delivered")
    assert call["data"] == org.event(logged["payload_id"])["payload"]["data"]


def test_a_patch_changes_the_call_and_emits_nothing(org):
    org.api.post("/v1/staff", {"id": "emp_1", "name": "A"}, status=201)
    logged = org.log_call()
    path = f"/v1/calls/{logged['call_id']}"
    org.api.patch(path, {"reviewed": True, "staff_id": "emp_1"}, status=200)
    data = org.api.get(path, status=200).json["data"]
    assert data["call_details"]["reviewed"] is True and data["staff"]["id"] == "emp_1"
    org.api.patch(path, {"staff_id": None}, status=200)
    assert org.api.get(path, status=200).json["data"]["staff"]["id"] is None
    assert org.api.patch(path, {"staff_id": "nobody"}, status=422).fields == ["staff_id"]
    assert [event["payload_id"] for event in org.events()] == [logged["payload_id"]]


def test_a_changed_contact_emits_its_newest_call_and_an_unchanged_one_nothing(org):
    contact = org.new_contact(name="A", labels=["x"])
    org.log_call(phone=contact["phone"])
    newest = org.log_call(phone=contact["phone"])
    path = f"/v1/contacts/{contact['id']}"
    org.api.patch(path, {"name": "A"}, status=200)
    org.api.patch(path, {}, status=200)
    org.api.put(path, {"phone": contact["phone"], "name": "A", "labels": ["x"]}, status=200)
    assert org.events(event="caller_updated") == []
    org.api.patch(path, {"email": "a@example.com"}, status=200)
    [event] = org.events(event="caller_updated")
    payload = org.event(event["payload_id"])["payload"]
    assert payload["data"]["call_details"]["call_id"] == newest["call_id"]
    assert payload["data"]["identity"]["email"] == "a@example.com"
    assert list(payload["data"]["ai_analysis"]) == ["status"]
    org.api.patch(path, {"email": None, "labels": []}, status=200)
    assert len(org.events(event="caller_updated")) == 2


def test_a_contact_without_a_call_emits_nothing(org):
    contact = org.new_contact()
    org.api.patch(f"/v1/contacts/{contact['id']}", {"name": "B"}, status=200)
    org.api.delete(f"/v1/contacts/{contact['id']}", status=204)
    assert org.events() == []


def test_a_new_contact_for_a_known_caller_emits_once(org):
    phone = new_phone()
    org.log_call(phone=phone)
    org.new_contact(phone=phone)
    assert len(org.events(event="caller_updated")) == 1


def test_put_makes_and_replaces_contacts_and_staff(org):
    for path, body in (("/v1/contacts/c.1", {"phone": "911", "name": "A"}), ("/v1/staff/s.1", {"name": "A"})):
        org.api.put(path, body | {"email": "a@example.com"}, status=201)
        org.api.put(path, body, status=200)
        assert org.api.get(path, status=200).json["email"] is None
        org.api.delete(path, status=204)
        org.api.get(path, status=404)


def test_wrong_contacts_are_refused_with_all_faults(org):
    body = {"phone": "12 34", "email": "nobody", "name": 5, "note": "x" * 100_000, "labels": ["a", "a", 5], "x": 1}
    named = {field.partition("[")[0] for field in org.api.post("/v1/contacts", body, status=422).fields}
    assert named == set(body)


def test_staff_is_made_and_updated_with_a_call_and_emits_nothing_itself(org):
    org.log_call(staff={"id": "emp_9", "name": "Asha", "email": "asha@example.com"})
    org.log_call(staff={"id": "emp_9", "name": "Asha Rao"})
    assert org.api.get("/v1/staff/emp_9", status=200).json["name"] == "Asha Rao"
    org.api.patch("/v1/staff/emp_9", {"name": "Asha R."}, status=200)
    assert {event["event"] for event in org.events()} == {"call_logged"}


def test_call_ids_are_unique_numbers_that_javascript_can_hold(org, other_org):
    ids = [one.log_call()["call_id"] for one in (org, other_org, org, other_org)]
    assert len(set(ids)) == 4
    assert all(isinstance(one, int) and 1 <= one < 2**53 for one in ids)


def test_events_are_found_by_kind_type_call_and_time(org):
    logged = org.log_call(type="outgoing")
    org.log_call()
    org.api.put(f"/v1/calls/{logged['call_id']}/recording", {"file_status": "uploading"}, status=200)
    assert len(org.events()) == 3
    assert len(org.events(event="recording_updated")) == 1
    assert len(org.events(type="outgoing")) == len(org.events(call_id=logged["call_id"])) == 2
    assert org.events(since=now_text(60)) == org.events(until=now_text(-60)) == []
    assert len(org.events(since=now_text(-60), until=now_text(60))) == 3


def test_an_analysis_raises_its_version_with_each_result(org, receiver):
    org.new_endpoint(receiver.on("/hook"), events=["ai_analysis"])
    path = f"/v1/calls/{org.log_call()['call_id']}"
    org.api.put(path + "/analysis", {"status": "processing"}, status=200)
    result = {
        "status": "completed",
        "language": "en",
        "summary": "Asks for an offer.",
        "sentiment": {"label": "positive", "score": 0.8, "caller": None, "staff": None},
        "topics": ["pricing"],
        "action_items": [{"owner": "staff", "text": "Send it", "due": None}],
        "score": {"value": 8, "max": 10},
        "transcript": {"text": "Hello", "segments": [{"speaker": "caller", "start": 0, "end": 1.5, "text": "Hello"}]},
    }
    for _ in range(2):
        org.api.put(path + "/analysis", result, status=200)
    requests = receiver.wait_for_count(2, "/hook")
    shown = [request.json["data"]["ai_analysis"] for request in requests]
    assert [one["version"] for one in shown] == [1, 2]
    for name, value in result.items():
        if name in ("sentiment", "transcript", "action_items"):
            continue
        assert shown[0][name] == value, name
    assert shown[0]["transcript"]["text"] == "Hello" and shown[0]["sentiment"]["score"] == 0.8
    assert shown[0]["talk"] is None or set(shown[0]["talk"].values()) == {None}
    assert json.dumps(shown[0]["transcript"]["segments"][0]["end"]) == "1.5"


def test_a_wrong_analysis_is_refused_with_all_faults(org):
    body = {
        "status": "done",
        "sentiment": {"label": "angry", "score": 2},
        "topics": "pricing",
        "score": {"value": "8", "max": 10},
        "transcript": {"text": 5},
        "colour": "red",
    }
    path = f"/v1/calls/{org.log_call()['call_id']}/analysis"
    fields = org.api.put(path, body, status=422).fields
    assert {field.partition(".")[0] for field in fields} == set(body)
    assert org.events(event="ai_analysis") == []
