/* Paths, names and functions: what the journal defines, and its numbers in the trace. */
#include "expand_units.h"

#include <stdlib.h>

static void define(struct ct_expander *e, struct ct_ids *ids, uint64_t id, uint32_t number)
{
    if (number == CT_NO_ID)
        ctj_fail(&e->in, CTJ_E_MEMORY);
    else if (!ct_ids_set(ids, id, number))
        ctj_fail(&e->in, id < CT_ID_LIMIT ? CTJ_E_MEMORY : CTJ_E_LIMIT);
}

uint32_t ct_expand_path(struct ct_expander *e, struct ct_span text)
{
    uint32_t number = ct_names_intern(&e->paths, text);
    if (number != CT_NO_ID && number >= e->lines_capacity) {
        uint32_t capacity = e->lines_capacity ? e->lines_capacity * 2 : 16;
        struct ct_lines *lines = realloc(e->lines, capacity * sizeof *lines);
        if (!lines)
            return CT_NO_ID;
        memset(lines + e->lines_capacity, 0, (capacity - e->lines_capacity) * sizeof *lines);
        e->lines = lines;
        e->lines_capacity = capacity;
    }
    return number;
}

void ct_expand_define_path(struct ct_expander *e, uint64_t id, struct ct_span text)
{
    define(e, &e->path_ids, id, ct_expand_path(e, text));
}

void ct_expand_define_name(struct ct_expander *e, uint64_t id, struct ct_span text)
{
    define(e, &e->name_ids, id, ct_names_intern(&e->names, text));
}

uint32_t ct_expand_add_function(struct ct_expander *e, struct ct_span text)
{
    uint32_t name = ct_names_intern(&e->function_texts, text);
    if (name == CT_NO_ID || !ct_ids_set(&e->function_numbers, e->function_count, name))
        return CT_NO_ID;
    return e->function_count++;
}

uint32_t ct_expand_thread_function(struct ct_expander *e, uint64_t id, struct ct_span name)
{
    struct ct_buf *text = &e->values.text;
    text->length = 0;
    ct_buf_literal(text, "<thread ");
    if (name.length) {
        ct_buf_put(text, name.data, name.length);
    } else {
        ct_buf_literal(text, "Thread-");
        ct_buf_decimal(text, id);
    }
    ct_buf_literal(text, ">");
    uint32_t known = ct_names_intern(&e->function_texts, ct_buf_span(text));
    if (text->failed || known == CT_NO_ID)
        return CT_NO_ID;
    uint32_t number = ct_ids_get(&e->thread_functions, known);
    if (number == CT_NO_ID) {
        number = ct_expand_add_function(e, ct_buf_span(text));
        if (number != CT_NO_ID && !ct_ids_set(&e->thread_functions, known, number))
            return CT_NO_ID;
    }
    return number;
}

struct ct_function *ct_expand_function(struct ct_expander *e, uint64_t id)
{
    struct ct_function *function = id < e->functions_capacity ? e->functions[id] : NULL;
    if (!function)
        ctj_fail(&e->in, CTJ_E_UNDEFINED);
    return function;
}

static bool make_room(struct ct_expander *e, uint64_t id)
{
    if (id < e->functions_capacity)
        return true;
    uint32_t capacity = e->functions_capacity ? e->functions_capacity : 64;
    while (capacity <= id)
        capacity *= 2;
    struct ct_function **functions = realloc(e->functions, capacity * sizeof(void *));
    if (!functions)
        return false;
    memset(functions + e->functions_capacity, 0,
           (capacity - e->functions_capacity) * sizeof(void *));
    e->functions = functions;
    e->functions_capacity = capacity;
    return true;
}

/* Read a list of name ids into `out`, which has room for the `count` that were announced. */
static void read_names(struct ct_expander *e, uint64_t count, uint32_t *out)
{
    for (uint64_t i = 0; i < count && !e->in.error; i++) {
        uint32_t name = ct_ids_get(&e->name_ids, ctj_uv(&e->in));
        if (name == CT_NO_ID)
            ctj_fail(&e->in, CTJ_E_UNDEFINED);
        out[i] = name;
    }
}

/* Find out whether a slot can hide a global. */
static bool find_clashes(struct ct_expander *e, struct ct_function *function)
{
    if (!ct_marks_clear(&e->marks, e->names.count))
        return false;
    for (uint32_t i = 0; i < function->slot_count; i++)
        ct_marks_add(&e->marks, function->slot_names[i]);
    for (uint32_t i = 0; i < function->global_count; i++)
        function->clashes |= ct_marks_has(&e->marks, function->global_names[i]);
    return true;
}

/* A list of ids takes a byte each at least. */
static uint64_t read_count(struct ct_expander *e)
{
    uint64_t count = ctj_uv(&e->in);
    if (count > (uint64_t)(e->in.end - e->in.p) && !e->in.error)
        ctj_fail(&e->in, CTJ_E_TRUNCATED);
    return e->in.error ? 0 : count;
}

/* Read the slots and globals; both lists are in one allocation. */
static bool read_variables(struct ct_expander *e, struct ct_function *function)
{
    struct ctj_cursor *in = &e->in;
    uint64_t slots = read_count(e);
    uint32_t *names = malloc((size_t)(slots + 1) * sizeof *names);
    if (!names)
        return false;
    function->slot_names = names;
    read_names(e, slots, names);
    uint64_t globals = read_count(e);
    names = realloc(names, (size_t)(slots + globals + 1) * sizeof *names);
    if (!names)
        return false;
    function->slot_names = names;
    function->global_names = names + slots;
    read_names(e, globals, function->global_names);
    function->slot_count = (uint32_t)slots;
    function->global_count = (uint32_t)globals;
    return in->error || find_clashes(e, function);
}

void ct_expand_define_function(struct ct_expander *e, const struct ctj_record *unit)
{
    struct ctj_cursor *in = &e->in;
    uint64_t flags = ctj_uv(in);
    struct ct_span text = ctj_text(in);
    ctj_uv(in); /* number of arguments */
    if (unit->a < e->functions_capacity && e->functions[unit->a]) {
        /* Chunks repeat definitions; the numbers stay. */
        for (int list = 0; list < 2; list++) {
            for (uint64_t count = read_count(e); count > 0 && !in->error; count--)
                ctj_uv(in);
        }
        return;
    }
    uint32_t path = ct_ids_get(&e->path_ids, unit->b);
    if (unit->a >= CT_ID_LIMIT)
        ctj_fail(in, CTJ_E_LIMIT);
    else if (path == CT_NO_ID)
        ctj_fail(in, CTJ_E_UNDEFINED);
    if (in->error)
        return;
    struct ct_function *function = calloc(1, sizeof *function);
    bool stored = function && make_room(e, unit->a);
    if (stored) {
        function->path = path;
        function->first_line = ct_expand_line(unit->c);
        function->number = e->function_count;
        function->is_module = flags & CTJ_FN_MODULE;
        function->is_coroutine = flags & (CTJ_FN_COROUTINE | CTJ_FN_ASYNC_GENERATOR);
        stored = read_variables(e, function);
    }
    if (stored && !in->error)
        stored = ct_expand_add_function(e, text) != CT_NO_ID;
    if (!stored)
        ctj_fail(in, CTJ_E_MEMORY);
    if (in->error) {
        ct_function_free(function);
        return;
    }
    e->functions[unit->a] = function;
    if (e->lines[path].highest < function->first_line)
        e->lines[path].highest = function->first_line;
}
