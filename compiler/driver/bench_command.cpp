/// halcyon bench.

#include <fmt/format.h>
#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <nlohmann/json.hpp>
#include <span>

#include "compiler/driver/commands.h"
#include "compiler/driver/compile_options.h"
#include "compiler/driver/picture/roofline.h"
#include "compiler/driver/profile.h"
#include "compiler/driver/usage.h"
#include "compiler/machine/peak.h"
#include "runtime/file.h"
#include "runtime/network.h"
#include "runtime/tensor_table.h"

namespace halcyon::compiler {

namespace {

struct BenchCommand : CompileFlags {
  int64_t batch = 1;
  int threads = 1;
  int runs = 50;
  bool train = false;
  bool per_layer = false;
  bool json = false;
  std::string page;

  void run() const;
};

/// What this machine can do, in the same run.
struct Peak {
  double gflops = 0, gb_per_s = 0;
};

struct Timing {
  double median_ms = 0;
  double min_ms = 0;
};

template <class Call>
Timing measure(int runs, const Call& call) {
  std::vector<double> samples;
  for (int run = -3; run < runs; ++run) {
    const auto begin = std::chrono::steady_clock::now();
    call();
    const std::chrono::duration<double, std::milli> passed =
        std::chrono::steady_clock::now() - begin;
    if (run >= 0) samples.push_back(passed.count());
  }
  std::sort(samples.begin(), samples.end());
  return {samples[samples.size() / 2], samples.front()};
}

Timing time_network(const halcyon_network& info, const Source& source, bool train, int64_t batch,
                    int threads, int runs) {
  runtime::Network network(info, threads);
  network.initialize(0);
  if (source.weights) network.set_weights(*source.weights);
  network.reserve(batch);
  const std::vector<runtime::Tensor> inputs =
      runtime::make_tensors(runtime::inputs_of(info), batch);
  if (!train) {
    std::vector<runtime::Tensor> outputs = runtime::make_tensors(runtime::outputs_of(info), batch);
    return measure(runs, [&] { network.infer(inputs, outputs); });
  }
  const std::vector<runtime::Tensor> targets =
      runtime::make_tensors(runtime::targets_of(info), batch);
  std::vector<float> losses(static_cast<std::size_t>(info.loss_count));
  halcyon_hyper hyper = {};
  hyper.step = 1;
  return measure(runs, [&] { network.train_step(inputs, targets, hyper, losses); });
}

/// Of this process: the compiler, which runs in it, included.
int64_t peak_rss_bytes() {
  rusage usage = {};
  getrusage(RUSAGE_SELF, &usage);
  return int64_t{1024} * usage.ru_maxrss;
}

nlohmann::json json_of(const KernelTime& t, const Peak& peak) {
  const double gflops = 2e-3 * static_cast<double>(t.computed_macs) / t.median_us;
  const double gb_per_s = 1e-3 * static_cast<double>(t.bytes) / t.median_us;
  return {{"kernel", t.label},
          {"algorithm", t.algorithm},
          {"schedule", t.schedule},
          {"median_us", t.median_us},
          {"multiply_adds", t.macs},
          {"computed_multiply_adds", t.computed_macs},
          {"bytes", t.bytes},
          {"share_of_multiply_add_peak", gflops / peak.gflops},
          {"share_of_memory_peak", gb_per_s / peak.gb_per_s}};
}

/// Layers' multiply-adds in the first column; the share of the peak is of those that are computed,
/// which Winograd's are fewer of.
void print_layer(const KernelTime& t, const Peak& peak) {
  const double gb_per_s = 1e-3 * static_cast<double>(t.bytes) / t.median_us;
  const double computed = 2e-3 * static_cast<double>(t.computed_macs) / t.median_us;
  fmt::print("{:>9.1f} us {:>7.1f} GFLOP/s {:>3.0f} % {:>7.1f} GB/s {:>3.0f} %  {}  {}{}{}\n",
             t.median_us, 2e-3 * static_cast<double>(t.macs) / t.median_us,
             100 * computed / peak.gflops, gb_per_s, 100 * gb_per_s / peak.gb_per_s, t.label,
             t.algorithm, t.words.empty() ? "" : ": ", t.words);
}

void BenchCommand::run() const {
  if (!page.empty()) runtime::check_can_write(page);
  const Source from = load();
  const std::optional<Artifact> artifact = compile(from.graph, options(train));
  const LoadedNetwork loaded(*artifact);
  const Timing timing = time_network(loaded.info(), from, train, batch, threads, runs);
  std::vector<KernelTime> layers;
  Peak peak;
  const Program& program = train ? *artifact->training : artifact->inference;
  if (per_layer || !page.empty()) {
    peak = {machine::peak_gflops(threads), machine::peak_read_gb_per_s(threads)};
    layers = profile_kernels(program, *artifact, loaded, batch, threads);
  }
  const std::string conditions =
      fmt::format("{} batch {}, {} {}", train ? "training step," : "inference,", batch, threads,
                  threads == 1 ? "thread" : "threads");
  if (!page.empty()) {
    const std::string text = roofline_page({.network = artifact->interface.name,
                                            .conditions = conditions,
                                            .network_ms = timing.median_ms,
                                            .peak_gflops = peak.gflops,
                                            .peak_gb_per_s = peak.gb_per_s,
                                            .kernels = layers});
    runtime::write_file_atomically(page, std::as_bytes(std::span(text)));
  }
  const uint64_t workspace = train ? loaded.info().train_workspace_bytes(batch, threads)
                                   : loaded.info().workspace_bytes(batch, threads);
  const double gflops = 2e-6 * static_cast<double>(program.graph.macs() * batch) / timing.median_ms;
  if (json) {
    nlohmann::json document = {{"median_ms", timing.median_ms},
                               {"min_ms", timing.min_ms},
                               {"runs", runs},
                               {"batch", batch},
                               {"threads", threads},
                               {"gflops", gflops},
                               {"workspace_bytes", workspace},
                               {"peak_rss_bytes", peak_rss_bytes()},
                               {"layers", nlohmann::json::array()}};
    if (!layers.empty()) {
      document["machine"] = {{"multiply_add_gflops", peak.gflops},
                             {"read_gb_per_s", peak.gb_per_s}};
    }
    for (const KernelTime& t : layers) document["layers"].push_back(json_of(t, peak));
    fmt::print("{}\n", document.dump(2));
    return;
  }
  if (per_layer) {
    fmt::print("this machine: {:.1f} GFLOP/s of multiply-adds, {:.1f} GB/s read from memory\n",
               peak.gflops, peak.gb_per_s);
    for (const KernelTime& t : layers) print_layer(t, peak);
  }
  fmt::print("{}: {:.3f} ms median, {:.3f} ms best of {}, {:.1f} GFLOP/s, {:.0f} images/s\n",
             conditions, timing.median_ms, timing.min_ms, runs, gflops,
             1e3 * static_cast<double>(batch) / timing.median_ms);
}

}  // namespace

void add_bench_command(CLI::App& app) {
  CLI::App* command = app.add_subcommand("bench", "time a network, or each of its kernels");
  auto o = std::make_shared<BenchCommand>();
  o->add_to(*command);
  CLI::Option* const train = command->add_flag("--train", o->train, "time training steps");
  o->add_training_to(*command, train);
  o->add_input_shape_to(*command)->excludes(train);
  command->add_option("--batch", o->batch)->check(whole_number(1, 1 << 20));
  command->add_option("--threads", o->threads)->check(whole_number(1, 1024));
  command->add_option("--runs", o->runs)->check(whole_number(1, 1000000));
  command->add_flag("--per-layer", o->per_layer,
                    "time each kernel by itself, beside the machine's peaks");
  command->add_flag("--json", o->json);
  command
      ->add_option("--page", o->page,
                   "F.html: each kernel against what the machine can do, as a roofline plot")
      ->check(some_path());
  command->callback([o] { o->run(); });
}

}  // namespace halcyon::compiler
