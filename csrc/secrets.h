/* Texts that a filter keeps out of the trace, so that neither exceptions nor output bring them in.
 */
#ifndef CT_SECRETS_H
#define CT_SECRETS_H

#include "attributes.h"

struct ct_secret_counts {
    uint64_t hidden;    /* places in output */
    uint64_t forgotten; /* texts that were too long, or given up for later ones */
};
extern struct ct_secret_counts ct_secret_counts;

/* Texts are kept just now. */
extern bool ct_secrets_wanted;

/* They are replaced in output. */
extern bool ct_secrets_in_output;

void ct_secrets_open(void);
void ct_secrets_close(void);

/* A value that a filter redacts or drops: keep its texts.  Needs the GIL, runs no code of the
 * program, and may be called while a unit is built. */
void ct_secrets_keep(PyObject *value);

static inline void ct_secret(PyObject *value)
{
    /* A unit that waits for answers redacts what it does not know, and is built again. */
    if (ct_secrets_wanted && !ct_attributes_pending && value != NULL)
        ct_secrets_keep(value);
}

/* Whether one of the texts that are kept is a part of a value's: of a str, bytes or int, or of an
 * item of a tuple or list. */
bool ct_secrets_within(PyObject *value);

/* A copy of the bytes with each secret in them replaced, which the caller frees, and its length;
 * NULL when there is none. */
uint8_t *ct_secrets_hide(const uint8_t *bytes, size_t *length);

/* Bytes of a stream have just been put at `place` in the live chunk: hide secrets that began in
 * bytes put there before.  Their bytes become asterisks, where they stand. */
void ct_secrets_written(uint8_t stream, uint8_t *place, size_t length);

#endif
