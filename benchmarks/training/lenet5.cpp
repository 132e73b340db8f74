/// LeNet-5 as Halcyon trains it: speed, MNIST, agreement with another program, and what the machine
/// can do at best. Every subcommand prints one JSON object, with the names that
/// benchmarks/peers/lenet5_torch.py uses, too. Exit status: 0; 1 user's or machine's mistake, or no
/// agreement; 2 bad usage; 3 our own bug.

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <nlohmann/json.hpp>
#include <random>
#include <string>
#include <vector>

#include "bench_adam.h"
#include "bench_mnist.h"
#include "bench_momentum.h"
#include "bench_rmsprop.h"
#include "benchmarks/training/parity.h"
#include "compiler/machine/peak.h"
#include "runtime/base/error.h"
#include "runtime/checkpoint.h"
#include "runtime/data/mnist.h"
#include "runtime/network.h"
#include "runtime/progress.h"
#include "runtime/trainer.h"

namespace halcyon::benchmarks {
namespace {

using nlohmann::json;
using Clock = std::chrono::steady_clock;

struct Options {
  int threads = 2;
  int64_t batch = 64;
  std::string shape = "32x32x3";
  int windows = 7;
  double window_s = 0.25;
  std::string folder;
  uint64_t seed = 0;
  int64_t epochs = 5;
  float learning_rate = 0.02F;
};

double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

/// One batch of noise that lies in memory, and steps over it.
class SpeedRun {
 public:
  SpeedRun(const halcyon_network& info, int64_t batch, int threads)
      : network_(info, threads),
        batch_(batch),
        images_(static_cast<size_t>(batch * info.inputs[0].elements)),
        labels_(static_cast<size_t>(batch)),
        hyper_(runtime::default_hyper(info.optimizer)) {
    std::mt19937 random(0);
    std::normal_distribution<float> noise;
    for (float& value : images_) value = noise(random);
    for (int32_t& label : labels_) label = static_cast<int32_t>(random() % 10);
    network_.initialize(0);
    network_.reserve(batch);
  }

  /// Images per second over a window of at least `seconds`.
  double window(double seconds) {
    int64_t steps = 0;
    const Clock::time_point start = Clock::now();
    double elapsed = 0;
    do {
      for (int i = 0; i < 10; ++i) step();
      steps += 10;
      elapsed = std::chrono::duration<double>(Clock::now() - start).count();
    } while (elapsed < seconds);
    return static_cast<double>(steps * batch_) / elapsed;
  }

 private:
  void step() {
    const void* const inputs[] = {images_.data()};
    const void* const targets[] = {labels_.data()};
    float loss = 0;
    ++hyper_.step;
    network_.train_step(batch_, inputs, targets, hyper_, std::span(&loss, 1));
  }

  runtime::Network network_;
  int64_t batch_;
  std::vector<float> images_;
  std::vector<int32_t> labels_;
  halcyon_hyper hyper_;
};

json speed(const Options& options) {
  const halcyon_network& info =
      options.shape == "28x28x1" ? *bench_mnist_network() : *bench_momentum_network();
  SpeedRun run(info, options.batch, options.threads);
  run.window(options.window_s);  // caches, clock rate, page faults
  std::vector<double> windows;
  for (int i = 0; i < options.windows; ++i) windows.push_back(run.window(options.window_s));
  return {{"images_per_s", median(windows)},
          {"best_images_per_s", *std::max_element(windows.begin(), windows.end())},
          {"windows", windows},
          {"threads", options.threads},
          {"batch", options.batch},
          {"shape", options.shape},
          {"target", info.target}};
}

json mnist(const Options& options) {
  const runtime::TrainTest data = runtime::load_mnist(options.folder);
  runtime::Network network(*bench_mnist_network(), options.threads);
  network.initialize(options.seed);
  runtime::TrainOptions training;
  training.epochs = options.epochs;
  training.batch = options.batch;
  training.seed = options.seed;
  training.hyper.learning_rate = options.learning_rate;
  training.schedule.kind = runtime::Schedule::Kind::kCosine;
  runtime::Progress progress(stderr, runtime::Progress::Mode::kSilent);
  const runtime::Report report =
      runtime::Trainer(network, data.train, &data.test, training, progress).run();
  json accuracy = json::array(), seconds = json::array();
  for (const runtime::EpochReport& epoch : report.epochs) {
    accuracy.push_back(epoch.test_accuracy.value_or(0));
    seconds.push_back(epoch.train_s);
  }
  return {{"accuracy", accuracy},
          {"epoch_seconds", seconds},
          {"train_seconds", report.train_s},
          {"seed", options.seed},
          {"learning_rate", options.learning_rate},
          {"threads", options.threads}};
}

const halcyon_network& network_for(halcyon_optimizer optimizer) {
  if (optimizer == HALCYON_RMSPROP) return *bench_rmsprop_network();
  if (optimizer == HALCYON_ADAM) return *bench_adam_network();
  return *bench_momentum_network();
}

json parity(const Options& options) {
  const ParityCase parity = read_parity_case(options.folder);
  const ParityResult result = run_parity(parity, network_for(parity.optimizer), options.threads);
  return {{"optimizer", runtime::optimizer_name(parity.optimizer)},
          {"losses", result.losses},
          {"loss_difference", result.loss_difference},
          {"loss_limit", ParityResult::kLossLimit},
          {"update_difference", result.update_difference},
          {"update_limit", ParityResult::kUpdateLimit},
          {"agrees", result.agrees()}};
}

json peak(const Options& options) {
  return {{"instructions", machine::peak_instructions()},
          {"threads", options.threads},
          {"gflops", machine::peak_gflops(options.threads)},
          {"read_gb_per_s", machine::peak_read_gb_per_s(options.threads)}};
}

/// Parses the command line, runs one subcommand and prints what it found.
int run(int count, char** arguments) {
  Options options;
  CLI::App app("LeNet-5 trained by Halcyon: speed, accuracy and agreement, as JSON");
  app.require_subcommand(1);
  CLI::App* speed_command =
      app.add_subcommand("speed", "images per second of training on one batch");
  CLI::App* mnist_command = app.add_subcommand("mnist", "accuracy after every epoch, and the time");
  CLI::App* parity_command =
      app.add_subcommand("parity", "losses against those that PyTorch wrote");
  CLI::App* peak_command =
      app.add_subcommand("peak", "multiply-adds and memory reads of this machine");
  for (CLI::App* command : {speed_command, mnist_command, parity_command, peak_command}) {
    command->add_option("--threads", options.threads)
        ->check(CLI::Range(1, 1024))
        ->capture_default_str();
  }
  for (CLI::App* command : {speed_command, mnist_command}) {
    command->add_option("--batch", options.batch)
        ->check(CLI::Range(int64_t{1}, runtime::Network::kMaxBatch))
        ->capture_default_str();
  }
  speed_command->add_option("--shape", options.shape)
      ->check(CLI::IsMember({"32x32x3", "28x28x1"}))
      ->capture_default_str();
  speed_command->add_option("--windows", options.windows)
      ->check(CLI::Range(5, 1000))
      ->capture_default_str();
  speed_command->add_option("--window-s", options.window_s)
      ->check(CLI::Range(0.001, 60.0))
      ->capture_default_str();
  mnist_command->add_option("--data", options.folder, "folder of the MNIST files")->required();
  mnist_command->add_option("--seed", options.seed)->capture_default_str();
  mnist_command->add_option("--epochs", options.epochs)
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  mnist_command->add_option("--learning-rate", options.learning_rate)->capture_default_str();
  parity_command->add_option("folder", options.folder, "what lenet5_torch.py parity wrote")
      ->required();
  try {
    app.parse(count, arguments);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }

  json result;
  if (speed_command->parsed()) result = speed(options);
  if (mnist_command->parsed()) result = mnist(options);
  if (parity_command->parsed()) result = parity(options);
  if (peak_command->parsed()) result = peak(options);
  std::printf("%s\n", result.dump().c_str());
  return result.value("agrees", true) ? 0 : 1;
}

}  // namespace
}  // namespace halcyon::benchmarks

int main(int count, char** arguments) try {
  return halcyon::benchmarks::run(count, arguments);
} catch (const halcyon::InternalError& error) {
  std::fprintf(stderr, "error: internal: %s\n", error.what());
  return 3;
} catch (const std::exception& error) {
  std::fprintf(stderr, "error: %s\n", error.what());
  return 1;
}
