#pragma once
/// The values with which parameters start.

#include <cstdint>
#include <span>
#include <string_view>

#include "runtime/base/abi.h"

namespace halcyon::runtime {

/// Fills the values of a parameter by its rule (see halcyon_init_kind), but for given values. The
/// same name and seed give the same values everywhere, whatever else a network has.
void draw_parameter(std::string_view name, halcyon_init_kind rule, float scale, uint64_t seed,
                    std::span<float> values);

}  // namespace halcyon::runtime
