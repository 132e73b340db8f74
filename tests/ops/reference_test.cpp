/// The meaning of every operator against numbers worked out by hand.

#include <gtest/gtest.h>

#include <cmath>

#include "compiler/reference/interpreter.h"
#include "dsl/layers.h"
#include "tests/runtime/expect_error.h"

namespace halcyon::compiler {
namespace {

using dsl::Network;
using dsl::Tensor;
using tests::expect_error;
using Numbers = std::vector<double>;

HostTensors run(const Op& op, const HostTensors& in) { return reference(op, in, in[0].shape[0]); }

void expect_near(const Numbers& found, const Numbers& expected) {
  ASSERT_EQ(found.size(), expected.size());
  for (std::size_t i = 0; i < found.size(); ++i) EXPECT_NEAR(found[i], expected[i], 1e-12) << i;
}

Numbers count_to(int last) {
  Numbers numbers;
  for (int i = 1; i <= last; ++i) numbers.push_back(i);
  return numbers;
}

TEST(Reference, ConvFindsAVerticalEdge) {
  HostTensor picture{{1, 1, 6, 6}, {}};
  for (int row = 0; row < 6; ++row) {
    for (double v : {10., 10., 10., 0., 0., 0.}) picture.values.push_back(v);
  }
  const HostTensor edge{{1, 1, 3, 3}, {1, 0, -1, 1, 0, -1, 1, 0, -1}};
  const HostTensors y = run(ops::Conv{.filters = 1, .kernel = 3}, {picture, edge});
  EXPECT_EQ(y[0].shape, (Shape{1, 1, 4, 4}));
  EXPECT_EQ(y[0].values, (Numbers{0, 30, 30, 0, 0, 30, 30, 0, 0, 30, 30, 0, 0, 30, 30, 0}));
}

TEST(Reference, ConvPadsUnevenlyStridesAndDilates) {
  const ops::Conv op{
      .filters = 1, .kernel = 2, .stride = 2, .dilation = 2, .pad_begin = 1, .pad_end = 2};
  // 0 [1 2 3 4 5] 0 0: windows at 0, 2 and 4 read (0,2), (2,4) and (4,0).
  const HostTensors y = run(op, {{{1, 1, 5}, count_to(5)}, {{1, 1, 2}, {1, 10}}, {{1}, {0.5}}});
  EXPECT_EQ(y[0].values, (Numbers{20.5, 42.5, 4.5}));
}

TEST(Reference, ConvKeepsGroupsApart) {
  const HostTensors y = run(ops::Conv{.filters = 4, .kernel = 1, .groups = 2},
                            {{{1, 4, 1}, {1, 2, 3, 4}}, {{4, 2, 1}, {1, 0, 0, 1, 1, 1, 1, -1}}});
  EXPECT_EQ(y[0].values, (Numbers{1, 2, 7, -1}));
}

TEST(Reference, ConvSumsOverThreeAxesAndChannels) {
  const HostTensors y = run(ops::Conv{.filters = 1, .kernel = 2},
                            {{{1, 2, 2, 2, 2}, count_to(16)}, {{1, 2, 2, 2, 2}, Numbers(16, 1)}});
  EXPECT_EQ(y[0].shape, (Shape{1, 1, 1, 1, 1}));
  EXPECT_EQ(y[0].values, (Numbers{136}));
}

TEST(Reference, ConvWeightGradCorrelatesInputAndGradient) {
  // dw[r] = sum over p of x[p + r] * dy[p], over both samples.
  const HostTensors dw = run(ops::ConvWeightGrad{.weight = {1, 1, 2}},
                             {{{2, 1, 3}, count_to(6)}, {{2, 1, 2}, {1, 10, 100, 1000}}});
  EXPECT_EQ(dw[0].values, (Numbers{21 + 5400, 32 + 6500}));
}

TEST(Reference, FlipFilterExchangesChannelsAndReversesTaps) {
  const HostTensors f = run(ops::FlipFilter{.groups = 2}, {{{4, 1, 2}, count_to(8)}});
  EXPECT_EQ(f[0].shape, (Shape{2, 2, 2}));
  EXPECT_EQ(f[0].values, (Numbers{2, 1, 4, 3, 6, 5, 8, 7}));
  const HostTensors g = run(ops::FlipFilter{}, {{{1, 2, 2}, count_to(4)}});
  EXPECT_EQ(g[0].shape, (Shape{2, 1, 2}));
  EXPECT_EQ(g[0].values, (Numbers{2, 1, 4, 3}));
}

TEST(Reference, DenseMultipliesByTheTransposedWeight) {
  const HostTensors in = {{{2, 2}, count_to(4)}, {{3, 2}, {1, 0, 0, 1, 1, 1}}, {{3}, {10, 20, 30}}};
  EXPECT_EQ(run(ops::Dense{.units = 3}, in)[0].values, (Numbers{11, 22, 33, 13, 24, 37}));
  EXPECT_EQ(run(ops::DenseWeightGrad{}, {in[0], {{2, 1}, {1, 10}}})[0].values, (Numbers{31, 42}));
  EXPECT_EQ(run(ops::TransposeMatrix{}, {in[1]})[0].values, (Numbers{1, 0, 1, 0, 1, 1}));
}

TEST(Reference, BiasGradSumsSamplesAndPositions) {
  EXPECT_EQ(run(ops::BiasGrad{}, {{{2, 2, 2}, count_to(8)}})[0].values, (Numbers{14, 22}));
  EXPECT_EQ(run(ops::BiasGrad{}, {{{2, 2}, count_to(4)}})[0].values, (Numbers{4, 6}));
}

TEST(Reference, MaxPoolTakesTheFirstOfEqualsAndNeverPadding) {
  const ops::PoolWindow window{.kernel = 2, .stride = 2, .pad_begin = 1, .pad_end = 0};
  const ops::MaxPool op{window, /*with_argmax=*/true};
  const HostTensor x{{1, 1, 3, 3}, {-1, 5, 5, -3, 7, 7, -2, 7, 7}};
  const HostTensors y = run(op, {x});
  EXPECT_EQ(y[0].values, (Numbers{-1, 5, -2, 7}));
  EXPECT_EQ(y[1].values, (Numbers{3, 2, 3, 0}));
  const HostTensors dx = reference(ops::MaxPoolGrad{window, /*input=*/{kBatch, 1, 3, 3}},
                                   HostTensors{{y[0].shape, {1, 2, 3, 4}}, y[1]}, 1);
  EXPECT_EQ(dx[0].values, (Numbers{1, 2, 0, 0, 4, 0, 3, 0, 0}));
}

TEST(Reference, MaxPoolGradSumsWhereWindowsOverlap) {
  const ops::PoolWindow window{.kernel = 2, .stride = 1};
  const ops::MaxPool op{window, /*with_argmax=*/true};
  const HostTensors y = run(op, {{{1, 1, 3}, {1, 9, 2}}});
  const HostTensors dx = reference(ops::MaxPoolGrad{window, /*input=*/{kBatch, 1, 3}},
                                   HostTensors{{y[0].shape, {3, 4}}, y[1]}, 1);
  EXPECT_EQ(dx[0].values, (Numbers{0, 7, 0}));
}

TEST(Reference, AveragePoolCountsPaddingOnlyWhenAsked) {
  const ops::PoolWindow window{.kernel = 2, .stride = 2, .pad_begin = 1, .pad_end = 0};
  ops::AveragePool op{window};
  const HostTensor x{{1, 1, 3}, {4, 2, 6}};
  EXPECT_EQ(run(op, {x})[0].values, (Numbers{4, 4}));
  op.count_padding = true;
  EXPECT_EQ(run(op, {x})[0].values, (Numbers{2, 4}));

  ops::AveragePoolGrad grad{window, /*input=*/{kBatch, 1, 3}};
  const HostTensors dy = {{{1, 1, 2}, {10, 20}}};
  EXPECT_EQ(reference(grad, dy, 1)[0].values, (Numbers{10, 10, 10}));
  grad.count_padding = true;
  EXPECT_EQ(reference(grad, dy, 1)[0].values, (Numbers{5, 10, 10}));
}

// Numbers of PyTorch 1.13: max_pool1d and avg_pool1d with ceil_mode.
TEST(Reference, PoolsOfCeilModeHangOverTheEnd) {
  const HostTensor x{{1, 1, 6}, {1, 2, 3, 4, 5, 7}};
  const ops::MaxPool largest{{.kernel = 3, .stride = 2, .ceil = true}};
  EXPECT_EQ(run(largest, {x})[0].values, (Numbers{3, 5, 7}));
  ops::AveragePool mean{{.kernel = 3, .stride = 2, .ceil = true}, /*count_padding=*/true};
  EXPECT_EQ(run(mean, {x})[0].values, (Numbers{2, 4, 6}));
  // A window must not start in the padding behind the input; what hangs over the padding is not
  // counted.
  mean = {{.kernel = 3, .stride = 3, .pad_begin = 1, .pad_end = 1, .ceil = true}};
  EXPECT_EQ(run(mean, {x})[0].values, (Numbers{1.5, 4, 7}));
  mean.count_padding = true;
  EXPECT_EQ(run(mean, {x})[0].values, (Numbers{1, 4, 3.5}));
  const HostTensor shorter{{1, 1, 5}, {1, 2, 3, 4, 5}};
  EXPECT_EQ(run(mean, {shorter})[0].values, (Numbers{1, 4}));
}

TEST(Reference, DilatedPoolsLookApart) {
  const HostTensor x{{1, 1, 6}, {9, 2, 3, 4, 8, 6}};
  const ops::MaxPool largest{{.kernel = 2, .stride = 1, .dilation = 3}, /*with_argmax=*/true};
  EXPECT_EQ(run(largest, {x})[0].values, (Numbers{9, 8, 6}));
  EXPECT_EQ(run(largest, {x})[1].values, (Numbers{0, 1, 1}));
  const ops::AveragePool mean{
      {.kernel = 2, .stride = 2, .dilation = 3, .pad_begin = 1, .pad_end = 2}};
  EXPECT_EQ(run(mean, {x})[0].values, (Numbers{3, 5, 4}));
}

TEST(Reference, ElementwiseOperators) {
  const HostTensor x{{1, 3}, {-1, 0, 2}};
  const HostTensor dy{{1, 3}, {5, 6, 7}};
  EXPECT_EQ(run(dsl::pointwise(dsl::relu), {x})[0].values, (Numbers{0, 0, 2}));
  EXPECT_EQ(run(dsl::pointwise("add"), {x, dy})[0].values, (Numbers{4, 6, 9}));
  EXPECT_EQ(run(ops::Copy{}, {x})[0].values, x.values);
}

TEST(Reference, PointwiseRepeatsItsInputs) {
  const Op times = dsl::pointwise("mul");
  const HostTensor x{{2, 2, 1, 2}, count_to(8)};
  const auto product = [&](const Shape& shape, const Numbers& values) {
    return run(times, {x, {shape, values}})[0].values;
  };
  EXPECT_EQ(product({2}, {1, 10}), (Numbers{1, 2, 30, 40, 5, 6, 70, 80}));
  EXPECT_EQ(product({1}, {2}), (Numbers{2, 4, 6, 8, 10, 12, 14, 16}));
  EXPECT_EQ(product({1, 2}, {1, 10}), (Numbers{1, 20, 3, 40, 5, 60, 7, 80}));
  EXPECT_EQ(product({2, 2, 1, 1}, {1, 2, 3, 4}), (Numbers{1, 2, 6, 8, 15, 18, 28, 32}));
  // Both sides are repeated.
  const HostTensors y = run(times, {{{1, 2, 1}, {1, 10}}, {{1, 1, 3}, {1, 2, 3}}});
  EXPECT_EQ(y[0].shape, (Shape{1, 2, 3}));
  EXPECT_EQ(y[0].values, (Numbers{1, 2, 3, 10, 20, 30}));
}

TEST(Reference, SumToAddsWhatWasRepeated) {
  const HostTensor dy{{2, 2, 1, 2}, count_to(8)};
  const auto sum = [&](const Shape& shape) { return run(ops::SumTo{.shape = shape}, {dy})[0]; };
  EXPECT_EQ(sum({2}).values, (Numbers{14, 22}));
  EXPECT_EQ(sum({1}).values, (Numbers{36}));
  EXPECT_EQ(sum({2, 1, 1}).values, (Numbers{14, 22}));
  EXPECT_EQ(sum({1, 2}).values, (Numbers{16, 20}));
  EXPECT_EQ(sum({kBatch, 2, 1, 1}).values, (Numbers{3, 7, 11, 15}));
  EXPECT_EQ(sum({kBatch, 1, 1, 2}).values, (Numbers{4, 6, 12, 14}));
  EXPECT_EQ(sum({kBatch, 1, 1, 1}).shape, (Shape{2, 1, 1, 1}));
}

TEST(Reference, FlattenAndBackKeepTheOrder) {
  const HostTensors flat = run(ops::Flatten{}, {{{2, 2, 1, 2}, count_to(8)}});
  EXPECT_EQ(flat[0].shape, (Shape{2, 4}));
  EXPECT_EQ(flat[0].values, count_to(8));
  const HostTensors back = run(ops::Unflatten{.shape = {kBatch, 2, 1, 2}}, flat);
  EXPECT_EQ(back[0].shape, (Shape{2, 2, 1, 2}));
  EXPECT_EQ(back[0].values, count_to(8));
}

TEST(Reference, ConcatJoinsChannelsOfEachSample) {
  const HostTensor a{{2, 1, 2}, count_to(4)};
  const HostTensor b{{2, 2, 2}, {10, 20, 30, 40, 50, 60, 70, 80}};
  const HostTensors y = run(ops::Concat{}, {a, b});
  EXPECT_EQ(y[0].shape, (Shape{2, 3, 2}));
  EXPECT_EQ(y[0].values, (Numbers{1, 2, 10, 20, 30, 40, 3, 4, 50, 60, 70, 80}));
}

TEST(Reference, SoftmaxIsTakenOverChannelsAndSurvivesLargeValues) {
  const double e = std::log(3);
  const HostTensors y = run(ops::Softmax{}, {{{1, 2, 2}, {0, 1000, e, 1000 + e}}});
  expect_near(y[0].values, {0.25, 0.25, 0.75, 0.75});
  const HostTensors dx = run(ops::SoftmaxGrad{}, {{{1, 2, 2}, {4, 0, 0, 0}}, y[0]});
  expect_near(dx[0].values, {0.75, 0, -0.75, 0});
}

TEST(Reference, SoftmaxCrossEntropyIsTheMeanOverTheBatch) {
  const HostTensor scores{{2, 2}, {0, std::log(3), 0, 2000}};
  const HostTensor labels{{2}, {0, 0}};
  const HostTensors loss = run(ops::SoftmaxCrossEntropy{}, {scores, labels});
  EXPECT_EQ(loss[0].shape, Shape{});
  EXPECT_NEAR(loss[0].values[0], (std::log(4) + 2000) / 2, 1e-9);
  const HostTensors dx = run(ops::SoftmaxCrossEntropyGrad{.weight = 4}, {scores, labels});
  expect_near(dx[0].values, {-1.5, 1.5, -2, 2});
}

TEST(Reference, SoftmaxCrossEntropyRefusesALabelThatIsNoClass) {
  for (double label : {-1.0, 2.0, 0.5, std::nan("")}) {
    const HostTensors in = {{{2, 2}, {0, 0, 0, 0}}, {{2}, {1, label}}};
    expect_error<UserError>([&] { run(ops::SoftmaxCrossEntropy{}, in); },
                            "of sample 1 is no whole number in [0,2)");
  }
}

TEST(Reference, MeanSquareIsTheMeanOverAllValues) {
  const HostTensors in = {{{2, 2}, {1, 2, 3, 4}}, {{2, 2}, {1, 0, 0, 4}}};
  EXPECT_EQ(run(ops::MeanSquare{}, in)[0].values, (Numbers{13. / 4}));
  EXPECT_EQ(run(ops::MeanSquareGrad{.weight = 2}, in)[0].values, (Numbers{0, 2, 3, 0}));
}

// Where one value goes from 1 in two steps with the gradients 0.5 and `second`.
Numbers two_steps(ops::Optimizer optimizer, halcyon_hyper hyper, double second = -0.25) {
  Numbers p = {1};
  std::vector<Numbers> state(
      static_cast<std::size_t>(ops::Update{.optimizer = optimizer}.state_slots()), Numbers{0});
  Numbers path;
  for (double g : {0.5, second}) {
    ++hyper.step;
    update_reference(optimizer, hyper, p, {g}, state);
    path.push_back(p[0]);
  }
  return path;
}

// The formulas of torch.optim. Powers of two throughout: single-precision settings are exact.
TEST(Reference, UpdateFollowsPyTorchsRules) {
  using ops::Optimizer;
  expect_near(two_steps(Optimizer::sgd, {.learning_rate = 0.5F}), {0.75, 0.875});
  expect_near(two_steps(Optimizer::sgd, {.learning_rate = 0.5F, .weight_decay = 0.5F}), {0.5, 0.5});
  // v = 0.5, then 0.5*0.5 - 0.25 = 0
  expect_near(two_steps(Optimizer::momentum, {.learning_rate = 0.5F, .momentum = 0.5F}),
              {0.75, 0.75});
  // s = 0.125, then 0.0625 + 0.03125
  const double first = 1 - 0.25 / (std::sqrt(0.125) + 0.25);
  expect_near(
      two_steps(Optimizer::rmsprop, {.learning_rate = 0.5F, .momentum = 0.5F, .epsilon = 0.25F}),
      {first, first + 0.125 / (std::sqrt(0.09375) + 0.25)});
  // m = 0.25 twice, corrected 0.5 and 1/3; v = 0.0625 twice, corrected 0.25 and 1/7
  expect_near(
      two_steps(Optimizer::adam,
                {.learning_rate = 0.5F, .momentum = 0.5F, .beta2 = 0.75F, .epsilon = 0.125F}, 0.25),
      {0.6, 0.6 - 0.5 / 3 / (std::sqrt(1. / 7) + 0.125)});
}

TEST(Reference, UpdateRefusesStateOfAnotherSize) {
  Numbers p = {1};
  expect_error<InternalError>([&] { update_reference(ops::Optimizer::momentum, {}, p, {1}, {}); },
                              "state");
  expect_error<InternalError>(
      [&] {
        update_reference(ops::Optimizer::sgd, {}, p, {1, 2}, {});
      },
      "gradient");
}

TEST(Interpreter, GivesEveryValueOfANetwork) {
  Network net("tiny");
  Tensor x = net.input("x", Shape{2}) | dsl::dense(1) | dsl::relu;
  net.output("y", x);
  const std::map<Value, HostTensor> values = evaluate(net.graph(),
                                                      {{"x", {{2, 2}, {1, 2, 3, -4}}},
                                                       {"dense1.weight", {{1, 2}, {1, 1}}},
                                                       {"dense1.bias", {{1}, {0.5}}}},
                                                      2);
  EXPECT_EQ(values.at(x.value).values, (Numbers{3.5, 0}));
  EXPECT_EQ(values.size(), 5U);
}

TEST(Interpreter, NamesWhatIsMissingOrMisshaped) {
  Network net("tiny");
  net.output("y", net.input("x", Shape{2}) | dsl::dense(3));
  std::map<std::string, HostTensor> given = {{"x", {{4, 2}, count_to(8)}}};
  expect_error<UserError>([&] { evaluate(net.graph(), given, 4); },
                          "parameter 'dense1.weight' (reference_test.cpp:", "no value is given");
  expect_error<UserError>([&] { evaluate(net.graph(), given, 3); }, "input 'x'", "is [4,2]",
                          "expected [3,2]");
  expect_error<UserError>([&] { evaluate(net.graph(), given, 0); }, "the batch is 0");
}

TEST(Interpreter, RandomTensorsAreExactInSinglePrecisionAndRepeat) {
  const HostTensor t = random_tensor({kBatch, 3, 5}, 2, 7);
  EXPECT_EQ(t.shape, (Shape{2, 3, 5}));
  for (double v : t.values) {
    EXPECT_EQ(v, static_cast<double>(static_cast<float>(v)));
    EXPECT_LT(std::abs(v), 1.0);
  }
  EXPECT_EQ(t.values, random_tensor({kBatch, 3, 5}, 2, 7).values);
  EXPECT_NE(t.values, random_tensor({kBatch, 3, 5}, 2, 8).values);
  for (double v : random_labels(3, 50, 1).values) EXPECT_TRUE(v == 0 || v == 1 || v == 2);
}

}  // namespace
}  // namespace halcyon::compiler
