#include "runtime/schedule.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "runtime/base/error.h"

namespace halcyon::runtime {

double Schedule::factor(int64_t step, int64_t total_steps) const {
  if (step < warmup_steps) return static_cast<double>(step + 1) / static_cast<double>(warmup_steps);
  switch (kind) {
    case Kind::kConstant: return 1;
    case Kind::kStep: {
      const int64_t every =
          step_every > 0 ? step_every : std::max<int64_t>(1, (total_steps + 2) / 3);
      return std::pow(step_factor, static_cast<double>(step / every));
    }
    case Kind::kCosine: {
      // The period is what the warm-up leaves; a step past the end (a longer run resumed) stays at
      // the floor.
      const auto period = static_cast<double>(std::max<int64_t>(1, total_steps - warmup_steps));
      const double t = std::min(1.0, static_cast<double>(step - warmup_steps) / period);
      return final_fraction + (1 - final_fraction) * 0.5 * (1 + std::cos(std::numbers::pi * t));
    }
  }
  return 1;
}

void Schedule::check() const {
  if (warmup_steps < 0)
    throw UserError("schedule: warm-up of " + std::to_string(warmup_steps) +
                    " steps, it must be 0 or more");
  if (step_every < 0)
    throw UserError("schedule: a drop every " + std::to_string(step_every) +
                    " steps, it must be 0 or more");
  // Written so that a value that is not a number fails as well.
  if (!(step_factor > 0 && step_factor <= 1))
    throw UserError("schedule: a drop multiplies by " + std::to_string(step_factor) +
                    ", it must be above 0 and at most 1");
  if (!(final_fraction >= 0 && final_fraction <= 1))
    throw UserError("schedule: the rate ends at " + std::to_string(final_fraction) +
                    " of its base, it must be 0 to 1");
}

Schedule::Kind parse_schedule_kind(std::string_view text) {
  if (text == "constant") return Schedule::Kind::kConstant;
  if (text == "step") return Schedule::Kind::kStep;
  if (text == "cosine") return Schedule::Kind::kCosine;
  throw UserError("unknown learning-rate schedule '" + std::string(text) + "'",
                  "one of constant, step, cosine");
}

std::string to_text(Schedule::Kind kind) {
  switch (kind) {
    case Schedule::Kind::kConstant: return "constant";
    case Schedule::Kind::kStep: return "step";
    case Schedule::Kind::kCosine: return "cosine";
  }
  return "constant";
}

}  // namespace halcyon::runtime
