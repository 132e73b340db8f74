#pragma once
/// What most tests read, precompiled: GoogleTest and the language's templates take longer than the
/// tests themselves.

#include <gtest/gtest.h>

#include "dsl/layers.h"
