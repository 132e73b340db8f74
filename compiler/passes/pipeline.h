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
  std::string_view promise;  ///< what holds afterwards; see passes.h for who checks it
};

std::span<const Pass> inference_passes();
std::span<const Pass> training_passes();

/// What a pass did, for --dump-after, --stop-after and timing.
struct PassRecord {
  const Pass& pass;
  bool changed;
  double time_us;
};

/// Runs the passes in order and verifies the graph and what has been decided about it behind each.
/// `observe` is called behind each pass; when it returns false, the run stops there. What a
/// complete run must have made of the graph (Stage::inference, Stage::training) is the caller's to
/// verify. Errors: InternalError for an illegal graph or program, and for a pass that never comes
/// to rest.
void run_passes(Program& program, const PassContext& context, std::span<const Pass> passes,
                const std::function<bool(const Program&, const PassRecord&)>& observe = {});

}  // namespace halcyon::compiler
