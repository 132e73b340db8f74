#include "tests/onnx/peers.h"

#include <filesystem>
#include <fstream>
#include <span>
#include <stdexcept>

#include "runtime/data/npy.h"
#include "runtime/data/numbers.h"
#include "tests/e2e/run_program.h"
#include "tests/runtime/temporary_folder.h"

namespace halcyon::tests {

namespace {

constexpr int kIsMissing = 77;  // how the runner ends where the package is not there

Finished run_if_there(const Command& command) {
  try {
    return run_program(command);
  } catch (const std::runtime_error& error) {
    return {.status = kIsMissing, .output = {}, .errors = error.what()};
  }
}

// Debian's own, whatever else is called python3 here.
constexpr const char* kPython = "/usr/bin/python3";
const std::string kRunner = HALCYON_SOURCE_DIR "/benchmarks/peers/onnxruntime_run.js";

void write_npy(const std::string& path, const NamedTensor& tensor) {
  Shape shape;
  for (int64_t extent : tensor.dims) shape.push_back(extent);
  runtime::write_npy(path, runtime::Tensor(shape, tensor.values));
}

}  // namespace

std::string missing_checker() {
  static const std::string why = run_if_there({.words = {kPython, "-c", "import onnx"}}).status == 0
                                     ? ""
                                     : "no onnx.checker: Debian's python3-onnx is not installed";
  return why;
}

std::string missing_onnx_runtime() {
  // Without the package the runner stops before it looks at the model.
  static const std::string why =
      run_if_there({.words = {"node", kRunner, "none.onnx"}}).status == kIsMissing
          ? "no ONNX Runtime: benchmarks/peers/install_onnxruntime installs it"
          : "";
  return why;
}

std::string check_model(const std::string& path) {
  const std::string script = HALCYON_SOURCE_DIR "/tests/onnx/check_model.py";
  const Finished finished = run_program({.words = {kPython, script, path}});
  return finished.status == 0 ? "" : finished.errors;
}

std::vector<NamedTensor> run_onnx_runtime(const std::string& model,
                                          const std::vector<NamedTensor>& inputs,
                                          const std::vector<std::string>& outputs) {
  const TemporaryFolder folder;
  Command command = {.words = {"node", kRunner, model, "--output", folder.file("outputs")}};
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const std::string file = folder.file("input" + std::to_string(i) + ".npy");
    write_npy(file, inputs[i]);
    command.words.insert(command.words.end(), {"--input", inputs[i].name + "=" + file});
  }
  const Finished finished = run_program(command);
  if (finished.status != 0) throw std::runtime_error("ONNX Runtime: " + finished.errors);
  std::vector<NamedTensor> found;
  for (const std::string& name : outputs) {
    const runtime::Tensor array = runtime::read_npy(folder.file("outputs/" + name + ".npy"));
    const Shape& shape = array.shape();
    found.push_back({name,
                     {shape.extents.begin(), shape.extents.begin() + shape.rank},
                     {array.floats().begin(), array.floats().end()}});
  }
  return found;
}

}  // namespace halcyon::tests
