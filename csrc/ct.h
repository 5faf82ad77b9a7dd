/* Everything that Python sees of the C part. */
#ifndef CT_H
#define CT_H

#include "program.h"
#include "recorder.h"
#if __has_include("expand.h")
#include "expand.h"
#endif

#endif
