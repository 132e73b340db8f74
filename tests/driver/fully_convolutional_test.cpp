/// Compiled code that slides over a larger picture, against the same network run for each place by
/// itself.

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "compiler/driver/load.h"
#include "compiler/driver/verify.h"
#include "dsl/layers.h"
#include "dsl/norm_layers.h"
#include "dsl/zoo/zoo.h"
#include "runtime/network.h"
#include "runtime/random.h"
#include "tests/support/expect_like_reference.h"

namespace halcyon::compiler {
namespace {

using namespace dsl;
using tests::cached_options;

/// A compiled network with its weights, run on one picture [H, W, C].
class Compiled {
 public:
  explicit Compiled(const Graph& graph)
      : loaded_(*compile(graph, cached_options())), network_(loaded_.info(), 1) {
    network_.initialize(/*seed=*/3);
    network_.reserve_inference(1);
  }

  runtime::Network& network() { return network_; }
  const halcyon_tensor_info& output() const { return network_.info().outputs[0]; }

  std::vector<float> run(const std::vector<float>& picture) {
    std::vector<float> result(static_cast<std::size_t>(output().elements));
    const void* const inputs[] = {picture.data()};
    void* const outputs[] = {result.data()};
    network_.infer(1, inputs, outputs);
    return result;
  }

 private:
  LoadedNetwork loaded_;
  runtime::Network network_;
};

struct Picture {
  int64_t height, width, channels;
  std::vector<float> values;

  static Picture random(int64_t height, int64_t width, int64_t channels) {
    runtime::Random random(11);
    Picture picture{height, width, channels, {}};
    picture.values.resize(static_cast<std::size_t>(height * width * channels));
    for (float& value : picture.values) value = static_cast<float>(random.uniform(-1, 1));
    return picture;
  }

  std::vector<float> cut(int64_t top, int64_t left, int64_t rows, int64_t columns) const {
    std::vector<float> part;
    for (int64_t y = top; y < top + rows; ++y) {
      const auto begin = values.begin() + (y * width + left) * channels;
      part.insert(part.end(), begin, begin + columns * channels);
    }
    return part;
  }
};

/// Runs `small` at each place that is a multiple of the network's stride, and once over all.
void expect_same_answers(const Network& small, const Picture& picture, int64_t extent,
                         int64_t stride) {
  Compiled one(small.graph());
  Compiled all(fully_convolutional(small.graph(), {picture.height, picture.width}));
  all.network().set_weights(one.network().weights());  // names and shapes are the same
  const int64_t rows = (picture.height - extent) / stride + 1;
  const int64_t columns = (picture.width - extent) / stride + 1;
  const int64_t classes = one.output().elements;
  ASSERT_EQ(all.output().rank, 3);
  EXPECT_STREQ(all.output().axes, "HWC");
  ASSERT_EQ(all.output().shape[0], rows);
  ASSERT_EQ(all.output().shape[1], columns);
  ASSERT_EQ(all.output().shape[2], classes);

  const std::vector<float> answers = all.run(picture.values);
  for (int64_t y = 0; y < rows; ++y) {
    for (int64_t x = 0; x < columns; ++x) {
      const std::vector<float> expected =
          one.run(picture.cut(y * stride, x * stride, extent, extent));
      for (int64_t c = 0; c < classes; ++c) {
        const auto i = static_cast<std::size_t>((y * columns + x) * classes + c);
        // Sums of a few hundred products in another order.
        EXPECT_NEAR(answers[i], expected[static_cast<std::size_t>(c)], 2e-6)
            << "row " << y << " column " << x << " class " << c;
      }
    }
  }
}

Network classifier() {
  Network net("classifier");
  const Tensor x = net.input("image", {.height = 14, .width = 14, .channels = 3});
  const Tensor scores =
      x | conv(16, 5) | relu | max_pool(2) | flatten | dense(40) | relu | dense(4);
  net.output("scores", scores | softmax);
  net.loss("loss", softmax_cross_entropy(scores, net.labels("label")));
  return net;
}

TEST(FullyConvolutional, GivesTheAnswersOfFourSeparateRuns) {
  expect_same_answers(classifier(), Picture::random(16, 16, 3), 14, 2);
}

TEST(FullyConvolutional, SlidesAlongOneAxisFurtherThanAlongTheOther) {
  expect_same_answers(classifier(), Picture::random(15, 23, 3), 14, 2);
}

TEST(FullyConvolutional, AGlobalPoolStaysAWindowOfTheTrainedSize) {
  Network net("pooled");
  const Tensor x = net.input("image", {.height = 9, .width = 9, .channels = 2});
  net.output("scores", x | conv(5, 3, {.stride = 2}) | batch_norm() | relu |
                           global_average_pool({.keep_dims = false}) | dense(3) | softmax);
  expect_same_answers(net, Picture::random(13, 11, 2), 9, 2);
}

TEST(FullyConvolutional, AgreesWithTheReference) {
  tests::expect_like_reference(fully_convolutional(classifier().graph(), {17, 20, 3}));
}

/// Where layers pad, answers at borders differ; but every network slides that should.
TEST(FullyConvolutional, TheZoosClassifiersSlide) {
  for (const zoo::Entry& entry : zoo::kNetworks) {
    const Image& p = entry.picture;
    const Graph graph = entry.build(p).graph();
    if (graph.shape({0, 0}).spatial_rank() != 2) continue;  // series and volumes
    const Graph larger = fully_convolutional(graph, {p.height + 64, p.width + 32});
    EXPECT_EQ(larger.outputs.size(), graph.outputs.size()) << entry.name;
    const Shape& y = larger.shape(larger.outputs[0].value);
    EXPECT_EQ(y.rank, 4) << entry.name;
    EXPECT_GT(y[2], y[3]) << entry.name;
    EXPECT_EQ(larger.parameter_count(), [&] {
      Program program;
      program.graph = graph;
      drop_training(program, {});
      return program.graph.parameter_count();
    }()) << entry.name;
  }
}

}  // namespace
}  // namespace halcyon::compiler
