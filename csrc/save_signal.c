/* The handler only notes it; the writer thread looks now and then.  Python knows nothing of it:
 * what signal.getsignal tells is the program's, and the program's own handler, which may come
 * later, is called, too. */
#include "save_signal.h"

#include <errno.h>
#include <signal.h>
#include <string.h>

#include "recorder.h"

static int watched; /* 0 for none */
static volatile sig_atomic_t came;
static struct sigaction program; /* what the program wants done */

static void note(int number, siginfo_t *info, void *context)
{
    came = 1;
    if (program.sa_flags & SA_SIGINFO)
        program.sa_sigaction(number, info, context);
    else if (program.sa_handler != SIG_DFL && program.sa_handler != SIG_IGN)
        program.sa_handler(number);
}

static bool is_ours(const struct sigaction *action)
{
    return (action->sa_flags & SA_SIGINFO) != 0 && action->sa_sigaction == note;
}

/* Put our handler in front of the program's. */
static int put_in_front(void)
{
    struct sigaction now;
    if (sigaction(watched, NULL, &now) != 0)
        return errno;
    if (is_ours(&now))
        return 0;
    program = now;
    struct sigaction ours = {.sa_sigaction = note, .sa_mask = now.sa_mask};
    ours.sa_flags = SA_SIGINFO | SA_ONSTACK;
    /* Where the program has no handler, its system calls go on as if nothing had come. */
    bool has_none =
        !(now.sa_flags & SA_SIGINFO) && (now.sa_handler == SIG_DFL || now.sa_handler == SIG_IGN);
    ours.sa_flags |= has_none ? SA_RESTART : now.sa_flags & SA_RESTART;
    return sigaction(watched, &ours, NULL) != 0 ? errno : 0;
}

int ct_save_signal_open(int number)
{
    watched = number;
    came = 0;
    memset(&program, 0, sizeof program);
    return put_in_front();
}

bool ct_save_signal_is_watched(void)
{
    return watched != 0;
}

bool ct_save_signal_taken(void)
{
    if (watched == 0)
        return false;
    put_in_front();
    bool taken = came != 0;
    came = 0;
    return taken;
}

void ct_save_signal_close(void)
{
    struct sigaction now;
    if (watched != 0 && sigaction(watched, NULL, &now) == 0 && is_ours(&now))
        sigaction(watched, &program, NULL);
    watched = 0;
}
