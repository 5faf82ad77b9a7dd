#include "quiet.h"

#include <stdlib.h>
#include <string.h>

#include "instructions.h"
#include "line_table.h"
#include "snapshot.h"

#if CT_HAS_MONITORING
#define UNITS_LIMIT 65536 /* larger functions are not looked at */
#define STEPS_LIMIT 32    /* instructions of a place, on each way */
#define FORKS_LIMIT 4
#define STACK_LIMIT 8

/* What is known of a place. */
struct facts {
    uint64_t atoms; /* a bit for each variable */
    uint64_t sequences;
    uint64_t assigned;
    ct_quiet_place place;
};

/* What is known of a value on the interpreter's stack; a number below 64 is that of the variable
 * from which it was loaded. */
enum { AN_ATOM = 64, AN_ITEM /* of a list or tuple, which holds it too */ };

struct walk {
    ct_instructions in;
    const int32_t *lines; /* of each unit, 0: none */
    PyObject *constants;
    struct facts *facts;
    int32_t line;
    uint64_t atoms; /* the assigned variables that are ones then */
    int forks;
    int depth;
    uint8_t stack[STACK_LIMIT];
};

static bool push(struct walk *w, uint8_t value)
{
    if (w->depth == STACK_LIMIT)
        return false;
    w->stack[w->depth++] = value;
    return true;
}

static bool load(struct walk *w, int variable)
{
    if (variable >= 64)
        return false;
    if (w->facts->assigned >> variable & 1)
        return push(w, w->atoms >> variable & 1 ? AN_ATOM : AN_ITEM);
    return push(w, (uint8_t)variable);
}

static bool pop(struct walk *w, uint8_t *value)
{
    if (w->depth == 0)
        return false;
    *value = w->stack[--w->depth];
    return true;
}

static bool store(struct walk *w, int variable)
{
    uint8_t value;
    if (variable >= 64 || !pop(w, &value))
        return false;
    uint64_t bit = (uint64_t)1 << variable;
    w->facts->assigned |= bit;
    w->atoms = value == AN_ATOM ? w->atoms | bit : w->atoms & ~bit;
    return true;
}

/* Take a value that must be an atom. */
static bool pop_atom(struct walk *w)
{
    uint8_t value;
    if (!pop(w, &value) || value == AN_ITEM)
        return false;
    if (value != AN_ATOM)
        w->facts->atoms |= (uint64_t)1 << value;
    return true;
}

/* An item of a variable's list or tuple. */
static bool subscribe(struct walk *w)
{
    uint8_t value;
    if (!pop_atom(w) || !pop(w, &value) || value >= 64)
        return false;
    w->facts->sequences |= (uint64_t)1 << value;
    return push(w, AN_ITEM);
}

static bool operate(struct walk *w, int kind)
{
#ifdef NB_SUBSCR
    if (kind == NB_SUBSCR)
        return subscribe(w);
#endif
    /* These may take so long that they look for signals. */
    if (kind == NB_POWER || kind == NB_INPLACE_POWER || kind == NB_LSHIFT ||
        kind == NB_INPLACE_LSHIFT)
        return false;
    return pop_atom(w) && pop_atom(w) && push(w, AN_ATOM);
}

static bool copy(struct walk *w, int depth)
{
    return depth > 0 && depth <= w->depth && push(w, w->stack[w->depth - depth]);
}

static bool swap(struct walk *w, int depth)
{
    if (depth <= 0 || depth > w->depth)
        return false;
    uint8_t *one = &w->stack[w->depth - depth], *top = &w->stack[w->depth - 1], value = *one;
    *one = *top;
    *top = value;
    return true;
}

static bool add_end(struct walk *w, int at)
{
    uint16_t *end = w->facts->place.ends;
    for (int i = 0; i < CT_QUIET_ENDS; i++, end++) {
        if (*end == at || *end == 0) {
            *end = (uint16_t)at;
            return true;
        }
    }
    return false;
}

/* One instruction that goes on to the next one; false when it may run other code. */
static bool pass(struct walk *w, const ct_instruction *i)
{
    uint8_t value;
    int argument = i->argument;
    switch (i->opcode) {
    case NOP:
#ifdef NOT_TAKEN
    case NOT_TAKEN:
#endif
        return true;
    case LOAD_FAST:
#ifdef LOAD_FAST_CHECK
    case LOAD_FAST_CHECK:
#endif
#ifdef LOAD_FAST_BORROW
    case LOAD_FAST_BORROW:
#endif
        return load(w, argument);
#ifdef LOAD_FAST_LOAD_FAST
    case LOAD_FAST_LOAD_FAST:
#ifdef LOAD_FAST_BORROW_LOAD_FAST_BORROW
    case LOAD_FAST_BORROW_LOAD_FAST_BORROW:
#endif
        return load(w, argument >> 4) && load(w, argument & 15);
    case STORE_FAST_LOAD_FAST:
        return store(w, argument >> 4) && load(w, argument & 15);
    case STORE_FAST_STORE_FAST:
        return store(w, argument >> 4) && store(w, argument & 15);
#endif
    case STORE_FAST:
        return store(w, argument);
    case LOAD_CONST:
        return ct_is_atom(PyTuple_GET_ITEM(w->constants, argument)) && push(w, AN_ATOM);
#ifdef LOAD_SMALL_INT
    case LOAD_SMALL_INT:
        return push(w, AN_ATOM);
#endif
#ifdef BINARY_SUBSCR
    case BINARY_SUBSCR:
        return subscribe(w);
#endif
    case BINARY_OP:
        return operate(w, argument);
    case COMPARE_OP:
    case CONTAINS_OP:
        return pop_atom(w) && pop_atom(w) && push(w, AN_ATOM);
    case IS_OP:
        return pop(w, &value) && pop(w, &value) && push(w, AN_ATOM);
    case UNARY_NEGATIVE:
    case UNARY_NOT:
#ifdef TO_BOOL
    case TO_BOOL:
#endif
        return pop_atom(w) && push(w, AN_ATOM);
    case COPY:
        return copy(w, argument);
    case SWAP:
        return swap(w, argument);
    case POP_TOP:
        return pop(w, &value);
    default:
        return false;
    }
}

static bool walk(struct walk *w, int at);

/* The way that a jump takes, or the end of a loop. */
static bool fork_to(const struct walk *w, int at)
{
    struct walk other = *w;
    return other.forks++ < FORKS_LIMIT && walk(&other, at);
}

/* Follow the instructions up to the next event, noting in the place what must be for nothing else
 * to run; false when something else may. */
static bool walk(struct walk *w, int at)
{
    uint8_t value;
    for (int steps = 0; steps < STEPS_LIMIT && at < w->in.count; steps++) {
        if (w->lines[at] != w->line)
            return w->lines[at] > 0 && add_end(w, at);
        ct_instruction i = ct_instruction_at(&w->in, at);
        at = i.next;
        switch (i.opcode) {
        case RETURN_VALUE:
#ifdef RETURN_CONST
        case RETURN_CONST:
#endif
            return true;
        case JUMP_FORWARD:
            at += i.argument;
            break;
        case POP_JUMP_IF_TRUE:
        case POP_JUMP_IF_FALSE:
            if (!pop_atom(w) || !fork_to(w, at + i.argument))
                return false;
            break;
        case POP_JUMP_IF_NONE:
        case POP_JUMP_IF_NOT_NONE:
            if (!pop(w, &value) || !fork_to(w, at + i.argument))
                return false;
            break;
        default:
            if (!pass(w, &i))
                return false;
        }
    }
    return false;
}

/* Behind what takes the iterator away when a loop has come to its end. */
static int behind_loop(const struct walk *w, int at)
{
    for (;;) {
        ct_instruction i = ct_instruction_at(&w->in, at);
        bool is_of_loop = i.opcode == END_FOR || i.opcode == POP_TOP;
#ifdef POP_ITER
        is_of_loop = is_of_loop || i.opcode == POP_ITER;
#endif
        if (!is_of_loop)
            return at;
        at = i.next;
    }
}

/* The same as walk, from the event of a line on, where a loop may take its next item. */
static bool walk_from(struct walk *w, int at)
{
    ct_instruction i = ct_instruction_at(&w->in, at);
    w->line = w->lines[at];
    if (i.opcode != FOR_ITER)
        return walk(w, at);
    w->facts->place.iterates = true;
    struct walk other = *w;
    return push(w, AN_ATOM) && walk(w, i.next) &&
           fork_to(&other, behind_loop(w, i.next + i.argument));
}

/* Whether there may be an event of a line at a code unit: its line begins, or a loop goes on. */
static bool may_begin(const struct walk *w, int at)
{
    if (w->lines[at] <= 0)
        return false;
    return at == 0 || w->lines[at] != w->lines[at - 1] ||
           ct_instruction_at(&w->in, at).opcode == FOR_ITER;
}

static bool add_needs(ct_quiet_place *place, uint64_t variables, enum ct_quiet_need what)
{
    for (; variables != 0; variables &= variables - 1) {
        if (place->count == CT_QUIET_NEEDS)
            return false;
        place->needs[place->count].variable = (uint8_t)__builtin_ctzll(variables);
        place->needs[place->count++].what = what;
    }
    return true;
}

static bool complete(struct facts *facts)
{
    /* The other owner of what one variable holds may be another one that is assigned. */
    bool is_only_one = (facts->assigned & (facts->assigned - 1)) == 0;
    facts->place.assigned = facts->assigned;
    return add_needs(&facts->place, facts->atoms, CT_NEEDS_ATOM) &&
           add_needs(&facts->place, facts->sequences, CT_NEEDS_SEQUENCE) &&
           add_needs(&facts->place, facts->assigned & ~facts->atoms,
                     is_only_one ? CT_NEEDS_OWNER : CT_NEEDS_ATOM);
}

static bool is_idle(const ct_quiet_place *place)
{
    return place->count == 0 && place->assigned == 0 && !place->iterates;
}

/* Number the places that do nothing, or all others, from `count` on. */
static uint8_t find(const struct walk *nothing, ct_quiet_place *places, uint8_t *numbers,
                    uint8_t count, bool idle)
{
    for (int at = 0; at < nothing->in.count && count < CT_QUIET_PLACES; at++) {
        struct facts facts = {0};
        struct walk w = *nothing;
        w.facts = &facts;
        if (may_begin(&w, at) && walk_from(&w, at) && complete(&facts) &&
            is_idle(&facts.place) == idle) {
            places[count] = facts.place;
            numbers[at] = ++count;
        }
    }
    return count;
}

static ct_quiet_places *places_of(PyCodeObject *code, ct_instructions in)
{
    ct_quiet_places *quiet = NULL;
    int32_t *lines = malloc((size_t)in.count * sizeof *lines);
    uint8_t *numbers = calloc((size_t)in.count, 1);
    ct_quiet_place *places = malloc(CT_QUIET_PLACES * sizeof *places);
    if (lines != NULL && numbers != NULL && places != NULL) {
        ct_line_table_read(code, lines, in.count);
        struct walk nothing = {.in = in, .lines = lines, .constants = code->co_consts};
        uint8_t idle = find(&nothing, places, numbers, 0, true);
        uint8_t count = find(&nothing, places, numbers, idle, false);
        size_t size = sizeof *quiet + count * sizeof *places + (size_t)in.count;
        if (count != 0 && (quiet = malloc(size)) != NULL) {
            quiet->idle = idle;
            quiet->numbers = (uint8_t *)(quiet->places + count);
            memcpy(quiet->places, places, count * sizeof *places);
            memcpy(quiet->numbers, numbers, (size_t)in.count);
        }
    }
    free(lines);
    free(numbers);
    free(places);
    return quiet;
}

ct_quiet_places *ct_quiet_places_of(PyCodeObject *code)
{
    PyObject *bytes = PyCode_GetCode(code);
    if (bytes == NULL) {
        PyErr_Clear();
        return NULL;
    }
    Py_ssize_t count = PyBytes_GET_SIZE(bytes) / (Py_ssize_t)sizeof(_Py_CODEUNIT);
    ct_quiet_places *quiet = NULL;
    if (count <= UNITS_LIMIT)
        quiet = places_of(code,
                          (ct_instructions){(const uint8_t *)PyBytes_AS_STRING(bytes), (int)count});
    Py_DECREF(bytes);
    return quiet;
}
#else
/* There, what a line allocates may run finalizers. */
ct_quiet_places *ct_quiet_places_of(PyCodeObject *code)
{
    (void)code;
    return NULL;
}
#endif

/* Whether a variable that the slot remembers as something else than an atom is what is needed. */
static bool is_what(enum ct_quiet_need what, PyObject *value)
{
    if (what == CT_NEEDS_SEQUENCE)
        return PyList_CheckExact(value) || PyTuple_CheckExact(value);
    return ct_is_atom(value) || (what == CT_NEEDS_OWNER && Py_REFCNT(value) > 1);
}

bool ct_quiet_holds(const ct_quiet_place *place, ct_iframe *frame, const ct_slot *slots)
{
    for (int i = 0; i < place->count; i++) {
        int variable = place->needs[i].variable;
        enum ct_quiet_need what = place->needs[i].what;
        bool holds = slots[variable].kind <= CT_SLOT_HELD
                         ? what != CT_NEEDS_SEQUENCE
                         : is_what(what, ct_frame_slot(frame, variable));
        if (!holds)
            return false;
    }
    if (!place->iterates)
        return true;
    PyObject *iterator = ct_frame_top(frame);
    return iterator != NULL && Py_IS_TYPE(iterator, &PyRangeIter_Type);
}
