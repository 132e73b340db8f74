/// Halcyon's demo: trains LeNet-5, compiled to machine code when this program was built, on
/// handwritten digits; saves it; then reads digits it has never seen with what was saved. The
/// program draws the digits itself, or takes them from a folder with the files of MNIST.

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <numeric>
#include <string>
#include <vector>

#include "lenet5_digits.h"  // generated: lenet5_digits_network(), for colour pictures of 32x32
#include "lenet5_mnist.h"   // generated: lenet5_mnist_network(), for grey pictures of 28x28
#include "runtime/data/digits.h"
#include "runtime/data/mnist.h"
#include "runtime/data/picture.h"
#include "runtime/file.h"
#include "runtime/metrics.h"
#include "runtime/network.h"
#include "runtime/program/report.h"
#include "runtime/program/usage.h"
#include "runtime/trainer.h"

using namespace halcyon::runtime;

namespace {

struct Options {
  std::string data, checkpoint, resume, log;
  std::string save = "lenet5.safetensors";
  std::string picture = "digits.png";
  int64_t digits = 30'000;
  int64_t epochs = 5;
  int64_t batch = 64;
  uint64_t seed = 0;
  int threads = 0;
};

constexpr int64_t kUnseenDigits = 5'000;  // drawn to judge the network by
constexpr int64_t kShownDigits = 40;      // read aloud and put into the picture

/// Pictures to learn from and others to be judged by.
TrainTest get_data(const Options& options) {
  if (!options.data.empty()) return load_mnist(options.data);
  return {make_digits({.count = options.digits, .seed = 2 * options.seed}),
          make_digits({.count = kUnseenDigits, .seed = 2 * options.seed + 1})};
}

/// The compiled network for pictures of this size.
const halcyon_network& network_for(const Dataset& data) {
  return data.channels() == 1 ? *lenet5_mnist_network() : *lenet5_digits_network();
}

/// Trains from random weights, or on from a checkpoint, and saves the weights.
Report train(const Options& options, const TrainTest& data) {
  Network network(network_for(data.train), options.threads);
  network.initialize(options.seed);

  TrainOptions training = {.epochs = options.epochs, .batch = options.batch, .seed = options.seed};
  training.hyper.learning_rate = 0.03f;
  training.schedule.kind = Schedule::Kind::kCosine;
  training.log_path = options.log;
  training.checkpoint_path = options.checkpoint;

  Progress progress;
  Trainer trainer(network, data.train, &data.test, training, progress);
  if (!options.resume.empty()) trainer.resume(options.resume);
  Report report = trainer.run();
  network.save(options.save);
  return report;
}

/// What the saved network says about the first pictures of a data set.
std::vector<ClassifiedPicture> classify(const Options& options, const Dataset& data) {
  Network network(network_for(data), options.threads);
  network.load(options.save);

  std::vector<int64_t> indices(std::min(kShownDigits, data.count()));
  std::iota(indices.begin(), indices.end(), 0);
  const std::vector<float> scores = Evaluator(network, data).scores(indices);

  std::vector<ClassifiedPicture> pictures;
  for (const int64_t i : indices) {
    const auto row = std::span(scores).subspan(i * data.classes(), data.classes());
    const int64_t answer = largest(row);
    pictures.push_back({.pixels = data.picture(i),
                        .predicted = answer,
                        .truth = data.labels()[i],
                        .confidence = answer < 0 ? 0 : row[answer]});
  }
  return pictures;
}

void print(const std::vector<ClassifiedPicture>& pictures) {
  std::string truths, answers;
  for (const ClassifiedPicture& picture : pictures) {
    truths += ' ' + std::to_string(picture.truth);
    answers += ' ' + (picture.predicted < 0 ? "?" : std::to_string(picture.predicted));
  }
  std::printf("digits   %s\nread as  %s\n", truths.c_str(), answers.c_str());
}

void run(const Options& options) {
  // Found out before the training instead of after it.
  check_can_write(options.save);
  check_can_write(options.picture);
  if (!options.checkpoint.empty()) check_can_write(options.checkpoint);
  check_distinct(std::vector<PlannedFile>{{"--save", options.save},
                                          {"--picture", options.picture},
                                          {"--checkpoint", options.checkpoint},
                                          {"--log", options.log}});

  const TrainTest data = get_data(options);
  std::printf("training on %lld pictures of %s, batch %lld\n",
              static_cast<long long>(data.train.count()), to_text(data.train.shape()).c_str(),
              static_cast<long long>(options.batch));
  std::fflush(stdout);  // before the progress, which goes to standard error

  const Report report = train(options, data);
  std::printf("training took %.1f s: %.0f images/s\n", report.train_s, report.images_per_s);
  std::printf("accuracy %.2f %% on %lld unseen pictures\n", 100 * report.test_accuracy.value_or(0),
              static_cast<long long>(data.test.count()));
  std::printf("saved %s\n", options.save.c_str());

  const std::vector<ClassifiedPicture> pictures = classify(options, data.test);
  print(pictures);
  write_png(options.picture,
            contact_sheet(data.test.shape(), pictures,
                          {.title = "LeNet-5 reads unseen digits", .columns = 10}));
  std::printf("saved %s\n", options.picture.c_str());
}

void describe(CLI::App& app, Options& o) {
  app.option_defaults()->always_capture_default();
  app.add_option("--data", o.data, "folder with MNIST's files, plain or .gz; else digits are drawn")
      ->check(some_path());
  app.add_option("--digits", o.digits, "how many digits to draw for training")
      ->check(whole_number(100, 1'000'000));
  app.add_option("--epochs", o.epochs, "times through all pictures")
      ->check(whole_number(1, 10'000));
  app.add_option("--batch", o.batch, "pictures per step")->check(whole_number(1, 65'536));
  app.add_option("--seed", o.seed, "of weights, order and drawn digits")
      ->check(whole_number<uint64_t>(0));
  app.add_option("--threads", o.threads, "0: as many as the machine has")
      ->check(whole_number(0, 1024));
  app.add_option("--save", o.save, "weights, as safetensors");
  app.add_option("--picture", o.picture, "unseen digits with their answers, as PNG");
  app.add_option("--log", o.log, "JSON lines about steps and epochs")->check(some_path());
  app.add_option("--checkpoint", o.checkpoint, "written after each epoch, for --resume")
      ->check(some_path());
  app.add_option("--resume", o.resume, "checkpoint to go on from, bit for bit")->check(some_path());
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  CLI::App app("Trains LeNet-5 on handwritten digits and reads digits it has never seen.", "demo");
  describe(app, options);
  app.callback([&] { run(options); });
  return run_and_report(app, argc, argv, [](const CLI::ParseError& error) {
    return usage_text(error) + "\n  hint: --help lists the options";
  });
}
