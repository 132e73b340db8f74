#include "compiler/driver/picture/picture.h"

#include "compiler/driver/number_text.h"
#include "compiler/graph/verify.h"
#include "compiler/passes/pipeline.h"
#include "runtime/base/error.h"

namespace halcyon::compiler {

namespace {

constexpr int32_t kMostNodes = 20'000;

void check_size(const Graph& graph) {
  if (graph.node_count() <= kMostNodes) return;
  throw UserError("network '" + std::string(graph.name.view()) + "' has " +
                      grouped(graph.node_count()) + " nodes, a picture shows at most " +
                      grouped(kMostNodes),
                  "halcyon summary lists them");
}

}  // namespace

Picture make_picture(const Graph& graph, const PassContext& context, bool train, Show show) {
  verify(graph, Stage::source);
  check_size(graph);
  Program program;
  program.graph = graph;
  run_passes(program, context, train ? training_passes() : inference_passes());
  check_size(program.graph);
  Picture picture;
  picture.summary = summarize(graph, program);
  picture.train = train;
  const std::string what = train ? "a training step" : "inference";
  if (show != Show::after)
    picture.views.push_back({"before", "as written", diagram_of(graph, train)});
  if (show != Show::before) {
    picture.views.push_back(
        {"after", "as compiled for " + what, diagram_of(program, context.target)});
  }
  picture.per_sample = memory_map(program, Storage::workspace);
  picture.fixed = memory_map(program, Storage::fixed);
  return picture;
}

}  // namespace halcyon::compiler
