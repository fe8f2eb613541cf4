/* SPDX-License-Identifier: Apache-2.0 */
/*
 * probe_rig - a rig that can send samples: a deliver thread whose receivers are a function.
 */
#pragma once

#include "deliver/deliver.h"
#include "rig.h"
#include "support/http_client_scripted.h"

struct probe_rig {
    struct rig *rig;
    struct deliver *deliver;
    struct http_script_answer answer; /* of the receiver, to every request */
    struct arena arena;
    struct str url; /* of the last request */
    struct str body;
    struct str lines; /* its header lines, each ended by a newline */
};

int probe_rig_set_up(void **state);
int probe_rig_tear_down(void **state);
/** The value of the header that was sent; none when it was not. */
struct str probe_rig_sent(const struct probe_rig *t, const char *name);

#define PROBE_TEST(name)                                                                           \
    cmocka_unit_test_setup_teardown(name, probe_rig_set_up, probe_rig_tear_down)
