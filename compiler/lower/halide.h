#pragma once
/// The one place that includes Halide; precompiled, because it is heavy. Only kernels and emission
/// may include it.

#include <halide14/Halide.h>
