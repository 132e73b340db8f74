/// Layers in one loop nest against the same layers one by one: time, outputs and bytes moved, for
/// layers of known networks. Both are compiled in this process and take turns; times are of the
/// whole small network, whose other kernels (the host's order in and out) are the same on both
/// sides. Convolutions are direct, as with --exact, because Winograd's would not share the loops of
/// these layers; the last column but one says where the compiler takes those unless told otherwise.
/// Exit status: 0; 1 user's or machine's mistake, or outputs that differ; 2 bad usage; 3 our own
/// bug.

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <optional>
#include <variant>
#include <vector>

#include "compiler/driver/load.h"
#include "compiler/driver/profile.h"
#include "compiler/machine/peak.h"
#include "compiler/passes/pipeline.h"
#include "dsl/layers.h"
#include "runtime/base/error.h"
#include "runtime/network.h"

namespace halcyon::benchmarks {
namespace {

using compiler::Fusing;
using dsl::conv;
using dsl::max_pool;
using dsl::Network;
using dsl::Tensor;

struct Options {
  int threads = 1;
  int64_t batch = 1;
  int runs = 31;
};

struct Case {
  const char* name;
  Shape input;  ///< channels, height, width
  Tensor (*layers)(Tensor);
};

// A tanh stands for the layers in front, where there are some: what reads the host's picture may be
// computed in another way.
// clang-format off
const std::vector<Case> kCases = {
    {"GoogLeNet conv1 7x7/2 + relu + pool1 3x3/2", {3, 224, 224},
     [](Tensor x) {
       return x | conv(64, 7, {.stride = 2, .pad = 3}) | dsl::relu | max_pool(3, {.stride = 2, .ceil = true});
     }},
    {"AlexNet conv1 11x11/4 + relu + pool1 3x3/2", {3, 227, 227},
     [](Tensor x) { return x | conv(96, 11, {.stride = 4}) | dsl::relu | max_pool(3, {.stride = 2}); }},
    {"AlexNet conv5 3x3 + relu + pool5 3x3/2", {384, 13, 13},
     [](Tensor x) {
       return x | dsl::tanh | conv(256, 3, {.pad = 1, .groups = 2}) | dsl::relu | max_pool(3, {.stride = 2});
     }},
    {"inception 3a: pool 3x3/1, conv 1x1 192 -> 32", {192, 28, 28},
     [](Tensor x) { return x | dsl::tanh | max_pool(3, {.stride = 1, .pad = 1}) | conv(32, 1) | dsl::relu; }},
    {"inception 4e: pool 3x3/1, conv 1x1 528 -> 128", {528, 14, 14},
     [](Tensor x) { return x | dsl::tanh | max_pool(3, {.stride = 1, .pad = 1}) | conv(128, 1) | dsl::relu; }},
    {"inception 3a: conv 1x1 192 -> 96, conv 3x3 -> 128", {192, 28, 28},
     [](Tensor x) { return x | dsl::tanh | conv(96, 1) | dsl::relu | conv(128, 3, {.pad = 1}) | dsl::relu; }},
    {"inception 3a: conv 1x1 192 -> 16, conv 5x5 -> 32", {192, 28, 28},
     [](Tensor x) { return x | dsl::tanh | conv(16, 1) | dsl::relu | conv(32, 5, {.pad = 2}) | dsl::relu; }},
    {"ResNet 2a: conv 1x1 256 -> 64, conv 3x3 -> 64", {256, 56, 56},
     [](Tensor x) { return x | dsl::tanh | conv(64, 1) | dsl::relu | conv(64, 3, {.pad = 1}) | dsl::relu; }},
    {"wide: conv 1x1 16 -> 96, conv 3x3/2 -> 32", {16, 224, 224},
     [](Tensor x) { return x | dsl::tanh | conv(96, 1) | dsl::relu | conv(32, 3, {.stride = 2, .pad = 1}) | dsl::relu; }},
};
// clang-format on

Network network(const Case& what) {
  Network net("bench");
  net.output("y", what.layers(net.input("x", what.input)));
  return net;
}

/// What the passes make of it, without code.
compiler::Program planned(const Case& what, Fusing fusing, bool exact) {
  compiler::Program program;
  program.graph = network(what).graph();
  compiler::PassContext context;
  context.target = compiler::parse_target("host");
  context.fusing = {.pool = fusing, .reduce = fusing};
  context.exact = exact;
  compiler::run_passes(program, context, compiler::inference_passes());
  return program;
}

/// The nodes of each kernel.
std::vector<std::vector<int32_t>> kernels(const compiler::Program& program) {
  std::vector<std::vector<int32_t>> list;
  for (const compiler::Region& region : program.regions) list.push_back(region.nodes);
  return list;
}

/// What the compiler does with direct convolutions.
const char* exact_choice(const Case& what) {
  const auto fused = kernels(planned(what, Fusing::wherever_possible, true));
  if (fused == kernels(planned(what, Fusing::never, true))) return "cannot";
  return fused == kernels(planned(what, Fusing::where_it_pays, true)) ? "fuses" : "does not";
}

/// What it does unless told otherwise.
const char* usual_choice(const Case& what) {
  const compiler::Program program = planned(what, Fusing::where_it_pays, false);
  for (const compiler::Region& region : program.regions) {
    for (const int32_t id : region.nodes) {
      if (std::holds_alternative<dsl::ops::WinogradConv>(program.graph.node(id).op))
        return "Winograd";
    }
  }
  return "the same";
}

/// One side of a comparison: a small network compiled and ready to run.
class Side {
 public:
  Side(const Case& what, Fusing fusing, const Options& options)
      : artifact_(compiled(what, fusing)),
        loaded_(*artifact_),
        network_(loaded_.info(), options.threads),
        batch_(options.batch) {
    network_.initialize(1);
    network_.reserve(batch_);
    x_.resize(static_cast<std::size_t>(batch_ * loaded_.info().inputs[0].elements));
    y_.resize(static_cast<std::size_t>(batch_ * loaded_.info().outputs[0].elements));
    for (std::size_t i = 0; i < x_.size(); ++i) x_[i] = static_cast<float>(i * 37 % 101) / 50 - 1;
  }

  double run_ms() {
    const void* const inputs[] = {x_.data()};
    void* const outputs[] = {y_.data()};
    const auto begin = std::chrono::steady_clock::now();
    network_.infer(batch_, inputs, outputs);
    return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin)
        .count();
  }

  const std::vector<float>& outputs() const { return y_; }
  int64_t moved_bytes() const {
    return compiler::moved_bytes(artifact_->inference, compiler::parse_target("host"), batch_);
  }

 private:
  static std::optional<compiler::Artifact> compiled(const Case& what, Fusing fusing) {
    compiler::CompileOptions options;
    options.fusing = {.pool = fusing, .reduce = fusing};
    options.exact = true;
    return compiler::compile(network(what).graph(), options);
  }

  std::optional<compiler::Artifact> artifact_;
  compiler::LoadedNetwork loaded_;
  runtime::Network network_;
  int64_t batch_;
  std::vector<float> x_, y_;
};

double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

/// Relative to the largest value: both sides add the same numbers, perhaps in another order.
double difference(const std::vector<float>& a, const std::vector<float>& b) {
  double largest = 0, apart = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    largest = std::max(largest, std::abs(static_cast<double>(a[i])));
    apart = std::max(apart, std::abs(static_cast<double>(a[i]) - static_cast<double>(b[i])));
  }
  return largest > 0 ? apart / largest : apart;
}

/// False if the outputs differ.
bool compare(const Case& what, const Options& options) {
  Side apart(what, Fusing::never, options), fused(what, Fusing::wherever_possible, options);
  std::vector<double> apart_ms, fused_ms;
  for (int run = -3; run < options.runs; ++run) {
    const double a = apart.run_ms(), f = fused.run_ms();
    if (run < 0) continue;
    apart_ms.push_back(a);
    fused_ms.push_back(f);
  }
  constexpr double kTolerance = 1e-5;
  const double differs = difference(apart.outputs(), fused.outputs());
  const double a = median(apart_ms), f = median(fused_ms);
  fmt::print("{:<46} {:>8.3f} {:>8.3f} {:>7.2f} {:>9} {:>9}  {:<9} {:<9} {}\n", what.name, a, f,
             a / f, apart.moved_bytes() / 1024, fused.moved_bytes() / 1024, exact_choice(what),
             usual_choice(what),
             differs <= kTolerance ? "agree" : fmt::format("differ by {:.1e}", differs));
  std::fflush(stdout);
  return differs <= kTolerance;
}

int run(const Options& options) {
  const compiler::Target target = compiler::parse_target("host");
  fmt::print(
      "{} threads, batch {}, median of {} runs; {} kB of cache beside each core; peak {:.0f} "
      "GFLOP/s on these threads\n\n",
      options.threads, options.batch, options.runs, target.l2_bytes / 1024,
      machine::peak_gflops(options.threads));
  fmt::print("{:<46} {:>8} {:>8} {:>7} {:>9} {:>9}  {:<9} {:<9} {}\n", "layers", "apart ms",
             "fused ms", "faster", "kB apart", "kB fused", "--exact", "usually", "outputs");
  bool agree = true;
  for (const Case& what : kCases) agree = compare(what, options) && agree;
  return agree ? 0 : 1;
}

}  // namespace
}  // namespace halcyon::benchmarks

int main(int argc, char** argv) try {
  using namespace halcyon::benchmarks;
  CLI::App app("layers in one loop nest, and one by one", "bench_fusion");
  Options options;
  app.add_option("--threads", options.threads)->check(CLI::Range(1, 1024));
  app.add_option("--batch", options.batch)->check(CLI::Range(1, 4096));
  app.add_option("--runs", options.runs, "of each side; they take turns")
      ->check(CLI::Range(1, 1000000));
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& e) {
    return app.exit(e);
  } catch (const CLI::ParseError& e) {
    std::fprintf(stderr, "error: %s\n", e.what());
    return 2;
  }
  return run(options);
} catch (const halcyon::InternalError& e) {
  std::fprintf(stderr, "error: %s\n", e.what());
  return 3;
} catch (const std::exception& e) {
  std::fprintf(stderr, "error: %s\n", e.what());
  return 1;
}
