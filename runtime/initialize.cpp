#include "runtime/initialize.h"

#include <algorithm>

#include "runtime/base/error.h"
#include "runtime/random.h"

namespace halcyon::runtime {

void draw_parameter(std::string_view name, halcyon_init_kind rule, float scale, uint64_t seed,
                    std::span<float> values) {
  Random random(seed, stream_of(name));
  const double range = scale;
  switch (rule) {
    case HALCYON_INIT_CONSTANT: std::fill(values.begin(), values.end(), scale); return;
    case HALCYON_INIT_UNIFORM:
      for (float& value : values) value = static_cast<float>(random.uniform(-range, range));
      return;
    case HALCYON_INIT_NORMAL:
      for (float& value : values) value = static_cast<float>(range * random.normal());
      return;
    case HALCYON_INIT_VALUES: break;
  }
  throw InternalError("parameter '" + std::string(name) + "' has given values, none are drawn");
}

}  // namespace halcyon::runtime
