/* Threads of the recorder. They are started past `_thread`, which libraries such as gevent replace,
 * and no signal of the program is ever delivered to them. */
#ifndef CT_OWN_THREAD_H
#define CT_OWN_THREAD_H

#include <pthread.h>
#include <stdint.h>

/* Start `run` in a thread that the caller joins. Returns 0 or an errno. */
int ct_own_thread_start(pthread_t *thread, void *(*run)(void *), void *argument);

#endif
