/* Units to records: steps, values, calls, threads. */
#include "expand_records.h"

static uint64_t last_step(const struct ct_expander *e)
{
    return e->steps ? e->steps - 1 : 0;
}

/* Make sure that the step to come lies in a call record of the frame. */
static void place(struct ct_expander *e, struct ct_thread *thread)
{
    if (!e->writing)
        ct_piece(&e->calls, thread, thread->depth - 1, &e->toplevel, e->steps);
}

void ct_expand_only_step(struct ct_expander *e)
{
    ct_record_step(e, 0, 1, NULL);
}

/* The innermost frame of the current thread, NULL when there is none. */
static struct ct_frame *top(const struct ct_expander *e)
{
    return e->stacks.current ? ct_thread_top(e->stacks.current) : NULL;
}

static bool is_exception(const struct ctj_record *unit)
{
    return unit->tag == CTJ_RAISE || unit->tag == CTJ_CATCH;
}

void ct_expand_place(struct ct_expander *e, const struct ctj_record *unit)
{
    const struct ct_frame *frame = top(e);
    uint32_t path = e->path, line = e->line;
    if (frame) {
        place(e, e->stacks.current);
        if (unit->tag == CTJ_OUTPUT || is_exception(unit)) {
            path = frame->function->path;
            line = ct_expand_line(frame->line);
        }
    }
    ct_record_step(e, path, line, frame);
    e->output.after_call = unit->tag == CTJ_OUTPUT;
}

bool ct_expand_is_unplaced(const struct ct_expander *e, const struct ctj_record *unit)
{
    const struct ct_frame *frame = top(e);
    switch (unit->tag) {
    case CTJ_RAISE:
    case CTJ_CATCH:
        return e->chunk_steps == 0 || (frame && (e->path != frame->function->path ||
                                                 e->line != ct_expand_line(frame->line)));
    case CTJ_OUTPUT:
        return frame && !e->at_frame;
    case CTJ_THREAD_START:
    case CTJ_THREAD_EXIT:
        return e->chunk_steps == 0;
    case CTJ_THREAD_SWITCH:
        return e->chunk_steps == 0 && (!e->stacks.current || e->stacks.current->id != unit->a);
    default:
        return false;
    }
}

static struct ct_thread *thread_of(struct ct_expander *e, uint64_t id)
{
    struct ct_thread *thread = ct_stacks_thread(&e->stacks, id);
    if (!thread) {
        ctj_fail(&e->in, id < CT_THREAD_LIMIT ? CTJ_E_MEMORY : CTJ_E_LIMIT);
        return NULL;
    }
    if (!e->writing && id && thread->function == CT_NO_ID) {
        thread->function = ct_expand_thread_function(e, id, (struct ct_span){0});
        if (thread->function == CT_NO_ID)
            ctj_fail(&e->in, CTJ_E_MEMORY);
    }
    return thread;
}

/* The innermost frame of the current thread; NULL and an error when there is none. */
static struct ct_frame *current_frame(struct ct_expander *e)
{
    struct ct_frame *frame = top(e);
    if (!frame)
        ctj_fail(&e->in, CTJ_E_STACK);
    return frame;
}

static void read_item(struct ct_expander *e, struct ct_frame *frame, uint8_t tag)
{
    struct ctj_cursor *in = &e->in;
    struct ct_function *function = frame->function;
    struct ct_vars *vars = &frame->slots;
    struct ct_var *var;
    uint32_t name;
    if (tag == CTJ_ITEM_NAMED) {
        name = ct_ids_get(&e->name_ids, ctj_uv(in));
        if (name == CT_NO_ID) {
            ctj_fail(in, CTJ_E_UNDEFINED);
            return;
        }
        vars = &frame->named;
        var = ct_vars_named(vars, name);
    } else {
        bool global = tag == CTJ_ITEM_GLOBAL;
        uint64_t index = tag < CTJ_ITEM_GLOBAL ? (uint64_t)tag - CTJ_ITEM_SLOT : ctj_uv(in);
        if (index >= (global ? function->global_count : function->slot_count)) {
            ctj_fail(in, CTJ_E_UNDEFINED);
            return;
        }
        name = global ? function->global_names[index] : function->slot_names[index];
        if (global)
            vars = &function->globals;
        var = ct_vars_at(vars, index);
    }
    if (!var) {
        ctj_fail(in, CTJ_E_LIMIT);
        return;
    }
    ct_value_read_item(&e->values, in, vars, var, name);
}

static void read_items(struct ct_expander *e, struct ct_frame *frame)
{
    struct ctj_cursor *in = &e->in;
    while (ctj_item_follows(in)) {
        uint8_t tag = *in->p++;
        if (tag == CTJ_ITEM_NAME) {
            uint64_t id = ctj_uv(in);
            struct ct_span text = ctj_text(in);
            if (!in->error)
                ct_expand_define_name(e, id, text);
        } else if (tag == CTJ_ITEM_EXTENSION) {
            ctj_u8(in);
            ctj_text(in);
        } else {
            read_item(e, frame, tag);
        }
    }
    size_t bytes =
        frame->slots.run.length + frame->named.run.length + frame->function->globals.run.length;
    if (bytes > CT_RECORD_LIMIT)
        ctj_fail(in, CTJ_E_LIMIT);
}

static void on_step(struct ct_expander *e, const struct ctj_record *unit)
{
    struct ct_frame *frame = current_frame(e);
    if (!frame)
        return;
    frame->line += (uint64_t)unit->line;
    read_items(e, frame);
    if (e->in.error)
        return;
    place(e, e->stacks.current);
    ct_record_step(e, frame->function->path, ct_expand_line(frame->line), frame);
}

/* Push a frame on the current thread; NULL and an error when that fails. */
static struct ct_frame *push(struct ct_expander *e, uint64_t id, const uint64_t *line)
{
    struct ct_function *function = ct_expand_function(e, id);
    if (!function)
        return NULL;
    struct ct_thread *thread = e->stacks.current;
    if (!thread) {
        ctj_fail(&e->in, CTJ_E_STACK);
        return NULL;
    }
    struct ct_frame *frame = ct_thread_push(thread, function, line ? *line : function->first_line);
    if (!frame)
        ctj_fail(&e->in, thread->depth < CT_DEPTH_LIMIT / 2 ? CTJ_E_MEMORY : CTJ_E_LIMIT);
    return frame;
}

static void open_call(struct ct_expander *e, const struct ct_frame *frame, enum ct_entry entry)
{
    if (e->writing)
        return;
    ct_piece_open(&e->calls, e->stacks.current, &e->toplevel, e->steps, entry);
    ct_calls_arguments(&e->calls, frame->key, frame->slots.bound, ct_buf_span(&frame->slots.run));
}

static void on_call(struct ct_expander *e, const struct ctj_record *unit)
{
    struct ct_frame *frame = push(e, unit->a, NULL);
    if (!frame)
        return;
    read_items(e, frame);
    if (e->in.error)
        return;
    open_call(e, frame, CT_ENTRY_CALL);
    ct_record_step(e, frame->function->path, ct_expand_line(frame->line), frame);
}

static void on_entry(struct ct_expander *e, const struct ctj_record *unit)
{
    if (unit->tag == CTJ_THROW) {
        /* A record says that it is raised there, unless it only passes through. */
        ct_value_read(&e->values, &e->in);
        if (e->in.error)
            return;
    }
    const struct ct_frame *frame = push(e, unit->a, &unit->b);
    if (frame)
        open_call(e, frame,
                  unit->tag == CTJ_THROW    ? CT_ENTRY_THROW
                  : unit->tag == CTJ_RESUME ? CT_ENTRY_RESUME
                                            : CT_ENTRY_FOUND);
    e->at_frame = false;
}

/* The main module may have ended by the exception that was read last. */
static void note_uncaught(struct ct_expander *e, const struct ct_frame *frame, uint32_t type)
{
    static const char exit[] = "SystemExit";
    struct ct_thread *thread = e->stacks.current;
    if (e->writing || thread->id != 0 || thread->depth != 1 || !frame->function->is_module)
        return;
    struct ct_span name = ct_names_text(&e->values.types, type);
    e->uncaught.length = 0;
    if (name.length == sizeof exit - 1 && memcmp(name.data, exit, name.length) == 0)
        return;
    ct_value_message(&e->values, type, CT_MESSAGE_LIMIT);
    ct_buf_put(&e->uncaught, name.data, name.length);
    if (e->values.text.length) {
        ct_buf_put(&e->uncaught, (const uint8_t *)": ", 2);
        ct_buf_put(&e->uncaught, e->values.text.data, e->values.text.length);
    }
}

static void on_end(struct ct_expander *e, const struct ctj_record *unit)
{
    struct ct_frame *frame = current_frame(e);
    if (!frame)
        return;
    if (unit->tag != CTJ_LOST) {
        uint32_t type = ct_value_read(&e->values, &e->in);
        if (!e->in.error && unit->tag == CTJ_UNWIND)
            note_uncaught(e, frame, type);
        if (!e->in.error && e->values.value.length > CT_RECORD_LIMIT)
            ctj_fail(&e->in, CTJ_E_LIMIT);
        if (e->in.error)
            return;
    }
    struct ct_thread *thread = e->stacks.current;
    if (!e->writing) {
        struct ct_calls *calls = &e->calls;
        if (frame->key == CT_NO_CALL)
            place(e, thread);
        if (unit->tag == CTJ_LOST)
            ct_calls_exit(calls, frame->key, CT_EXIT_LOST);
        else
            ct_calls_result(calls, frame->key, ct_buf_span(&e->values.value),
                            unit->tag == CTJ_UNWIND  ? CT_EXIT_UNWIND
                            : unit->tag == CTJ_YIELD ? CT_EXIT_YIELD
                                                     : CT_EXIT_RETURN);
        if (frame->stint == thread->stint)
            ct_calls_end(calls, frame->key, last_step(e));
        ct_calls_settle(calls, frame->key, &frame->family);
    }
    ct_thread_pop(thread);
    e->at_frame = false;
}

static void on_exception(struct ct_expander *e, const struct ctj_record *unit)
{
    const struct ct_frame *frame = current_frame(e);
    if (!frame)
        return;
    uint32_t type = ct_value_read(&e->values, &e->in);
    if (e->in.error)
        return;
    place(e, e->stacks.current);
    ct_record_mark(e, unit->tag == CTJ_RAISE ? CT_STEP_RAISE : CT_STEP_CATCH, type);
    if (unit->tag == CTJ_RAISE && e->writing) {
        ct_value_message(&e->values, type, CT_MESSAGE_LIMIT);
        ct_buf_uv(&e->step_records, e->values.text.length);
        ct_buf_put(&e->step_records, e->values.text.data, e->values.text.length);
    }
    ct_record_values(e, frame);
    ct_record_end(e);
    e->at_frame = true;
}

/* A record about threads; it belongs to no frame. */
static void put_thread(struct ct_expander *e, uint8_t tag, uint64_t id)
{
    ct_record_mark(e, tag, id);
    ct_record_values(e, NULL);
    ct_record_end(e);
    e->at_frame = false;
}

static void on_switch(struct ct_expander *e, uint64_t id)
{
    struct ct_thread *left = e->stacks.current;
    struct ct_thread *thread = thread_of(e, id);
    if (e->in.error || thread == left)
        return;
    put_thread(e, CT_STEP_SWITCH, id);
    if (left && !e->writing)
        ct_stint_end(&e->calls, left, last_step(e));
    e->stacks.current = thread;
}

static void on_thread_start(struct ct_expander *e, const struct ctj_record *unit)
{
    struct ct_thread *thread = thread_of(e, unit->a);
    if (e->in.error)
        return;
    ct_output_name(&thread->name, unit->text);
    if (!e->writing && unit->text.length) {
        thread->function = ct_expand_thread_function(e, unit->a, unit->text);
        if (thread->function == CT_NO_ID) {
            ctj_fail(&e->in, CTJ_E_MEMORY);
            return;
        }
    }
    put_thread(e, CT_STEP_START, unit->a);
}

/* Close the open calls of a thread without a result. */
static void lose_frames(struct ct_expander *e, struct ct_thread *thread)
{
    if (!e->writing) {
        ct_stint_end(&e->calls, thread, last_step(e));
        ct_pieces_settle(&e->calls, thread);
    }
    while (thread->depth)
        ct_thread_pop(thread);
    e->at_frame = false;
}

static void on_thread_exit(struct ct_expander *e, uint64_t id)
{
    put_thread(e, CT_STEP_EXIT, id);
    if (id < e->stacks.capacity && e->stacks.threads[id]) {
        lose_frames(e, e->stacks.threads[id]);
        ct_stacks_end_thread(&e->stacks, id);
    }
}

void ct_expand_lose_frames(struct ct_expander *e)
{
    for (uint32_t i = 0; i < e->stacks.capacity; i++) {
        if (e->stacks.threads[i])
            lose_frames(e, e->stacks.threads[i]);
    }
}

/* Behind a gap the unit that has told the name may be lost. */
static void on_thread_name(struct ct_expander *e, struct ct_span data)
{
    struct ctj_cursor in = {data.data, data.data + data.length, data.data, CTJ_E_NONE, false};
    uint64_t id = ctj_uv(&in);
    struct ct_span name = ctj_text(&in);
    if (!e->after_gap || in.error || id == 0 || name.length == 0)
        return;
    struct ct_thread *thread = thread_of(e, id);
    if (e->in.error)
        return;
    ct_output_name(&thread->name, name);
    if (!e->writing)
        thread->function = ct_expand_thread_function(e, id, name);
    if (!e->writing && thread->function == CT_NO_ID)
        ctj_fail(&e->in, CTJ_E_MEMORY);
}

/* Behind a gap the stacks are what the chunk says they are. */
static void on_restored_frame(struct ct_expander *e, const struct ctj_record *unit)
{
    struct ct_function *function = ct_expand_function(e, unit->a);
    if (!function || !e->after_gap)
        return;
    if (!e->restored)
        ctj_fail(&e->in, CTJ_E_STACK);
    else if (!ct_thread_push(e->restored, function, unit->c))
        ctj_fail(&e->in, CTJ_E_MEMORY);
}

static void on_task(struct ct_expander *e, const struct ctj_record *unit)
{
    struct ct_thread *thread = e->stacks.current;
    if (!thread)
        ctj_fail(&e->in, CTJ_E_STACK);
    else if (unit->a)
        ct_output_name(&thread->task, unit->text);
    else
        thread->task.length = 0;
}

/* Whether output after the unit belongs to what was written before it. */
static bool keeps_line(const struct ct_expander *e, const struct ctj_record *unit)
{
    switch (unit->tag) {
    case CTJ_OUTPUT:
    case CTJ_PATH:
    case CTJ_NAME:
    case CTJ_FUNCTION:
    case CTJ_STACK:
    case CTJ_FRAME:
        return true;
    case CTJ_THREAD_SWITCH:
        return e->stacks.current && e->stacks.current->id == unit->a;
    default:
        return false;
    }
}

void ct_expand_unit(struct ct_expander *e, const struct ctj_record *unit)
{
    if (!keeps_line(e, unit))
        ct_output_break(e);
    switch (unit->tag) {
    case CTJ_STEP:
        on_step(e, unit);
        break;
    case CTJ_CALL:
        on_call(e, unit);
        break;
    case CTJ_ENTER:
    case CTJ_RESUME:
    case CTJ_THROW:
        on_entry(e, unit);
        break;
    case CTJ_RETURN:
    case CTJ_YIELD:
    case CTJ_UNWIND:
    case CTJ_LOST:
        on_end(e, unit);
        break;
    case CTJ_RAISE:
    case CTJ_CATCH:
        on_exception(e, unit);
        break;
    case CTJ_PATH:
        ct_expand_define_path(e, unit->a, unit->text);
        break;
    case CTJ_NAME:
        ct_expand_define_name(e, unit->a, unit->text);
        break;
    case CTJ_FUNCTION:
        ct_expand_define_function(e, unit);
        break;
    case CTJ_THREAD_SWITCH:
        on_switch(e, unit->a);
        break;
    case CTJ_THREAD_START:
        on_thread_start(e, unit);
        break;
    case CTJ_THREAD_EXIT:
        on_thread_exit(e, unit->a);
        break;
    case CTJ_STACK:
        if (e->after_gap)
            e->restored = thread_of(e, unit->a);
        break;
    case CTJ_FRAME:
        on_restored_frame(e, unit);
        break;
    case CTJ_TASK:
        on_task(e, unit);
        break;
    case CTJ_OUTPUT:
        ct_output_unit(e, (uint8_t)unit->a, unit->text);
        break;
    case CTJ_THREAD_NAME:
        on_thread_name(e, unit->text);
        break;
    default: /* an extension */
        break;
    }
}
