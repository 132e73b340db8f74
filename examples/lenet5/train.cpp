/// Trains the network of lenet5.cpp on digits that the program draws itself, then reads a few it
/// has never seen.
///
///   train_lenet5 [FOLDER]    saves the weights in the folder, and an unseen 7 for classify.cpp

#include <algorithm>
#include <cstdio>
#include <exception>
#include <numeric>
#include <string>
#include <vector>

#include "lenet5.h"  // generated: lenet5_network()
#include "runtime/data/digits.h"
#include "runtime/data/picture.h"
#include "runtime/metrics.h"
#include "runtime/network.h"
#include "runtime/trainer.h"

using namespace halcyon::runtime;

int main(int argc, char** argv) try {
  const Dataset digits = make_digits({.count = 10'000, .seed = 1});
  const Dataset unseen = make_digits({.count = 1'000, .seed = 2});

  Network network(*lenet5_network());
  network.initialize(/*seed=*/0);
  Progress progress;
  Trainer trainer(network, digits, &unseen, {.epochs = 2}, progress);
  const Report report = trainer.run();

  std::vector<int64_t> indices(10);
  std::iota(indices.begin(), indices.end(), 0);
  const std::vector<float> scores = Evaluator(network, unseen).scores(indices);
  for (const int64_t i : indices) {
    const int64_t answer =
        largest(std::span(scores).subspan(i * unseen.classes(), unseen.classes()));
    std::printf("a %d, read as %d\n", unseen.labels()[i], static_cast<int>(answer));
  }
  std::printf("%.1f %% of %lld unseen digits are right\n", 100 * *report.test_accuracy,
              static_cast<long long>(unseen.count()));
  if (argc > 1) {
    const std::string folder = argv[1];
    network.save(folder + "/lenet5.safetensors");
    const auto seven = std::ranges::find(unseen.labels(), 7) - unseen.labels().begin();
    write_png(folder + "/seven.png", unseen.shape(), unseen.picture(seven));
  }
  return *report.test_accuracy > 0.8 ? 0 : 1;
} catch (const std::exception& error) {
  std::fprintf(stderr, "error: %s\n", error.what());
  return 1;
}
