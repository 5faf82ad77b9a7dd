/* Every difference between CPython versions, and the interpreter's internal headers, in one place.
 *
 * Included first by each file that looks inside the interpreter.  All functions need the GIL and
 * return borrowed references. */
#ifndef CT_COMPAT_H
#define CT_COMPAT_H

#define PY_SSIZE_T_CLEAN
#ifndef Py_BUILD_CORE
#define Py_BUILD_CORE 1
#endif
#include <Python.h>
#include <frameobject.h>
#if PY_VERSION_HEX < 0x030B0000 || PY_VERSION_HEX >= 0x030F0000
#error "this engine knows the frames of CPython 3.11 to 3.14"
#endif
#ifdef Py_GIL_DISABLED
#error "free-threaded builds are not supported: the engine relies on the GIL"
#endif
#include "internal/pycore_code.h"
#include "internal/pycore_dict.h"
#include "internal/pycore_frame.h"
#include "internal/pycore_moduleobject.h"
#include "internal/pycore_object.h"
#include "internal/pycore_pystate.h"

#include <stdbool.h>
#include <stdint.h>

/* Whether events come from sys.monitoring; from PyEval_SetTrace where there is none. */
#define CT_HAS_MONITORING (PY_VERSION_HEX >= 0x030C0000)

/* Whether sys.monitoring tells the two ways of a branch apart, as two events. */
#define CT_BRANCH_HAS_SIDES (PY_VERSION_HEX >= 0x030E0000)

#if !CT_HAS_MONITORING
#include "compat_311.h"
#else
#include "internal/pycore_instruments.h"

#define ct_first_thread PyInterpreterState_ThreadHead
#define ct_next_thread  PyThreadState_Next
static inline int ct_collect_nothing(void)
{
    return 0;
}
static inline void ct_collect_again(int before)
{
    (void)before;
}
static inline int ct_make_room_for_containers(int few)
{
    (void)few;
    return 0;
}

/* True when one tool alone, if any, hears of what happens within the lines of the code. */
static inline bool ct_is_heard_by_one(const PyCodeObject *code)
{
    const uint8_t *tools = code->_co_monitoring->active_monitors.tools;
    uint8_t lines = tools[PY_MONITORING_EVENT_LINE];
    uint8_t others = tools[PY_MONITORING_EVENT_INSTRUCTION] | tools[PY_MONITORING_EVENT_JUMP];
#if CT_BRANCH_HAS_SIDES
    others |= tools[PY_MONITORING_EVENT_BRANCH_LEFT] | tools[PY_MONITORING_EVENT_BRANCH_RIGHT];
#else
    others |= tools[PY_MONITORING_EVENT_BRANCH];
#endif
    return (lines & (lines - 1)) == 0 && (others & ~lines) == 0;
}
#endif

/* Whether each state of a dict has a number. */
#define CT_DICTS_ARE_NUMBERED (PY_VERSION_HEX < 0x030E0000)

/* What asyncio's C part calls the place of the tasks that run: a dict, or a function of a loop,
 * which until CPython 3.14 asks the loop for its hash. */
#if PY_VERSION_HEX >= 0x030E0000
#define CT_ASYNCIO_TASKS "current_task"
#else
#define CT_ASYNCIO_TASKS "_current_tasks"
#endif

#define ct_likely(x)   __builtin_expect(!!(x), 1)
#define ct_unlikely(x) __builtin_expect(!!(x), 0)

typedef struct _PyInterpreterFrame ct_iframe;

#if PY_VERSION_HEX >= 0x030E0000
#include "internal/pycore_interpframe.h"

/* What a reference of a frame refers to, borrowed: its low bits say how it is counted.  NULL for
 * none, and for a small int of the interpreter's own that lies there without an object. */
static inline PyObject *ct_referent(_PyStackRef reference)
{
    return PyStackRef_IsTaggedInt(reference) ? NULL : PyStackRef_AsPyObjectBorrow(reference);
}
#define CT_FRAME_IS_BARE(f) ((f)->owner >= FRAME_OWNED_BY_INTERPRETER)
#else
#define ct_referent(pointer) (pointer)
#if CT_HAS_MONITORING
#define CT_FRAME_IS_BARE(f) ((f)->owner == FRAME_OWNED_BY_CSTACK)
#else
#define CT_FRAME_IS_BARE(f) _PyFrame_IsIncomplete(f)
#endif
#endif

/* Let the interpreter's loop look for signals whose handlers have not run. */
#if PY_VERSION_HEX >= 0x030D0000
#include "internal/pycore_ceval.h"

static inline void ct_look_for_signals(PyThreadState *state)
{
    if (_Py_atomic_load_int_relaxed(&_PyRuntime.signals.is_tripped))
        _Py_set_eval_breaker_bit(state, _PY_SIGNALS_PENDING_BIT);
}
#else
static inline void ct_look_for_signals(PyThreadState *state)
{
    if (_Py_atomic_load_relaxed(&_PyRuntime.ceval.signals_pending))
        _Py_atomic_store_relaxed(&state->interp->ceval.eval_breaker, 1);
}
#endif

#if PY_VERSION_HEX >= 0x030D0000
static inline PyThreadState *ct_thread_state(void)
{
    return PyThreadState_GetUnchecked();
}
static inline ct_iframe *ct_current_frame(PyThreadState *ts)
{
    return ts->current_frame;
}
static inline void ct_set_current_frame(PyThreadState *ts, ct_iframe *f)
{
    ts->current_frame = f;
}
/* NULL for a frame that does not run Python code. */
static inline PyCodeObject *ct_frame_code(ct_iframe *f)
{
    PyObject *code = ct_referent(f->f_executable);
    return code != NULL && PyCode_Check(code) ? (PyCodeObject *)code : NULL;
}
#else
static inline PyThreadState *ct_thread_state(void)
{
    return _PyThreadState_UncheckedGet();
}
static inline ct_iframe *ct_current_frame(PyThreadState *ts)
{
    return ts->cframe->current_frame;
}
static inline void ct_set_current_frame(PyThreadState *ts, ct_iframe *f)
{
    ts->cframe->current_frame = f;
}
static inline PyCodeObject *ct_frame_code(ct_iframe *f)
{
    return f->f_code;
}
#endif

/* Whether calls of C are counted apart: CPython 3.11 counts them with those of Python, and since
 * 3.14 the room on the stack is measured instead. */
#define CT_COUNTS_C_CALLS (CT_HAS_MONITORING && PY_VERSION_HEX < 0x030E0000)

/* How many calls of C the thread may still nest, where they are counted apart. */
static inline int ct_exchange_c_recursion(PyThreadState *ts, int remaining)
{
#if !CT_COUNTS_C_CALLS
    (void)ts;
    return remaining;
#else
    int before = ts->c_recursion_remaining;
    ts->c_recursion_remaining = remaining;
    return before;
#endif
}
#if !CT_COUNTS_C_CALLS
#define CT_C_RECURSION_LIMIT 0
#elif PY_VERSION_HEX >= 0x030D0000
#define CT_C_RECURSION_LIMIT Py_C_RECURSION_LIMIT
#else
#define CT_C_RECURSION_LIMIT C_RECURSION_LIMIT
#endif

/* A frame that only marks a call from C, or since CPython 3.13 one of a constructor, with no code
 * of the program.  Such a frame has no globals.  In CPython 3.11: a frame that is being made. */
static inline bool ct_frame_is_shim(ct_iframe *f)
{
    if (CT_FRAME_IS_BARE(f))
        return true;
#ifdef CO_NO_MONITORING_EVENTS
    PyCodeObject *code = ct_frame_code(f);
    return code != NULL && (code->co_flags & CO_NO_MONITORING_EVENTS) != 0;
#else
    return false;
#endif
}

/* What a code object keeps at a place that was asked for, NULL for nothing.  Headers leave out how:
 * it has been so since CPython 3.7. */
static inline void *ct_code_extra(PyObject *code, Py_ssize_t index)
{
    const struct {
        Py_ssize_t count;
        void *values[];
    } *extras = ((PyCodeObject *)code)->co_extra;
    return extras != NULL && index < extras->count ? extras->values[index] : NULL;
}

/* How deep Python code calls: `part` is limit or remaining. */
#if CT_HAS_MONITORING
#define CT_RECURSION(thread, part) ((thread)->py_recursion_##part)
#else
#define CT_RECURSION(thread, part) ((thread)->recursion_##part)
#endif

static inline int ct_frame_line(ct_iframe *f)
{
    return PyUnstable_InterpreterFrame_GetLine(f);
}

/* The index of the code unit at which a frame is. */
static inline int ct_frame_unit(ct_iframe *f)
{
    return (int)_PyInterpreterFrame_LASTI(f);
}

/* The value of a variable's place, borrowed; NULL for none.  Only the stack behind the variables
 * has ints without an object. */
static inline PyObject *ct_frame_slot(const ct_iframe *f, int i)
{
#if PY_VERSION_HEX >= 0x030E0000
    return PyStackRef_AsPyObjectBorrow(f->localsplus[i]);
#else
    return f->localsplus[i];
#endif
}

/* What lies on top of the stack of a frame that has an event of a line, borrowed; NULL for what is
 * no object. */
static inline PyObject *ct_frame_top(const ct_iframe *f)
{
#if PY_VERSION_HEX >= 0x030E0000
    return ct_referent(f->stackpointer[-1]);
#else
    return f->localsplus[f->stacktop - 1];
#endif
}

/* After Python code of ours has failed: true, with the exception gone, when the program is at the
 * limit of its recursion or memory; nothing is wrong with the recorder then, and the next time may
 * do better. */
static inline bool ct_forgive(void)
{
    if (!PyErr_ExceptionMatches(PyExc_RecursionError) && !PyErr_ExceptionMatches(PyExc_MemoryError))
        return false;
    PyErr_Clear();
    return true;
}

/* The name that a module was made with, borrowed; NULL when it has none. */
static inline PyObject *ct_module_name(PyObject *module)
{
    return ((PyModuleObject *)module)->md_name;
}

/* A number that stands for this type as it is now and for no other, 0 when it has none. */
static inline unsigned int ct_type_version(PyTypeObject *type)
{
#if !CT_HAS_MONITORING
    if (!PyType_HasFeature(type, Py_TPFLAGS_VALID_VERSION_TAG))
        return 0;
#endif
    return type->tp_version_tag; /* CPython 3.13 does not set the flag that says it is valid */
}

/* A number that changes whenever the dict does and is never used for another state of any dict; 0
 * when there is none: CPython 3.14 numbers no dict, and one that shares its storage with an
 * instance changes with the instance's attributes, unnoticed (CPython 3.13). */
static inline uint64_t ct_dict_version(PyObject *dict)
{
#if !CT_DICTS_ARE_NUMBERED
    (void)dict;
    return 0;
#else
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
    PyDictObject *d = (PyDictObject *)dict;
    return d->ma_values == NULL ? d->ma_version_tag : 0;
#pragma GCC diagnostic pop
#endif
}

/* Looking up a str in such a dict compares strs only and cannot run code of the program. */
static inline bool ct_dict_has_str_keys(PyObject *dict)
{
    return DK_IS_UNICODE(((PyDictObject *)dict)->ma_keys);
}

/* Where an object has the pointer to its dict, when its class says at which offset that is. CPython
 * 3.11 counts from the end of those with a variable size. */
#if CT_HAS_MONITORING
#define CT_DICT_OFFSET_IS_KNOWN(type) ((type)->tp_dictoffset > 0)
static inline PyObject **ct_dict_place(PyObject *v)
{
    return (PyObject **)((char *)v + Py_TYPE(v)->tp_dictoffset);
}
#else
#define CT_DICT_OFFSET_IS_KNOWN(type) ((type)->tp_dictoffset != 0)
static inline PyObject **ct_dict_place(PyObject *v)
{
    return _PyObject_GetDictPtr(v);
}
#endif

/* The key-value pairs of an undamaged dict of str keys as a plain array, NULL when it is stored
 * otherwise. */
static inline PyDictUnicodeEntry *ct_dict_entries(PyObject *dict)
{
    PyDictObject *d = (PyDictObject *)dict;
    PyDictKeysObject *keys = d->ma_keys;
    if (d->ma_values != NULL || !DK_IS_UNICODE(keys) || keys->dk_nentries != d->ma_used)
        return NULL;
    return DK_UNICODE_ENTRIES(keys);
}

/* The attributes that an instance keeps in itself, without a dict: `names` is how its class orders
 * them, `order` which of them are set, oldest first (by steps of CT_INLINE_ORDER_STEP). */
typedef struct {
    PyDictUnicodeEntry *names;
    PyObject **values;
    const uint8_t *order;
    int count;
} ct_inline;

#if PY_VERSION_HEX >= 0x030D0000
#define CT_INLINE_ORDER_STEP 1
/* False when the instance has a dict, which is then stored in *dict, or nothing at all. */
static inline bool ct_inline_of(PyObject *v, ct_inline *out, PyObject **dict)
{
    PyTypeObject *type = Py_TYPE(v);
    *dict = (PyObject *)_PyObject_GetManagedDict(v);
    if (*dict != NULL || !PyType_HasFeature(type, Py_TPFLAGS_INLINE_VALUES))
        return false;
    PyDictValues *values = _PyObject_InlineValues(v);
    PyDictKeysObject *keys = ((PyHeapTypeObject *)type)->ht_cached_keys;
    if (!values->valid || keys == NULL)
        return false;
    *out = (ct_inline){.names = DK_UNICODE_ENTRIES(keys),
                       .values = values->values,
                       .order = (const uint8_t *)&values->values[values->capacity],
                       .count = values->size};
    return true;
}
#else
#define CT_INLINE_ORDER_STEP (-1)
/* NULL when the instance has a dict, which is then stored in *dict, or nothing at all. */
static inline PyDictValues *ct_values_of(PyObject *v, PyObject **dict)
{
    *dict = NULL;
#if CT_HAS_MONITORING
    PyDictOrValues held = *_PyObject_DictOrValuesPointer(v);
    if (_PyDictOrValues_IsValues(held))
        return _PyDictOrValues_GetValues(held);
    *dict = _PyDictOrValues_GetDict(held);
    return NULL;
#else
    PyDictValues *values = *_PyObject_ValuesPointer(v);
    if (values == NULL)
        *dict = *_PyObject_ManagedDictPointer(v);
    return values;
#endif
}

static inline bool ct_inline_of(PyObject *v, ct_inline *out, PyObject **dict)
{
    PyDictValues *values = ct_values_of(v, dict);
    PyDictKeysObject *keys = ((PyHeapTypeObject *)Py_TYPE(v))->ht_cached_keys;
    if (values == NULL || keys == NULL)
        return false;
    const uint8_t *size = (const uint8_t *)values - 2;
    *out = (ct_inline){.names = DK_UNICODE_ENTRIES(keys),
                       .values = values->values,
                       .order = size - 1,
                       .count = *size};
    return true;
}
#endif

/* Which attributes an object keeps in itself, and in which order they were set: the words beside
 * its values that say so. */
#define CT_FORM_FIELDS 14
typedef struct {
    uint64_t words[2]; /* the second is 0 for a few attributes */
    uint32_t head;
    bool is_long;
    uint8_t span; /* places of values, up to the last that is taken */
} ct_inline_form;

static inline uint64_t ct_word_at(const void *at)
{
    uint64_t word;
    memcpy(&word, at, sizeof word);
    return word;
}

/* Where objects of a class that have this head in their form keep their attributes: found out once
 * for many of them. */
typedef struct {
    Py_ssize_t head, values, order; /* bytes from the object */
    uint32_t form_head;
} ct_inline_place;

/* Find the values of an object of that class; false when its form is another one now.  Of one with
 * many attributes only a part of the form is compared.  A dict that the object was asked for shares
 * the values as long as the head says that they are valid. */
#if PY_VERSION_HEX >= 0x030D0000
#define CT_FORM_SHORT 8 /* attributes that one word speaks of */
static inline uint8_t ct_form_capacity(uint32_t form_head)
{
    uint8_t capacity;
    memcpy(&capacity, (char *)&form_head + offsetof(PyDictValues, capacity), sizeof capacity);
    return capacity;
}
static inline ct_inline_place ct_inline_place_of(const PyTypeObject *type, uint32_t form_head)
{
    Py_ssize_t head = type->tp_basicsize;
    Py_ssize_t values = head + (Py_ssize_t)offsetof(PyDictValues, values);
    return (ct_inline_place){
        .head = head,
        .values = values,
        .order = values + ct_form_capacity(form_head) * (Py_ssize_t)sizeof(PyObject *),
        .form_head = form_head,
    };
}
static inline bool ct_inline_is_at(PyObject *v, const ct_inline_place *place, uint64_t form_word,
                                   PyObject ***found)
{
    const char *object = (const char *)v;
    uint32_t head;
    memcpy(&head, object + place->head, sizeof head);
    *found = (PyObject **)(object + place->values);
    return head == place->form_head && ct_word_at(object + place->order) == form_word;
}
/* Where the second word lies. */
static inline const void *ct_form_rest(PyObject **values, const ct_inline_form *form)
{
    return (const char *)&values[ct_form_capacity(form->head)] + 8;
}
#else
#define CT_FORM_SHORT 6
static inline ct_inline_place ct_inline_place_of(const PyTypeObject *type, uint32_t form_head)
{
    (void)type;
    return (ct_inline_place){.form_head = form_head};
}
static inline bool ct_inline_is_at(PyObject *v, const ct_inline_place *place, uint64_t form_word,
                                   PyObject ***found)
{
    (void)place;
#if CT_HAS_MONITORING
    PyDictOrValues held = *_PyObject_DictOrValuesPointer(v);
    if (!_PyDictOrValues_IsValues(held))
        return false;
    PyDictValues *values = _PyDictOrValues_GetValues(held);
#else
    PyDictValues *values = *_PyObject_ValuesPointer(v);
    if (values == NULL)
        return false;
#endif
    *found = values->values;
    return ct_word_at((const char *)values - 8) == form_word;
}
static inline const void *ct_form_rest(PyObject **values, const ct_inline_form *form)
{
    (void)form;
    return (const char *)values - 16;
}
#endif

/* The same with the whole form. */
static inline bool ct_inline_values(PyObject *v, const ct_inline_place *place,
                                    const ct_inline_form *form, PyObject ***found)
{
    return ct_inline_is_at(v, place, form->words[0], found) &&
           (!form->is_long || ct_word_at(ct_form_rest(*found, form)) == form->words[1]);
}

/* The form of an object with at least one attribute and at most CT_FORM_FIELDS. */
static inline ct_inline_form ct_inline_form_of(const ct_inline *held)
{
    ct_inline_form form = {.is_long = held->count > CT_FORM_SHORT};
    for (int i = 0; i < held->count; i++) {
        uint8_t at = held->order[CT_INLINE_ORDER_STEP * i];
        form.span = at >= form.span ? at + 1 : form.span;
    }
#if PY_VERSION_HEX >= 0x030D0000
    const void *values = (const char *)held->values - offsetof(PyDictValues, values);
    memcpy(&form.head, values, sizeof form.head);
    const char *first = (const char *)held->order, *second = first + 8;
#else
    const char *first = (const char *)held->values - 8, *second = first - 8;
#endif
    form.words[0] = ct_word_at(first);
    form.words[1] = form.is_long ? ct_word_at(second) : 0;
    return form;
}

static inline bool ct_int_fits(PyObject *v, int64_t *out)
{
    if (ct_likely(PyUnstable_Long_IsCompact((PyLongObject *)v))) {
        *out = PyUnstable_Long_CompactValue((PyLongObject *)v);
        return true;
    }
    int overflow;
    *out = PyLong_AsLongLongAndOverflow(v, &overflow);
    return overflow == 0;
}

#if CT_HAS_MONITORING
/* Whether an int is positive and of one digit of 30 bits. */
static inline bool ct_int_is_digit(PyObject *v)
{
    uintptr_t tag = ((PyLongObject *)v)->long_value.lv_tag;
    return tag >> _PyLong_NON_SIZE_BITS == 1 && (tag & _PyLong_SIGN_MASK) == 0;
}

static inline digit ct_int_digit(PyObject *v)
{
    return ((PyLongObject *)v)->long_value.ob_digit[0];
}

/* The number of an int's digits. */
static inline size_t ct_int_size(const PyLongObject *v)
{
    return v->long_value.lv_tag >> _PyLong_NON_SIZE_BITS;
}

/* The magnitude of an int as 30-bit digits, least significant first. */
static inline const digit *ct_int_digits(PyObject *v, size_t *count, bool *negative)
{
    *count = ct_int_size((PyLongObject *)v);
    *negative = (((PyLongObject *)v)->long_value.lv_tag & 3) == 2;
    return ((PyLongObject *)v)->long_value.ob_digit;
}
#endif

/* What a frame yields, which an asynchronous generator gives the interpreter in a wrapper.  The
 * wrapper's type has no name that extension modules can link to since CPython 3.13, and it is the
 * only static one of its name: the program cannot make any. */
static inline PyObject *ct_yielded(const PyCodeObject *code, PyObject *value)
{
    if (ct_likely(!(code->co_flags & CO_ASYNC_GENERATOR)))
        return value;
    struct wrapper {
        PyObject ob_base;
        PyObject *value;
    };
    const PyTypeObject *type = Py_TYPE(value);
    bool is_wrapped = !(type->tp_flags & Py_TPFLAGS_HEAPTYPE) &&
                      type->tp_basicsize == (Py_ssize_t)sizeof(struct wrapper) &&
                      strcmp(type->tp_name, "async_generator_wrapped_value") == 0;
    return is_wrapped ? ((const struct wrapper *)value)->value : value;
}

#endif
