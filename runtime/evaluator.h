#pragma once
/// Puts a data set through a compiled classifier: what a network says about pictures, and how often
/// it is right.

#include <cstdint>
#include <span>
#include <vector>

#include "runtime/dataset.h"
#include "runtime/metrics.h"
#include "runtime/network.h"

namespace halcyon::runtime {

/// How well a network does on a data set.
struct Evaluation {
  ConfusionMatrix confusion;
  double accuracy = 0;
  double images_per_s = 0;
};

/// A data set bound to the picture input of a network: checks once that they fit, then fills
/// batches.
class Batches {
 public:
  /// Errors: UserError when the network does not take pictures, or others than these; a value that
  /// is not finite.
  Batches(const Network& network, const Dataset& data, int64_t batch);

  /// Fills the buffers with the pictures `indices`, at most `batch` of them.   Cost: allocates
  /// nothing.
  void fill(std::span<const int64_t> indices);
  std::span<const float> images() const { return images_; }
  std::span<const int32_t> labels() const { return labels_; }
  int64_t batch() const { return batch_; }

 private:
  const Dataset* data_;
  int64_t batch_;
  PixelOrder order_ = PixelOrder::kHWC;
  std::vector<float> images_;
  std::vector<int32_t> labels_;
};

/// Runs a network over a data set again and again with one set of buffers.
class Evaluator {
 public:
  /// Reserves the network for `batch`. Errors: UserError as Batches.
  Evaluator(Network& network, const Dataset& data, int64_t batch = 64);
  /// Errors: as Network::infer.
  Evaluation run();
  /// The scores of the pictures `indices`, [n, classes].
  std::vector<float> scores(std::span<const int64_t> indices);

 private:
  void infer(std::span<const int64_t> indices);

  Network& network_;
  const Dataset& data_;
  Batches batches_;
  size_t output_ = 0;  // which of the network's outputs holds the scores
  int64_t classes_ = 0;
  std::vector<std::vector<float>> outputs_;
  std::vector<void*> output_pointers_;
  std::vector<int64_t> indices_;
};

}  // namespace halcyon::runtime
