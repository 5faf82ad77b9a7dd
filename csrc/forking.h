/* The writer ends before a fork and runs again once it is over, also where the program then waits
 * and comes to no boundary. */
#ifndef CT_FORKING_H
#define CT_FORKING_H

/* Watch os.fork and os.forkpty while the session lasts.  With the GIL held. */
void ct_forking_open(void);
void ct_forking_close(void);

#endif
