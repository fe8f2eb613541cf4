-- SPDX-License-Identifier: Apache-2.0
-- The first schema. Moments are Unix milliseconds; enums are the numbers of src/domain; booleans
-- are 0 or 1; ids that we make are the numbers of base/id.h. $KEY and $BLOB stand for the
-- database's 64-bit primary key and byte string types.

CREATE TABLE counter (
    name   TEXT   NOT NULL PRIMARY KEY,
    value  BIGINT NOT NULL
);

CREATE TABLE org (
    id          TEXT   NOT NULL PRIMARY KEY,
    name        TEXT   NOT NULL,
    created_at  BIGINT NOT NULL
);
CREATE INDEX org_created ON org (created_at, id);

CREATE TABLE token (
    id          $KEY,
    org_id      TEXT   NOT NULL,
    name        TEXT   NOT NULL,
    hash        $BLOB  NOT NULL UNIQUE,
    scopes      BIGINT NOT NULL,
    created_at  BIGINT NOT NULL
);
CREATE INDEX token_org ON token (org_id, id);

CREATE TABLE staff (
    org_id      TEXT   NOT NULL,
    id          TEXT   NOT NULL,
    name        TEXT   NOT NULL,
    phone       TEXT,
    email       TEXT,
    created_at  BIGINT NOT NULL,
    updated_at  BIGINT NOT NULL,
    PRIMARY KEY (org_id, id)
);
CREATE INDEX staff_created ON staff (org_id, created_at, id);
CREATE INDEX staff_phone ON staff (org_id, phone, created_at, id) WHERE phone IS NOT NULL;
CREATE INDEX staff_email ON staff (org_id, email, created_at, id) WHERE email IS NOT NULL;

CREATE TABLE contact (
    org_id      TEXT   NOT NULL,
    id          TEXT   NOT NULL,
    phone       TEXT   NOT NULL,
    name        TEXT,
    email       TEXT,
    note        TEXT,
    labels      TEXT   NOT NULL,
    created_at  BIGINT NOT NULL,
    updated_at  BIGINT NOT NULL,
    PRIMARY KEY (org_id, id)
);
CREATE UNIQUE INDEX contact_phone ON contact (org_id, phone);
CREATE INDEX contact_created ON contact (org_id, created_at, id);

CREATE TABLE call (
    id                    $KEY,
    org_id                TEXT   NOT NULL,
    type                  BIGINT NOT NULL,
    phone                 TEXT,
    name                  TEXT,
    duration_s            BIGINT NOT NULL,
    started_at            BIGINT NOT NULL,
    staff_id              TEXT,
    external_id           TEXT,
    reviewed              BIGINT NOT NULL,
    file_status           BIGINT NOT NULL,
    recording_file        TEXT,
    recording_url         TEXT,
    recording_type        TEXT,
    recording_bytes       BIGINT,
    recording_sha256      TEXT,
    recording_generation  BIGINT NOT NULL,
    recording_due_at      BIGINT,
    recording_fetch_url   TEXT,
    analysis_status       BIGINT NOT NULL,
    analysis_reason       TEXT,
    analysis_version      BIGINT NOT NULL,
    analysis_due_at       BIGINT,
    created_at            BIGINT NOT NULL
);
CREATE INDEX call_org ON call (org_id, id);
CREATE UNIQUE INDEX call_external ON call (org_id, external_id) WHERE external_id IS NOT NULL;
CREATE INDEX call_phone ON call (org_id, phone, id) WHERE phone IS NOT NULL;
CREATE INDEX call_staff ON call (org_id, staff_id, id) WHERE staff_id IS NOT NULL;
CREATE INDEX call_recording_due ON call (recording_due_at) WHERE recording_due_at IS NOT NULL;
CREATE INDEX call_analysis_due ON call (analysis_due_at) WHERE analysis_due_at IS NOT NULL;
CREATE INDEX call_fetch ON call (id) WHERE recording_fetch_url IS NOT NULL;

-- The latest result of a call's analysis, as its ai_analysis object.
CREATE TABLE analysis (
    call_id     $KEY,
    result      TEXT   NOT NULL,
    created_at  BIGINT NOT NULL
);

CREATE TABLE event (
    id          $KEY,
    org_id      TEXT   NOT NULL,
    kind        BIGINT NOT NULL,
    type        BIGINT NOT NULL,
    call_id     BIGINT NOT NULL,
    body        TEXT   NOT NULL
);
CREATE INDEX event_org ON event (org_id, id);
CREATE INDEX event_call ON event (call_id, id);

CREATE TABLE endpoint (
    id                $KEY,
    org_id            TEXT   NOT NULL,
    url               TEXT   NOT NULL,
    description       TEXT,
    event_mask        BIGINT NOT NULL,
    type_mask         BIGINT NOT NULL,
    enabled           BIGINT NOT NULL,
    disabled_reason   BIGINT NOT NULL,
    disabled_at       BIGINT,
    enabled_at        BIGINT NOT NULL,
    headers           TEXT   NOT NULL, -- "Name: value" lines
    timeout_ms        BIGINT NOT NULL,
    retry_schedule    TEXT   NOT NULL,
    max_in_flight     BIGINT NOT NULL,
    rate_limit        BIGINT NOT NULL, -- 0: none
    ordering          BIGINT NOT NULL,
    secret            $BLOB  NOT NULL, -- sealed
    secret_old        $BLOB,           -- sealed
    secret_old_until  BIGINT,
    failing_since     BIGINT,
    failing_count     BIGINT NOT NULL,
    hold_until        BIGINT,
    created_at        BIGINT NOT NULL,
    updated_at        BIGINT NOT NULL
);
CREATE INDEX endpoint_org ON endpoint (org_id, id);

-- One event for one endpoint. state: waiting 0, sending 1, retrying 2, delivered 4, failed 5,
-- cancelled 6; held (3) is never stored: it is a waiting or retrying one of a disabled endpoint.
-- due_at counts while state is 0 or 2. queued_at: when it last entered waiting.
CREATE TABLE delivery (
    id             $KEY,
    org_id         TEXT   NOT NULL,
    event_id       BIGINT NOT NULL,
    endpoint_id    BIGINT NOT NULL,
    call_id        BIGINT NOT NULL,
    kind           BIGINT NOT NULL,
    state          BIGINT NOT NULL,
    attempt_count  BIGINT NOT NULL, -- attempts started that ended
    failure_count  BIGINT NOT NULL, -- failed ones in this run of the retry schedule
    queued_at      BIGINT NOT NULL,
    due_at         BIGINT NOT NULL,
    finished_at    BIGINT
);
CREATE UNIQUE INDEX delivery_event ON delivery (event_id, endpoint_id);
CREATE INDEX delivery_org ON delivery (org_id, id);
CREATE INDEX delivery_endpoint ON delivery (endpoint_id, id);
CREATE INDEX delivery_due ON delivery (endpoint_id, due_at, id) WHERE state IN (0, 2);
CREATE INDEX delivery_open ON delivery (endpoint_id, id, state) WHERE state < 4;
CREATE INDEX delivery_failed ON delivery (org_id, state, id) WHERE state > 4;

CREATE TABLE attempt (
    id                $KEY,
    delivery_id       BIGINT NOT NULL,
    endpoint_id       BIGINT NOT NULL,
    number            BIGINT NOT NULL,
    started_at        BIGINT NOT NULL,
    duration_us       BIGINT NOT NULL,
    error             BIGINT NOT NULL,
    detail            TEXT,
    status            BIGINT NOT NULL,
    request_headers   TEXT   NOT NULL,
    response_headers  TEXT,
    response_body     $BLOB
);
CREATE INDEX attempt_delivery ON attempt (delivery_id, id);

-- Attempts of an endpoint in five minutes: how many, and how long they took (domain/latency.h).
CREATE TABLE endpoint_stat (
    endpoint_id  BIGINT NOT NULL,
    bucket_at    BIGINT NOT NULL,
    delivered    BIGINT NOT NULL,
    failed       BIGINT NOT NULL,
    latency      TEXT   NOT NULL,
    PRIMARY KEY (endpoint_id, bucket_at)
);

-- Orgs that were deleted, whose rows are still being removed, piece by piece.
CREATE TABLE purge (
    org_id      TEXT   NOT NULL PRIMARY KEY,
    created_at  BIGINT NOT NULL
);

CREATE TABLE idempotency (
    org_id      TEXT   NOT NULL,
    key_hash    $BLOB  NOT NULL,
    body_hash   $BLOB  NOT NULL,
    status      BIGINT NOT NULL, -- 0: the first request is still running
    answer      $BLOB,           -- sealed with a key that only the client's key gives
    created_at  BIGINT NOT NULL,
    PRIMARY KEY (org_id, key_hash)
);
CREATE INDEX idempotency_created ON idempotency (created_at);
CREATE INDEX idempotency_running ON idempotency (created_at) WHERE status = 0;

CREATE TABLE inbox (
    id          TEXT   NOT NULL PRIMARY KEY, -- unguessable: whoever has it may send to it
    org_id      TEXT,                        -- none: made by a visitor
    secret      $BLOB,                       -- sealed
    status      BIGINT NOT NULL,
    delay_ms    BIGINT NOT NULL,
    created_at  BIGINT NOT NULL
);
CREATE INDEX inbox_org ON inbox (org_id, created_at, id);
CREATE INDEX inbox_created ON inbox (created_at);

CREATE TABLE inbox_request (
    id           $KEY,
    inbox_id     TEXT   NOT NULL,
    method       TEXT   NOT NULL,
    headers      TEXT   NOT NULL,
    body         $BLOB  NOT NULL,
    signature_ok BIGINT -- none: no secret to judge by
);
CREATE INDEX inbox_request_inbox ON inbox_request (inbox_id, id);
