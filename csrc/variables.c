/* Walking the variables of a frame. */
#include "variables.h"

#include "field_names.h"
#include "frame.h"
#include "known.h"
#include "watched.h"

/* In words: with less it takes less time to compare everything than to find out that a place is
 * quiet, but for those that do nothing. */
#define LARGE_TREE 64

static void refresh(ct_thread *t, ct_shadow *frame)
{
    frame->generation = ct_out.generation;
    for (int i = 0; i < frame->plan->slot_count; i++)
        ct_slot_make_stale(&t->slots[frame->slots + (uint32_t)i]);
    if (frame->space != NULL)
        ct_namespace_make_stale(frame->space);
}

/* Snapshots have grown large (deep recursion over containers): keep those of the innermost frames
 * only. */
void ct_shed_snapshots(void)
{
    for (ct_thread *t = ct_session.threads; t != NULL; t = t->next)
        for (int i = 0; i < t->depth - 1 || (i < t->depth && t != ct_session.current); i++)
            refresh(t, &t->frames[i]);
}

static uint8_t *state_slot(ct_slot *slot, uint8_t *p, uint32_t i, PyObject *v, uint8_t flags,
                           enum ct_kind kind, uint32_t *cost, ct_attributes *attributes)
{
    if (ct_unlikely(flags & (CT_SLOT_REDACT | CT_SLOT_DROP))) {
        if ((flags & CT_SLOT_DROP) == 0)
            return ct_slot_state_redacted(slot, p, ct_item_of_slot(i), v, kind, cost);
        ct_slot_count_dropped(slot, v, kind);
        return p;
    }
    return ct_slot_state(slot, p, ct_item_of_slot(i), v, cost, attributes);
}

/* The same through PyFrame_GetVar, for an interpreter whose frames are laid out in a way we do not
 * know. */
static uint8_t *state_slots_public(ct_thread *t, ct_shadow *frame, uint8_t *p, int n,
                                   const uint8_t *flags, enum ct_kind kind)
{
    PyFrameObject *object = PyEval_GetFrame();
    for (int i = 0; i < n; i++) {
        PyObject *v = ct_frame_variable_public(object, frame->plan->code, i);
        p = state_slot(&t->slots[frame->slots + (uint32_t)i], p, (uint32_t)i, v, flags[i], kind,
                       &frame->cost, frame->plan->attributes);
        Py_XDECREF(v);
    }
    return p;
}

static uint8_t *state_slots(ct_thread *t, ct_shadow *frame, uint8_t *p, int n, const uint8_t *flags,
                            enum ct_kind kind)
{
    if (ct_unlikely(ct_frame_is_public))
        return state_slots_public(t, frame, p, n, flags, kind);
    ct_slot *slots = t->slots + frame->slots;
    ct_attributes *attributes = frame->plan->attributes;
    ct_iframe *iframe = frame->iframe;
    for (int i = 0; i < n; i++) {
        ct_slot *slot = &slots[i];
        if (ct_unlikely(flags[i] != 0)) {
            PyObject *v = ct_frame_variable(iframe, i, flags[i]);
            p = state_slot(slot, p, (uint32_t)i, v, flags[i], kind, &frame->cost, attributes);
            continue;
        }
        PyObject *v = ct_frame_slot(iframe, i);
        if (!ct_slot_is_same(slot, v)) {
            p = ct_slot_restate(slot, p, ct_item_of_slot((uint32_t)i), v, &frame->cost, attributes);
            ct_slot_was_stated(frame, slot);
        }
    }
    return p;
}

static bool is_shown_global(PyObject *v)
{
    return !PyFunction_Check(v) && !PyType_Check(v) && !PyModule_Check(v) && !PyCFunction_Check(v);
}

static bool is_immutable(PyObject *v)
{
    return v == Py_None || PyLong_CheckExact(v) || PyUnicode_CheckExact(v) ||
           PyFloat_CheckExact(v) || PyBool_Check(v) || PyBytes_CheckExact(v);
}

/* State the globals that the code refers to.  A dict whose version has not changed holds the same
 * objects. */
uint8_t *ct_state_globals(ct_plan *plan, uint8_t *p, PyObject *dict)
{
    if (!PyDict_Check(dict) || !ct_dict_has_str_keys(dict))
        return p;
    if (plan->globals_generation != ct_out.generation) {
        plan->globals_generation = ct_out.generation;
        for (int i = 0; i < plan->global_count; i++)
            ct_slot_make_stale(&plan->globals[i].slot);
    }
    bool look_up = !ct_watched_is(dict, &plan->globals_state);
    if (look_up) {
        plan->globals_state = ct_watched_state(dict);
        plan->globals_mutable = false;
    }
    for (int i = 0; i < plan->global_count; i++) {
        ct_global *global = &plan->globals[i];
        if (look_up) {
            PyObject *v = PyDict_GetItemWithError(dict, global->name);
            global->value = v != NULL && is_shown_global(v) ? v : NULL;
            if (v != NULL && global->value != NULL && !is_immutable(v) &&
                global->action == CT_ALLOW)
                plan->globals_mutable = true;
        }
        ct_item item = ct_item_numbered(CTJ_ITEM_GLOBAL, (uint32_t)i);
        if (global->action == CT_REDACT)
            p = ct_slot_state_redacted(&global->slot, p, item, global->value, CT_KIND_GLOBAL,
                                       &plan->globals_cost);
        else
            p = ct_slot_state(&global->slot, p, item, global->value, &plan->globals_cost,
                              plan->attributes);
    }
    return p;
}

uint8_t *ct_state_arguments(ct_thread *t, ct_shadow *frame, uint8_t *p)
{
    const ct_plan *plan = frame->plan;
    int n = plan->argument_count;
    if (ct_unlikely(!plan->is_plain || plan->arguments_differ)) {
        p = state_slots(t, frame, p, n, plan->argument_flags, CT_KIND_ARGUMENT);
        return ct_state_globals_of(frame, p);
    }
    ct_slot *slots = t->slots + frame->slots;
    for (int i = 0; i < n; i++) {
        p = ct_slot_state_first(&slots[i], p, ct_item_of_slot((uint32_t)i),
                                ct_frame_slot(frame->iframe, i), &frame->cost, plan->attributes);
        ct_slot_was_stated(frame, &slots[i]);
    }
    return ct_state_globals_of(frame, p);
}

uint8_t *ct_state_some(ct_thread *t, ct_shadow *frame, uint8_t *p, uint64_t which)
{
    for (; which != 0; which &= which - 1) {
        int i = __builtin_ctzll(which);
        ct_slot *slot = &t->slots[frame->slots + (uint32_t)i];
        PyObject *v = ct_frame_slot(frame->iframe, i);
        if (ct_slot_is_same(slot, v))
            continue;
        p = ct_slot_restate(slot, p, ct_item_of_slot((uint32_t)i), v, &frame->cost,
                            frame->plan->attributes);
        ct_slot_was_stated(frame, slot);
    }
    return p;
}

uint8_t *ct_state_variables(ct_thread *t, ct_shadow *frame, uint8_t *p)
{
    const ct_plan *plan = frame->plan;
    const ct_iframe *iframe = frame->iframe;
    if (ct_unlikely(frame->generation != ct_out.generation))
        refresh(t, frame);
    p = state_slots(t, frame, p, plan->slot_count, plan->slot_flags, CT_KIND_LOCAL);
    if (ct_unlikely(frame->space != NULL) && iframe->f_locals != NULL &&
        PyDict_Check(iframe->f_locals))
        p = ct_namespace_state(frame->space, p, iframe->f_locals, &frame->cost, plan->attributes);
    return ct_state_globals_of(frame, p);
}

void ct_slot_has_tree(ct_shadow *frame, const ct_slot *slot)
{
    ct_plan *plan = frame->plan;
    if (!plan->quiet_is_known) {
        plan->quiet_is_known = true;
        plan->quiet = ct_quiet_places_of(plan->code);
    }
    if (plan->quiet == NULL)
        return;
    const struct ct_tree *tree = (const struct ct_tree *)(uintptr_t)slot->bits;
    if (tree->used > LARGE_TREE)
        frame->quiet_limit = CT_QUIET_PLACES;
    else if (frame->quiet_limit == 0)
        frame->quiet_limit = plan->quiet->idle;
}

void ct_undo_unit(ct_thread *t, ct_shadow *frame)
{
    ct_plan *plan = frame->plan;
    for (int i = 0; i < plan->slot_count; i++)
        ct_slot_undo(&t->slots[frame->slots + (uint32_t)i]);
    if (frame->space != NULL)
        ct_namespace_undo(frame->space);
    for (int i = 0; i < plan->global_count; i++)
        ct_slot_undo(&plan->globals[i].slot);
    plan->globals_generation = 0;
    ct_types_undefine();
    ct_field_names_undefine();
    ct_known_undefine();
    ct_uncount();
}
