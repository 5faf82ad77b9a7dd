/* The instructions of a code object, as PyCode_GetCode gives them. */
#ifndef CT_INSTRUCTIONS_H
#define CT_INSTRUCTIONS_H

#include "compat.h"

#include <opcode.h>

#ifndef POP_JUMP_IF_FALSE /* CPython 3.11 has other names for those that lead backwards */
#define POP_JUMP_IF_FALSE    POP_JUMP_FORWARD_IF_FALSE
#define POP_JUMP_IF_TRUE     POP_JUMP_FORWARD_IF_TRUE
#define POP_JUMP_IF_NONE     POP_JUMP_FORWARD_IF_NONE
#define POP_JUMP_IF_NOT_NONE POP_JUMP_FORWARD_IF_NOT_NONE
#endif

typedef struct {
    const uint8_t *units;
    int count;
} ct_instructions;

/* An instruction without the EXTENDED_ARG before it. */
typedef struct {
    int at;   /* index of its code unit */
    int next; /* index of the instruction behind it and its caches */
    int opcode;
    int argument;
} ct_instruction;

/* The instruction that begins at code unit `at`; opcode 0 behind the last one. */
static inline ct_instruction ct_instruction_at(const ct_instructions *in, int at)
{
    ct_instruction i = {at, at, 0, 0};
    int opcode = EXTENDED_ARG;
    while (opcode == EXTENDED_ARG && i.next < in->count) {
        i.at = i.next++;
        opcode = in->units[2 * i.at];
        i.argument = (int)((unsigned)i.argument << 8 | in->units[2 * i.at + 1]);
    }
    i.opcode = opcode == EXTENDED_ARG ? CACHE : opcode;
    while (i.next < in->count && in->units[2 * i.next] == CACHE)
        i.next++;
    return i;
}

#endif
