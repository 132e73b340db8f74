/// Two compiled networks in one program, running at the same time: one for colour pictures of
/// 32x32, one for grey ones of 28x28. Each has its own weights, workspace and threads, so each
/// gives the bits that it gives alone.

#include <algorithm>
#include <cstdio>
#include <exception>
#include <thread>
#include <vector>

#include "lenet5.h"
#include "lenet5_mnist.h"
#include "runtime/network.h"

using halcyon::runtime::Network;

namespace {

constexpr int64_t kBatch = 16;

/// Scores of a batch of grey ramps, one brighter than the other.
std::vector<float> classify(Network& network) {
  const int64_t elements = network.info().inputs[0].elements;
  std::vector<float> pictures(kBatch * elements);
  for (size_t i = 0; i < pictures.size(); ++i) pictures[i] = float(i) / float(pictures.size());
  std::vector<float> scores(kBatch * network.info().outputs[0].elements);
  const void* inputs[] = {pictures.data()};
  void* outputs[] = {scores.data()};
  network.infer(kBatch, inputs, outputs);
  return scores;
}

void run() {
  Network colour(*lenet5_network(), 1);
  Network grey(*lenet5_mnist_network(), 1);
  for (Network* network : {&colour, &grey}) {
    network->initialize(/*seed=*/1);
    network->reserve_inference(kBatch);
    std::printf("%s: %lld values per picture, %llu bytes of parameters\n", network->info().name,
                static_cast<long long>(network->info().inputs[0].elements),
                static_cast<unsigned long long>(network->info().parameter_bytes));
  }
  const std::vector<float> colour_alone = classify(colour);
  const std::vector<float> grey_alone = classify(grey);

  std::vector<float> colour_scores, grey_scores;
  std::thread first([&] { colour_scores = classify(colour); });
  std::thread second([&] { grey_scores = classify(grey); });
  first.join();
  second.join();
  if (colour_scores != colour_alone || grey_scores != grey_alone) {
    throw halcyon::InternalError("a network that runs beside another gives other scores");
  }
  std::printf("the same scores alone and side by side\n");
}

}  // namespace

int main() try { run(); } catch (const std::exception& error) {
  std::fprintf(stderr, "error: %s\n", error.what());
  return 1;
}
