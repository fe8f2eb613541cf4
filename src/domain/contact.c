/* SPDX-License-Identifier: Apache-2.0 */
/* contact - when a change of a contact is one that receivers can see. */
#include "domain/contact.h"

bool contact_equal(const struct contact *a, const struct contact *b)
{
    return str_equal(a->id, b->id) && str_equal(a->name, b->name) &&
           str_equal(a->phone, b->phone) && str_equal(a->email, b->email) &&
           str_equal(a->note, b->note) && str_equal(a->labels, b->labels);
}
