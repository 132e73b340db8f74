#include "compiler/passes/passes.h"
#include "compiler/schedules/schedules.h"
#include "runtime/base/error.h"

namespace halcyon::compiler {

bool choose_schedules(Program& program, const PassContext& context) {
  for (Region& region : program.regions) {
    const KernelSpec spec = make_kernel_spec(program, region, context.target);
    const Space space = schedule_space(spec);
    region.choice = context.choose ? context.choose(space) : space.standard;
    const std::string problem = why_illegal(space, region.choice);
    if (!problem.empty())
      throw InternalError("choose_schedules: kernel " + spec.label() + ": " + problem);
  }
  return true;
}

}  // namespace halcyon::compiler
