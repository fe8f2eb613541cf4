// SPDX-License-Identifier: Apache-2.0
// Checks webhooks as a receiver written in Node does: once with nothing but node:crypto, as the
// integration guide shows it, once with the npm package standardwebhooks.
//
// Standard input: [{"body": base64, "headers": {…}, "secret": text}]; standard output: for each
// {"plain": bool, "next": bool, "standard": bool}.
import { createHmac, timingSafeEqual } from "node:crypto";
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";

const { Webhook } = createRequire(import.meta.url)("standardwebhooks");

function holdsPlain(body, secret, signature) {
  if (signature === undefined) return false;
  const wanted = Buffer.from(createHmac("sha256", secret).update(body).digest("hex"));
  const given = Buffer.from(signature);
  return wanted.length === given.length && timingSafeEqual(wanted, given);
}

function holdsStandard(body, secret, headers) {
  const webhook = secret.startsWith("whsec_") ? new Webhook(secret) : new Webhook(secret, { format: "raw" });
  try {
    webhook.verify(body.toString("utf8"), headers);
    return true;
  } catch {
    return false;
  }
}

const cases = JSON.parse(readFileSync(0, "utf8"));
const results = cases.map(({ body, headers, secret }) => {
  const bytes = Buffer.from(body, "base64");
  return {
    plain: holdsPlain(bytes, secret, headers["x-callsync-signature"]),
    next: holdsPlain(bytes, secret, headers["x-callsync-signature-next"]),
    standard: holdsStandard(bytes, secret, headers),
  };
});
process.stdout.write(JSON.stringify(results));
