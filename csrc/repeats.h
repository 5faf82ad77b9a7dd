/* Objects that stand more than once in the value that is written or compared.  Met are only those
 * that are held more than once, so that trees of values are passed at the cost of a look at the
 * count of references. */
#ifndef CT_REPEATS_H
#define CT_REPEATS_H

#include "value.h"

/* The first place of an object. */
typedef struct {
    PyObject *object; /* borrowed, only compared; NULL in an empty entry */
    size_t word;      /* of the snapshot, where it begins */
    uint32_t at;      /* byte of the encoding, where it begins */
    uint32_t number;  /* that marks its places, 0 while it has one place */
} ct_meeting;

/* How many objects have been met. */
extern uint32_t ct_met;

void ct_met_forget(uint32_t count);

/* Forget all but the first objects that were met. */
static inline void ct_met_keep(uint32_t count)
{
    if (ct_met > count)
        ct_met_forget(count);
}

/* The first place of an object, an entry with number 0 to be filled in when it is met now.  NULL
 * when it does not matter whether it is the same one (it cannot change, or shows its name or
 * address anyway), or when very many have been met. */
ct_meeting *ct_meet(PyObject *v, bool *is_new);

/* The same for an object that can change. */
ct_meeting *ct_meet_changing(PyObject *v, bool *is_new);

/* Write what stands before an object that is held more than once and may stand in the value again:
 * both places are marked then.  What it holds is marked in its first place alone. */
uint8_t *ct_put_place(ct_encoder *e, uint8_t *p, PyObject *v);

#endif
