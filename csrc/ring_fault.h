/* What happens when the ring's file cannot take a byte although its blocks were allocated.
 *
 * File systems that copy on write need a new block for a page that they have brought to the disk,
 * and disks fail.  The process gets SIGBUS for that, of which the program must not die. */
#ifndef CT_RING_FAULT_H
#define CT_RING_FAULT_H

#include <stddef.h>
#include <stdint.h>

/* Survive such faults in the mapping of `fd` at `ring`: it becomes private memory with the same
 * content, and recording ends at the next boundary.  Other faults, and signals that are sent, do
 * what they do without us. */
void ct_ring_fault_open(int fd, uint8_t *ring, size_t bytes);
void ct_ring_fault_close(void);

/* Stay in front of the handler of `faulthandler` while the program switches it on and off.  The GIL
 * is held. */
void ct_ring_fault_watch(void);
void ct_ring_fault_unwatch(void);

#endif
