/// Any bytes at all, imported as a model: the end is a graph that is legal, or one error of the
/// user's.

#include "compiler/graph/verify.h"
#include "compiler/onnx/import.h"
#include "compiler/onnx/model_file.h"
#include "runtime/base/error.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace halcyon;
  try {
    const onnx::ModelProto model =
        compiler::parse_model({reinterpret_cast<const std::byte*>(data), size}, "fuzz.onnx");
    // No folder: external data would be read from the machine's own files.
    dsl::Graph graph = compiler::import_model(model, "/nonexistent", "fuzz.onnx").graph;
    if (!graph.outputs.empty()) compiler::verify(graph, compiler::Stage::source);
    compiler::take_weights(graph);
  } catch (const UserError&) {
  }
  return 0;
}
