#include "reprs.h"

#include <time.h>

#include "guard.h"
#include "instance.h"
#include "tracer.h"

#define ANSWERS_LIMIT 256 /* objects asked for one unit; others are shown by their fields */
#define SLOW_NS       100000000
#define SLOW_LIMIT    64

bool ct_reprs_wanted;

/* Each thread has its own: others go on while an object answers. */
static _Thread_local struct {
    struct {
        PyObject *object, *text; /* owned; the text is NULL until the object was asked */
    } of[ANSWERS_LIMIT];
    int count;
} answers;

/* Classes whose objects took too long. */
static struct {
    uint32_t ids[SLOW_LIMIT];
    int count;
} slow;

void ct_reprs_open(bool wanted)
{
    ct_reprs_wanted = wanted;
    slow.count = 0;
}

/* True when the class says itself how its objects are shown: what C code has made for good is shown
 * by its contents, but for classes of which nothing is known. */
static bool has_own_repr(const ct_type *type)
{
    PyTypeObject *base = type->type;
    if (type->shape == CT_SHAPE_NAMED)
        return false;
    while (!PyType_HasFeature(base, Py_TPFLAGS_IMMUTABLETYPE) && base->tp_base != NULL)
        base = base->tp_base;
    if (base == type->type && type->shape == CT_SHAPE_OBJECT)
        base = &PyBaseObject_Type;
    return type->type->tp_repr != base->tp_repr;
}

/* True when a filter hides a field of the object: its text could contain it. */
static bool has_hidden_field(ct_encoder *e, PyObject *v, const ct_type *type)
{
    ct_fields f;
    PyObject *name, *value;
    if (!type->has_fields || e->attributes == NULL)
        return false;
    ct_fields_open(&f, v, type);
    while (ct_fields_next(&f, &name, &value))
        if (ct_attribute_action(e->attributes, name) != CT_ALLOW)
            return true;
    return false;
}

PyObject *ct_repr_of(ct_encoder *e, PyObject *v, const ct_type *type)
{
    for (int i = 0; i < answers.count; i++)
        if (answers.of[i].object == v)
            return answers.of[i].text;
    for (int i = 0; i < slow.count; i++)
        if (slow.ids[i] == type->id)
            return NULL;
    if (ct_attributes_conceal || answers.count == ANSWERS_LIMIT || !has_own_repr(type) ||
        has_hidden_field(e, v, type))
        return NULL;
    answers.of[answers.count].object = Py_NewRef(v);
    answers.of[answers.count++].text = NULL;
    ct_attributes_pending = true;
    return NULL;
}

static uint64_t now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

/* The text of an object, or what says that it has none; NULL for an interrupt. */
static PyObject *ask(PyObject *v)
{
    uint64_t began = now();
    ct_thread_ignore(true);
    ct_guard.recorder++;
    PyObject *text = PyObject_Repr(v);
    ct_guard.recorder--;
    ct_thread_ignore(false);
    if (text == NULL && !PyErr_ExceptionMatches(PyExc_KeyboardInterrupt)) {
        PyObject *error = PyErr_GetRaisedException();
        const char *name = Py_TYPE(error)->tp_name, *dot = strrchr(name, '.');
        text = PyUnicode_FromFormat("<repr raised %s>", dot != NULL ? dot + 1 : name);
        Py_DECREF(error);
    }
    ct_type *type = now() - began > SLOW_NS ? ct_type_of(Py_TYPE(v)) : NULL;
    if (type != NULL && slow.count < SLOW_LIMIT)
        slow.ids[slow.count++] = type->id;
    return text;
}

int ct_reprs_settle(void)
{
    for (int i = 0; i < answers.count; i++) {
        if (answers.of[i].text != NULL)
            continue;
        answers.of[i].text = ask(answers.of[i].object);
        if (answers.of[i].text == NULL)
            return -1;
    }
    return 0;
}

void ct_reprs_forget(void)
{
    while (answers.count > 0) {
        answers.count--;
        PyObject *object = answers.of[answers.count].object, *text = answers.of[answers.count].text;
        Py_XDECREF(text);
        Py_DECREF(object);
    }
}
