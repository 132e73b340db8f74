#pragma once
/// The order of the passes, as data, and the one runner that all of them go through.

#include <functional>
#include <span>
#include <string_view>

#include "compiler/passes/passes.h"

namespace halcyon::compiler {

enum class Run { once, until_stable };

struct Pass {
  std::string_view name;  ///< also what the command line calls it
  bool (*run)(Program&, const PassContext&);
  Run repeat;
  std::string_view promise;  ///< what holds afterwards
};

std::span<const Pass> inference_passes();
std::span<const Pass> training_passes();

/// What a pass did, for --dump-after, --stop-after and timing.
struct PassRecord {
  const Pass& pass;
  bool changed;
  double time_us;
};

/// Runs the passes in order and verifies the graph behind each. `observe` is called behind each
/// pass; when it returns false, the run stops there.
void run_passes(Program& program, const PassContext& context, std::span<const Pass> passes,
                const std::function<bool(const Program&, const PassRecord&)>& observe = {});

}  // namespace halcyon::compiler
