/* The handler stands below Python, for which the signal has the action that the program gives it;
 * one that the program sets later takes its place, but for that of `faulthandler`. */
#define _GNU_SOURCE
#include "ring_fault.h"

#include <signal.h>
#include <stdbool.h>
#include <sys/mman.h>

#include "methods.h"
#include "recorder.h"

/* Threads that fault at the same time only have to try again; more faults than these come when the
 * file was cut. */
#define FAULTS_LIMIT 64

static struct {
    uint8_t *ring;
    uint8_t *spare; /* the same file, mapped private: nothing that is written needs a block of it */
    size_t bytes;
    int faults;
    struct sigaction before;
} guarded;

static ct_method enable_hook, disable_hook;

/* Whether the access can be tried again. */
static bool has_replaced_ring(void)
{
    int faults = __atomic_add_fetch(&guarded.faults, 1, __ATOMIC_RELAXED);
    void *made = guarded.ring;
    if (faults == 1)
        made = mremap(guarded.spare, guarded.bytes, guarded.bytes, MREMAP_MAYMOVE | MREMAP_FIXED,
                      guarded.ring);
    else if (faults >= FAULTS_LIMIT)
        made = mmap(guarded.ring, guarded.bytes, PROT_READ | PROT_WRITE,
                    MAP_FIXED | MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    ct_session_fail();
    return made == guarded.ring;
}

static void do_as_before(int number, siginfo_t *info, void *context)
{
    const struct sigaction *before = &guarded.before;
    bool is_sent = info->si_code <= 0;
    if (before->sa_flags & SA_SIGINFO) {
        before->sa_sigaction(number, info, context);
    } else if (before->sa_handler == SIG_DFL || (before->sa_handler == SIG_IGN && !is_sent)) {
        /* A fault happens again behind this handler, and a signal comes again. */
        signal(number, SIG_DFL);
        if (is_sent)
            raise(number);
    } else if (before->sa_handler != SIG_IGN) {
        before->sa_handler(number);
    }
}

static void on_fault(int number, siginfo_t *info, void *context)
{
    uintptr_t place = (uintptr_t)info->si_addr, ring = (uintptr_t)guarded.ring;
    bool is_ours = info->si_code > 0 && ring != 0 && place - ring < guarded.bytes;
    if (!is_ours || !has_replaced_ring())
        do_as_before(number, info, context);
}

static void put_in(void)
{
    struct sigaction ours = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | SA_ONSTACK};
    sigaction(SIGBUS, &ours, &guarded.before);
}

/* Whether the handler was there: one that somebody has set since may go on to it, and stays. */
static bool take_out(void)
{
    struct sigaction now;
    bool is_there = guarded.ring != NULL && sigaction(SIGBUS, NULL, &now) == 0 &&
                    (now.sa_flags & SA_SIGINFO) != 0 && now.sa_sigaction == on_fault;
    if (is_there)
        sigaction(SIGBUS, &guarded.before, NULL);
    return is_there;
}

void ct_ring_fault_open(int fd, uint8_t *ring, size_t bytes)
{
    void *spare = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_NORESERVE, fd, 0);
    if (spare == MAP_FAILED)
        return;
    guarded.ring = ring;
    guarded.spare = spare;
    guarded.bytes = bytes;
    guarded.faults = 0;
    put_in();
}

void ct_ring_fault_close(void)
{
    if (guarded.ring == NULL)
        return;
    take_out();
    guarded.ring = NULL;
    if (guarded.faults == 0)
        munmap(guarded.spare, guarded.bytes);
}

/* `faulthandler` sees the action that the program has without us, and the handler stands in front
 * of what it sets: none of the two ever goes on to the other twice. */
static PyObject *enable(PyObject *module, PyObject *arguments, PyObject *names)
{
    bool was_there = take_out();
    PyObject *done = CT_AS(PyCFunctionWithKeywords, enable_hook.original)(module, arguments, names);
    if (was_there && guarded.ring != NULL)
        put_in();
    return done;
}

static PyObject *disable(PyObject *module, PyObject *nothing)
{
    bool was_there = take_out();
    PyObject *done = disable_hook.original(module, nothing);
    if (was_there && guarded.ring != NULL)
        put_in();
    return done;
}

void ct_ring_fault_watch(void)
{
    ct_function_hook(&enable_hook, "faulthandler", "enable", METH_VARARGS | METH_KEYWORDS,
                     CT_AS(PyCFunction, enable));
    ct_function_hook(&disable_hook, "faulthandler", "disable", METH_NOARGS, disable);
}

void ct_ring_fault_unwatch(void)
{
    ct_method_unhook(&enable_hook);
    ct_method_unhook(&disable_hook);
}
