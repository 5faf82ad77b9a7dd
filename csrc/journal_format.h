/* Layout of the journal, shared by the code that writes it (chunk.c, tracer.c, value.c, delta.c)
 * and the code that reads it (journal_read.c).  docs/journal.md explains the meaning; this header
 * only names the numbers. */
#ifndef CT_JOURNAL_FORMAT_H
#define CT_JOURNAL_FORMAT_H

#include <stdint.h>

#define CTJ_VERSION 1

/* Chunk header: the first bytes of a ring slot and of an inflated chunk frame.  Little-endian.
 *
 *   0   u32  magic "CTJS"
 *   4   u16  version
 *   6   u16  header size (128)
 *   8   u8   session id [16]
 *   24  u64  sequence, 1 for the first chunk of a session; 0 marks an unused slot
 *   32  u64  steps recorded before this chunk
 *   40  u64  key of the next call when the chunk was opened
 *   48  u64  wall clock at opening, ns since the epoch
 *   56  u64  monotonic clock at opening, ns
 *   64  u64  wall clock at sealing, 0 while the chunk is live
 *   72  u64  monotonic clock at sealing
 *   80  u32  length of the records in bytes, 0 while the chunk is live
 *   84  u32  reserved, 0
 *   88  u8   boot id [16], zeros where the system has none
 *   104 zeros
 */
#define CTJ_CHUNK_MAGIC  0x534A5443u
#define CTJ_CHUNK_HEADER 128

/* Frame of the journal file, in front of what it stores.  Little-endian.
 *
 *   0   u32  magic "CTJF"
 *   4   u8   kind
 *   5   u8   codec
 *   6   u16  0
 *   8   u32  length of what is stored
 *   12  u32  its length once it is inflated
 *   16  u64  sequence of the chunk, 0 for other kinds
 *   24  u32  CRC-32 of what is stored
 *   28  u32  CRC-32 of the bytes up to here
 */
#define CTJ_FRAME_MAGIC 0x464A5443u
#define CTJ_FRAME_START 28
#define CTJ_KIND_CHUNK  2
#define CTJ_CODEC_ZSTD  1

/* Units: what the commit rule makes visible at once.  A unit starts with one of these tags. */
enum ctj_unit {
    CTJ_END = 0x00,      /* end of what was written */
    CTJ_PATH = 0x01,     /* uv id, text path */
    CTJ_NAME = 0x02,     /* uv id, text name */
    CTJ_FUNCTION = 0x03, /* uv id, uv path, uv first line, uv flags, text name, uv args,
                            uv slots, uv name id each, uv globals, uv name id each */
    CTJ_CALL = 0x04,     /* uv function; items: the arguments */
    CTJ_ENTER = 0x05,    /* uv function, uv line: a frame that was running before it was seen */
    CTJ_RESUME = 0x06,   /* uv function, uv line */
    CTJ_THROW = 0x07,    /* uv function, uv line, value exception */
    CTJ_RETURN = 0x08,   /* value */
    CTJ_YIELD = 0x09,    /* value */
    CTJ_UNWIND = 0x0A,   /* value exception */
    CTJ_LOST = 0x0B,     /* the innermost frame ended unseen */
    CTJ_THREAD_SWITCH = 0x0C, /* uv thread */
    CTJ_THREAD_START = 0x0D,  /* uv thread, uv identifier of the system, text name */
    CTJ_THREAD_EXIT = 0x0E,   /* uv thread */
    CTJ_RAISE = 0x0F,         /* value exception */
    CTJ_CATCH = 0x10,         /* value exception */
    CTJ_STACK = 0x11,  /* uv thread, uv frames left out, uv frames listed; CTJ_FRAMEs follow */
    CTJ_FRAME = 0x12,  /* uv function, uv call key, uv line, outermost first */
    CTJ_TASK = 0x13,   /* uv address, text name: the task of the coroutine in the next unit */
    CTJ_OUTPUT = 0x14, /* u8 enum ctj_stream with enum ctj_output_flag, uv length, bytes */
    CTJ_UNIT_EXTENSION = 0x30, /* 0x30..0x3F: uv length, that many bytes; skipped when unknown */
    CTJ_THREAD_NAME = 0x30, /* uv length of the rest, uv thread, text name: before its CTJ_STACK */
    CTJ_UNIT_EXTENSION_LAST = 0x3F,
    CTJ_STEP = 0x80,      /* 0x80 | zigzag(line - last line of the frame), items */
    CTJ_STEP_WIDE = 0xFF, /* the same with the zigzag as uv */
};

/* The first byte of CTJ_OUTPUT: a stream and flags. */
enum ctj_stream {
    CTJ_STDOUT,
    CTJ_STDERR,
    CTJ_STDIN,
    CTJ_LOG,          /* no stream: a record of `logging`, see CTJ_LOG_SEPARATOR */
    CTJ_STREAM = 0x03 /* the bits of the stream */
};

/* Stands between the level, the logger's name and the message of a record of `logging`. */
#define CTJ_LOG_SEPARATOR 0x01

enum ctj_output_flag {
    CTJ_OUTPUT_BYTES = 0x04,   /* as they are; without, text */
    CTJ_OUTPUT_PAUSE = 0x08,   /* 5 ms or more after the last output of the stream */
    CTJ_OUTPUT_GOES_ON = 0x10, /* the next unit of the thread is more of the same */
    CTJ_OUTPUT_FLUSH = 0x20,   /* the stream was flushed; no bytes */
    CTJ_OUTPUT_MIRROR = 0x40,  /* written past the hooked methods; seen while the line ran */
};

/* Items: parts of a CTJ_CALL or step unit.  0x40 | slot for slots below CTJ_ITEM_SLOT_WIDE - 0x40.
 */
enum ctj_item {
    CTJ_ITEM_SLOT = 0x40,
    CTJ_ITEM_GLOBAL = 0x7B,    /* uv index into the function's globals, value */
    CTJ_ITEM_SLOT_WIDE = 0x7C, /* uv slot, value */
    CTJ_ITEM_NAMED = 0x7D, /* uv name id, value: a variable of a namespace (module or class body) */
    CTJ_ITEM_NAME = 0x7E,  /* uv id, text: defines a name inside a unit */
    CTJ_ITEM_EXTENSION = 0x7F, /* u8 kind, uv length, bytes */
};

/* Values.  0x80 | zigzag for ints from -64 to 63; 0x40 | zigzag for a difference from -32 to 31. */
enum ctj_value {
    CTJ_NONE = 0x01,
    CTJ_TRUE = 0x02,
    CTJ_FALSE = 0x03,
    CTJ_INT = 0x04,      /* zigzag of an int of 64 bits */
    CTJ_INT_DIFF = 0x05, /* zigzag of the difference to the slot's last value (modulo 2^64) */
    CTJ_INT_BIG = 0x06,  /* uv length, two's complement little-endian */
    CTJ_INT_CUT = 0x07,  /* uv bits of the magnitude, u8 1 when negative */
    CTJ_FLOAT = 0x08,    /* f64 */
    CTJ_COMPLEX = 0x09,  /* f64 real, f64 imaginary */
    CTJ_STR = 0x0A,      /* text */
    CTJ_STR_CUT = 0x0B,  /* uv characters in all, text shown */
    CTJ_STR_SAME =
        0x0C, /* uv characters in all: the text shown last time, of a longer or shorter str */
    CTJ_BYTES = 0x0D,     /* uv length, bytes */
    CTJ_BYTES_CUT = 0x0E, /* uv bytes in all, uv length, bytes */
    CTJ_TUPLE = 0x10,     /* uv items, values */
    CTJ_LIST = 0x11,
    CTJ_SET = 0x12,
    CTJ_FROZENSET = 0x13,
    CTJ_DICT = 0x14,      /* uv pairs, key and value each */
    CTJ_TUPLE_CUT = 0x18, /* uv items in all, uv items shown, values */
    CTJ_LIST_CUT = 0x19,
    CTJ_SET_CUT = 0x1A,
    CTJ_FROZENSET_CUT = 0x1B,
    CTJ_DICT_CUT = 0x1C,
    CTJ_STOP = 0x1F,      /* in place of an item: the container ends here, cut by the byte limit */
    CTJ_PATCH = 0x20,     /* uv items in all, uv shown, uv kept from the start, values of the rest:
                             the list or tuple of the slot's last value with another tail */
    CTJ_TYPE = 0x21,      /* uv id, text name, then the value: defines a type at first use */
    CTJ_SUBCLASS = 0x22,  /* uv type, value of the builtin part */
    CTJ_OBJECT = 0x23,    /* uv type, uv address */
    CTJ_EXCEPTION = 0x24, /* uv type, value args (a tuple) */
    CTJ_CYCLE = 0x25,     /* uv levels up to the container that this one is */
    CTJ_UNSET = 0x26,     /* the variable is unbound */
    CTJ_REDACTED = 0x27,
    CTJ_DROPPED = 0x28,  /* a return value; where a key would stand: a pair that is left out */
    CTJ_OMITTED = 0x29,  /* not recorded because the step had reached its limit */
    CTJ_INSTANCE = 0x2A, /* uv type, value of the builtin part or CTJ_UNSET, uv fields in all,
                            uv fields shown, fields (enum ctj_field) */
    CTJ_TEXT = 0x2B,     /* uv type, uv characters in all, text: an object in words */
    CTJ_EDIT = 0x2C, /* uv edits, each: uv items kept since the last one, value: the list or tuple
                        of the slot's last value with some items replaced */
    CTJ_NUMBERED = 0x2D,  /* uv number, value: gives the number to this value */
    CTJ_REFERENCE = 0x2E, /* uv number: the value that has it */
    CTJ_CHANGED = 0x2F,   /* uv number, uv fields, each: uv fields kept since the last one, value:
                             the instance that has the number, with some fields replaced, has it */
    CTJ_SHARED = 0x30, /* uv number, value: an object that stands in the value around it more than
                          once; the others have the same number */
    CTJ_VALUE_EXTENSION = 0x38, /* 0x38..0x3F: uv length, that many bytes */
    CTJ_VALUE_EXTENSION_LAST = 0x3F,
    CTJ_SMALL_DIFF = 0x40,
    CTJ_SMALL_INT = 0x80,
};

/* How a field begins: a number of its own, or CTJ_FIELD_NAMED and the number of a name. */
enum ctj_field {
    CTJ_FIELD_STOP = 0,    /* the fields end here, cut by the byte limit */
    CTJ_FIELD_DROPPED = 1, /* a field that a filter leaves out */
    CTJ_FIELD_DEFINE = 2,  /* uv number, text: gives the number to a name, then the value */
    CTJ_FIELD_NAMED = 3,   /* CTJ_FIELD_NAMED + number, then the value */
};
#define CTJ_FIELD_NAMES 1024 /* numbers of names; they are given again and again */

#define CTJ_NUMBERS      2048  /* numbers of values; they are given again and again */
#define CTJ_NUMBERED_MAX 32768 /* bytes of a value in a trace that may have a number */

/* Flags of CTJ_FUNCTION. */
enum ctj_function_flag {
    CTJ_FN_NAMESPACE = 0x01, /* module or class body: variables are CTJ_ITEM_NAMED items */
    CTJ_FN_MODULE = 0x02,
    CTJ_FN_GENERATOR = 0x04,
    CTJ_FN_COROUTINE = 0x08,
    CTJ_FN_ASYNC_GENERATOR = 0x10,
};

#endif
