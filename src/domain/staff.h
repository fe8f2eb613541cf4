/* SPDX-License-Identifier: Apache-2.0 */
/* staff - an employee who makes or takes calls. A plain value; strings are borrowed. */
#pragma once

#include <stdint.h>

#include "base/str.h"

struct staff {
    struct str id;
    struct str org_id;
    struct str name;  /* never none */
    struct str phone; /* none: not known */
    struct str email; /* none: not known */
    int64_t created_at_ms;
    int64_t updated_at_ms;
};
