#pragma once
/// Learning-rate schedules: how the rate moves over the steps of a run. Pure functions of the step
/// number, so a resumed run sees the same rates.

#include <cstdint>
#include <string>
#include <string_view>

namespace halcyon::runtime {

struct Schedule {
  enum class Kind { kConstant, kStep, kCosine };

  Kind kind = Kind::kConstant;
  int64_t warmup_steps =
      0;  ///< the rate climbs in equal parts over these first steps: 1/n, 2/n, ... n/n
  int64_t step_every = 0;     ///< kStep: steps between two drops; 0 means a third of the run
  double step_factor = 0.1;   ///< kStep: what every drop multiplies by
  double final_fraction = 0;  ///< kCosine: what is left of the rate at the end

  /// The factor on the base rate at `step` (0 is the first) of a run of `total_steps`.
  /// Source: cosine: Loshchilov and Hutter 2016, "SGDR", one period without restarts.
  double factor(int64_t step, int64_t total_steps) const;

  /// Errors: UserError for negative counts, a factor outside (0, 1], a final fraction outside [0,
  /// 1].
  void check() const;
};

/// "constant", "step" or "cosine". Errors: UserError that lists them.
Schedule::Kind parse_schedule_kind(std::string_view text);
std::string to_text(Schedule::Kind kind);

}  // namespace halcyon::runtime
