/* Tells callgrind what to count: the instructions between two calls, under a label. Outside of
 * callgrind these do nothing. */
#include <valgrind/callgrind.h>

/* Whether the process runs under valgrind. */
int counting_is_possible(void)
{
    return RUNNING_ON_VALGRIND != 0;
}

void counting_begin(void)
{
    CALLGRIND_ZERO_STATS;
}

/* Write what was counted since counting_begin, marked with `label`, to the next file. */
void counting_end(const char *label)
{
    CALLGRIND_DUMP_STATS_AT(label);
}
