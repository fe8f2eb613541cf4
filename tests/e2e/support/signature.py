# SPDX-License-Identifier: Apache-2.0
"""Signatures checked by others than the program: hmac, and Standard Webhooks' Python and Node."""

import base64
import hashlib
import hmac
import json
import subprocess
from pathlib import Path

from standardwebhooks import Webhook, WebhookVerificationError

from support.patience import DEADLINE_S
from support.receiver import Request

NODE_SCRIPT = Path(__file__).with_name("check_signatures.mjs")


def hex_hmac(secret: str, body: bytes) -> str:
    return hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def standard_key(secret: str) -> bytes:
    """What Standard Webhooks signs with: the decoded part of a whsec_ secret, else the text."""
    if secret.startswith("whsec_"):
        return base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    return secret.encode()


def holds_plain(request: Request, secret: str, header: str = "X-CallSync-Signature") -> bool:
    given = request.header(header)
    return given is not None and hmac.compare_digest(given, hex_hmac(secret, request.body))


def holds_standard(request: Request, secret: str) -> bool:
    headers = {name: value for name, value in request.headers if name.lower().startswith("webhook-")}
    try:
        Webhook(standard_key(secret)).verify(request.body, headers)
    except WebhookVerificationError:
        return False
    return True


def holds_in_node(checks: list[tuple[Request, str]]) -> list[dict]:
    """For each request and secret {"plain", "next", "standard"}: what Node finds."""
    cases = [
        {
            "body": base64.b64encode(request.body).decode(),
            "headers": {name.lower(): value for name, value in request.headers},
            "secret": secret,
        }
        for request, secret in checks
    ]
    done = subprocess.run(
        ["node", NODE_SCRIPT], input=json.dumps(cases).encode(), capture_output=True, timeout=2 * DEADLINE_S
    )
    assert done.returncode == 0, done.stderr.decode()
    return json.loads(done.stdout)
