#include "compiler/driver/compile.h"

#include <algorithm>
#include <map>
#include <span>
#include <thread>

#include "compiler/emit/archive.h"
#include "compiler/emit/entry.h"
#include "compiler/emit/headers.h"
#include "compiler/emit/library_name.h"
#include "compiler/emit/object_cache.h"
#include "compiler/graph/verify.h"
#include "runtime/base/error.h"
#include "runtime/file.h"
#include "runtime/weights.h"

namespace halcyon::compiler {

namespace {

/// One program's kernels and how its entry function calls them.
struct Lowered {
  std::vector<KernelSpec> specs;
  EntryPlan plan;
};

Lowered lower_program(const Program& program, const Target& target) {
  Lowered lowered;
  lowered.plan.program = &program;
  for (const Region& region : program.regions) {
    lowered.specs.push_back(make_kernel_spec(program, region, target));
    lowered.plan.kernels.push_back(kernel_symbol(lowered.specs.back()));
  }
  return lowered;
}

void set_scratch(Lowered& lowered, const std::vector<KernelObject>& kernels) {
  std::map<std::string, Scratch> needed;
  for (const KernelObject& kernel : kernels) needed[kernel.symbol] = kernel.scratch;
  for (const std::string& symbol : lowered.plan.kernels) {
    const Scratch& of_kernel = needed.at(symbol);
    Scratch& most = lowered.plan.scratch;
    most.own_bytes = std::max(most.own_bytes, of_kernel.own_bytes);
    most.worker_bytes = std::max(most.worker_bytes, of_kernel.worker_bytes);
  }
}

std::vector<std::string> descriptions(const Lowered& lowered) {
  std::vector<std::string> list;
  const std::size_t calls = lowered.plan.program->prepare_regions;
  for (const KernelSpec& spec : std::span(lowered.specs).subspan(calls)) {
    const std::string choice = to_string(spec.choice);
    list.push_back(spec.label() + (choice.empty() ? "" : ": " + choice));
  }
  return list;
}

/// Runs the passes; false when the observer stopped them.
bool run_passes_observed(const char* which, Program& program, const PassContext& context,
                         std::span<const Pass> passes, const CompileOptions& options) {
  bool stopped = false;
  run_passes(program, context, passes, [&](const Program& now, const PassRecord& record) {
    stopped = options.observe && !options.observe(which, now, record);
    return !stopped;
  });
  return !stopped;
}

/// With halos and padded blocks, one sample or one weight may have more elements than its shape.
void check_sizes(const Program& program) {
  const auto check = [&](Value v, int64_t elements) {
    if (elements <= dsl::kMaxElements) return;
    const dsl::Node& node = program.graph.node(v);
    throw UserError(dsl::describe(dsl::name_of(node.op), node.name, node.place) + ": " +
                    halcyon::to_string(program.graph.shape(v)) + " has " +
                    std::to_string(elements) + " elements in memory, at most " +
                    std::to_string(dsl::kMaxElements) + " can be compiled");
  };
  for (const auto& [v, layout] : program.layouts) check(v, layout.sample_stride());
  for (const auto& [v, layout] : program.weights) check(v, layout.elements());
}

}  // namespace

PassContext pass_context(const CompileOptions& options) {
  return {.target = parse_target(options.target),
          .fusing = options.fusing,
          .exact = options.exact,
          .optimizer = options.optimizer,
          .freeze = options.freeze,
          .choose = options.choose};
}

std::optional<Artifact> compile(const dsl::Graph& graph, const CompileOptions& options) {
  verify(graph, Stage::source);
  const std::string name = options.name.empty() ? std::string(graph.name.view()) : options.name;
  check_library_name(name);
  Artifact artifact;
  PassContext context = pass_context(options);
  if (options.train) {
    artifact.training.emplace();
    artifact.training->graph = graph;
    if (!run_passes_observed("training", *artifact.training, context, training_passes(), options))
      return std::nullopt;
    verify(artifact.training->graph, Stage::training);
    context.shares_parameters_with = &*artifact.training;
  }
  artifact.inference.graph = graph;
  if (!run_passes_observed("inference", artifact.inference, context, inference_passes(), options))
    return std::nullopt;
  verify(artifact.inference.graph, Stage::inference);
  // The graph, the regions and the memory plan are final from here on.
  check_sizes(artifact.inference);
  if (artifact.training) check_sizes(*artifact.training);

  Lowered inference = lower_program(artifact.inference, context.target);
  Lowered training;
  if (artifact.training) training = lower_program(*artifact.training, context.target);
  std::vector<KernelSpec> specs = inference.specs;
  specs.insert(specs.end(), training.specs.begin(), training.specs.end());
  const int jobs = options.jobs > 0
                       ? options.jobs
                       : static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
  KernelBuild build = build_kernels(specs, ObjectCache(options.cache), jobs);
  artifact.kernels = std::move(build.kernels);
  artifact.kernels_compiled = build.compiled;

  set_scratch(inference, artifact.kernels);
  set_scratch(training, artifact.kernels);
  artifact.scratch = inference.plan.scratch;
  artifact.train_scratch = training.plan.scratch;
  artifact.interface = describe_interface(name, context.target.features, artifact.inference,
                                          artifact.training ? &*artifact.training : nullptr);
  artifact.entry = emit_entry(artifact.interface, inference.plan,
                              artifact.training ? &training.plan : nullptr, context.target);
  LibraryFacts facts;
  facts.macs = artifact.inference.graph.macs();
  facts.workspace_bytes_batch1 = artifact.workspace_bytes(1, 1);
  facts.kernels = descriptions(inference);
  if (artifact.training) {
    facts.train_workspace_bytes_batch1 = artifact.train_workspace_bytes(1, 1);
    facts.train_kernels = descriptions(training);
  }
  artifact.c_header = c_header(artifact.interface);
  artifact.cpp_header = cpp_header(artifact.interface);
  artifact.manifest = manifest(artifact.interface, facts);
  return artifact;
}

int64_t Artifact::workspace_bytes(int64_t batch, int64_t workers) const {
  return EntryPlan{&inference, {}, scratch}.workspace_bytes(batch, workers);
}

int64_t Artifact::train_workspace_bytes(int64_t batch, int64_t workers) const {
  return EntryPlan{&*training, {}, train_scratch}.workspace_bytes(batch, workers);
}

std::vector<std::byte> library_archive(const Artifact& artifact) {
  std::vector<ArchiveMember> members = {{artifact.interface.name + ".o", artifact.entry}};
  for (const KernelObject& kernel : artifact.kernels)
    members.push_back({kernel.symbol + ".o", kernel.object});
  return make_archive(members);
}

void make_folder(const std::filesystem::path& folder) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) throw SystemError("cannot make folder " + folder.string() + ": " + error.message());
}

void write_headers(const Artifact& artifact, const std::filesystem::path& folder) {
  const std::string& name = artifact.interface.name;
  const auto text = [](const std::string& s) { return std::as_bytes(std::span(s)); };
  runtime::write_file_atomically(folder / (name + ".h"), text(artifact.c_header));
  runtime::write_file_atomically(folder / (name + ".hpp"), text(artifact.cpp_header));
  runtime::write_file_atomically(folder / (name + ".json"), text(artifact.manifest));
}

void write_library(const Artifact& artifact, const std::filesystem::path& folder) {
  make_folder(folder);
  runtime::write_file_atomically(folder / ("lib" + artifact.interface.name + ".a"),
                                 library_archive(artifact));
  write_headers(artifact, folder);
}

}  // namespace halcyon::compiler
