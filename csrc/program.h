/* Running the recorded program's main module as the interpreter itself would.
 *
 * Objects are passed by their address, as id() gives it. */
#ifndef CT_PROGRAM_H
#define CT_PROGRAM_H

#include <stdint.h>

/* How the main module ended. */
enum ct_program_end {
    CT_PROGRAM_FINISHED = 0,    /* ran to its end */
    CT_PROGRAM_FAILED = 1,      /* an exception, which sys.excepthook has shown */
    CT_PROGRAM_EXITED = 2,      /* SystemExit, handed out */
    CT_PROGRAM_INTERRUPTED = 3, /* KeyboardInterrupt, which sys.excepthook has shown */
};

int ct_program_file(const char *path, int headless, uintptr_t globals, uintptr_t outcome);
int ct_program_stream(int descriptor, uintptr_t globals, uintptr_t outcome);
int ct_program_call(uintptr_t callable, uintptr_t args, uintptr_t outcome);
void ct_program_forget_inspect(void);

#endif
