/* SPDX-License-Identifier: Apache-2.0 */
/*
 * audio - the audio types that recordings may have, their file extensions, and their magic bytes.
 * Pure; any thread.
 */
#pragma once

#include <stdbool.h>

#include "base/str.h"

enum { AUDIO_MAGIC_BYTES = 64 }; /* as many leading bytes as audio_matches may look at */

/** True for audio/mpeg, wav, x-wav, ogg, mp4, aac, amr, flac, webm (parameters cut, any case);
 *  gives the canonical type ("audio/x-wav" becomes "audio/wav"). */
bool audio_type_parse(struct str content_type, struct str *ret_type);
/** ".mp3" ...; ".bin" for a type that is none of ours. */
struct str audio_extension(struct str type);
/** True when the first bytes of a file (up to AUDIO_MAGIC_BYTES, fewer when it is shorter) are
 *  those of the type. */
bool audio_matches(struct str type, struct str first_bytes);
