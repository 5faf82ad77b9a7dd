/* Texts that stand in a trace for Python's own: repr() of numbers and bytes, escapes, marks of what
 * was cut. */
#ifndef CT_EXPAND_TEXT_H
#define CT_EXPAND_TEXT_H

#include "cbor.h"

/* Powers of ten, rounded up to 128 bits, each computed when it is first needed. */
#define CT_POWER_MIN (-292)
#define CT_POWER_MAX 324

struct ct_powers {
    struct ct_power {
        uint64_t high; /* 0 while it is not known: a known one has its top bit set */
        uint64_t low;
    } of[CT_POWER_MAX - CT_POWER_MIN + 1];
};

#define CT_FLOAT_TEXT   32
#define CT_COMPLEX_TEXT (2 * CT_FLOAT_TEXT + 4)

/* repr(value) and repr(complex(real, imag)); the result is the length, without a terminator. */
size_t ct_float_text(struct ct_powers *powers, double value, char out[CT_FLOAT_TEXT]);
size_t ct_complex_text(struct ct_powers *powers, double real, double imag,
                       char out[CT_COMPLEX_TEXT]);

/* Ints of more bytes than this are shown by their size only: decimal digits take quadratic time. */
#define CT_INT_TEXT_BYTES 4096

/* Append the decimal digits of an int in two's complement, little-endian, of at most
 * CT_INT_TEXT_BYTES bytes. */
void ct_int_text(struct ct_buf *out, struct ct_span bytes);
/* How many bits the magnitude of such an int has. */
uint64_t ct_int_bits(struct ct_span bytes);

/* Append repr(bytes). */
void ct_bytes_text(struct ct_buf *out, struct ct_span bytes);

/* Whether `text` is valid UTF-8; a lone surrogate is not. */
bool ct_text_valid(struct ct_span text);
/* The same, and how many characters it has. */
bool ct_text_measure(struct ct_span text, uint64_t *characters);
/* Append `text` with what is not valid UTF-8 replaced: a lone surrogate by \udXXX, another byte by
 * \xXX. */
void ct_text_escape(struct ct_buf *out, struct ct_span text);

/* Append the decimal digits of `value`. */
void ct_buf_decimal(struct ct_buf *out, uint64_t value);
static inline void ct_buf_literal(struct ct_buf *out, const char *text)
{
    ct_buf_put(out, text, strlen(text));
}

#endif
