/* Reads the instructions that the compiler makes of `except`, `except*` and `with`:
 *
 * - except E: CHECK_EXC_MATCH, POP_JUMP_IF_FALSE to the next clause, the body;
 * - except* E: CHECK_EG_MATCH, COPY, POP_JUMP_IF_NONE to the next clause, the body;
 * - except: POP_TOP at the start of a handler, or where a branch of an earlier clause goes;
 * - with: POP_JUMP_IF_TRUE to its end, RERAISE 2;
 * - a loop or an await that is over: END_ASYNC_FOR, CLEANUP_THROW. */
#include "handlers.h"

#include "instructions.h"

/* Where a branch goes on that does not jump from the instruction before `unit`: CPython 3.14 has an
 * instruction there which only tells that. */
static int behind_branch(const ct_instructions *in, int unit)
{
#ifdef NOT_TAKEN
    ct_instruction i = ct_instruction_at(in, unit);
    return i.opcode == NOT_TAKEN ? i.next : unit;
#else
    (void)in;
    return unit;
#endif
}

static void add(ct_handlers *table, int unit, uint8_t mark, int32_t line)
{
    table->of[table->count++] =
        (ct_handler){.offset = unit * (int)sizeof(_Py_CODEUNIT), .mark = mark, .line = line};
    table->decides |= mark == CT_DECIDES;
}

static int line_at(PyCodeObject *code, int unit)
{
    return PyCode_Addr2Line(code, unit * (int)sizeof(_Py_CODEUNIT));
}

/* The line of the statement with which a body begins that stores or drops the exception first, when
 * it is another one than that of the clause. */
static int32_t line_of_body(PyCodeObject *code, const ct_instructions *in, int unit)
{
    ct_instruction first = ct_instruction_at(in, unit);
    int clause = line_at(code, first.at);
    for (ct_instruction i = ct_instruction_at(in, first.next); i.opcode != CACHE;
         i = ct_instruction_at(in, i.next)) {
        int line = line_at(code, i.at);
        if (line > 0)
            return line != clause ? line : 0;
    }
    return 0;
}

static void add_body(ct_handlers *table, PyCodeObject *code, const ct_instructions *in, int unit)
{
    add(table, unit, CT_BODY, line_of_body(code, in, unit));
}

/* A clause that is left by the branch `jump` when it does not match; the body follows.  The branch
 * of an `except` need not be watched where what may follow has lines of its own. */
static void add_clause(ct_handlers *table, PyCodeObject *code, const ct_instructions *in,
                       ct_instruction jump)
{
    int body = behind_branch(in, jump.next);
    ct_instruction other = ct_instruction_at(in, jump.next + jump.argument);
    bool is_except = jump.opcode == POP_JUMP_IF_FALSE;
    bool has_other = is_except && other.opcode == POP_TOP;
    if (is_except && line_of_body(code, in, body) != 0 &&
        (!has_other || line_of_body(code, in, other.at) != 0)) {
        table->told_by_line = true;
    } else {
        add(table, jump.at, CT_DECIDES, 0);
        if (body !=
            jump.next) /* the branch is told from there while instructions are traced, too */
            add(table, jump.next, CT_DECIDES, 0);
    }
    add_body(table, code, in, body);
    if (has_other)
        add_body(table, code, in, other.at);
}

/* Enter what begins with the instruction `i`: at most four marks. */
static void inspect(ct_handlers *table, PyCodeObject *code, const ct_instructions *in,
                    ct_instruction i)
{
    ct_instruction next = ct_instruction_at(in, i.next);
    switch (i.opcode) {
    case PUSH_EXC_INFO:
        /* The handler is reached on the line of what was raised. */
        if (next.opcode == POP_TOP) {
            int32_t line = line_of_body(code, in, next.at);
            add(table, next.at, CT_BODY, line != 0 ? line : line_at(code, next.at));
        }
        break;
    case CHECK_EXC_MATCH:
        if (next.opcode == POP_JUMP_IF_FALSE)
            add_clause(table, code, in, next);
        break;
    case CHECK_EG_MATCH:
        next = ct_instruction_at(in, next.next);
        if (next.opcode == POP_JUMP_IF_NONE) {
            add_clause(table, code, in, next);
        } else if (next.opcode == POP_JUMP_IF_NOT_NONE) { /* the first releases of CPython 3.11 */
            add(table, next.at, CT_DECIDES, 0);
            add_body(table, code, in, next.next + next.argument);
        }
        break;
    case POP_JUMP_IF_TRUE:
        next = ct_instruction_at(in, behind_branch(in, i.next));
        if (next.opcode == RERAISE && next.argument == 2) {
            add(table, i.at, CT_DECIDES, 0);
            add(table, i.next + i.argument, CT_BODY, 0);
        }
        break;
    case END_ASYNC_FOR:
#ifdef CLEANUP_THROW
    case CLEANUP_THROW:
#endif
        add(table, i.at, CT_LOOP_END, 0);
        break;
    default:
        break;
    }
}

#define MARKS_AT_ONCE 4

ct_handlers *ct_handlers_of(PyCodeObject *code)
{
    PyObject *bytes = PyCode_GetCode(code);
    if (bytes == NULL) {
        PyErr_Clear();
        return NULL;
    }
    ct_instructions in = {(const uint8_t *)PyBytes_AS_STRING(bytes),
                          (int)(PyBytes_GET_SIZE(bytes) / (Py_ssize_t)sizeof(_Py_CODEUNIT))};
    int room = 0;
    ct_handlers *table = calloc(1, sizeof *table);
    for (ct_instruction i = ct_instruction_at(&in, 0); table != NULL && i.opcode != CACHE;
         i = ct_instruction_at(&in, i.next)) {
        if (room - table->count < MARKS_AT_ONCE) {
            room = room * 2 + 4 * MARKS_AT_ONCE;
            ct_handlers *larger = realloc(table, sizeof *table + (size_t)room * sizeof *table->of);
            if (larger == NULL)
                free(table);
            table = larger;
        }
        if (table != NULL)
            inspect(table, code, &in, i);
    }
    Py_DECREF(bytes);
    return table;
}

/* A number of the exception table: groups of six bits, the highest first, all but the last marked.
 */
static int read_number(const uint8_t **p, const uint8_t *end)
{
    int number = 0;
    while (*p < end) {
        uint8_t byte = *(*p)++;
        number = number << 6 | (byte & 63);
        if (!(byte & 64))
            break;
    }
    return number;
}

int ct_handler_of(PyCodeObject *code, int offset)
{
    int unit = offset / (int)sizeof(_Py_CODEUNIT);
    const uint8_t *p = (const uint8_t *)PyBytes_AS_STRING(code->co_exceptiontable);
    const uint8_t *end = p + PyBytes_GET_SIZE(code->co_exceptiontable);
    while (p < end) {
        int start = read_number(&p, end);
        int length = read_number(&p, end);
        int target = read_number(&p, end);
        read_number(&p, end); /* depth of the stack */
        if (unit < start)
            break;
        if (unit < start + length)
            return target * (int)sizeof(_Py_CODEUNIT);
    }
    return CT_NO_HANDLER;
}
