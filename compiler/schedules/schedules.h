#pragma once
/// The schedules of every kernel: which numbers its loops may have, and those that it has where
/// nothing was measured. They follow from the target's registers, vector width and cache. No
/// Halide: what a choice means is written where the kernel is (compiler/kernels/).

#include <array>

#include "compiler/lower/kernel_spec.h"
#include "compiler/schedules/space.h"

namespace halcyon::compiler {

/// Of a kernel; its own choice is not looked at. Kernels that only read and write have one
/// schedule.
Space schedule_space(const KernelSpec& spec);

// By the operator that leads the kernel.
Space conv_space(const KernelSpec& spec);
Space conv_weight_grad_space(const KernelSpec& spec);
Space conv_pool_weight_grad_space(const KernelSpec& spec);
Space winograd_space(const KernelSpec& spec);
Space dense_space(const KernelSpec& spec);
Space dense_weight_grad_space(const KernelSpec& spec);

/// Groups of a convolution that its kernel computes as one, multiplying with zeros between them,
/// because vectors hold filters of several: 1 where each vector is of one group.
int64_t merged_groups(const KernelSpec& spec);

/// Tiles of a Winograd kernel along rows and columns: those that its outputs need, or the pool in
/// it.
std::array<int64_t, 2> winograd_tiles(const KernelSpec& spec);

/// The largest tile of at most `most` that leaves the fewest outputs to be computed twice.
int64_t best_tile(int64_t extent, int64_t most);

/// The largest tile of at most `most` that divides `extent` and is a multiple of `step`; 0 if none.
int64_t dividing_tile(int64_t extent, int64_t most, int64_t step);

/// Those of `values` that divide `number`.
std::vector<int64_t> divisors_among(const std::vector<int64_t>& values, int64_t number);

}  // namespace halcyon::compiler
