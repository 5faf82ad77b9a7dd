/* The types of recorded values: an id, a name, and which builtin part an instance has. */
#ifndef CT_TYPES_H
#define CT_TYPES_H

#include "compat.h"

/* What can be read of an instance through C structures, fields apart. */
enum ct_shape {
    CT_SHAPE_OBJECT,  /* nothing */
    CT_SHAPE_MEMBERS, /* the members of a static type, as fields */
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
    CT_SHAPE_BYTEARRAY,
    CT_SHAPE_DEQUE,
    CT_SHAPE_NAMED, /* a function, class, module, generator and the like: its name */
    CT_SHAPE_DATE,
    CT_SHAPE_DATETIME,
    CT_SHAPE_TIME,
    CT_SHAPE_TIMEDELTA,
    CT_SHAPE_DECIMAL,
    CT_SHAPE_MEMORYVIEW,
    CT_SHAPE_NDARRAY,
    CT_SHAPE_ARRAY_SCALAR,
    CT_SHAPE_FRAME, /* of pandas */
    CT_SHAPE_SERIES,
    CT_SHAPE_INDEX,
};

/* Where an instance keeps its attributes. */
enum ct_dict { CT_DICT_NONE, CT_DICT_MANAGED, CT_DICT_AT_OFFSET };

typedef struct ct_layout ct_layout;

typedef struct {
    PyTypeObject *type; /* borrowed, only compared: an address can be reused by another type */
    const void *name;   /* a str that is owned (heap types) or a C string (static types): what tells
                           them apart */
    uint64_t generation;  /* of the chunk that holds the definition */
    unsigned int version; /* tag of the type as it was looked at last: tags are never used again */
    uint32_t id;
    uint8_t shape;   /* enum ct_shape */
    uint8_t dict;    /* enum ct_dict */
    bool has_fields; /* a dict or a layout */
    bool is_open;    /* instances have fields and nothing else, even when they have none just now */
    uint8_t tagged;  /* how often the interpreter was asked for a version */
    bool owned;
    ct_layout *layout; /* owned; NULL for a class without slots */
} ct_type;

/* The entry of a type, made at first sight; the pointer is valid until the next call.  NULL without
 * memory. */
ct_type *ct_type_of(PyTypeObject *type);

/* Write the definition of the type unless this chunk has it. */
uint8_t *ct_put_type(uint8_t *p, ct_type *entry);

/* The live chunk has lost definitions that were written last: write every one again. */
void ct_types_undefine(void);

/* Bytes of the type's name in a trace, at most. */
uint32_t ct_type_name_cost(const ct_type *entry);

/* At a chunk boundary: start over with new ids when a program has made very many classes. */
void ct_types_trim(void);

void ct_types_clear(void);

#endif
