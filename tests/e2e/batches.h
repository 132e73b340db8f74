#pragma once
/// Random batches for compiled classifiers, and what a network holds as bytes to compare.

#include <cstddef>
#include <cstdint>
#include <vector>

#include "runtime/network.h"

namespace halcyon::tests {

/// Pictures and labels for a network with one picture input and one label target.
struct Batch {
  int64_t size = 0;
  std::vector<float> images;
  std::vector<int32_t> labels;
};

Batch random_batch(const halcyon_network& info, int64_t size, uint64_t seed);

/// The scores of a batch. The network must be reserved for it.
std::vector<float> infer(runtime::Network& network, const Batch& batch);

/// One step with the default numbers of the network's optimizer; returns the loss. `step` counts
/// from 1.
float train(runtime::Network& network, const Batch& batch, int64_t step);

/// Parameters and optimizer state, canonical.
std::vector<std::byte> bits_of(const runtime::Network& network);

/// Bit for bit, so that zeros of either sign and numbers that are none count as different.
bool same_bits(const std::vector<float>& a, const std::vector<float>& b);

}  // namespace halcyon::tests
