/* Which task of asyncio a coroutine runs in. */
#ifndef CT_TASKS_H
#define CT_TASKS_H

#include "boundary.h"

/* Before the unit of a coroutine's frame that starts or goes on: TASK, when the thread is in
 * another task than at its last coroutine. */
enum ct_go ct_state_task(ct_thread *t, const ct_iframe *iframe);

/* Forget what was found out about asyncio. */
void ct_tasks_close(void);

#endif
