/* SPDX-License-Identifier: Apache-2.0 */
/*
 * codec - bytes as text: hex and base64 (RFC 4648), SHA-256 and HMAC-SHA256 over OpenSSL.
 *
 * Encoders append to a buffer; decoders refuse anything but the exact form. Any thread.
 */
#pragma once

#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/str.h"

enum { SHA256_BYTES = 32, SHA256_HEX_SIZE = 65 };

void codec_add_hex(struct buf *buf, struct str bytes);       /* lower case */
void codec_add_base64(struct buf *buf, struct str bytes);    /* with padding */
void codec_add_base64url(struct buf *buf, struct str bytes); /* URL alphabet, no padding */
/* What a decoder refuses leaves the buffer as it was; ERR_LIMIT at the cap of the buffer. */
/** Appends the bytes; ERR_INVALID for anything but padded standard base64. */
MUST_CHECK enum err codec_read_base64(struct str text, struct buf *ret_bytes);
/** Appends the bytes; ERR_INVALID for odd length or a character that is no hex digit. */
MUST_CHECK enum err codec_read_hex(struct str text, struct buf *ret_bytes);
void codec_sha256(struct str bytes, uint8_t ret_digest[SHA256_BYTES]);
void codec_hmac_sha256(struct str key, struct str bytes, uint8_t ret_digest[SHA256_BYTES]);
/** HMAC over the parts joined, without joining them. */
void codec_hmac_sha256_parts(struct str key,
        const struct str *parts,
        size_t part_count,
        uint8_t ret_digest[SHA256_BYTES]);
/** The digest as a str that borrows it. */
static inline struct str codec_digest_str(const uint8_t digest[SHA256_BYTES])
{
    return (struct str){(const char *)digest, SHA256_BYTES};
}
