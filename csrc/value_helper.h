/* The second of two expanders that share the chunks of values, in a thread. */
#ifndef CT_VALUE_HELPER_H
#define CT_VALUE_HELPER_H

#include <stdint.h>

#include "expand.h"

/* Run an expander that helps.  `functions` is the address of a tuple: compress, its mode, get, put;
 * builtin methods all of them.  It gets tuples of a chunk, its sequence and whether there is a gap
 * before it, and puts a frame for each chunk of values that it makes, b"" when it is through with a
 * chunk, or one exception; after None it puts what is left and None, and touches nothing any more.
 * 0 or an errno. */
int ct_expander_start_helping(ct_expander *e, uintptr_t functions);

#endif
