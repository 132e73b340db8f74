/// What halcyon train and compile --weights say to wrong files; good files stay as they were.

#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>

#include "e2e_grey.h"
#include "e2e_momentum.h"
#include "runtime/checkpoint.h"
#include "runtime/network.h"
#include "runtime/trainer.h"
#include "tests/e2e/batches.h"
#include "tests/e2e/command.h"
#include "tests/e2e/idx_files.h"
#include "tests/runtime/expect_error.h"
#include "tests/runtime/temporary_folder.h"

namespace halcyon::tests {
namespace {

using runtime::Dataset;
using runtime::Network;

class TrainErrors : public testing::Test {
 protected:
  /// halcyon train on grey pictures for a few steps, with more words.
  Finished train(const std::vector<std::string>& more,
                 const std::string& source = "zoo:lenet5:28x28x1") {
    std::vector<std::string> words = {"train", source, "--data", data_};
    words.insert(words.end(), more.begin(), more.end());
    if (std::find(more.begin(), more.end(), "--steps") == more.end()) {
      words.insert(words.end(), {"--steps", "3"});
    }
    return run_halcyon(words);
  }

  std::string weights_of(const halcyon_network& info, const std::string& name) const {
    Network network(info, 1);
    network.initialize(1);
    network.save(folder_.file(name));
    return folder_.file(name);
  }

  TemporaryFolder folder_;
  const std::string data_ = write_small_mnist(folder_.file("mnist"));
};

TEST_F(TrainErrors, WeightsOfAnotherNetwork) {
  const std::string other = weights_of(*e2e_momentum_network(), "colour.safetensors");
  expect_failure(train({"--weights", other}), 1,
                 "error: weights '" + other + "' do not fit network",
                 "tensor 'conv1.weight' has shape [8,3,5,5], the network needs [8,1,5,5]");
  const std::string out = folder_.file("out");
  expect_failure(run_halcyon({"compile", "zoo:lenet5:28x28x1", "-o", out, "--weights", other}), 1,
                 "tensor 'conv1.weight' is F32[8,3,5,5], the network needs F32[8,1,5,5]");
  EXPECT_EQ(names_in(out), std::vector<std::string>{});
}

TEST_F(TrainErrors, WeightsThatAreTruncatedDamagedOrMissing) {
  const std::string good = read_text(weights_of(*e2e_grey_network(), "good"));
  const std::string bad = folder_.file("bad"), out = folder_.file("out");
  const auto expect = [&](const std::string& content, const std::string& part) {
    write_text(bad, content);
    expect_failure(train({"--weights", bad}), 1, bad, part);
    expect_failure(run_halcyon({"compile", "zoo:lenet5:28x28x1", "-o", out, "--weights", bad}), 1,
                   bad, part);
    EXPECT_EQ(names_in(out), std::vector<std::string>{});
  };
  expect("", "it has 0 bytes");
  expect(good.substr(0, good.size() / 2), "reach behind the data");
  std::string damaged = good;
  damaged[damaged.size() - 5] = static_cast<char>(damaged[damaged.size() - 5] ^ 1);
  expect(damaged, "hash of the data is");
  expect(std::string(4096, 'x'), "header");
  const std::string missing = folder_.file("missing");
  expect_failure(train({"--weights", missing}), 1, "cannot read '" + missing + "'");
}

TEST_F(TrainErrors, CheckpointsOfAnotherRunNetworkOrOptimizer) {
  const std::string checkpoint = folder_.file("c.safetensors");
  ASSERT_EQ(train({"--checkpoint", checkpoint}).status, 0);
  const std::string before = read_text(checkpoint);
  expect_failure(train({"--resume", checkpoint, "--seed", "1"}), 1,
                 "is from a run with seed 0, this one has 1");
  expect_failure(train({"--resume", checkpoint, "--batch", "32"}), 1,
                 "is from a run with batch 64, this one has 32");
  expect_failure(train({"--resume", checkpoint, "--no-shuffle"}), 1, "shuffle on");
  expect_failure(train({"--resume", checkpoint, "--optimizer", "adam"}), 1,
                 "was trained with optimizer 'momentum', network 'lenet5' is compiled for 'adam'");
  expect_failure(train({"--resume", folder_.file("none")}), 1, "cannot read");
  expect_failure(train({"--resume", weights_of(*e2e_grey_network(), "w")}), 1,
                 "is no checkpoint, only weights");
  write_text(folder_.file("half"), before.substr(0, before.size() - 100));
  expect_failure(train({"--resume", folder_.file("half"), "--checkpoint", checkpoint}), 1, "half");
  EXPECT_EQ(read_text(checkpoint), before);
}

TEST_F(TrainErrors, DataThatIsMissingTruncatedOrOfAnotherShape) {
  expect_failure(run_halcyon({"train", "zoo:lenet5", "--data", folder_.file("gone")}), 1,
                 "error: no folder '" + folder_.file("gone") + "'");
  std::filesystem::create_directory(folder_.file("empty"));
  expect_failure(run_halcyon({"train", "zoo:lenet5", "--data", folder_.file("empty")}), 1,
                 "error: no file 'train-images-idx3-ubyte' (plain or .gz)");
  expect_failure(train({}, "zoo:lenet5"), 1, "28x28x1", "32x32x3");

  const std::string images = data_ + "/train-images-idx3-ubyte";
  const std::string whole = read_text(images);
  write_text(images, whole.substr(0, whole.size() - 1));
  expect_failure(train({"--save", folder_.file("s")}), 1, images, "truncated");
  write_text(images, whole);
  std::string labels = read_text(data_ + "/train-labels-idx1-ubyte");
  labels.back() = 10;
  write_text(data_ + "/train-labels-idx1-ubyte", labels);
  expect_failure(train({"--save", folder_.file("s")}), 1, "label 10 of picture 639");
  EXPECT_FALSE(std::filesystem::exists(folder_.file("s")));
}

TEST_F(TrainErrors, PlacesThatCannotBeWrittenAreFoundBeforeTheTraining) {
  const std::string nowhere = folder_.file("gone/w.safetensors");
  expect_failure(train({"--steps", "100000000", "--save", nowhere}), 1,
                 "error: cannot write '" + nowhere + "': there is no folder");
  expect_failure(train({"--steps", "100000000", "--checkpoint", nowhere}), 1, nowhere,
                 "there is no folder");
  expect_failure(train({"--steps", "100000000", "--log", nowhere}), 1, nowhere);
  expect_failure(train({"--steps", "100000000", "--save", data_}), 1, "it is a folder");
}

TEST_F(TrainErrors, FilesThatAreWrittenAreDifferentOnes) {
  const std::string one = folder_.file("one");
  for (const std::string other : {"--checkpoint", "--log"}) {
    expect_failure(train({"--steps", "100000000", "--save", one, other, one}), 1,
                   "error: --save and " + other + " both write '" + one + "'");
  }
  EXPECT_FALSE(std::filesystem::exists(one));
}

TEST_F(TrainErrors, ARateThatIsTooHighSpoilsNoFile) {
  const std::string checkpoint = folder_.file("c.safetensors"), saved = folder_.file("w");
  ASSERT_EQ(train({"--checkpoint", checkpoint, "--save", saved}).status, 0);
  const std::string before = read_text(checkpoint), weights = read_text(saved);
  expect_failure(
      train({"--lr", "1e30", "--steps", "20", "--checkpoint", checkpoint, "--save", saved}), 1,
      "learning rate is probably too high");
  EXPECT_EQ(read_text(checkpoint), before);
  EXPECT_EQ(read_text(saved), weights);
}

TEST_F(TrainErrors, WeightsThatAreNotFinite) {
  Network network(*e2e_grey_network(), 1);
  network.initialize(1);
  runtime::WeightFile file = network.weights();
  file.tensors[0].floats()[3] = std::nanf("");
  const std::string nan = folder_.file("nan"), out = folder_.file("out");
  runtime::write_weights(nan, file);
  expect_failure(train({"--weights", nan, "--save", folder_.file("s")}), 1,
                 "error: before the first step: parameter 'conv1.weight' holds nan",
                 "hint: the starting weights are not finite");
  EXPECT_FALSE(std::filesystem::exists(folder_.file("s")));
  expect_failure(run_halcyon({"compile", "zoo:lenet5:28x28x1", "-o", out, "--weights", nan}), 1,
                 "error: " + nan + ": tensor 'conv1.weight': value 3 of 200 is not a number");
  EXPECT_EQ(names_in(out), std::vector<std::string>{});
}

TEST_F(TrainErrors, CheckpointsThatAreNotFinite) {
  const std::string path = folder_.file("c");
  ASSERT_EQ(train({"--checkpoint", path, "--schedule", "constant"}).status, 0);
  const runtime::Checkpoint good = runtime::Checkpoint::load(path);
  for (const bool in_weights : {true, false}) {
    runtime::Checkpoint bad = good;
    runtime::WeightTensor& tensor = (in_weights ? bad.weights : bad.state).tensors[0];
    tensor.floats()[1] = INFINITY;
    bad.save(path);
    const std::string before = read_text(path);
    expect_failure(
        train({"--resume", path, "--checkpoint", path, "--schedule", "constant", "--steps", "6"}),
        1, "error: checkpoint '" + path + "': tensor '" + tensor.name + "': value 1 of ");
    EXPECT_EQ(read_text(path), before);
  }
}

/// 128 pictures of noise as floats, one value of one of them being `value`.
Dataset noise_with(float value) {
  const Batch batch = random_batch(*e2e_grey_network(), 128, 1);
  std::vector<float> values = batch.images;
  values[100 * 784 + 400] = value;
  return {"noise", {28, 28, 1}, 10, values, batch.labels};
}

TEST(NotFinite, PicturesAreNamedAndNothingIsSaved) {
  for (const float value : {std::nanf(""), INFINITY, -INFINITY}) {
    const TemporaryFolder folder;
    const Dataset data = noise_with(value);
    Network network(*e2e_grey_network(), 2);
    network.initialize(1);
    runtime::Progress progress(stderr, runtime::Progress::Mode::kSilent);
    expect_error<UserError>(
        [&] {
          runtime::Trainer trainer(network, data, nullptr,
                                   {.epochs = 1, .checkpoint_path = folder.file("c")}, progress);
          trainer.run();
        },
        "data set 'noise': picture 100 holds a value that is infinite or not a number");
    EXPECT_EQ(folder.count(), 0u) << value;
  }
}

TEST(NotFinite, APictureSpoilsNoOtherOfItsBatch) {
  Network network(*e2e_grey_network(), 1);
  network.initialize(1);
  network.reserve(2);
  Batch batch = random_batch(network.info(), 2, 1);
  const std::vector<float> clean = infer(network, batch);
  batch.images[400] = std::nanf("");
  const std::vector<float> scores = infer(network, batch);
  EXPECT_TRUE(same_bits({scores.begin() + 10, scores.end()}, {clean.begin() + 10, clean.end()}));
  expect_error<UserError>([&] { runtime::check_finite(batch.images, "image"); },
                          "image: value 400 of 1568 is not a number");
}

}  // namespace
}  // namespace halcyon::tests
