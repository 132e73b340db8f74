/// Runs the ONNX project's own tests (Debian's package libonnx-testdata): each model is imported,
/// compiled and run, and its outputs are held against those that ONNX expects. Inputs that a node
/// needs before (weights, shapes) are given to the importer with the values of the test.
///
///   onnx_backend_tests [--table FILE] [NAME]   NAME: only tests whose folder contains it
///
/// Ends with 1 if one in scope fails, or if fewer than kInScope are in scope.

#include <algorithm>
#include <atomic>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <map>
#include <mutex>
#include <optional>
#include <sstream>
#include <thread>

#include "compiler/onnx/model_file.h"
#include "compiler/onnx/node_import.h"
#include "runtime/file.h"
#include "tests/onnx/backend_scope.h"
#include "tests/onnx/run_model.h"

namespace halcyon::tests {
namespace {

namespace fs = std::filesystem;
using compiler::Array;
using compiler::ElementKind;

constexpr const char* kFolder = "/usr/share/libonnx-testdata/data";
/// What was in scope when the operators were last added to. Fewer means that something broke.
constexpr int kInScope = 598;
/// As ONNX's own runner compares.
constexpr double kRelative = 1e-3, kAbsolute = 1e-7;

struct Result {
  enum class Kind { passed, failed, out_of_scope };
  Kind kind;
  std::string reason = {};
};

struct OutOfScope {
  std::string reason;
};

Array read_tensor(const fs::path& path) {
  onnx::TensorProto tensor;
  std::ifstream file(path, std::ios::binary);
  if (!tensor.ParseFromIstream(&file)) throw OutOfScope{"sequences and optional values"};
  return compiler::read_array(tensor, path.parent_path());
}

Floats floats_of(const Array& array) {
  Floats values;
  for (int64_t i = 0; i < array.size(); ++i) values.push_back(static_cast<float>(array.number(i)));
  return values;
}

std::string compare(const Floats& found, const Array& expected) {
  if (static_cast<int64_t>(found.size()) != expected.size()) {
    return std::to_string(found.size()) + " values, expected " + std::to_string(expected.size());
  }
  for (int64_t i = 0; i < expected.size(); ++i) {
    const double wanted = expected.number(i);
    const auto got = static_cast<double>(found[static_cast<std::size_t>(i)]);
    const bool same = wanted == got || (std::isnan(wanted) && std::isnan(got)) ||
                      std::abs(got - wanted) <= kAbsolute + kRelative * std::abs(wanted);
    if (!same) {
      return "value " + std::to_string(i) + " is " + std::to_string(got) + ", expected " +
             std::to_string(wanted);
    }
  }
  return "";
}

/// Inputs that the model does not store, in its own order.
std::vector<std::string> open_inputs(const onnx::GraphProto& graph) {
  std::vector<std::string> names;
  for (const onnx::ValueInfoProto& input : graph.input()) {
    const bool is_stored = std::ranges::any_of(
        graph.initializer(), [&](const onnx::TensorProto& t) { return t.name() == input.name(); });
    if (!is_stored) names.push_back(input.name());
  }
  return names;
}

/// Imports with as few inputs known as the model allows.
compiler::ImportedModel import_with(const onnx::ModelProto& model, const fs::path& folder,
                                    const std::map<std::string, Array>& inputs) {
  compiler::ImportOptions options;
  for (const auto& [name, array] : inputs) {
    if (array.kind != ElementKind::real) options.known_inputs[name] = array;
  }
  for (;;) {
    try {
      return compiler::import_model(model, folder, folder.filename().string(), options);
    } catch (const compiler::NeedsConstant& needed) {
      const auto found = inputs.find(needed.tensor);
      if (found == inputs.end()) throw;
      options.known_inputs[needed.tensor] = found->second;
    }
  }
}

void run_data_set(const onnx::ModelProto& model, const fs::path& folder, const fs::path& data) {
  std::map<std::string, Array> inputs;
  NamedFloats values;
  int index = 0;
  for (const std::string& name : open_inputs(model.graph())) {
    inputs[name] = read_tensor(data / ("input_" + std::to_string(index++) + ".pb"));
    if (inputs[name].size() == 0) throw OutOfScope{"empty tensors"};
    values[name] = floats_of(inputs[name]);
  }
  const compiler::ImportedModel imported = import_with(model, folder, inputs);
  NamedFloats outputs;
  if (!imported.graph.outputs.empty()) {
    outputs = CompiledModel(imported.graph, /*jobs=*/1).run(values, /*threads=*/1);
  }
  for (const auto& [name, array] : imported.known_outputs) outputs[name] = floats_of(array);
  index = 0;
  for (const onnx::ValueInfoProto& output : model.graph().output()) {
    const Array expected = read_tensor(data / ("output_" + std::to_string(index++) + ".pb"));
    const std::string difference = compare(outputs.at(output.name()), expected);
    if (!difference.empty()) {
      throw std::runtime_error("output '" + output.name() + "': " + difference);
    }
  }
}

Result run_test(const fs::path& folder) {
  try {
    const onnx::ModelProto model = compiler::read_model(folder / "model.onnx");
    if (const auto reason = reason_of_model(model)) return {Result::Kind::out_of_scope, *reason};
    for (const fs::directory_entry& entry : fs::directory_iterator(folder)) {
      if (entry.is_directory()) run_data_set(model, folder, entry.path());
    }
    return {Result::Kind::passed};
  } catch (const OutOfScope& e) {
    return {Result::Kind::out_of_scope, e.reason};
  } catch (const UserError& e) {
    if (const auto reason = reason_of_error(e.what())) return {Result::Kind::out_of_scope, *reason};
    return {Result::Kind::failed, e.what()};
  } catch (const std::exception& e) {
    return {Result::Kind::failed, e.what()};
  }
}

std::vector<fs::path> find_tests(const std::string& wanted) {
  std::vector<fs::path> folders;
  for (const char* part : {"node", "simple", "pytorch-operator", "pytorch-converted"}) {
    for (const fs::directory_entry& entry : fs::directory_iterator(fs::path(kFolder) / part)) {
      const bool is_wanted = entry.path().string().find(wanted) != std::string::npos;
      if (is_wanted && fs::exists(entry.path() / "model.onnx")) folders.push_back(entry.path());
    }
  }
  std::ranges::sort(folders);
  return folders;
}

/// In parallel: compiling is what takes the time.
std::vector<Result> run_all(const std::vector<fs::path>& folders) {
  std::vector<Result> results(folders.size());
  std::atomic<std::size_t> next = 0;
  const auto work = [&] {
    for (std::size_t i = next++; i < folders.size(); i = next++) results[i] = run_test(folders[i]);
  };
  std::vector<std::thread> workers;
  for (unsigned i = 0; i < std::max(1U, std::thread::hardware_concurrency()); ++i) {
    workers.emplace_back(work);
  }
  for (std::thread& worker : workers) worker.join();
  return results;
}

/// How many tests ended how, and why some are out of scope.
std::string summary_of(const std::vector<Result>& results) {
  int passed = 0, failed = 0;
  std::map<std::string, int> reasons;
  for (const Result& result : results) {
    if (result.kind == Result::Kind::passed) ++passed;
    if (result.kind == Result::Kind::failed) ++failed;
    if (result.kind == Result::Kind::out_of_scope) ++reasons[result.reason];
  }
  std::ostringstream out;
  out << "| tests of ONNX | number |\n|---|---|\n"
      << "| passed | " << passed << " |\n| in scope | " << passed + failed << " |\n"
      << "| out of scope | " << static_cast<int>(results.size()) - passed - failed << " |\n";
  for (const auto& [reason, count] : reasons) {
    out << "| out of scope: " << reason << " | " << count << " |\n";
  }
  return out.str();
}

void write_table(std::ostream& out, const std::vector<fs::path>& folders,
                 const std::vector<Result>& results) {
  out << summary_of(results) << "\n| test | result |\n|---|---|\n";
  for (std::size_t i = 0; i < folders.size(); ++i) {
    const Result& r = results[i];
    out << "| " << fs::relative(folders[i], kFolder).string() << " | "
        << (r.kind == Result::Kind::passed         ? "passed"
            : r.kind == Result::Kind::out_of_scope ? "out of scope: " + r.reason
                                                   : "FAILED: " + r.reason)
        << " |\n";
  }
}

int run(const std::string& table, const std::string& wanted) {
  if (!fs::exists(kFolder)) {
    std::cout << "skipped: ONNX's own tests are not installed (package libonnx-testdata)\n";
    return 0;
  }
  const std::vector<fs::path> folders = find_tests(wanted);
  const std::vector<Result> results = run_all(folders);
  if (!table.empty()) {
    std::ofstream file(table);
    write_table(file, folders, results);
  }
  int failed = 0, in_scope = 0;
  for (std::size_t i = 0; i < results.size(); ++i) {
    in_scope += results[i].kind != Result::Kind::out_of_scope ? 1 : 0;
    if (results[i].kind != Result::Kind::failed) continue;
    ++failed;
    std::cout << "FAILED " << fs::relative(folders[i], kFolder).string() << ": "
              << results[i].reason << '\n';
  }
  std::cout << summary_of(results);
  const bool too_few = wanted.empty() && in_scope < kInScope;
  if (too_few) std::cout << "in scope were " << kInScope << " before\n";
  return failed > 0 || too_few ? 1 : 0;
}

}  // namespace
}  // namespace halcyon::tests

int main(int argc, char** argv) {
  std::string table, wanted;
  for (int i = 1; i < argc; ++i) {
    if (std::string(argv[i]) == "--table" && i + 1 < argc) {
      table = argv[++i];
    } else {
      wanted = argv[i];
    }
  }
  return halcyon::tests::run(table, wanted);
}
