/* The run of a frame's variables, changed in place. */
#include "expand_vars.h"

#include <stdlib.h>

/* A scope that is left gives back what exceeds these. */
#define KEEP_BYTES     ((size_t)16 << 10)
#define KEEP_VARIABLES 256
#define KEEP_ITEMS     512

void ct_items_add(struct ct_items *items, struct ct_buf *owner, size_t end)
{
    if (items->count == items->capacity) {
        uint32_t capacity = items->capacity ? items->capacity * 2 : 16;
        uint32_t *ends = realloc(items->ends, capacity * sizeof *ends);
        if (!ends) {
            owner->failed = true;
            return;
        }
        items->ends = ends;
        items->capacity = capacity;
    }
    items->ends[items->count++] = (uint32_t)end;
}

static bool grow(struct ct_vars *vars, uint32_t needed)
{
    uint32_t capacity = vars->capacity ? vars->capacity : 8;
    while (capacity < needed)
        capacity *= 2;
    struct ct_var *of = realloc(vars->of, capacity * sizeof *of);
    if (!of)
        return false;
    memset(of + vars->capacity, 0, (capacity - vars->capacity) * sizeof *of);
    vars->of = of;
    vars->capacity = capacity;
    return true;
}

struct ct_var *ct_vars_at(struct ct_vars *vars, uint64_t index)
{
    if (index < vars->count)
        return &vars->of[index];
    if (index >= CT_VARS_LIMIT || (index >= vars->capacity && !grow(vars, (uint32_t)index + 1)))
        return NULL;
    while (vars->count <= index) {
        struct ct_var *var = &vars->of[vars->count++];
        *var = (struct ct_var){.at = (uint32_t)vars->run.length, .items = var->items};
        var->items.count = 0;
    }
    return &vars->of[index];
}

struct ct_var *ct_vars_named(struct ct_vars *vars, uint32_t name)
{
    for (uint32_t i = vars->count; i > 0; i--) {
        if (vars->of[i - 1].name == name)
            return &vars->of[i - 1];
    }
    struct ct_var *var = ct_vars_at(vars, vars->count);
    if (var)
        var->name = name;
    return var;
}

/* Make the entry of `var` `size` bytes long, moving what follows. */
static bool resize(struct ct_vars *vars, struct ct_var *var, uint32_t size)
{
    struct ct_buf *run = &vars->run;
    size_t end = (size_t)var->at + var->size;
    if (size > var->size) {
        if (!ct_buf_take(run, size - var->size))
            return false;
        run->length -= size - var->size;
    }
    memmove(run->data + var->at + size, run->data + end, run->length - end);
    uint32_t change = size - var->size; /* modulo 2^32, as the sums below */
    run->length = run->length - var->size + size;
    for (struct ct_var *later = var + 1; later < vars->of + vars->count; later++)
        later->at += change;
    vars->bound += (size != 0) - (var->size != 0);
    var->size = size;
    return true;
}

bool ct_vars_bind(struct ct_vars *vars, struct ct_var *var, uint32_t name, struct ct_span cbor)
{
    uint8_t head[2 * CT_UV_MAX];
    size_t before = ct_uv_store(head, name);
    before += ct_uv_store(head + before, cbor.length);
    uint32_t size = (uint32_t)(before + cbor.length);
    if (size != var->size && !resize(vars, var, size))
        return false;
    memcpy(vars->run.data + var->at, head, before);
    memcpy(vars->run.data + var->at + before, cbor.data, cbor.length);
    var->name = name;
    var->value = (uint32_t)before;
    return true;
}

void ct_vars_unbind(struct ct_vars *vars, struct ct_var *var)
{
    if (var->size)
        resize(vars, var, 0);
    var->base.kind = CT_BASE_NONE;
}

void ct_vars_reset(struct ct_vars *vars)
{
    for (uint32_t i = 0; i < vars->count; i++) {
        struct ct_items *items = &vars->of[i].items;
        if (items->capacity > KEEP_ITEMS) {
            free(items->ends);
            *items = (struct ct_items){0};
        }
    }
    if (vars->run.capacity > KEEP_BYTES || vars->capacity > KEEP_VARIABLES) {
        ct_vars_free(vars);
        return;
    }
    vars->run.length = 0;
    vars->count = 0;
    vars->bound = 0;
}

void ct_vars_free(struct ct_vars *vars)
{
    for (uint32_t i = 0; i < vars->capacity; i++)
        free(vars->of[i].items.ends);
    free(vars->of);
    ct_buf_free(&vars->run);
    *vars = (struct ct_vars){0};
}
