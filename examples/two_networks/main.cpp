/// Two compiled networks in one program, running at the same time: one for colour pictures of
/// 32x32, one for grey ones of 28x28. Each has its own weights, workspace and threads, so each
/// gives the bits that it gives alone.

#include <algorithm>
#include <cstdio>
#include <exception>
#include <span>
#include <thread>

#include "lenet5.h"
#include "lenet5_mnist.h"
#include "runtime/network.h"
#include "runtime/tensor_table.h"

using halcyon::runtime::Network;
using halcyon::runtime::Tensor;

namespace {

constexpr int64_t kBatch = 16;

/// Scores of a batch of grey ramps, one brighter than the other.
Tensor classify(Network& network) {
  Tensor pictures(halcyon::runtime::shape_of(network.info().inputs[0], kBatch));
  const std::span<float> values = pictures.floats();
  for (size_t i = 0; i < values.size(); ++i) values[i] = float(i) / float(values.size());
  return network.infer(pictures);
}

bool same_bits(const Tensor& a, const Tensor& b) {
  return std::ranges::equal(a.bytes(), b.bytes());
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
  const Tensor colour_alone = classify(colour);
  const Tensor grey_alone = classify(grey);

  Tensor colour_scores, grey_scores;
  std::thread first([&] { colour_scores = classify(colour); });
  std::thread second([&] { grey_scores = classify(grey); });
  first.join();
  second.join();
  if (!same_bits(colour_scores, colour_alone) || !same_bits(grey_scores, grey_alone)) {
    throw halcyon::InternalError("a network that runs beside another gives other scores");
  }
  std::printf("the same scores alone and side by side\n");
}

}  // namespace

int main() try { run(); } catch (const std::exception& error) {
  std::fprintf(stderr, "error: %s\n", error.what());
  return 1;
}
