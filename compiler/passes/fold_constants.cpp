/// What follows from constants alone is computed here, by the operators' own meaning, and becomes a
/// constant: in single precision, as the code would have computed it.

#include <algorithm>

#include "compiler/passes/passes.h"
#include "compiler/passes/rewrite.h"
#include "compiler/reference/interpreter.h"

namespace halcyon::compiler {

using namespace dsl;

bool fold_constants(Program& program, const PassContext&) {
  Rewriter rewriter(program.graph,
                    [](int32_t, const Node& node, const Rewriter::Values& inputs,
                       Graph& copy) -> Rewriter::Values {
                      const auto constant_of = [&](Value v) {
                        return std::get_if<ops::Constant>(&copy.node(v).op);
                      };
                      const bool folds = !inputs.empty() && !node.outputs.empty() &&
                                         std::all_of(inputs.begin(), inputs.end(), constant_of);
                      if (!folds) return {};
                      HostTensors in;
                      for (Value v : inputs) in.push_back(value_of(copy, *constant_of(v)));
                      Rewriter::Values folded;
                      for (const HostTensor& y : reference(node.op, in, /*batch=*/1)) {
                        const ops::Constant constant{
                            .shape = y.shape,
                            .values = static_cast<int64_t>(copy.constants.size())};
                        copy.constants.emplace_back(y.values.begin(), y.values.end());
                        folded.push_back({copy.add(constant, {}, node.name, node.place), 0});
                      }
                      return folded;
                    });
  if (!rewriter.changed()) return false;
  program.graph = rewriter.take();
  remove_unneeded(program.graph);
  return true;
}

}  // namespace halcyon::compiler
