/* Everything that Python sees of the C part. */
#ifndef CT_H
#define CT_H

#include "expand.h"
#include "program.h"
#include "recorder.h"
#include "value_helper.h"

#endif
