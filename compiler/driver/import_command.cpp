/// halcyon import.

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <filesystem>
#include <memory>
#include <span>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "compiler/driver/commands.h"
#include "compiler/driver/compile_options.h"
#include "compiler/driver/usage.h"
#include "compiler/emit/library_name.h"
#include "compiler/graph/write_source.h"
#include "compiler/onnx/as_written.h"
#include "dsl/print.h"
#include "runtime/base/error.h"
#include "runtime/file.h"
#include "runtime/weight_table.h"

namespace halcyon::compiler {

namespace {

namespace fs = std::filesystem;

struct ImportCommand : CompileFlags {
  std::string folder;

  void run() const;
};

void write_text(const std::string& path, const std::string& text) {
  runtime::write_file_atomically(path, std::as_bytes(std::span(text)));
}

std::string text_of(const dsl::Graph& graph) {
  std::ostringstream text;
  dsl::print(graph, text);
  return text.str();
}

/// as_written copies a graph once for each of its rules, which values of 100 MB make slow: each
/// parameter gets its number in their place. Returns the parameters' names by that number.
std::vector<std::string> put_numbers_for_values(dsl::Graph& graph) {
  std::vector<std::string> names;
  for (int32_t id = 0; id < graph.node_count(); ++id) {
    const auto* known = std::get_if<dsl::ops::Parameter>(&graph.node(id).op);
    if (known == nullptr) continue;
    dsl::ops::Parameter parameter = *known;
    parameter.init = dsl::ops::InitKind::values;
    parameter.values = static_cast<int64_t>(graph.constants.size());
    graph.constants.push_back({static_cast<float>(names.size())});
    names.emplace_back(graph.node(id).name.view());
    graph.replace_op(id, parameter);
  }
  return names;
}

/// The tensors under the names that the parameters have now.
runtime::WeightFile renamed(runtime::WeightFile from, const dsl::Graph& graph,
                            const std::vector<std::string>& names) {
  runtime::WeightFile file;
  file.metadata = from.metadata;
  file.metadata[runtime::kNetworkKey] = std::string(graph.name.view());
  for (const dsl::Node& node : graph.nodes()) {
    const auto* parameter = std::get_if<dsl::ops::Parameter>(&node.op);
    if (parameter == nullptr) continue;
    const float number = graph.constants.at(static_cast<std::size_t>(parameter->values)).at(0);
    const std::string& old = names.at(static_cast<std::size_t>(number));
    const auto tensor = std::ranges::find(from.tensors, old, [](const auto& t) { return t.name; });
    if (tensor == from.tensors.end()) throw InternalError("import: no values of '" + old + "'");
    file.tensors.push_back(std::move(*tensor));
    file.tensors.back().name = std::string(node.name.view());
    tensor->name.clear();
  }
  return file;
}

void ImportCommand::run() const {
  if (!is_model_file(source)) {
    throw UserError(runtime::quote(source) + " is no model: its name does not end with .onnx",
                    "halcyon export writes models of networks");
  }
  Source from = load();
  const std::vector<std::string> names = put_numbers_for_values(from.graph);
  dsl::Graph graph = as_written(from.graph);
  if (!name.empty()) graph.name = FixedString(name);
  const runtime::WeightFile weights = renamed(std::move(*from.weights), graph, names);
  forget_values(graph);

  const std::string own(graph.name.view());
  const auto path = [&](const char* extension) {
    return (fs::path(folder) / (own + extension)).string();
  };
  make_folder(folder);
  for (const char* extension : {".cpp", ".safetensors", ".graph"}) {
    runtime::check_can_write(path(extension));
  }
  write_text(path(".graph"), text_of(graph));
  runtime::write_weights(path(".safetensors"), weights);
  fmt::print("{}: {} nodes\n{}: {} tensors\n", path(".graph"), graph.node_count(),
             path(".safetensors"), weights.tensors.size());
  try {
    const std::string model = fs::path(source).filename().string();
    write_text(path(".cpp"), write_source(graph, "As " + model + " has it."));
  } catch (const UserError& error) {
    throw UserError(source + " has what a network file cannot say: " + error.what(),
                    "the other two files are written; every command takes the model itself");
  }
  fmt::print("{}: a network file; halcyon run {} --weights {}\n", path(".cpp"), path(".cpp"),
             path(".safetensors"));
}

}  // namespace

void add_import_command(CLI::App& app) {
  CLI::App* command =
      app.add_subcommand("import",
                         "write a model as a network file, its weights and its graph: NAME.cpp, "
                         "NAME.safetensors, NAME.graph");
  auto o = std::make_shared<ImportCommand>();
  command->add_option("MODEL", o->source, "a model (.onnx)")->required();
  command->add_option("-o,--output", o->folder, "folder")->required()->check(some_path());
  command->add_option("--name", o->name, "name of the network; the model's own otherwise")
      ->check(usable_by(check_library_name, "NAME"));
  o->add_input_shape_to(*command);
  command->callback([o] { o->run(); });
}

}  // namespace halcyon::compiler
