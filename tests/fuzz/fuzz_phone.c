/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_phone - any text as a phone number, held against the rule as a regular expression. */
#include <regex.h>

#include "domain/phone.h"
#include "fuzz.h"

static bool is_phone(struct str text)
{
    char copy[32] = "";
    regex_t rule;

    if (text.len >= sizeof(copy) || str_find_char(text, '\0', 0) >= 0)
        return false;
    memcpy(copy, text.ptr, text.len);
    if (regcomp(&rule, "^([+][1-9][0-9]{6,14}|[0-9]{3,8})$", REG_EXTENDED | REG_NOSUB) != 0)
        abort();
    bool ok = regexec(&rule, copy, 0, NULL, 0) == 0;

    regfree(&rule);
    return ok;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str text = fuzz_text(data, size);
    struct error why = {0};
    enum err err = phone_check(text, &why);

    assert((err == ERR_NONE) == is_phone(text));
    if (err != ERR_NONE)
        fuzz_check_why(err, &why);
    return 0;
}
