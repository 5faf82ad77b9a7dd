/* The C structures of datetime, without its table of functions, which only an import would fill. */
#ifndef CT_DATES_H
#define CT_DATES_H

#include "compat.h"

#define _PY_DATETIME_IMPL 1
#include <datetime.h>
#undef _PY_DATETIME_IMPL

#endif
