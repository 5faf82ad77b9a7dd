/* Telling at once whether a dict that lives long, such as a module's, is as it was. */
#ifndef CT_WATCHED_H
#define CT_WATCHED_H

#include "compat.h"

/* What is known of one dict, so that asking again costs least: its version, and where the
 * interpreter numbers no dicts, how many changes of any watched dict had been seen by then. */
typedef struct {
    uint64_t version;
#if !CT_DICTS_ARE_NUMBERED
    uint64_t changes;
    PyObject *dict; /* only compared */
#endif
} ct_dict_state;

#if CT_DICTS_ARE_NUMBERED
static inline uint64_t ct_watched_version(PyObject *dict)
{
    return ct_dict_version(dict);
}

/* True when the dict is known to be as it was when *state was taken. */
static inline bool ct_watched_is(PyObject *dict, ct_dict_state *state)
{
    uint64_t version = ct_dict_version(dict);
    return version != 0 && version == state->version;
}

static inline ct_dict_state ct_watched_state(PyObject *dict)
{
    return (ct_dict_state){.version = ct_dict_version(dict)};
}
#else
#define CT_WATCHED 256 /* a power of two; dicts that share a place are watched in turns */

struct ct_watched {
    PyObject *dict;   /* borrowed: a dict that is freed is forgotten */
    uint64_t version; /* 0 when it has changed since */
};
extern struct ct_watched ct_watched[CT_WATCHED];

/* Watch a dict that is not, or has changed. */
uint64_t ct_watch(PyObject *dict, struct ct_watched *place);

/* As ct_dict_version, and for those dicts too that the interpreter does not number: they are
 * watched from now on. */
static inline uint64_t ct_watched_version(PyObject *dict)
{
    struct ct_watched *place = &ct_watched[((uintptr_t)dict >> 5) % CT_WATCHED];
    if (ct_likely(place->dict == dict && place->version != 0))
        return place->version;
    return ct_watch(dict, place);
}

/* Counts what may have changed a watched dict, or ended a watch. */
extern uint64_t ct_watched_changes;

/* True when the dict is known to be as it was when *state was taken. */
static inline bool ct_watched_is(PyObject *dict, ct_dict_state *state)
{
    if (ct_likely(state->changes == ct_watched_changes && state->dict == dict))
        return true;
    if (state->version == 0 || state->version != ct_watched_version(dict))
        return false;
    state->changes = ct_watched_changes;
    return true;
}

static inline ct_dict_state ct_watched_state(PyObject *dict)
{
    uint64_t version = ct_watched_version(dict);
    return (ct_dict_state){version, version != 0 ? ct_watched_changes : 0, dict};
}
#endif

/* At the begin and the end of a session, with the GIL. */
void ct_watched_open(void);
void ct_watched_close(void);

#endif
