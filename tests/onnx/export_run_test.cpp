/// Exported models in the hands of others: ONNX's checker accepts them, and ONNX Runtime computes
/// what we compute.

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <string_view>

#include "compiler/driver/embed_weights.h"
#include "compiler/driver/load.h"
#include "compiler/onnx/export.h"
#include "compiler/reference/interpreter.h"
#include "runtime/network.h"
#include "tests/onnx/peers.h"
#include "tests/runtime/temporary_folder.h"
#include "tests/support/every_layer.h"
#include "tests/support/object_cache.h"
#include "tests/support/small_networks.h"

namespace halcyon::dsl::zoo {

static void PrintTo(const Entry& entry, std::ostream* out) { *out << entry.name; }

}  // namespace halcyon::dsl::zoo

namespace halcyon::compiler {
namespace {

constexpr uint64_t kSeed = 1;
constexpr int64_t kBatch = 3;
/// Both sides round in single precision, along other ways.
constexpr double kTolerance = 2e-4;

using tests::NamedTensor;

/// The network as a checked file.
std::string write_checked(dsl::Graph graph, const tests::TemporaryFolder& folder) {
  embed_random_weights(graph, kSeed);
  const std::string path = folder.file("model.onnx");
  write_model(export_model(graph), path);
  EXPECT_EQ(tests::check_model(path), "");
  return path;
}

void expect_close(const std::string& name, std::span<const float> found,
                  const std::vector<double>& expected) {
  ASSERT_EQ(found.size(), expected.size()) << name;
  double largest = 0, error = 0;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    ASSERT_TRUE(std::isfinite(found[i])) << name << ", index " << i;
    largest = std::max(largest, std::abs(expected[i]));
    error = std::max(error, std::abs(static_cast<double>(found[i]) - expected[i]));
  }
  EXPECT_GT(largest, 0) << name;
  EXPECT_LE(error, kTolerance * largest) << name;
}

/// The channels, which stand behind the batch, as the last axis.
void turn(std::span<const double> from, std::vector<int64_t>& dims, std::vector<float>& to) {
  int64_t positions = 1;
  for (std::size_t axis = 2; axis < dims.size(); ++axis) positions *= dims[axis];
  const int64_t channels = dims.size() > 1 ? dims[1] : 1;
  to.resize(from.size());
  for (int64_t n = 0; n < dims[0]; ++n) {
    for (int64_t c = 0; c < channels; ++c) {
      for (int64_t p = 0; p < positions; ++p) {
        const auto first = static_cast<std::size_t>((n * channels + c) * positions + p);
        const auto last = static_cast<std::size_t>((n * positions + p) * channels + c);
        to[last] = static_cast<float>(from[first]);
      }
    }
  }
  std::rotate(dims.begin() + 1, dims.begin() + 2, dims.end());
}

std::vector<int64_t> dims_of(const Shape& shape) {
  std::vector<int64_t> dims = {kBatch};
  for (int axis = 1; axis < shape.rank; ++axis) dims.push_back(shape[axis]);
  return dims;
}

/// What a network reads, as the host and as ONNX have it.
struct Inputs {
  std::map<std::string, HostTensor> reference;
  std::vector<NamedTensor> model;

  explicit Inputs(const dsl::Graph& graph) {
    uint64_t seed = 7;
    for (const dsl::Node& node : graph.nodes()) {
      const auto* input = std::get_if<dsl::ops::Input>(&node.op);
      if (input == nullptr) continue;
      const std::string name(node.name.view());
      if (input->dtype != DType::f32) {
        reference[name] = random_labels(std::max<int64_t>(input->classes, 1), kBatch, ++seed);
        continue;
      }
      const HostTensor& values = reference[name] = random_tensor(input->shape, kBatch, ++seed);
      if (input->target) continue;
      NamedTensor given{name, dims_of(input->shape), {}};
      given.values.assign(values.values.begin(), values.values.end());
      if (input->channels_last) {
        turn(values.values, given.dims, given.values);
      }
      model.push_back(std::move(given));
    }
  }
};

std::vector<std::string> output_names(const dsl::Graph& graph) {
  std::vector<std::string> names;
  for (const dsl::Output& output : graph.outputs) names.emplace_back(output.name.view());
  return names;
}

class ExportedLayers : public testing::TestWithParam<dsl::Network (*)()> {};

TEST_P(ExportedLayers, MeanTheSameInOnnxRuntime) {
  for (const std::string& why : {tests::missing_checker(), tests::missing_onnx_runtime()}) {
    if (!why.empty()) GTEST_SKIP() << why;
  }
  const dsl::Network net = GetParam()();
  dsl::Graph graph = net.graph();
  embed_random_weights(graph, kSeed);
  const tests::TemporaryFolder folder;
  const std::string model = write_checked(graph, folder);
  Inputs inputs(graph);
  for (const dsl::Node& node : graph.nodes()) {
    const auto* parameter = std::get_if<dsl::ops::Parameter>(&node.op);
    if (parameter == nullptr) continue;
    const auto& values = graph.constants[static_cast<std::size_t>(parameter->values)];
    inputs.reference[std::string(node.name.view())] = {parameter->shape,
                                                       {values.begin(), values.end()}};
  }
  const std::map<dsl::Value, HostTensor> expected = evaluate(graph, inputs.reference, kBatch);
  const std::vector<NamedTensor> found =
      run_onnx_runtime(model, inputs.model, output_names(net.graph()));
  ASSERT_EQ(found.size(), graph.outputs.size());
  for (std::size_t i = 0; i < found.size(); ++i) {
    const dsl::Output& output = graph.outputs[i];
    const HostTensor& ours = expected.at(output.value);
    if (!output.channels_last || graph.shape(output.value).rank <= 2) {
      expect_close(found[i].name, found[i].values, ours.values);
      continue;
    }
    std::vector<int64_t> dims = dims_of(graph.shape(output.value));
    std::vector<float> turned;
    turn(ours.values, dims, turned);
    EXPECT_EQ(found[i].dims, dims);
    expect_close(found[i].name, found[i].values, {turned.begin(), turned.end()});
  }
}

INSTANTIATE_TEST_SUITE_P(Networks, ExportedLayers,
                         testing::Values(tests::convolutions, tests::movements,
                                         tests::norms_and_functions),
                         [](const auto& info) {
                           return std::string(info.param().graph().name.view());
                         });

class ExportedZoo : public testing::TestWithParam<dsl::zoo::Entry> {};

TEST_P(ExportedZoo, GivesOurOutputsInOnnxRuntime) {
  for (const std::string& why : {tests::missing_checker(), tests::missing_onnx_runtime()}) {
    if (!why.empty()) GTEST_SKIP() << why;
  }
  const dsl::Network net = tests::small_network(GetParam().name);
  const tests::TemporaryFolder folder;
  const std::string model = write_checked(net.graph(), folder);
  const Inputs inputs(net.graph());
  const std::vector<NamedTensor> found =
      run_onnx_runtime(model, inputs.model, output_names(net.graph()));

  const LoadedNetwork loaded(*compile(net.graph(), tests::cached_options()));
  runtime::Network network(loaded.info(), 1);
  network.initialize(kSeed);
  network.reserve_inference(kBatch);
  std::vector<const void*> in;
  for (const NamedTensor& input : inputs.model) in.push_back(input.values.data());
  std::vector<std::vector<float>> values;
  std::vector<void*> out;
  for (int32_t i = 0; i < loaded.info().output_count; ++i) {
    values.emplace_back(static_cast<std::size_t>(kBatch * loaded.info().outputs[i].elements));
    out.push_back(values.back().data());
  }
  network.infer(kBatch, in, out);

  ASSERT_EQ(found.size(), values.size());
  for (std::size_t i = 0; i < found.size(); ++i) {
    EXPECT_EQ(found[i].name, loaded.info().outputs[i].name);
    expect_close(found[i].name, found[i].values, {values[i].begin(), values[i].end()});
  }
}

INSTANTIATE_TEST_SUITE_P(Networks, ExportedZoo, testing::ValuesIn(dsl::zoo::kNetworks),
                         [](const auto& info) { return std::string(info.param.name); });

}  // namespace
}  // namespace halcyon::compiler
