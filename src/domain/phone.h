/* SPDX-License-Identifier: Apache-2.0 */
/*
 * phone - a phone number as we keep it: E.164 ("+" and 7 to 15 digits, the first not 0), or a
 * short code of 3 to 8 digits as it was dialled. Pure; any thread.
 */
#pragma once

#include "base/error.h"
#include "base/str.h"

/** ERR_INVALID with a hint that fits the mistake (spaces, "00" prefix, missing "+", letters). */
MUST_CHECK enum err phone_check(struct str phone, struct error *why);
