/// Compiled movements, forward and backward: as first and as last layer, over one, two and three
/// axes and none, with channels that fill no block.

#include <gtest/gtest.h>

#include "dsl/layers.h"
#include "tests/support/expect_like_reference.h"

namespace halcyon::compiler {
namespace {

using dsl::Network;
using dsl::Padding;
using dsl::Spatial;
using dsl::Tensor;
using tests::expect_like_reference;
using tests::finish_with_mean_square;
namespace ops = dsl::ops;

// y = layer(x) four times: on the host's picture in both orders, behind a trained layer, and as
// the network's output; the loss sees all of it.
template <class Layer>
void expect_layer_like_reference(const Layer& layer, const Shape& sample, int64_t batch = 3) {
  SCOPED_TRACE(to_string(sample));
  Network net("movement");
  std::vector<Tensor> seen;
  if (sample.rank == 3) {
    const dsl::Image image{.height = sample[1], .width = sample[2], .channels = sample[0]};
    seen.push_back(net.input("hwc", image) | layer);
  }
  Tensor x = net.input("chw", sample);
  seen.push_back(x | layer);
  net.output("direct", seen.back());
  Tensor trained = sample.rank == 1 ? x | dsl::dense(sample[0]) : x | dsl::conv(sample[0], 1);
  seen.push_back(trained | layer);
  net.output("trained", seen.back());
  std::vector<Tensor> flat;
  for (Tensor y : seen) flat.push_back(y | dsl::flatten | dsl::dense(3));
  finish_with_mean_square(net, dsl::concat(flat));
  expect_like_reference(net.graph(), {.batch = batch});
}

// Any function from Tensor to Tensor is a layer.
Tensor pad_channels(Tensor x) {
  ops::Pad op{.begin = {}, .end = {}, .value = -0.5f};
  for (int axis = 1; axis < x.shape().rank; ++axis) {
    op.begin.push_back(axis == 1 ? 3 : axis == 2 ? 2 : 0);
    op.end.push_back(axis == 2 ? 0 : axis);
  }
  return x.owner().add(op, {x.value}, "pad1", dsl::Place::here());
}

Tensor spread(Tensor x) {
  ops::Pad op{.begin = {}, .end = 1, .between = {}};
  for (int axis = 1; axis < x.shape().rank; ++axis) {
    op.begin.push_back(axis);
    op.between.push_back(axis % 3);
  }
  return x.owner().add(op, {x.value}, "spread1", dsl::Place::here());
}

Tensor repeat_edges(Tensor x) {
  const ops::Pad op{.begin = 1, .end = 4, .mode = ops::PadMode::edge};
  return x.owner().add(op, {x.value}, "edge1", dsl::Place::here());
}

// Channels from behind, every second position of the other axes.
Tensor slice_all(Tensor x) {
  ops::Slice op{.begin = {}, .end = {}, .step = {}};
  for (int axis = 1; axis < x.shape().rank; ++axis) {
    const int64_t extent = x.shape()[axis];
    op.begin.push_back(axis == 1 ? extent - 1 : extent > 2 ? 1 : 0);
    op.end.push_back(axis == 1 ? -1 : extent);
    op.step.push_back(axis == 1 ? -1 : 2);
  }
  return x.owner().add(op, {x.value}, "slice1", dsl::Place::here());
}

const std::vector<Shape> kSamples = {{1, 5, 4},  {3, 4, 7}, {16, 3, 2},  {17, 1, 1},
                                     {40, 2, 3}, {5, 9},    {6, 3, 2, 4}};

TEST(MovementKernel, Pads) {
  for (const Shape& sample : kSamples) {
    expect_layer_like_reference(pad_channels, sample);
    expect_layer_like_reference(spread, sample, 1);
    expect_layer_like_reference(repeat_edges, sample);
  }
  expect_layer_like_reference(pad_channels, {21});
  expect_layer_like_reference(spread, {7});
  expect_layer_like_reference(repeat_edges, {21});
  // The gradient of a wide border is a loop.
  expect_layer_like_reference(dsl::pad(9, {.mode = ops::PadMode::edge}), {3, 2, 3});
  const Padding mirror(Spatial{4, 1}, Spatial{2, 6});
  expect_layer_like_reference(dsl::pad(mirror, {.mode = ops::PadMode::reflect}), {18, 5, 7});
}

TEST(MovementKernel, Slices) {
  for (const Shape& sample : kSamples) expect_layer_like_reference(slice_all, sample);
  expect_layer_like_reference(slice_all, {21});
  expect_layer_like_reference(dsl::slice(1, 16, 35), {40, 3, 2});
  expect_layer_like_reference(dsl::slice(1, 15, 40, {.step = 3}), {40, 3, 2}, 1);
  expect_layer_like_reference(dsl::crop(Padding(Spatial{1, 0}, Spatial{2, 3})), {7, 6, 5});
}

TEST(MovementKernel, Splits) {
  const auto exchange = [](Tensor x) {
    const std::vector<Tensor> parts = dsl::split(x, {24, 9, 7});
    return dsl::concat({parts[2], parts[0] | dsl::relu, parts[1]});
  };
  expect_layer_like_reference(exchange, {40, 3, 2});
  expect_layer_like_reference(exchange, {40});
}

TEST(MovementKernel, ConcatenatesAlongEveryAxis) {
  for (const Shape& sample : {Shape{5, 3, 2}, Shape{24, 2, 3}, Shape{16, 4}, Shape{2, 3, 2, 2}}) {
    for (int64_t axis = 1; axis <= sample.rank; ++axis) {
      SCOPED_TRACE("axis " + std::to_string(axis));
      expect_layer_like_reference(
          [&](Tensor x) {
            Tensor part = x | dsl::slice(axis, 1, x.shape()[static_cast<int>(axis)]);
            return dsl::concat({x, part, x | dsl::relu}, axis);
          },
          sample);
    }
  }
  // Blocks that straddle several inputs.
  expect_layer_like_reference(
      [](Tensor x) {
        return dsl::concat({x | dsl::conv(24, 1), x | dsl::conv(40, 1), x, x | dsl::conv(7, 1)});
      },
      {3, 2, 3});
}

TEST(MovementKernel, Reshapes) {
  expect_layer_like_reference(dsl::reshape({6, 2, 7}), {3, 4, 7});
  expect_layer_like_reference(dsl::reshape({3, -1}), {40, 2, 3});
  expect_layer_like_reference(dsl::reshape({17, 4}), {4, 17});
  expect_layer_like_reference(dsl::reshape({2, 3, 5, 1}), {30});
  expect_layer_like_reference(dsl::reshape({24}), {6, 4});
  // A flattened value that another layer reads as a map again.
  expect_layer_like_reference(
      [](Tensor x) {
        return x | dsl::flatten | dsl::reshape({5, 20});
      },
      {20, 5, 1});
}

TEST(MovementKernel, Transposes) {
  expect_layer_like_reference(dsl::transpose({2, 3, 1}), {3, 4, 7});
  expect_layer_like_reference(dsl::transpose({3, 1, 2}), {17, 2, 5});
  expect_layer_like_reference(dsl::transpose({1, 3, 2}), {18, 2, 5});
  expect_layer_like_reference(dsl::transpose({2, 1}), {5, 33});
  expect_layer_like_reference(dsl::transpose({4, 2, 1, 3}), {6, 3, 2, 4});
  expect_layer_like_reference(dsl::transpose({1}), {9});
}

TEST(MovementKernel, ShufflesChannels) {
  for (const Shape& sample : {Shape{6, 3, 2}, Shape{48, 2, 2}, Shape{42, 5}, Shape{12}}) {
    expect_layer_like_reference(dsl::channel_shuffle(3), sample);
  }
}

TEST(MovementKernel, ExchangesDepthAndSpace) {
  for (ops::DepthOrder order : {ops::DepthOrder::dcr, ops::DepthOrder::crd}) {
    expect_layer_like_reference(dsl::depth_to_space(2, order), {12, 3, 2});
    expect_layer_like_reference(dsl::depth_to_space(3, order), {153, 1, 2}, 1);
    expect_layer_like_reference(dsl::depth_to_space(2, order), {34, 5});
    expect_layer_like_reference(dsl::space_to_depth(2, order), {5, 4, 6});
    expect_layer_like_reference(dsl::space_to_depth(3, order), {2, 3, 6, 3});
  }
}

TEST(MovementKernel, Resizes) {
  using ops::Interpolation;
  expect_layer_like_reference(dsl::upsample(2), {17, 3, 4});
  expect_layer_like_reference(dsl::upsample({3, 1}, Interpolation::linear), {3, 2, 5});
  expect_layer_like_reference(dsl::resize({3, 9}), {3, 5, 4});
  expect_layer_like_reference(dsl::rescale(0.4f, {.interpolation = Interpolation::linear}),
                              {16, 6, 7});
  for (ops::Coordinates coordinates :
       {ops::Coordinates::asymmetric, ops::Coordinates::align_corners,
        ops::Coordinates::pytorch_half_pixel}) {
    expect_layer_like_reference(
        dsl::resize({7, 2}, {.interpolation = Interpolation::linear, .coordinates = coordinates}),
        {5, 3, 5});
  }
  expect_layer_like_reference(dsl::upsample(2, Interpolation::linear), {2, 2, 3, 2});
  expect_layer_like_reference(dsl::resize(13, {.rounding = ops::Rounding::ceil}), {4, 5});
  // The gradient of a large factor is a loop.
  expect_layer_like_reference(dsl::upsample(6, Interpolation::linear), {3, 2, 2});
}

TEST(MovementKernel, FitsEveryVectorWidth) {
  for (const char* target : {"x86-64-linux-sse41", "x86-64-linux-avx-avx2-f16c-fma-sse41"}) {
    SCOPED_TRACE(target);
    Network net("widths");
    Tensor x = net.input("x", {.height = 4, .width = 6, .channels = 3}) | dsl::conv(12, 1);
    x = dsl::concat({x | pad_channels | slice_all | dsl::resize({4, 6}), x}) | dsl::conv(16, 1);
    x = x | dsl::depth_to_space(2) | dsl::upsample({1, 2}, ops::Interpolation::linear) |
        dsl::transpose({3, 1, 2}) | dsl::channel_shuffle(4) | dsl::reshape({6, -1});
    finish_with_mean_square(net, x);
    expect_like_reference(net.graph(), {}, target);
  }
}

}  // namespace
}  // namespace halcyon::compiler
