/// halcyon compile, halcyon zoo and halcyon passes.

#include <fmt/format.h>

#include <chrono>
#include <iostream>
#include <memory>
#include <sstream>

#include "compiler/driver/commands.h"
#include "compiler/driver/compile_options.h"
#include "compiler/driver/dump.h"
#include "compiler/driver/embed_weights.h"
#include "compiler/driver/link.h"
#include "compiler/driver/usage.h"
#include "compiler/emit/library_name.h"
#include "dsl/zoo/zoo.h"
#include "runtime/base/error.h"
#include "runtime/program/workspace_limit.h"

namespace halcyon::compiler {

namespace {

enum class Emit { archive, shared, program };

Emit parse_emit(const std::string& text) {
  if (text == "static") return Emit::archive;
  if (text == "shared") return Emit::shared;
  if (text == "exe") return Emit::program;
  throw UserError("there is no '" + text + "' to make", "static, shared or exe");
}

struct CompileCommand : CompileFlags {
  std::string emit = "static";
  std::string folder;
  std::string weights;
  bool train = false;
  bool timing = false;
  uint64_t workspace_limit = 0;
  std::vector<std::string> dump_after;
  std::string stop_after;

  /// Without a folder the passes are all there is to do.
  bool only_shows() const { return folder.empty(); }
  void run() const;
  void check_workspace(const Artifact& artifact) const;
  std::string write(const Artifact& artifact) const;
  bool observe(const char* which, const Program& program, const PassRecord& record) const;
};

void check_pass_name(const std::string& name) {
  std::string known;
  for (const auto& passes : {inference_passes(), training_passes()}) {
    for (const Pass& pass : passes) {
      if (pass.name == name) return;
      if (known.find(pass.name) == known.npos)
        known += (known.empty() ? "" : ", ") + std::string(pass.name);
    }
  }
  throw UserError("there is no pass '" + name + "'", "the passes are " + known);
}

bool CompileCommand::observe(const char* which, const Program& program,
                             const PassRecord& record) const {
  if (timing) {
    fmt::print("{:<10} {:<26} {:>9.1f} us  {}\n", which, record.pass.name, record.time_us,
               record.changed ? "changed" : "");
  }
  for (const std::string& name : dump_after) {
    if (name == record.pass.name)
      std::cout << "# " << which << ", after " << name << "\n" << program_text(program);
  }
  const bool last = &record.pass == &inference_passes().back();  // behind those of training
  return stop_after != record.pass.name && !(last && only_shows());
}

void CompileCommand::check_workspace(const Artifact& artifact) const {
  const std::string what = "network '" + artifact.interface.name + "'";
  runtime::check_workspace_limit(workspace_limit, what, 1, [&](int64_t batch) {
    return static_cast<uint64_t>(artifact.workspace_bytes(batch, 1));
  });
  if (!artifact.training) return;
  runtime::check_workspace_limit(workspace_limit, what + ", training", 1, [&](int64_t batch) {
    return static_cast<uint64_t>(artifact.train_workspace_bytes(batch, 1));
  });
}

/// Returns the names of the files.
std::string CompileCommand::write(const Artifact& artifact) const {
  const std::chrono::seconds limit(source_timeout_s);
  const std::string& made = artifact.interface.name;
  const Emit kind = parse_emit(emit);
  switch (kind) {
    case Emit::archive: write_library(artifact, folder); break;
    case Emit::shared: write_shared_library(artifact, folder, limit); break;
    case Emit::program: write_program(artifact, folder, limit); return made;
  }
  return fmt::format("lib{0}.{1}, {0}.h, {0}.hpp, {0}.json", made,
                     kind == Emit::shared ? "so" : "a");
}

void CompileCommand::run() const {
  if (parse_emit(emit) == Emit::program && train) {
    throw CLI::ValidationError("--emit exe", "a program only infers, --train adds nothing to it");
  }
  if (only_shows() && dump_after.empty() && stop_after.empty())
    throw CLI::RequiredError("--output");
  const auto begin = std::chrono::steady_clock::now();
  Source from = load();
  dsl::Graph& graph = from.graph;
  if (!weights.empty()) {
    embed_weights(graph, weights);
  } else if (from.weights) {
    embed_weights(graph, *from.weights, source);
  }
  CompileOptions chosen = options(train);
  chosen.observe = [this](const char* which, const Program& program, const PassRecord& record) {
    return observe(which, program, record);
  };
  const std::optional<Artifact> artifact = compile(graph, chosen);
  if (!artifact) return;
  check_workspace(*artifact);
  const std::string written = write(*artifact);
  const std::chrono::duration<double> time = std::chrono::steady_clock::now() - begin;
  fmt::print("{}/{}: {} kernels ({} compiled, the rest from the cache) in {:.2f} s\n", folder,
             written, artifact->kernels.size(), artifact->kernels_compiled, time.count());
}

}  // namespace

void add_compile_command(CLI::App& app) {
  CLI::App* command =
      app.add_subcommand("compile", "make a library with C and C++ headers, or a program");
  auto options = std::make_shared<CompileCommand>();
  options->add_to(*command);
  CLI::Option* const train = command->add_flag("--train", options->train, "add train_step");
  options->add_training_to(*command, train);
  options->add_input_shape_to(*command)->excludes(train);
  command
      ->add_option("-o,--output", options->folder,
                   "folder for the library; needed unless --dump-after or --stop-after is given")
      ->check(some_path());
  command->add_option("--name", options->name, "name of the library; the network's own otherwise")
      ->check(usable_by(check_library_name, "NAME"));
  command
      ->add_option("--emit", options->emit,
                   "static: libNAME.a; shared: libNAME.so; exe: a program that works on files")
      ->check(usable_by([](const std::string& text) { parse_emit(text); }, "KIND"));
  command->add_option("--weights", options->weights, "safetensors file to link in")
      ->check(some_path());
  runtime::add_workspace_limit_to(*command, options->workspace_limit);
  command->add_flag("--timing", options->timing, "time of each pass");
  command->add_option("--dump-after", options->dump_after, "print the program behind this pass")
      ->check(usable_by(check_pass_name, "PASS"));
  command->add_option("--stop-after", options->stop_after, "stop behind this pass")
      ->check(usable_by(check_pass_name, "PASS"));
  command->callback([options] { options->run(); });
}

void add_zoo_command(CLI::App& app) {
  CLI::App* command =
      app.add_subcommand("zoo",
                         "the networks that come along, at the pictures they are made for; "
                         "zoo:NAME:HEIGHTxWIDTHxCHANNELS is for others");
  command->callback([] {
    for (const dsl::zoo::Entry& entry : dsl::zoo::kNetworks) {
      const dsl::Graph graph = entry.build(entry.picture).graph();
      const std::string picture = fmt::format("{}x{}x{}", entry.picture.height, entry.picture.width,
                                              entry.picture.channels);
      fmt::print("zoo:{:<16} {:>11} parameters {:>12} multiply-adds {:>10}  {}\n", entry.name,
                 graph.parameter_count(), graph.macs(), picture, entry.summary);
    }
  });
}

void add_passes_command(CLI::App& app) {
  CLI::App* command = app.add_subcommand("passes", "the passes in order, and what each promises");
  command->callback([] {
    const auto list = [](const char* title, std::span<const Pass> passes) {
      fmt::print("{}\n", title);
      for (const Pass& pass : passes) fmt::print("  {:<26} {}\n", pass.name, pass.promise);
    };
    list("inference", inference_passes());
    list("training", training_passes());
  });
}

}  // namespace halcyon::compiler
