/* Texts, bytes and numbers, in the journal's encoding. */
#ifndef CT_SCALARS_H
#define CT_SCALARS_H

#include "chunk.h"
#include "value.h"

uint8_t *ct_put_str(ct_encoder *e, uint8_t *p, PyObject *v);

/* Write an int of more than 64 bits, as two's complement bytes. */
uint8_t *ct_put_big_int(ct_encoder *e, uint8_t *p, PyObject *v);

static inline uint8_t *ct_put_int64(uint8_t *p, int64_t number)
{
    uint64_t z = ct_zigzag(number);
    if (z < 0x80) {
        *p++ = CTJ_SMALL_INT | (uint8_t)z;
        return p;
    }
    *p++ = CTJ_INT;
    return ct_put_uv(p, z);
}

static inline uint8_t *ct_put_int(ct_encoder *e, uint8_t *p, PyObject *v)
{
    int64_t number;
    if (ct_unlikely(!ct_int_fits(v, &number)))
        return ct_put_big_int(e, p, v);
    e->left -= CT_COST_INT;
    return ct_put_int64(p, number);
}

static inline uint8_t *ct_put_double(ct_encoder *e, uint8_t *p, double number)
{
    e->left -= CT_COST_FLOAT;
    *p++ = CTJ_FLOAT;
    memcpy(p, &number, sizeof number);
    return p + sizeof number;
}

static inline uint8_t *ct_put_complex(ct_encoder *e, uint8_t *p, double real, double imaginary)
{
    e->left -= 2 * CT_COST_FLOAT;
    *p++ = CTJ_COMPLEX;
    memcpy(p, &real, sizeof real);
    memcpy(p + sizeof real, &imaginary, sizeof imaginary);
    return p + 2 * sizeof real;
}

#endif
