/* A write behind the end of a block of memory, in no build but the one with which the tests show
 * that the sanitizers are at work. */
#ifdef CT_PLANTED_OVERFLOW

#include <stdlib.h>

/* Write at `at` of a block of 8 bytes; found with dlsym, for the module's ordinary interface does
 * not have it. */
__attribute__((visibility("default"))) int ct_planted_overflow(int at)
{
    /* The compiler does not know where a volatile pointer leads: AddressSanitizer has to find it.
     */
    char *volatile block = malloc(8);
    if (block == NULL)
        return -1;
    block[at] = 1;
    int written = block[at];
    free(block);
    return written;
}

#else

typedef int ct_nothing_planted; /* a translation unit must not be empty */

#endif
