/// halcyon train.

#include <fmt/format.h>

#include <cmath>
#include <cstdlib>
#include <memory>
#include <optional>

#include "compiler/driver/commands.h"
#include "compiler/driver/compile_options.h"
#include "compiler/driver/load.h"
#include "compiler/driver/usage.h"
#include "runtime/base/error.h"
#include "runtime/data/digits.h"
#include "runtime/data/mnist.h"
#include "runtime/file.h"
#include "runtime/network.h"
#include "runtime/trainer.h"

namespace halcyon::compiler {

namespace {

struct TrainCommand : CompileFlags {
  std::string data = "digits";
  std::string weights, save, checkpoint, resume, log;
  std::string schedule = "cosine";
  int64_t epochs = 5, steps = 0, batch = 64, warmup = 0;
  double rate = 0, momentum = -1, weight_decay = 0;
  uint64_t seed = 0;
  bool no_shuffle = false;
  int threads = 0;

  void run() const;
  runtime::TrainTest load_data(const runtime::PictureShape& shape) const;
  runtime::TrainOptions train_options(halcyon_optimizer optimizer) const;
};

runtime::PictureShape picture_shape(const halcyon_network& network) {
  const halcyon_tensor_info& input = network.inputs[0];
  const bool channels_last = std::string_view(input.axes) == "HWC";
  if (input.rank != 3) throw UserError("train: the network's first input is no picture");
  if (channels_last) return {input.shape[0], input.shape[1], input.shape[2]};
  return {input.shape[1], input.shape[2], input.shape[0]};
}

runtime::TrainTest TrainCommand::load_data(const runtime::PictureShape& shape) const {
  if (data != "digits") return runtime::load_mnist(data);
  constexpr int64_t kTrain = 20000;
  constexpr int64_t kTest = 2000;
  // Another seed makes other pictures: none of the test set was seen.
  return {runtime::make_digits({.count = kTrain, .shape = shape, .seed = 2 * seed + 1}),
          runtime::make_digits({.count = kTest, .shape = shape, .seed = 2 * seed + 2})};
}

runtime::TrainOptions TrainCommand::train_options(halcyon_optimizer optimizer) const {
  runtime::TrainOptions options;
  options.epochs = epochs;
  options.steps = steps;
  options.batch = batch;
  options.hyper = runtime::default_hyper(optimizer);
  if (rate > 0) options.hyper.learning_rate = static_cast<float>(rate);
  if (momentum >= 0) options.hyper.momentum = static_cast<float>(momentum);
  options.hyper.weight_decay = static_cast<float>(weight_decay);
  options.schedule.kind = runtime::parse_schedule_kind(schedule);
  options.schedule.warmup_steps = warmup;
  options.seed = seed;
  options.shuffle = !no_shuffle;
  options.log_path = log;
  options.checkpoint_path = checkpoint;
  return options;
}

void TrainCommand::run() const {
  // Found out before the training instead of after it.
  if (!save.empty()) runtime::check_can_write(save);
  if (!checkpoint.empty()) runtime::check_can_write(checkpoint);
  const Source from = load();
  const std::optional<Artifact> artifact = compile(from.graph, options(/*train=*/true));
  const LoadedNetwork loaded(*artifact);
  runtime::Network network(loaded.info(), threads);
  network.initialize(seed);
  if (from.weights) network.set_weights(*from.weights);
  if (!weights.empty()) network.load(weights);
  runtime::TrainTest sets = load_data(picture_shape(loaded.info()));
  const runtime::Normalization normalization = sets.train.measure_normalization();
  sets.train.set_normalization(normalization);
  sets.test.set_normalization(normalization);
  runtime::Progress progress;
  runtime::Trainer trainer(network, sets.train, &sets.test, train_options(loaded.info().optimizer),
                           progress);
  if (!resume.empty()) trainer.resume(resume);
  const runtime::Report report = trainer.run();
  fmt::print("{} steps in {:.1f} s, {:.0f} images/s", report.steps, report.train_s,
             report.images_per_s);
  if (report.test_accuracy)
    fmt::print(", {:.2f} % of the test set right", 100 * *report.test_accuracy);
  fmt::print("\n");
  if (!save.empty()) network.save(save);
}

}  // namespace

void add_train_command(CLI::App& app) {
  CLI::App* command = app.add_subcommand("train", "train a classifier of pictures");
  auto o = std::make_shared<TrainCommand>();
  o->add_to(*command);
  o->add_training_to(*command);
  command->add_option("--data", o->data,
                      "digits (drawn by the program) or a folder with MNIST's files");
  command->add_option("--epochs", o->epochs)->check(whole_number(1, 1000000));
  command->add_option("--steps", o->steps, "length of the run in steps instead of epochs")
      ->check(whole_number(0, 1000000000));
  command->add_option("--batch", o->batch)->check(whole_number(1, 1 << 20));
  command->add_option("--lr", o->rate, "base learning rate")
      ->check(number("above 0", [](float rate) { return rate > 0; }));
  command->add_option("--momentum", o->momentum)->check(number("from 0 to below 1", [](float m) {
    return m >= 0 && m < 1;
  }));
  command->add_option("--weight-decay", o->weight_decay)->check(number("from 0", [](float decay) {
    return decay >= 0;
  }));
  command->add_option("--schedule", o->schedule, "constant, step or cosine")
      ->check(
          usable_by([](const std::string& text) { runtime::parse_schedule_kind(text); }, "NAME"));
  command->add_option("--warmup", o->warmup, "steps in which the rate climbs")
      ->check(whole_number(0, 1'000'000'000));
  CLI::Option* const weights =
      command->add_option("--weights", o->weights, "safetensors file to begin from");
  command->add_option("--save", o->save, "safetensors file for the trained weights");
  command->add_option("--checkpoint", o->checkpoint,
                      "file that holds the whole state, written every epoch");
  command
      ->add_option("--resume", o->resume, "checkpoint to continue from; it holds the weights, too")
      ->excludes(weights);
  command->add_option("--log", o->log, "JSON lines, one for each step and epoch");
  command->add_option("--seed", o->seed)->check(whole_number<uint64_t>(0));
  command->add_option("--threads", o->threads, "0: all")->check(whole_number(0, 1024));
  command->add_flag("--no-shuffle", o->no_shuffle);
  command->callback([o] { o->run(); });
}

}  // namespace halcyon::compiler
