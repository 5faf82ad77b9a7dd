/* Telling at once whether a dict that lives long, such as a module's, is as it was. */
#ifndef CT_WATCHED_H
#define CT_WATCHED_H

#include "compat.h"

#if CT_DICTS_ARE_NUMBERED
static inline uint64_t ct_watched_version(PyObject *dict)
{
    return ct_dict_version(dict);
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
#endif

/* At the begin and the end of a session, with the GIL. */
void ct_watched_open(void);
void ct_watched_close(void);

#endif
