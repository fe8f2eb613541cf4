#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The five-minute tour of README.md as a script: one call from its log to its analysis, and the four
# signed events that arrive at a test inbox.
#
#     BASE=http://127.0.0.1:8080 TOKEN=cs_... AUDIO=some.mp3 doc/tour.sh
#
# TOKEN needs the scopes ingest, manage and read. Ends with 0 when all four events have arrived and
# the signature holds. CALLSYNC is the program, build/callsync unless set.
set -euo pipefail
: "${BASE:?the server, such as http://127.0.0.1:8080}"
: "${TOKEN:?a token of an org}"
: "${AUDIO:?an MP3 file}"
cd "$(dirname "$0")/.."
export PATH="${CALLSYNC:+$(dirname "$CALLSYNC"):}$PWD/build:$PATH"

# A request to the API: method, path, and what else curl is to do.
api() { curl -sS --fail-with-body -w '\n' -X "$1" "$BASE$2" -H "Authorization: Bearer $TOKEN" "${@:3}"; }

# 1. A test inbox, which shows what arrives; and an endpoint that sends there. They share a secret.
secret=whsec_$(head -c 32 /dev/urandom | base64)
inbox=$(api POST /v1/inboxes --json "{\"secret\": \"$secret\"}")
inbox_id=$(jq -r .id <<<"$inbox")
inbox_url=$(jq -r .url <<<"$inbox")
api POST /v1/endpoints --json "{\"url\": \"$inbox_url\", \"secret\": \"$secret\"}"

# 2. A contact, so that the call finds who is calling; a new number each time.
phone=+9198$(shuf -i 10000000-99999999 -n 1)
contact_id=$(api POST /v1/contacts --json "{\"phone\": \"$phone\", \"name\": \"John Doe\"}" | jq -r .id)

# 3. Log a call. Its event is stored with it, and on its way.
call=$(api POST /v1/calls --json "{\"type\": \"incoming\", \"phone\": \"$phone\", \"duration\": 124}")
call_id=$(jq -r .call_id <<<"$call")

# 4. Its recording, the result of its analysis, and a note on the contact: an event each.
api PUT "/v1/calls/$call_id/recording" -H 'Content-Type: audio/mpeg' -T "$AUDIO"
api PUT "/v1/calls/$call_id/analysis" --json '{"status": "completed", "language": "en",
    "summary": "Asks for an offer for 50 seats.", "sentiment": {"label": "positive", "score": 0.8}}'
api PATCH "/v1/contacts/$contact_id" --json '{"note": "VIP Corporate Account"}'

# 5. What arrived, newest first. Delivery takes milliseconds, but it is not part of the answers above.
arrived() { api GET "/v1/inboxes/$inbox_id/requests"; }
for _ in {1..100}; do [ "$(arrived | jq '.data | length')" -ge 4 ] && break; sleep 0.1; done
arrived | jq -r '.data[] | [(.body | fromjson | .event, .payload_id), .signature_ok] | @tsv'

# 6. Check a signature yourself, as a receiver does.
newest=$(arrived | jq '.data[0] | .headers |= with_entries(.key |= ascii_downcase)')
signature=$(jq -r '.headers["x-callsync-signature"]' <<<"$newest")
jq -j .body <<<"$newest" | callsync verify --secret "$secret" --signature "$signature"

# The tour has done its job when the inbox agrees.
events=$(arrived | jq -r '[.data[] | select(.signature_ok) | .body | fromjson | .event] | reverse | join(" ")')
[ "$events" = 'call_logged recording_updated ai_analysis caller_updated' ]
