/* The handler stands below Python, for which the signal has the action that the program gives it;
 * one that the program sets later takes its place. */
#define _GNU_SOURCE
#include "ring_fault.h"

#include <signal.h>
#include <stdbool.h>
#include <sys/mman.h>

#include "recorder.h"

/* Threads that fault at the same time only have to try again; more faults than these come when the
 * file was cut. */
#define FAULTS_LIMIT 64

static struct {
    uint8_t *ring;
    uint8_t *spare; /* the same file, mapped private: nothing that is written needs a block of it */
    size_t bytes;
    int faults;
    bool is_installed;
    struct sigaction before;
} guarded;

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

void ct_ring_fault_open(int fd, uint8_t *ring, size_t bytes)
{
    void *spare = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_NORESERVE, fd, 0);
    if (spare == MAP_FAILED)
        return;
    guarded.ring = ring;
    guarded.spare = spare;
    guarded.bytes = bytes;
    guarded.faults = 0;
    struct sigaction ours = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | SA_ONSTACK};
    guarded.is_installed = sigaction(SIGBUS, &ours, &guarded.before) == 0;
}

void ct_ring_fault_close(void)
{
    struct sigaction now;
    if (guarded.ring == NULL)
        return;
    if (guarded.is_installed && sigaction(SIGBUS, NULL, &now) == 0 &&
        (now.sa_flags & SA_SIGINFO) != 0 && now.sa_sigaction == on_fault)
        sigaction(SIGBUS, &guarded.before, NULL);
    guarded.ring = NULL;
    if (guarded.faults == 0)
        munmap(guarded.spare, guarded.bytes);
}
