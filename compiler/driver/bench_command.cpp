/// halcyon bench.

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <nlohmann/json.hpp>

#include "compiler/driver/commands.h"
#include "compiler/driver/compile_options.h"
#include "compiler/driver/profile.h"
#include "compiler/driver/usage.h"
#include "runtime/network.h"

namespace halcyon::compiler {

namespace {

struct BenchCommand : CompileFlags {
  int64_t batch = 1;
  int threads = 1;
  int runs = 50;
  bool train = false;
  bool per_layer = false;
  bool json = false;

  void run() const;
};

/// Host buffers of zeros, one for each entry of a table.
struct ZeroBuffers {
  std::vector<runtime::AlignedBuffer> memory;
  std::vector<void*> pointers;

  ZeroBuffers(const halcyon_tensor_info* infos, int32_t count, int64_t batch) {
    for (int32_t i = 0; i < count; ++i) {
      memory.emplace_back(static_cast<uint64_t>(batch * infos[i].elements * 4), "a host buffer");
      pointers.push_back(memory.back().data());
    }
  }
  std::vector<const void*> read_only() const { return {pointers.begin(), pointers.end()}; }
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
  const ZeroBuffers inputs(info.inputs, info.input_count, batch);
  const ZeroBuffers outputs(info.outputs, info.output_count, batch);
  const ZeroBuffers targets(info.targets, train ? info.target_count : 0, batch);
  if (!train)
    return measure(runs, [&] { network.infer(batch, inputs.read_only(), outputs.pointers); });
  std::vector<float> losses(static_cast<std::size_t>(info.loss_count));
  halcyon_hyper hyper = {};
  hyper.step = 1;
  return measure(runs, [&] {
    network.train_step(batch, inputs.read_only(), targets.read_only(), hyper, losses);
  });
}

void BenchCommand::run() const {
  const Source from = load();
  const std::optional<Artifact> artifact = compile(from.graph, options(train));
  const LoadedNetwork loaded(*artifact);
  const Timing timing = time_network(loaded.info(), from, train, batch, threads, runs);
  std::vector<KernelTime> layers;
  const Program& program = train ? *artifact->training : artifact->inference;
  if (per_layer) layers = profile_kernels(program, *artifact, loaded, batch, threads);
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
                               {"layers", nlohmann::json::array()}};
    for (const KernelTime& t : layers) {
      document["layers"].push_back({{"kernel", t.label},
                                    {"schedule", t.schedule},
                                    {"median_us", t.median_us},
                                    {"multiply_adds", t.macs},
                                    {"bytes", t.bytes}});
    }
    fmt::print("{}\n", document.dump(2));
    return;
  }
  for (const KernelTime& t : layers) {
    fmt::print("{:>9.1f} us {:>7.1f} GFLOP/s {:>7.1f} GB/s  {}  {}\n", t.median_us,
               2e-3 * static_cast<double>(t.macs) / t.median_us,
               1e-3 * static_cast<double>(t.bytes) / t.median_us, t.label, t.schedule);
  }
  fmt::print(
      "{} batch {}, {} threads: {:.3f} ms median, {:.3f} ms best of {}, {:.1f} GFLOP/s, {:.0f} "
      "images/s\n",
      train ? "training step," : "inference,", batch, threads, timing.median_ms, timing.min_ms,
      runs, gflops, 1e3 * static_cast<double>(batch) / timing.median_ms);
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
  command->add_flag("--per-layer", o->per_layer, "time each kernel by itself");
  command->add_flag("--json", o->json);
  command->callback([o] { o->run(); });
}

}  // namespace halcyon::compiler
