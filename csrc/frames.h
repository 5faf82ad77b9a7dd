/* Frames, series and indexes of pandas, read from memory: pandas is not imported for it, and none
 * of its Python runs. */
#ifndef CT_FRAMES_H
#define CT_FRAMES_H

#include "value.h"

/* CT_SHAPE_FRAME, CT_SHAPE_SERIES or CT_SHAPE_INDEX for a class that pandas has made, or that is
 * made from one; CT_SHAPE_OBJECT for others. */
enum ct_shape ct_frame_shape(PyTypeObject *type);

/* Write such an object: shape, dtypes, first items.  NULL when this pandas keeps them in ways that
 * are not known. */
uint8_t *ct_put_frame(ct_encoder *e, uint8_t *p, PyObject *v, const ct_type *type);

#endif
