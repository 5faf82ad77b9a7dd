/* Stacks of frames and the call records of their pieces. */
#include "expand_stack.h"

#include <stdlib.h>

/* Frames whose variables are always kept, and what the variables of the others may take. */
#define KEEP_FRAMES 64
#define KEEP_BYTES  ((size_t)2 << 20)

#define TOPLEVEL_KEY 0
#define FIRST_STINT  1

struct ct_thread *ct_stacks_thread(struct ct_stacks *stacks, uint64_t id)
{
    if (id >= CT_THREAD_LIMIT)
        return NULL;
    if (id >= stacks->capacity) {
        uint32_t capacity = stacks->capacity ? stacks->capacity : 16;
        while (capacity <= id)
            capacity *= 2;
        struct ct_thread **threads = realloc(stacks->threads, capacity * sizeof(void *));
        if (!threads)
            return NULL;
        memset(threads + stacks->capacity, 0, (capacity - stacks->capacity) * sizeof(void *));
        stacks->threads = threads;
        stacks->capacity = capacity;
    }
    struct ct_thread *thread = stacks->threads[id];
    if (!thread) {
        thread = calloc(1, sizeof *thread);
        if (!thread)
            return NULL;
        thread->id = id;
        thread->stint = FIRST_STINT;
        thread->function = CT_NO_ID;
        thread->key = CT_NO_CALL;
        stacks->threads[id] = thread;
        stacks->seen++;
    }
    return thread;
}

static void free_thread(struct ct_thread *thread)
{
    for (uint32_t i = 0; i < thread->capacity; i++) {
        ct_vars_free(&thread->frames[i].slots);
        ct_vars_free(&thread->frames[i].named);
    }
    ct_buf_free(&thread->name);
    ct_buf_free(&thread->task);
    free(thread->frames);
    free(thread);
}

void ct_stacks_end_thread(struct ct_stacks *stacks, uint64_t id)
{
    if (id >= stacks->capacity || !stacks->threads[id])
        return;
    if (stacks->current == stacks->threads[id])
        stacks->current = NULL;
    free_thread(stacks->threads[id]);
    stacks->threads[id] = NULL;
}

static void trim_thread(struct ct_thread *thread)
{
    size_t kept = 0;
    for (uint32_t i = thread->depth; i > 0; i--) {
        struct ct_frame *frame = &thread->frames[i - 1];
        kept += frame->slots.run.length + frame->named.run.length;
        if (thread->depth - i >= KEEP_FRAMES && kept > KEEP_BYTES) {
            ct_vars_free(&frame->slots);
            ct_vars_free(&frame->named);
        }
    }
    for (uint32_t i = thread->depth + KEEP_FRAMES; i < thread->capacity; i++) {
        ct_vars_free(&thread->frames[i].slots);
        ct_vars_free(&thread->frames[i].named);
    }
}

void ct_stacks_trim(struct ct_stacks *stacks)
{
    for (uint32_t i = 0; i < stacks->capacity; i++) {
        if (stacks->threads[i])
            trim_thread(stacks->threads[i]);
    }
}

void ct_stacks_free(struct ct_stacks *stacks)
{
    for (uint32_t i = 0; i < stacks->capacity; i++) {
        if (stacks->threads[i])
            free_thread(stacks->threads[i]);
    }
    free(stacks->threads);
    *stacks = (struct ct_stacks){0};
}

struct ct_frame *ct_thread_push(struct ct_thread *thread, struct ct_function *function,
                                uint64_t line)
{
    if (thread->depth == thread->capacity) {
        uint32_t capacity = thread->capacity ? thread->capacity * 2 : 16;
        struct ct_frame *frames =
            capacity > CT_DEPTH_LIMIT ? NULL : realloc(thread->frames, capacity * sizeof *frames);
        if (!frames)
            return NULL;
        memset(frames + thread->capacity, 0, (capacity - thread->capacity) * sizeof *frames);
        thread->frames = frames;
        thread->capacity = capacity;
    }
    struct ct_frame *frame = &thread->frames[thread->depth++];
    frame->function = function;
    frame->line = line;
    frame->family = (struct ct_family){0};
    frame->key = CT_NO_CALL;
    frame->stint = 0;
    return frame;
}

void ct_thread_pop(struct ct_thread *thread)
{
    struct ct_frame *frame = &thread->frames[--thread->depth];
    ct_vars_reset(&frame->slots);
    ct_vars_reset(&frame->named);
}

struct ct_span ct_thread_task(const struct ct_thread *thread)
{
    /* The task is that of the coroutines, not of the loop that runs between them. */
    for (uint32_t i = thread->task.length ? thread->depth : 0; i > 0; i--) {
        if (thread->frames[i - 1].function->is_coroutine)
            return ct_buf_span(&thread->task);
    }
    return (struct ct_span){0};
}

/* The record that stands for a whole thread in this stint; the main thread needs none. */
static uint32_t thread_root(struct ct_calls *calls, struct ct_thread *thread,
                            struct ct_family *toplevel, uint64_t step)
{
    if (thread->id == 0)
        return TOPLEVEL_KEY;
    if (thread->key == CT_NO_CALL || thread->key_stint != thread->stint) {
        if (thread->key != CT_NO_CALL)
            ct_calls_settle(calls, thread->key, &thread->family);
        thread->key = ct_calls_open(calls, thread->function, TOPLEVEL_KEY, 1, step,
                                    thread->key == CT_NO_CALL ? CT_ENTRY_CALL : CT_ENTRY_SWITCH);
        thread->key_stint = thread->stint;
        if (thread->key != CT_NO_CALL)
            ct_calls_adopt(calls, toplevel, thread->key);
    }
    return thread->key;
}

/* Whether the frame is the outermost coroutine of a task: those that it awaits are in the same. */
static bool begins_in_task(const struct ct_thread *thread, uint32_t index)
{
    if (thread->task.length == 0 || !thread->frames[index].function->is_coroutine)
        return false;
    for (uint32_t i = index; i > 0; i--)
        if (thread->frames[i - 1].function->is_coroutine)
            return false;
    return true;
}

static void open_piece(struct ct_calls *calls, struct ct_thread *thread, uint32_t index,
                       struct ct_family *toplevel, uint64_t step, enum ct_entry entry)
{
    struct ct_frame *frame = &thread->frames[index];
    struct ct_family *family;
    uint32_t parent;
    if (index == 0) {
        parent = thread_root(calls, thread, toplevel, step);
        family = thread->id == 0 ? toplevel : &thread->family;
    } else {
        struct ct_frame *below = &thread->frames[index - 1];
        parent = below->key;
        family = &below->family;
    }
    if (frame->key != CT_NO_CALL)
        ct_calls_settle(calls, frame->key, &frame->family);
    uint32_t depth = index + (thread->id == 0 ? 1 : 2);
    frame->key = ct_calls_open(calls, frame->function->number, parent, depth, step, entry);
    frame->stint = thread->stint;
    if (frame->key == CT_NO_CALL)
        return;
    ct_calls_adopt(calls, family, frame->key);
    if (begins_in_task(thread, index))
        ct_calls_task(calls, frame->key, ct_buf_span(&thread->task));
}

uint32_t ct_piece(struct ct_calls *calls, struct ct_thread *thread, uint32_t index,
                  struct ct_family *toplevel, uint64_t step)
{
    /* Frames that were found open behind a gap have no record yet; callers come first. */
    uint32_t i = index;
    while (i > 0 && thread->frames[i - 1].key == CT_NO_CALL)
        i--;
    for (; i < index; i++)
        open_piece(calls, thread, i, toplevel, step, CT_ENTRY_FOUND);
    struct ct_frame *frame = &thread->frames[index];
    if (frame->key == CT_NO_CALL || frame->stint != thread->stint)
        open_piece(calls, thread, index, toplevel, step,
                   frame->key == CT_NO_CALL ? CT_ENTRY_FOUND : CT_ENTRY_SWITCH);
    return frame->key;
}

void ct_piece_open(struct ct_calls *calls, struct ct_thread *thread, struct ct_family *toplevel,
                   uint64_t step, enum ct_entry entry)
{
    uint32_t index = thread->depth - 1;
    if (index > 0 && thread->frames[index - 1].key == CT_NO_CALL)
        ct_piece(calls, thread, index - 1, toplevel, step);
    open_piece(calls, thread, index, toplevel, step, entry);
}

void ct_stint_end(struct ct_calls *calls, struct ct_thread *thread, uint64_t last)
{
    /* The frames that have a piece in this stint are the innermost ones. */
    for (uint32_t i = thread->depth; i > 0; i--) {
        const struct ct_frame *frame = &thread->frames[i - 1];
        if (frame->key == CT_NO_CALL || frame->stint != thread->stint)
            break;
        ct_calls_end(calls, frame->key, last);
        ct_calls_exit(calls, frame->key, CT_EXIT_SWITCH);
    }
    if (thread->key != CT_NO_CALL && thread->key_stint == thread->stint) {
        ct_calls_end(calls, thread->key, last);
        ct_calls_exit(calls, thread->key, CT_EXIT_SWITCH);
    }
    thread->stint++;
}

uint32_t ct_pieces_settle(struct ct_calls *calls, struct ct_thread *thread)
{
    uint32_t open = 0;
    for (uint32_t i = 0; i < thread->depth; i++) {
        struct ct_frame *frame = &thread->frames[i];
        if (frame->key == CT_NO_CALL)
            continue;
        ct_calls_settle(calls, frame->key, &frame->family);
        open++;
    }
    if (thread->key != CT_NO_CALL)
        ct_calls_settle(calls, thread->key, &thread->family);
    return open;
}

void ct_function_free(struct ct_function *function)
{
    if (!function)
        return;
    free(function->slot_names);
    ct_vars_free(&function->globals);
    free(function);
}
