/* CPython 3.14 has watchers in place of the numbers of dicts.  There are few of them, and other
 * tools may have them all; then no dict has a version, and what depends on it is looked up each
 * time. */
#include "watched.h"

#include "recorder.h"

#if CT_DICTS_ARE_NUMBERED
int ct_dicts_are(void)
{
    return CT_DICTS_NUMBERED;
}
void ct_watched_open(void) {}
void ct_watched_close(void) {}
#else
#define NO_WATCHER (-1)

struct ct_watched ct_watched[CT_WATCHED];

static int watcher = NO_WATCHER;
static uint64_t last_version; /* of the process, so that no version comes back */

uint64_t ct_watched_changes = 1;

/* The dict is about to change. */
static int on_change(PyDict_WatchEvent event, PyObject *dict, PyObject *key, PyObject *value)
{
    (void)key;
    (void)value;
    struct ct_watched *place = &ct_watched[((uintptr_t)dict >> 5) % CT_WATCHED];
    ct_watched_changes++;
    if (place->dict == dict) {
        place->version = 0;
        if (event == PyDict_EVENT_DEALLOCATED)
            place->dict = NULL;
    }
    return 0;
}

static void forget(struct ct_watched *place)
{
    if (place->dict != NULL && PyDict_Unwatch(watcher, place->dict) < 0)
        PyErr_Clear();
    ct_watched_changes++;
    *place = (struct ct_watched){NULL, 0};
}

uint64_t ct_watch(PyObject *dict, struct ct_watched *place)
{
    if (watcher == NO_WATCHER || _PyDict_HasSplitTable((PyDictObject *)dict))
        return 0;
    if (place->dict != dict) {
        forget(place);
        if (PyDict_Watch(watcher, dict) < 0) {
            PyErr_Clear();
            return 0;
        }
        place->dict = dict;
    }
    return place->version = ++last_version;
}

void ct_watched_open(void)
{
    if (watcher == NO_WATCHER)
        watcher = PyDict_AddWatcher(on_change);
    if (watcher < 0) {
        watcher = NO_WATCHER;
        PyErr_Clear();
    }
}

void ct_watched_close(void)
{
    for (int i = 0; i < CT_WATCHED; i++)
        forget(&ct_watched[i]);
    if (watcher != NO_WATCHER && PyDict_ClearWatcher(watcher) < 0)
        PyErr_Clear();
    watcher = NO_WATCHER;
}

int ct_dicts_are(void)
{
    PyGILState_STATE gil = PyGILState_Ensure();
    bool was_open = watcher != NO_WATCHER;
    ct_watched_open();
    int way = watcher != NO_WATCHER ? CT_DICTS_WATCHED : CT_DICTS_LOOKED_UP;
    if (!was_open)
        ct_watched_close();
    PyGILState_Release(gil);
    return way;
}
#endif
