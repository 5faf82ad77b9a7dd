#include "scope_cache.h"

#include "boundary.h"
#include "frame.h"
#include "gate.h"
#include "guard.h"
#include "inject.h"
#include "logging.h"
#include "names.h"
#include "types.h"

#define PATH_LIMIT 4096

/* Strings with ids: names of variables, paths of files. */
struct text_table {
    PyObject *ids;     /* dict of str -> int */
    PyObject **texts;  /* by id, borrowed from the dict */
    uint64_t *defined; /* by id: generation of the chunk that holds the definition */
    uint32_t used, room;
};

Py_ssize_t ct_scope_index = -1;
bool ct_scope_is_public = true;
void *ct_scope_skip = (void *)1;
static void *skip_activation = (void *)3; /* the same for code of the activation file */
struct ct_scope_counts ct_scope_counts;

static struct {
    PyObject *resolver;      /* borrowed */
    PyObject *skipped_files; /* set of file names */
    struct text_table names, paths;
    ct_plan *plans;
    uint32_t next_id;
    uintptr_t sessions;
} scopes;

/* ---- names and paths
 * ---------------------------------------------------------------------------------------- */

static int64_t text_id(struct text_table *table, PyObject *text)
{
    PyObject *known = PyDict_GetItemWithError(table->ids, text);
    if (known != NULL)
        return PyLong_AsLong(known);
    if (table->used == table->room) {
        uint32_t room = table->room != 0 ? table->room * 2 : 256;
        PyObject **texts = realloc(table->texts, room * sizeof *texts);
        if (texts != NULL)
            table->texts = texts;
        uint64_t *defined = realloc(table->defined, room * sizeof *defined);
        if (defined != NULL)
            table->defined = defined;
        if (texts == NULL || defined == NULL)
            return -1;
        table->room = room;
    }
    PyObject *id = PyLong_FromUnsignedLong(table->used);
    if (id == NULL || PyDict_SetItem(table->ids, text, id) < 0) {
        Py_XDECREF(id);
        PyErr_Clear();
        return -1;
    }
    Py_DECREF(id);
    table->texts[table->used] = text;
    table->defined[table->used] = 0;
    return table->used++;
}

static void text_table_clear(struct text_table *table)
{
    Py_CLEAR(table->ids);
    free(table->texts);
    free(table->defined);
    *table = (struct text_table){0};
}

/* Write PATH or NAME unless the live chunk has it. */
static void define_text(struct text_table *table, uint32_t id, uint8_t tag, Py_ssize_t limit)
{
    if (table->defined[id] == ct_out.generation)
        return;
    table->defined[id] = ct_out.generation;
    uint8_t *unit = ct_out.at;
    uint8_t *p = ct_put_uv(unit + 1, id);
    p = limit == CT_NAME_LIMIT ? ct_put_name_text(p, table->texts[id])
                               : ct_put_text(p, table->texts[id], limit);
    ct_commit(unit, p, tag);
}

/* Bytes of at most `limit` characters of a text with its id and length. */
static uint32_t text_cost(PyObject *text, Py_ssize_t limit)
{
    Py_ssize_t n = PyUnicode_GET_LENGTH(text);
    n = n < limit ? n : limit;
    return (uint32_t)n * (PyUnicode_IS_ASCII(text) ? 1 : 4) + 24;
}

uint32_t ct_name_cost(PyObject *name)
{
    return text_cost(name, CT_NAME_LIMIT);
}

int64_t ct_name_id(PyObject *name)
{
    return text_id(&scopes.names, name);
}

void ct_name_undefine(uint32_t id)
{
    scopes.names.defined[id] = 0;
}

uint8_t *ct_put_name(uint8_t *p, uint32_t id)
{
    if (ct_likely(scopes.names.defined[id] == ct_out.generation))
        return p;
    scopes.names.defined[id] = ct_out.generation;
    *p++ = CTJ_ITEM_NAME;
    p = ct_put_uv(p, id);
    return ct_put_name_text(p, scopes.names.texts[id]);
}

void ct_plan_define_slow(ct_plan *plan)
{
    plan->generation = ct_out.generation;
    define_text(&scopes.paths, plan->path, CTJ_PATH, PATH_LIMIT);
    for (int i = 0; i < plan->slot_count; i++)
        define_text(&scopes.names, plan->slot_names[i], CTJ_NAME, CT_NAME_LIMIT);
    for (int i = 0; i < plan->global_count; i++)
        define_text(&scopes.names, plan->globals[i].name_id, CTJ_NAME, CT_NAME_LIMIT);
    uint8_t *unit = ct_out.at, *p = unit + 1;
    p = ct_put_uv(p, plan->id);
    p = ct_put_uv(p, plan->path);
    p = ct_put_uv(p, (uint64_t)plan->first_line);
    p = ct_put_uv(p, plan->flags);
    p = ct_put_name_text(p, plan->name);
    p = ct_put_uv(p, (uint64_t)plan->argument_count);
    p = ct_put_uv(p, (uint64_t)plan->slot_count);
    for (int i = 0; i < plan->slot_count; i++)
        p = ct_put_uv(p, plan->slot_names[i]);
    p = ct_put_uv(p, (uint64_t)plan->global_count);
    for (int i = 0; i < plan->global_count; i++)
        p = ct_put_uv(p, plan->globals[i].name_id);
    ct_commit(unit, p, CTJ_FUNCTION);
}

/* ---- plans
 * --------------------------------------------------------------------------------------------------
 */

void ct_plan_free(ct_plan *plan)
{
    if (plan->previous != NULL)
        plan->previous->next = plan->next;
    else if (scopes.plans == plan)
        scopes.plans = plan->next;
    if (plan->next != NULL)
        plan->next->previous = plan->previous;
    for (int i = 0; i < plan->global_count; i++) {
        ct_slot_drop(&plan->globals[i].slot);
        Py_DECREF(plan->globals[i].name);
    }
    Py_XDECREF(plan->name);
    Py_XDECREF(plan->decide);
    Py_XDECREF(plan->decided);
    free(plan->slot_names);
    free(plan->slot_flags);
    free(plan->argument_flags);
    free(plan->globals);
    free(plan->handlers);
    free(plan->quiet);
    free(plan);
}

/* The interpreter frees the code object, or another plan takes the place of this one. */
static void extra_free(void *extra)
{
    if (((uintptr_t)extra & 1) != 0 || extra == NULL)
        return;
    ct_plan *plan = extra;
    plan->code = NULL;
    ct_plan_release(plan);
}

/* Flags of n slots from the actions that Python decided. */
static uint8_t *flags_from(const char *actions, int n, const char *kinds)
{
    uint8_t *flags = calloc((size_t)n + 1, 1);
    for (int i = 0; flags != NULL && i < n; i++) {
        if (kinds[i] & (CO_FAST_CELL | CO_FAST_FREE))
            flags[i] |= CT_SLOT_IS_CELL;
        if (actions[i] != CT_ALLOW)
            flags[i] |= actions[i] == CT_DROP ? CT_SLOT_DROP : CT_SLOT_REDACT;
    }
    return flags;
}

/* The number of variables whose names fit into a definition. */
static int slots_that_fit(ct_plan *plan, PyObject *names)
{
    int n = 0;
    while (n < PyTuple_GET_SIZE(names) && n < CT_VARIABLES_LIMIT &&
           plan->definition < CT_NAMES_LIMIT)
        plan->definition += ct_name_cost(PyTuple_GET_ITEM(names, n++));
    return n;
}

static bool plan_globals_from(ct_plan *plan, PyObject *names, const char *actions)
{
    Py_ssize_t n = PyTuple_GET_SIZE(names);
    n = n < CT_VARIABLES_LIMIT ? n : CT_VARIABLES_LIMIT;
    plan->globals = calloc((size_t)n + 1, sizeof *plan->globals);
    if (plan->globals == NULL)
        return false;
    for (Py_ssize_t i = 0; i < n; i++) {
        PyObject *name = PyTuple_GET_ITEM(names, i);
        if (actions[i] == CT_DROP)
            continue;
        int64_t id = ct_name_id(name);
        if (id < 0)
            return false;
        plan->definition += ct_name_cost(name);
        if (plan->definition > 2 * CT_NAMES_LIMIT)
            break;
        plan->globals[plan->global_count++] = (ct_global){
            .name = Py_NewRef(name), .name_id = (uint32_t)id, .action = (uint8_t)actions[i]};
    }
    return true;
}

/* The exception with which the method of an iterator says that there are no more items. */
static PyObject *ends_with(PyCodeObject *code)
{
    if (PyUnicode_CompareWithASCIIString(code->co_name, "__next__") == 0)
        return PyExc_StopIteration;
    if (PyUnicode_CompareWithASCIIString(code->co_name, "__anext__") == 0)
        return PyExc_StopAsyncIteration;
    return NULL;
}

static ct_plan *misfit(void)
{
    PyErr_SetString(PyExc_SystemError, "the resolver's answer does not fit the code object");
    return NULL;
}

/* A plan from the resolver's answer: (path, name, first line, flags, number of arguments, actions
 * of the variables, actions of the arguments, names of globals, their actions, actions of what is
 * returned, of what is yielded, of exceptions that come up and of those that are thrown in, decide
 * or None, decided or None, decide about names inside values or None); actions are of enum
 * ct_action. */
static ct_plan *plan_from(PyCodeObject *code, PyObject *answer)
{
    PyObject *path, *name, *global_names, *decide, *decided, *attributes;
    const char *slot_actions, *argument_actions, *global_actions;
    Py_ssize_t slots, arguments, globals;
    int first_line, flags, argument_count, return_action, yield_action, unwind_action, throw_action;
    if (!PyArg_ParseTuple(answer, "UUiiiy#y#O!y#iiiiOOO", &path, &name, &first_line, &flags,
                          &argument_count, &slot_actions, &slots, &argument_actions, &arguments,
                          &PyTuple_Type, &global_names, &global_actions, &globals, &return_action,
                          &yield_action, &unwind_action, &throw_action, &decide, &decided,
                          &attributes))
        return NULL;
    if (slots != code->co_nlocalsplus || arguments < argument_count || argument_count > slots ||
        globals != PyTuple_GET_SIZE(global_names) ||
        (decided != Py_None && !PyDict_CheckExact(decided))) {
        return misfit();
    }
    ct_plan *plan = calloc(1, sizeof *plan);
    if (plan == NULL)
        return (ct_plan *)PyErr_NoMemory();
    const char *kinds = PyBytes_AS_STRING(code->co_localspluskinds);
    plan->references = 1;
    plan->definition = text_cost(path, PATH_LIMIT) + text_cost(name, CT_NAME_LIMIT) + 64;
    plan->slot_count = slots_that_fit(plan, code->co_localsplusnames);
    plan->argument_count = argument_count < plan->slot_count ? argument_count : plan->slot_count;
    plan->slot_names = calloc((size_t)plan->slot_count + 1, sizeof *plan->slot_names);
    plan->slot_flags = flags_from(slot_actions, plan->slot_count, kinds);
    plan->argument_flags = flags_from(argument_actions, plan->argument_count, kinds);
    plan->arguments_differ =
        plan->slot_flags != NULL && plan->argument_flags != NULL &&
        memcmp(plan->slot_flags, plan->argument_flags, (size_t)plan->argument_count) != 0;
    plan->is_plain = !ct_frame_is_public && !(flags & CTJ_FN_NAMESPACE);
    for (int i = 0; plan->slot_flags != NULL && i < plan->slot_count; i++)
        plan->is_plain = plan->is_plain && plan->slot_flags[i] == 0;
    int64_t id = text_id(&scopes.paths, path);
    bool good = plan->slot_names != NULL && plan->slot_flags != NULL &&
                plan->argument_flags != NULL && id >= 0 &&
                plan_globals_from(plan, global_names, global_actions);
    if (good && attributes != Py_None)
        good = (plan->attributes = ct_attributes_of(attributes)) != NULL;
    plan->path = (uint32_t)id;
    for (int i = 0; good && i < plan->slot_count; i++) {
        id = ct_name_id(PyTuple_GET_ITEM(code->co_localsplusnames, i));
        plan->slot_names[i] = (uint32_t)id;
        good = id >= 0;
    }
    if (!good) {
        ct_plan_free(plan);
        return (ct_plan *)PyErr_NoMemory();
    }
    plan->code = code;
    plan->id = scopes.next_id++;
    plan->name = Py_NewRef(name);
    plan->first_line = first_line;
    plan->flags = (uint32_t)flags;
    plan->is_namespace = flags & CTJ_FN_NAMESPACE;
    plan->ends_with = ends_with(code);
    plan->return_action = (uint8_t)return_action;
    plan->yield_action = (uint8_t)yield_action;
    plan->unwind_action = (uint8_t)unwind_action;
    plan->throw_action = (uint8_t)throw_action;
    plan->decide = decide != Py_None ? Py_NewRef(decide) : NULL;
    plan->decided = decided != Py_None ? Py_NewRef(decided) : NULL;
    plan->next = scopes.plans;
    if (scopes.plans != NULL)
        scopes.plans->previous = plan;
    scopes.plans = plan;
    return plan;
}

static bool is_synthetic(PyObject *filename)
{
    return PyUnicode_CheckExact(filename) && PyUnicode_GET_LENGTH(filename) > 0 &&
           PyUnicode_READ_CHAR(filename, 0) == '<';
}

static enum ct_scope skip(PyCodeObject *code, bool activates)
{
    ct_scope_counts.skipped++;
    ct_scope_counts.synthetic += is_synthetic(code->co_filename);
    void *extra = activates ? skip_activation : ct_scope_skip;
    if (PyUnstable_Code_SetExtra((PyObject *)code, ct_scope_index, extra) < 0)
        PyErr_Clear();
    return activates ? CT_SCOPE_WATCH : CT_SCOPE_SKIP;
}

bool ct_scope_activates(PyCodeObject *code)
{
    void *extra = ct_scope_extra((PyObject *)code);
    if (extra == NULL || ((uintptr_t)extra & 1) != 0)
        return extra == skip_activation;
    return ((ct_plan *)extra)->activates;
}

/* The module's name as its globals say it, a borrowed str, or None. */
static PyObject *module_name(PyObject *globals)
{
    static PyObject *key;
    if (key == NULL)
        key = PyUnicode_InternFromString("__name__");
    if (globals == NULL || key == NULL || !PyDict_Check(globals) || !ct_dict_has_str_keys(globals))
        return Py_None;
    PyObject *name = PyDict_GetItemWithError(globals, key);
    return name != NULL && PyUnicode_CheckExact(name) ? name : Py_None;
}

static bool are_plain(PyObject *names)
{
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(names); i++)
        if (!PyUnicode_CheckExact(PyTuple_GET_ITEM(names, i)))
            return false;
    return true;
}

/* code.replace() accepts instances of subclasses of str, whose methods would run when a filter
 * looks at them. */
static bool has_plain_names(PyCodeObject *code)
{
    return PyUnicode_CheckExact(code->co_filename) && PyUnicode_CheckExact(code->co_name) &&
           PyUnicode_CheckExact(code->co_qualname) && are_plain(code->co_names) &&
           are_plain(code->co_localsplusnames);
}

static enum ct_scope contain(void)
{
    return ct_contain() == CT_GO_RAISE ? CT_SCOPE_ERROR : CT_SCOPE_UNDECIDED;
}

enum ct_scope ct_scope_resolve(PyCodeObject *code, PyObject *globals, ct_plan **plan)
{
    void *extra = ct_scope_extra((PyObject *)code);
    if (extra == skip_activation)
        return CT_SCOPE_WATCH;
    if (!has_plain_names(code)) {
        ct_scope_counts.unreadable++;
        return skip(code, false);
    }
    ct_logging_see(code);
    uintptr_t session = scopes.sessions;
    int activates = ct_gate_exists ? ct_gate_activates(code) : 0;
    if (activates < 0)
        return contain();
    if (scopes.skipped_files == NULL || scopes.sessions != session)
        return CT_SCOPE_UNDECIDED;
    if (PySet_Contains(scopes.skipped_files, code->co_filename) == 1)
        return skip(code, activates);
    PyObject *answer = CT_RECORDERS_OWN(
        PyObject_CallFunctionObjArgs(scopes.resolver, (PyObject *)code, code->co_localsplusnames,
                                     code->co_localspluskinds, module_name(globals), NULL));
    if (answer == NULL)
        return contain();
    enum ct_scope scope = CT_SCOPE_ERROR;
    extra = ct_scope_extra((PyObject *)code);
    if (scopes.skipped_files == NULL || scopes.sessions != session || answer == Py_Ellipsis) {
        scope = CT_SCOPE_UNDECIDED; /* the session has ended meanwhile, or there was no answer this
                                       time */
    } else if (extra == ct_scope_skip) {
        scope = CT_SCOPE_SKIP; /* another thread has asked at the same time */
    } else if (extra == skip_activation) {
        scope = CT_SCOPE_WATCH;
    } else if (extra != NULL && ((uintptr_t)extra & 1) == 0) {
        *plan = extra;
        scope = CT_SCOPE_TRACE;
    } else if (answer == Py_None) {
        scope = skip(code, activates);
    } else if (answer == Py_True) {
        if (PySet_Add(scopes.skipped_files, code->co_filename) < 0)
            PyErr_Clear();
        scope = skip(code, activates);
    } else {
        *plan = ct_injected("panic") ? misfit() : plan_from(code, answer);
        if (*plan != NULL) {
            if (PyUnstable_Code_SetExtra((PyObject *)code, ct_scope_index, *plan) < 0) {
                ct_plan_free(*plan);
            } else {
                ct_scope_counts.traced++;
                (*plan)->activates = activates;
                scope = CT_SCOPE_TRACE;
            }
        }
    }
    Py_DECREF(answer);
    return scope == CT_SCOPE_ERROR ? contain() : scope;
}

/* Compare both ways of reading what a code object holds for us.  -1: an exception is set. */
static int test_extras(void)
{
    PyObject *code = (PyObject *)PyCode_NewEmpty("", "", 1);
    if (code == NULL)
        return -1;
    bool was_empty = ct_code_extra(code, ct_scope_index) == NULL;
    int status = PyUnstable_Code_SetExtra(code, ct_scope_index, ct_scope_skip);
    bool is_found = ct_code_extra(code, ct_scope_index) == ct_scope_skip;
    ct_scope_is_public = !was_empty || !is_found;
    Py_DECREF(code);
    return status;
}

int ct_scopes_open(PyObject *resolver)
{
    if (ct_scope_index < 0) {
        ct_scope_index = PyUnstable_Eval_RequestCodeExtraIndex(extra_free);
        if (ct_scope_index < 0) {
            PyErr_SetString(PyExc_RuntimeError,
                            "the interpreter has no room for another kind of code extras");
            return -1;
        }
        if (test_extras() < 0)
            return -1;
    }
    scopes.resolver = resolver;
    scopes.next_id = 0;
    scopes.skipped_files = PySet_New(NULL);
    scopes.names.ids = PyDict_New();
    scopes.paths.ids = PyDict_New();
    if (scopes.skipped_files == NULL || scopes.names.ids == NULL || scopes.paths.ids == NULL)
        return -1;
    /* Odd numbers, others for each session: never an address, never an earlier session's
     * answer. */
    ct_scope_skip = (void *)(++scopes.sessions << 2 | 1);
    skip_activation = (void *)(scopes.sessions << 2 | 3);
    memset(&ct_scope_counts, 0, sizeof ct_scope_counts);
    return 0;
}

void ct_scopes_close(void (*disarm)(PyCodeObject *))
{
    while (scopes.plans != NULL) {
        ct_plan *plan = scopes.plans;
        PyCodeObject *code = plan->code;
        if (code == NULL) {
            ct_plan_free(plan); /* only a stale frame held it, and those are gone */
            continue;
        }
        if (plan->armed)
            disarm(code);
        if (PyUnstable_Code_SetExtra((PyObject *)code, ct_scope_index, NULL) < 0)
            PyErr_Clear();
        if (scopes.plans == plan)
            ct_plan_free(plan);
    }
    ct_scope_skip = (void *)1; /* no session, no answer */
    skip_activation = (void *)3;
    Py_CLEAR(scopes.skipped_files);
    text_table_clear(&scopes.names);
    text_table_clear(&scopes.paths);
    scopes.resolver = NULL;
}
