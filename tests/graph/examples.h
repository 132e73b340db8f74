#pragma once
/// One use of every operator, with no attribute at its default. An operator without an example does
/// not compile.

#include <utility>
#include <vector>

#include "dsl/layers.h"

namespace halcyon::compiler::tests {

namespace ops = dsl::ops;

struct Example {
  dsl::Op op;
  dsl::Shapes inputs;  ///< those with a batch come from inputs, the others are parameters
};

inline constexpr Shape kPicture = {kBatch, 4, 9, 7};
inline constexpr ops::PoolWindow kUnequalWindow = {.kernel = {3, 2},
                                                   .stride = {1, 3},
                                                   .dilation = {1, 2},
                                                   .pad_begin = {2, 0},
                                                   .pad_end = {0, 1},
                                                   .ceil = true};
inline constexpr ops::PoolWindow kSquareWindow = {
    .kernel = 3, .stride = 1, .dilation = {2, 1}, .pad_begin = 2, .pad_end = 1, .ceil = true};

inline Example example_of(const ops::Input&) {
  return {ops::Input{.shape = {kBatch},
                     .dtype = DType::i32,
                     .channels_last = false,
                     .target = true,
                     .classes = 7},
          {}};
}
inline Example example_of(const ops::Parameter&) {
  return {ops::Parameter{.id = 77,
                         .shape = {2, 2},
                         .init = ops::InitKind::values,
                         .scale = 0.3f,
                         .values = 0,
                         .trainable = false,
                         .file_shape = {4}},
          {}};
}
inline Example example_of(const ops::Constant&) {
  return {ops::Constant{.shape = {2, 2}, .values = 0}, {}};
}
inline Example example_of(const ops::Conv&) {
  return {ops::Conv{.filters = 6,
                    .kernel = {3, 2},
                    .stride = {1, 2},
                    .dilation = {2, 3},
                    .pad_begin = {1, 0},
                    .pad_end = {0, 2},
                    .groups = 2},
          {kPicture, {6, 2, 3, 2}, {6}}};
}
inline Example example_of(const ops::Dense&) {
  return {ops::Dense{.units = 3}, {{kBatch, 4}, {3, 4}}};
}
inline Example example_of(const ops::MaxPool&) {
  return {ops::MaxPool{kUnequalWindow, /*with_argmax=*/true}, {kPicture}};
}
inline Example example_of(const ops::AveragePool&) {
  return {ops::AveragePool{kSquareWindow, /*count_padding=*/true}, {kPicture}};
}
inline Example example_of(const ops::Flatten&) { return {ops::Flatten{}, {kPicture}}; }
inline Example example_of(const ops::Concat&) {
  return {ops::Concat{.axis = 3}, {kPicture, {kBatch, 4, 9, 1}, kPicture}};
}
inline Example example_of(const ops::Softmax&) { return {ops::Softmax{}, {kPicture}}; }
inline Example example_of(const ops::SoftmaxCrossEntropy&) {
  return {ops::SoftmaxCrossEntropy{}, {{kBatch, 7}, {kBatch}}};
}
inline Example example_of(const ops::MeanSquare&) {
  return {ops::MeanSquare{}, {kPicture, kPicture}};
}
inline constexpr Shape kPerChannel = {4}, kPerSample = {kBatch, 4}, kPerGroup = {kBatch, 2};

inline Example example_of(const ops::Reduce&) {
  return {ops::Reduce{.kind = ops::ReduceKind::min, .axes = {3, 1}, .keep_dims = false},
          {kPicture}};
}
inline Example example_of(const ops::ReduceGrad&) {
  return {ops::ReduceGrad{
              .kind = ops::ReduceKind::mean, .axes = {2, 1}, .keep_dims = false, .input = kPicture},
          {{kBatch, 7}}};
}
inline Example example_of(const ops::BatchNorm&) {
  return {ops::BatchNorm{.epsilon = 0.3f, .momentum = 0.4f},
          {kPicture, kPerChannel, kPerChannel, kPerChannel, kPerChannel}};
}
inline Example example_of(const ops::Normalize&) {
  return {ops::Normalize{.epsilon = 0.3f},
          {kPicture, kPerChannel, kPerChannel, kPerGroup, kPerGroup}};
}
inline Example example_of(const ops::Moments&) { return {ops::Moments{}, {kPicture}}; }
inline Example example_of(const ops::GroupMoments&) {
  return {ops::GroupMoments{.groups = 2}, {kPerSample, kPerSample}};
}
inline Example example_of(const ops::BatchMoments&) {
  return {ops::BatchMoments{}, {kPerSample, kPerSample}};
}
inline Example example_of(const ops::MoveStatistics&) {
  return {ops::MoveStatistics{.momentum = 0.3f, .positions = 63},
          {kPerChannel, kPerChannel, kPerChannel, kPerChannel}};
}
inline Example example_of(const ops::NormalizeSums&) {
  return {ops::NormalizeSums{.epsilon = 0.3f}, {kPicture, kPicture, kPerChannel, kPerChannel}};
}
inline Example example_of(const ops::GroupSums&) {
  return {ops::GroupSums{.groups = 2}, {kPerSample, kPerSample, kPerChannel}};
}
inline Example example_of(const ops::NormalizeGrad&) {
  return {ops::NormalizeGrad{.epsilon = 0.3f},
          {kPicture, kPerChannel, kPerGroup, kPerGroup, kPicture, kPerGroup, kPerGroup}};
}
inline Example example_of(const ops::L2Normalize&) {
  return {ops::L2Normalize{.epsilon = 0.3f}, {kPicture}};
}
inline Example example_of(const ops::L2NormalizeGrad&) {
  return {ops::L2NormalizeGrad{.epsilon = 0.3f}, {kPicture, kPicture}};
}
inline Example example_of(const ops::LocalResponseNorm&) {
  return {ops::LocalResponseNorm{.size = 3,
                                 .alpha = 0.1f,
                                 .beta = 0.2f,
                                 .bias = 0.3f,
                                 .across = ops::Neighbours::positions},
          {kPicture}};
}
inline Example example_of(const ops::LocalResponseNormGrad&) {
  return {ops::LocalResponseNormGrad{.size = 3,
                                     .alpha = 0.1f,
                                     .beta = 0.2f,
                                     .bias = 0.3f,
                                     .across = ops::Neighbours::positions},
          {kPicture, kPicture}};
}
inline Example example_of(const ops::LogSoftmax&) { return {ops::LogSoftmax{}, {kPicture}}; }
inline Example example_of(const ops::LogSoftmaxGrad&) {
  return {ops::LogSoftmaxGrad{}, {kPicture, kPicture}};
}
inline Example example_of(const ops::MatMul&) {
  return {ops::MatMul{.transpose_a = true, .transpose_b = true}, {{kBatch, 5, 4}, {kBatch, 3, 5}}};
}
inline Example example_of(const ops::Dropout&) {
  return {ops::Dropout{.probability = 0.25f}, {kPicture}};
}
inline Example example_of(const ops::RandomMask&) {
  return {ops::RandomMask{.probability = 0.25f, .stream = 3}, {kPicture}};
}

inline Example example_of(const ops::ConvWeightGrad&) {
  return {ops::ConvWeightGrad{.weight = {6, 2, 3, 2},
                              .stride = {1, 2},
                              .dilation = {2, 3},
                              .pad_begin = {1, 0},
                              .pad_end = {0, 2},
                              .groups = 2},
          {kPicture, {kBatch, 6, 6, 3}}};
}
inline Example example_of(const ops::ConvPoolWeightGrad&) {
  return {ops::ConvPoolWeightGrad{.weight = {6, 4, 3, 2},
                                  .stride = {1, 2},
                                  .dilation = {2, 3},
                                  .pad_begin = {1, 0},
                                  .pad_end = {0, 2},
                                  .pool_kernel = {2, 1},
                                  .pool_stride = {3, 2}},
          {kPicture, {kBatch, 6, 2, 2}, {kBatch, 6, 2, 2}}};
}
inline Example example_of(const ops::FlipFilter&) {
  return {ops::FlipFilter{.groups = 2}, {{6, 2, 3, 2}}};
}
inline Example example_of(const ops::ScaleFilters&) {
  return {ops::ScaleFilters{}, {{6, 2, 3, 2}, {6}}};
}
inline Example example_of(const ops::WinogradFilters&) {
  return {ops::WinogradFilters{.tile = 2, .block = 8}, {{6, 2, 3, 3}}};
}
inline Example example_of(const ops::WinogradConv&) {
  return {ops::WinogradConv{.filters = 6,
                            .kernel = 5,
                            .tile = 2,
                            .block = 8,
                            .pad_begin = {2, 1},
                            .pad_end = {0, 3},
                            .groups = 2},
          {kPicture, {36 * 8, 2, 1, 1}, {6}}};
}
inline Example example_of(const ops::StackFilters&) {
  return {ops::StackFilters{.block = 4}, {{6, 2, 3, 2}, {3, 2, 3, 2}}};
}
inline Example example_of(const ops::DenseWeightGrad&) {
  return {ops::DenseWeightGrad{}, {{kBatch, 4}, {kBatch, 3}}};
}
inline Example example_of(const ops::TransposeMatrix&) {
  return {ops::TransposeMatrix{}, {{3, 4}}};
}
inline Example example_of(const ops::BiasGrad&) { return {ops::BiasGrad{}, {kPicture}}; }
inline Example example_of(const ops::MaxPoolGrad&) {
  return {ops::MaxPoolGrad{kUnequalWindow, /*input=*/kPicture},
          {{kBatch, 4, 9, 3}, {kBatch, 4, 9, 3}}};
}
inline Example example_of(const ops::AveragePoolGrad&) {
  return {ops::AveragePoolGrad{kSquareWindow, /*input=*/kPicture, /*count_padding=*/true},
          {{kBatch, 4, 8, 8}}};
}
inline Example example_of(const ops::Unflatten&) {
  return {ops::Unflatten{.shape = kPicture}, {{kBatch, 252}}};
}
inline Example example_of(const ops::ConvTranspose&) {
  return {ops::ConvTranspose{.filters = 6,
                             .kernel = {3, 2},
                             .stride = {2, 4},
                             .dilation = {2, 3},
                             .pad_begin = {1, 0},
                             .pad_end = {0, 2},
                             .output_padding = {1, 3},
                             .groups = 2},
          {kPicture, {4, 3, 3, 2}, {6}}};
}
inline ops::Pad example_pad() {
  return {.begin = {0, 2, 1},
          .end = {1, 0, 3},
          .between = {0, 0, 0},
          .mode = ops::PadMode::reflect,
          .value = 0.3f};
}
inline Example example_of(const ops::Pad&) { return {example_pad(), {kPicture}}; }
inline Example example_of(const ops::PadGrad&) {
  return {ops::PadGrad{.input = kPicture, .pad = example_pad()}, {{kBatch, 5, 11, 11}}};
}
inline Example example_of(const ops::Slice&) {
  return {ops::Slice{.begin = {1, 8, 2}, .end = {3, -1, 7}, .step = {1, -3, 2}}, {kPicture}};
}
inline Example example_of(const ops::Reshape&) {
  return {ops::Reshape{.shape = {kBatch, 6, 42}}, {kPicture}};
}
inline Example example_of(const ops::Transpose&) {
  return {ops::Transpose{.permutation = {3, 1, 2}}, {kPicture}};
}
inline Example example_of(const ops::ChannelShuffle&) {
  return {ops::ChannelShuffle{.groups = 2}, {kPicture}};
}
inline Example example_of(const ops::DepthToSpace&) {
  return {ops::DepthToSpace{.block = 3, .order = ops::DepthOrder::crd}, {{kBatch, 18, 2, 5}}};
}
inline Example example_of(const ops::SpaceToDepth&) {
  return {ops::SpaceToDepth{.block = 3, .order = ops::DepthOrder::crd}, {{kBatch, 2, 6, 3}}};
}
inline ops::Resize example_resize() {
  return {.size = {0, 5},
          .scale = {1.7f, 0},
          .interpolation = ops::Interpolation::linear,
          .coordinates = ops::Coordinates::pytorch_half_pixel,
          .rounding = ops::Rounding::ceil};
}
inline Example example_of(const ops::Resize&) { return {example_resize(), {kPicture}}; }
inline Example example_of(const ops::ResizeGrad&) {
  return {ops::ResizeGrad{.input = kPicture, .resize = example_resize()}, {{kBatch, 4, 15, 5}}};
}
inline Example example_of(const ops::Copy&) { return {ops::Copy{}, {kPicture}}; }
inline Example example_of(const ops::SoftmaxGrad&) {
  return {ops::SoftmaxGrad{}, {kPicture, kPicture}};
}
inline Example example_of(const ops::SoftmaxCrossEntropyGrad&) {
  return {ops::SoftmaxCrossEntropyGrad{.weight = 0.3f}, {{kBatch, 7}, {kBatch}}};
}
inline Example example_of(const ops::MeanSquareGrad&) {
  return {ops::MeanSquareGrad{.weight = -1e-42f}, {kPicture, kPicture}};
}
inline Example example_of(const ops::Update&) {
  return {ops::Update{.optimizer = ops::Optimizer::adam}, {{3, 4}, {5}, {3, 4}, {5}}};
}

inline Example example_of(const ops::Pointwise&) {
  const dsl::Scalar x = dsl::Scalar::input(0), slope = dsl::Scalar::input(1);
  return {ops::Pointwise{"mine", (x * sigmoid(slope * x)).formula}, {kPicture, {4}}};
}
inline Example example_of(const ops::SumTo&) {
  return {ops::SumTo{.shape = {kBatch, 4, 1, 1}}, {kPicture}};
}
inline ops::Stencil example_stencil() {
  return dsl::custom("mine", [](dsl::Window x) { return exp(x(-2, 1)) * x(0, 3); },
                     {.border = dsl::Border::edge})
      .op;
}
inline Example example_of(const ops::Stencil&) { return {example_stencil(), {kPicture}}; }
inline Example example_of(const ops::StencilGrad&) {
  return {ops::StencilGrad{example_stencil()}, {kPicture, kPicture}};
}

/// A graph that holds this one use.
inline dsl::Graph graph_of(const Example& example) {
  dsl::Graph graph;
  graph.name = "example";
  graph.constants = {{0.1f, -0.0f, 3.4028235e38f, 1e-45f}};
  std::vector<dsl::Value> inputs;
  for (const Shape& shape : example.inputs) {
    const auto number = static_cast<int64_t>(inputs.size());
    dsl::Op source = ops::Parameter{.id = number, .shape = shape};
    if (shape.has_batch()) source = ops::Input{.shape = shape};
    FixedString name = "x";
    name.append(number);
    inputs.push_back({graph.add(source, {}, name, {})});
  }
  const int32_t id = graph.add(example.op, std::move(inputs), "example", {"examples.cpp", 12});
  if (!graph.node(id).outputs.empty()) graph.outputs.push_back({"y", {id}});
  return graph;
}

/// One example of each operator.
template <class... Operator>
std::vector<Example> examples(const std::variant<Operator...>*) {
  return {example_of(Operator{})...};
}
inline std::vector<Example> all_examples() { return examples(static_cast<dsl::Op*>(nullptr)); }

}  // namespace halcyon::compiler::tests
