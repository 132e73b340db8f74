/// halcyon export.

#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>

#include "compiler/driver/commands.h"
#include "compiler/driver/compile_options.h"
#include "compiler/driver/embed_weights.h"
#include "compiler/driver/usage.h"
#include "compiler/graph/verify.h"
#include "compiler/onnx/export.h"
#include "runtime/file.h"

namespace halcyon::compiler {

namespace {

struct ExportCommand : CompileFlags {
  std::string output;
  std::string weights;
  uint64_t seed = 0;

  void run() const;
};

void ExportCommand::run() const {
  runtime::check_can_write(output);
  Source from = load();
  dsl::Graph& graph = from.graph;
  verify(graph, Stage::source);
  if (!weights.empty()) {
    embed_weights(graph, weights);
  } else if (from.weights) {
    embed_weights(graph, *from.weights, source);
  }
  // Those that the network gives itself stay as they are.
  embed_random_weights(graph, seed);
  const onnx::ModelProto model = export_model(graph);
  write_model(model, output);
  std::printf("%s: opset %lld, %d nodes, %d weights\n", output.c_str(),
              static_cast<long long>(model.opset_import(0).version()), model.graph().node_size(),
              model.graph().initializer_size());
}

}  // namespace

void add_export_command(CLI::App& app) {
  CLI::App* command = app.add_subcommand("export", "write a network as an ONNX model");
  auto o = std::make_shared<ExportCommand>();
  o->add_network_to(*command);
  o->add_input_shape_to(*command);
  command->add_option("-o,--output", o->output, "M.onnx")->required();
  CLI::Option* const file = command->add_option("--weights", o->weights, "safetensors file");
  command->add_option("--seed", o->seed, "of random weights, where none are given")
      ->capture_default_str()
      ->check(whole_number<uint64_t>(0))
      ->excludes(file);
  command->callback([o] { o->run(); });
}

}  // namespace halcyon::compiler
