/* What Python calls of the recorder; recorder.cdef.txt says the same to cffi. */
#ifndef CT_RECORDER_H
#define CT_RECORDER_H

#include <stddef.h>
#include <stdint.h>

typedef struct {
    uint64_t steps, calls, returns, lost, threads;
    uint64_t chunks, bytes, stalls, stall_ns;
    uint64_t cuts, omitted;
    uint64_t redacted[5], dropped[5]; /* arguments, locals, globals, returns, attributes */
    uint64_t secrets_hidden, secrets_forgotten; /* in output; see secrets.h */
    uint64_t mirror_missed;                     /* bytes; see mirror.h */
    uint64_t scopes_traced, scopes_skipped, scopes_synthetic, scopes_unreadable;
} ct_counts;

int ct_ring_create(const char *path, const uint8_t *session, const uint8_t *boot, int *shared);
void ct_ring_destroy(void);
void ct_set_limits(int depth, int items, int text, int value, int step);
int ct_session_open(uintptr_t parts, uintptr_t errors);
int ct_session_seal(uint64_t *sequence, uintptr_t errors);
const char *ct_session_close(void);
void ct_session_sleep(void);
int ct_session_is_active(void);
void ct_session_fail(void);
void ct_session_end(void);
void ct_leaving_close(void);
int ct_slots(void);
size_t ct_slot_size(void);
size_t ct_slot_copy(int slot, uint8_t *out);
void ct_thread_mute(int muted);
void ct_session_counts(ct_counts *out);

/* A file to which frames of a journal are appended. */
typedef struct {
    uint64_t device, inode; /* which file it is */
    uint64_t size;
    uint64_t last_sequence; /* of the chunks in it */
    int descriptor;
    int has_sources; /* there are sources that are to be written before the next chunk */
    int is_bounded;  /* not all of it is kept */
    int failed;      /* nothing more is written */
} ct_journal;

enum { CT_JOURNAL_LOST = -1 };

/* writer.c: append one frame, whole or not at all, of `kind` with `stored`, a frame of Zstandard
 * that holds `inflated` bytes.  Returns 0, an errno, or CT_JOURNAL_LOST when the descriptor leads
 * somewhere else: daemons close every one that they find. */
int ct_journal_append(ct_journal *file, int kind, uint64_t sequence, uint32_t inflated,
                      const uint8_t *stored, uint32_t length);
/* Write chunks to `file`, with the tuple `functions`: the builtin method that compresses bytes, its
 * second argument, those that take and give back the lock of the journal, and functions in Python
 * that are called when the journal is to be prepared for a chunk (it was lost, or has sources; the
 * lock is held), a chunk of that many bytes has come to a journal of which not all is kept, the
 * signal for a copy has come, and writing has failed with an exception.  The caller keeps both. */
void ct_writer_open(ct_journal *file, uintptr_t functions);
void ct_writer_drain(void);
int ct_writer_start(void);
void ct_writer_join(void);
int ct_writer_wait(uint64_t sequence, int ms);
void ct_writer_pause(int paused);

/* own_thread.c: let this thread rest, past `time.sleep`. */
void ct_own_thread_pause(int ms);

/* save_signal.c: notice the signal `number`; 0 or an errno. */
int ct_save_signal_open(int number);
void ct_save_signal_close(void);

/* capture.c: begin to record the streams whose bits (1 << enum ctj_stream) are set, with
 * the texts of redacted values replaced if `hide_secrets` is not 0, and records of `logging` if
 * `logging` is not 0.  The names of
 * methods that are not as expected, and so are not watched, are appended to the list `missing`.
 * -1: the exception is in the list `errors`. */
int ct_capture_open(int streams, int hide_secrets, int logging, uintptr_t missing,
                    uintptr_t errors);
/* Put every method back; does nothing the second time. */
void ct_capture_close(void);

/* forward.c: start the process that forwards `count` pipes; `descriptors` has three for each: where
 * the pipe is read, where that goes, the file that takes copies.  Returns 0 or an errno. */
int ct_forward_open(const int *descriptors, int count);
/* mirror.c: read back what goes to `descriptor` from `source`, the copy of the pipe number
 * `forward` or, with -1, the same file.  Returns 0 or an errno. */
int ct_mirror_add(int stream, int descriptor, int source, int forward);
/* Start soon, and end, the thread that looks at mirrors while a line of the program takes long. */
void ct_mirror_watch(void);
void ct_mirror_rest(void);
/* Make `descriptor` lead to `original` again, if it still leads to a mirror and all that was
 * written there has arrived.  Returns what is left of that, in bytes, plus one; 0 when it is done.
 */
int ct_mirror_restore(int descriptor, int original);
/* Look at every mirror for the last time, while the session lasts. */
void ct_mirror_finish(void);
/* Forget the mirrors; does nothing the second time. `is_over` is 0 in a forked child, whose parent
 * keeps its own. */
void ct_mirror_close(int is_over);

int ct_callback_rows(void);
const char *ct_callback_event(int row);
const char *ct_callback_method(int row);
int ct_callback_is_native(int row);
int ct_callback_make(int row, uintptr_t handler, uintptr_t out);
int ct_callback_forward(int row, uintptr_t args, uintptr_t out);

/* settrace.c, in CPython 3.11: let the events of all threads come.  `handlers` is a list with a
 * callable or None for each row of the table of events, or 0 for the native tracer; `disable` is
 * what a handler returns for code whose lines it does not want.  The caller keeps both until
 * ct_settrace_stop. */
void ct_settrace_start(uintptr_t handlers, uintptr_t disable);
/* Let no more events come, and put back what was there before; does nothing the second time. */
void ct_settrace_stop(void);

/* frame.c: run the self-test and answer whether frames are read in place; -1: it could not run. */
int ct_frame_is_direct(void);

/* How dicts can be told to be unchanged here. */
enum {
    CT_DICTS_LOOKED_UP, /* not at all: other tools have all watchers */
    CT_DICTS_WATCHED,
    CT_DICTS_NUMBERED,
};
int ct_dicts_are(void);

#endif
