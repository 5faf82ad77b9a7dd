/* The types of recorded values: an id, a name, and which builtin part an instance has. */
#ifndef CT_TYPES_H
#define CT_TYPES_H

#include "compat.h"

/* What can be read of an instance through C structures. */
enum ct_shape {
    CT_SHAPE_OBJECT, /* nothing but type and address */
    CT_SHAPE_INT,
    CT_SHAPE_FLOAT,
    CT_SHAPE_COMPLEX,
    CT_SHAPE_STR,
    CT_SHAPE_BYTES,
    CT_SHAPE_TUPLE,
    CT_SHAPE_LIST,
    CT_SHAPE_SET,
    CT_SHAPE_FROZENSET,
    CT_SHAPE_DICT,
    CT_SHAPE_EXCEPTION,
};

typedef struct {
    PyTypeObject *type; /* borrowed, only compared: an address can be reused by another type */
    const void *name;   /* a str that is owned (heap types) or a C string (static types): what tells
                           them apart */
    uint64_t generation;  /* of the chunk that holds the definition */
    unsigned int version; /* tag of the type as it was looked at last: tags are never used again */
    uint32_t id;
    uint8_t shape;
    bool owned;
} ct_type;

/* The entry of a type, made at first sight; the pointer is valid until the next call.  NULL without
 * memory. */
ct_type *ct_type_of(PyTypeObject *type);

/* Write the definition of the type unless this chunk has it. */
uint8_t *ct_put_type(uint8_t *p, ct_type *entry);

/* Bytes of the type's name in a trace, at most. */
uint32_t ct_type_name_cost(const ct_type *entry);

/* At a chunk boundary: start over with new ids when a program has made very many classes. */
void ct_types_trim(void);

void ct_types_clear(void);

#endif
