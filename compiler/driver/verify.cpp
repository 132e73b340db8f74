#include "compiler/driver/verify.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <map>
#include <numeric>
#include <span>

#include "compiler/driver/load.h"
#include "compiler/driver/verify_kernels.h"
#include "compiler/reference/interpreter.h"
#include "runtime/network.h"

namespace halcyon::compiler {

namespace {

using Tensors = std::map<std::string, HostTensor>;

/// Random values for every input, target and parameter; weights scaled so that values stay near 1.
Tensors random_values(const dsl::Graph& graph, const VerifyOptions& options) {
  Tensors values;
  uint64_t seed = options.seed * 1000;
  for (const dsl::Node& node : graph.nodes()) {
    const std::string name(node.name.view());
    if (const auto* input = std::get_if<ops::Input>(&node.op)) {
      values[name] = input->classes > 0 ? random_labels(input->classes, options.batch, ++seed)
                                        : random_tensor(input->shape, options.batch, ++seed);
    }
    if (const auto* parameter = std::get_if<ops::Parameter>(&node.op)) {
      HostTensor tensor = random_tensor(parameter->shape, options.batch, ++seed);
      const double fan_in =
          parameter->shape.rank > 1
              ? static_cast<double>(parameter->shape.elements() / parameter->shape[0])
              : 4.0;
      for (double& v : tensor.values) v = static_cast<float>(v * std::sqrt(3.0 / fan_in));
      values[name] = std::move(tensor);
    }
  }
  for (const dsl::Node& node : graph.nodes()) {
    if (!std::holds_alternative<ops::BatchNorm>(node.op)) continue;
    const auto variance = values.find(std::string(graph.node(node.inputs[4]).name.view()));
    if (variance == values.end()) continue;
    for (double& v : variance->second.values) v = static_cast<float>(0.5 + std::abs(v));
  }
  return values;
}

/// Calls body(canonical index, index in the host's order) for each element of a sample.
template <class Body>
void for_each_in_host_order(const halcyon_tensor_info& info, const Body& body) {
  const bool channels_last = info.rank > 1 && info.axes[info.rank - 1] == 'C';
  const int64_t channels = channels_last ? info.shape[info.rank - 1] : 1;
  const int64_t positions = info.elements / channels;
  for (int64_t c = 0; c < channels; ++c) {
    for (int64_t p = 0; p < positions; ++p) body(c * positions + p, p * channels + c);
  }
}

std::vector<float> to_host(const HostTensor& tensor, const halcyon_tensor_info& info,
                           int64_t batch) {
  std::vector<float> host(static_cast<std::size_t>(batch * info.elements));
  for (int64_t n = 0; n < batch; ++n) {
    for_each_in_host_order(info, [&](int64_t canonical, int64_t at) {
      host[static_cast<std::size_t>(n * info.elements + at)] = static_cast<float>(
          tensor.values[static_cast<std::size_t>(n * info.elements + canonical)]);
    });
  }
  return host;
}

/// Buffers of a call, in the order of a table.
struct HostBuffers {
  std::vector<std::vector<float>> floats;
  std::vector<std::vector<int32_t>> integers;
  std::vector<const void*> pointers;
};

HostBuffers host_buffers(const halcyon_tensor_info* infos, int32_t count, const Tensors& values,
                         int64_t batch) {
  HostBuffers buffers;
  buffers.floats.reserve(static_cast<std::size_t>(count));
  buffers.integers.reserve(static_cast<std::size_t>(count));
  for (int32_t i = 0; i < count; ++i) {
    const HostTensor& tensor = values.at(infos[i].name);
    if (infos[i].dtype == HALCYON_I32) {
      buffers.integers.emplace_back(tensor.values.begin(), tensor.values.end());
      buffers.pointers.push_back(buffers.integers.back().data());
    } else {
      buffers.floats.push_back(to_host(tensor, infos[i], batch));
      buffers.pointers.push_back(buffers.floats.back().data());
    }
  }
  return buffers;
}

runtime::WeightFile weight_file(const halcyon_network& network, const Tensors& values) {
  runtime::WeightFile file;
  for (int32_t i = 0; i < network.parameter_count; ++i) {
    const halcyon_parameter_info& p = network.parameters[i];
    const std::span<float> to = file.add(p.name, {p.shape, p.shape + p.rank});
    const HostTensor& from = values.at(p.name);
    std::transform(from.values.begin(), from.values.end(), to.begin(),
                   [](double v) { return static_cast<float>(v); });
  }
  return file;
}

using Outputs = std::vector<std::vector<float>>;

/// All samples, in calls of the given batches.
Outputs infer(runtime::Network& network, const HostBuffers& inputs,
              const std::vector<int64_t>& calls) {
  const halcyon_network& info = network.info();
  const int64_t batch = std::accumulate(calls.begin(), calls.end(), int64_t{0});
  Outputs outputs;
  for (int32_t i = 0; i < info.output_count; ++i) {
    outputs.emplace_back(static_cast<std::size_t>(batch * info.outputs[i].elements), std::nanf(""));
  }
  int64_t done = 0;
  for (int64_t call : calls) {
    std::vector<const void*> from;
    for (int32_t i = 0; i < info.input_count; ++i) {
      const auto* begin = static_cast<const float*>(inputs.pointers[static_cast<std::size_t>(i)]);
      from.push_back(begin + done * info.inputs[i].elements);
    }
    std::vector<void*> to;
    for (int32_t i = 0; i < info.output_count; ++i) {
      to.push_back(outputs[static_cast<std::size_t>(i)].data() + done * info.outputs[i].elements);
    }
    network.infer(call, from, to);
    done += call;
  }
  return outputs;
}

/// Whether the class with the largest score is none of those that the reference has in front;
/// several have the same score there when they differ by no more than rounding.
bool has_other_top(std::span<const float> found, std::span<const float> expected) {
  constexpr float kRounding = 1e-6f;
  const auto top = std::max_element(found.begin(), found.end()) - found.begin();
  const float most = *std::max_element(expected.begin(), expected.end());
  return expected[static_cast<std::size_t>(top)] < most - kRounding * std::abs(most);
}

std::vector<Comparison> compare_outputs(const dsl::Graph& graph, runtime::Network& network,
                                        const Tensors& values,
                                        const std::map<Value, HostTensor>& reference,
                                        const VerifyOptions& options) {
  const halcyon_network& info = network.info();
  const HostBuffers inputs = host_buffers(info.inputs, info.input_count, values, options.batch);
  std::vector<int64_t> calls = options.calls;
  if (calls.empty()) calls = {options.batch};
  const Outputs found = infer(network, inputs, calls);
  runtime::Network alone(info, 1);
  alone.set_weights(network.weights());
  alone.reserve_inference(options.batch);
  const Outputs with_one_thread = infer(alone, inputs, calls);

  std::vector<Comparison> list;
  for (std::size_t i = 0; i < found.size(); ++i) {
    Comparer comparer("output " + std::string(info.outputs[i].name));
    const std::vector<float> expected =
        to_host(reference.at(graph.outputs[i].value), info.outputs[i], options.batch);
    for (std::size_t e = 0; e < expected.size(); ++e) comparer.add(found[i][e], expected[e]);
    Comparison& result = comparer.result();
    result.same_bits = std::memcmp(found[i].data(), with_one_thread[i].data(),
                                   found[i].size() * sizeof(float)) == 0;
    const auto classes = static_cast<std::size_t>(info.outputs[i].elements);
    for (std::size_t at = 0; at < expected.size() && info.outputs[i].rank == 1; at += classes) {
      const bool other = has_other_top(std::span(found[i]).subspan(at, classes),
                                       std::span(expected).subspan(at, classes));
      result.other_tops += other ? 1 : 0;
    }
    list.push_back(result);
  }
  return list;
}

/// A gradient that is zero but for rounding, such as that of a bias in front of a batch norm, is
/// the sum of terms as large as other gradients.
void allow_cancellation(std::vector<Comparison>& list) {
  constexpr double kOfLargest = 4e-6;
  double largest = 0;
  for (const Comparison& c : list) {
    if (c.what.starts_with("gradient")) largest = std::max(largest, c.largest_value);
  }
  for (Comparison& c : list) {
    if (c.what.starts_with("gradient")) c.resolution += kOfLargest * largest;
  }
}

std::vector<Comparison> compare_step(const dsl::Graph& graph, runtime::Network& network,
                                     const std::vector<std::string>& freeze, const Tensors& values,
                                     int64_t batch) {
  const halcyon_network& info = network.info();
  Program differentiated;
  differentiated.graph = graph;
  PassContext context;
  context.optimizer = ops::Optimizer::sgd;
  context.freeze = freeze;
  differentiate(differentiated, context);
  const std::map<Value, HostTensor> reference = evaluate(differentiated.graph, values, batch);

  const HostBuffers inputs = host_buffers(info.inputs, info.input_count, values, batch);
  const HostBuffers targets = host_buffers(info.targets, info.target_count, values, batch);
  std::vector<float> losses(static_cast<std::size_t>(info.loss_count));
  const runtime::WeightFile before = network.weights();
  halcyon_hyper hyper = {};
  hyper.learning_rate = 1;
  hyper.step = 1;
  network.train_step(batch, inputs.pointers, targets.pointers, hyper, losses);
  const runtime::WeightFile after = network.weights();

  std::vector<Comparison> list;
  for (std::size_t i = 0; i < losses.size(); ++i) {
    Comparer comparer("loss " + std::string(info.losses[i]));
    comparer.add(losses[i], reference.at(differentiated.graph.losses[i].value).values[0]);
    list.push_back(comparer.result());
  }
  for (const dsl::Node& node : differentiated.graph.nodes()) {
    if (const auto* move = std::get_if<ops::MoveStatistics>(&node.op)) {
      std::vector<HostTensor> in;
      for (Value v : node.inputs) in.push_back(reference.at(v));
      const HostTensors moved = compiler::reference(*move, in, batch);
      for (std::size_t i = 0; i < moved.size(); ++i) {
        const std::string name(differentiated.graph.node(node.inputs[i]).name.view());
        const std::span<const float> found = after.find(name)->floats();
        Comparer comparer("statistic " + name);
        for (std::size_t e = 0; e < found.size(); ++e) comparer.add(found[e], moved[i].values[e]);
        list.push_back(comparer.result());
      }
    }
    if (!std::holds_alternative<ops::Update>(node.op)) continue;
    const std::size_t count = node.inputs.size() / 2;
    for (std::size_t i = 0; i < count; ++i) {
      const std::string name(differentiated.graph.node(node.inputs[i]).name.view());
      const std::span<const float> old_values = before.find(name)->floats();
      const std::span<const float> new_values = after.find(name)->floats();
      const std::vector<double>& expected = reference.at(node.inputs[count + i]).values;
      Comparer comparer("gradient " + name);
      for (std::size_t e = 0; e < expected.size(); ++e) {
        const double old_value = old_values[e];
        comparer.add(old_value - static_cast<double>(new_values[e]), expected[e]);
        comparer.allow(std::abs(old_value) * std::numeric_limits<float>::epsilon());
      }
      list.push_back(comparer.result());
    }
  }
  allow_cancellation(list);
  return list;
}

bool uses_winograd(const Graph& graph) {
  return std::any_of(graph.nodes().begin(), graph.nodes().end(), [](const Node& node) {
    return std::holds_alternative<ops::WinogradConv>(node.op);
  });
}

}  // namespace

std::vector<Comparison> verify_network(const dsl::Graph& graph,
                                       const CompileOptions& compile_options,
                                       const VerifyOptions& options) {
  CompileOptions chosen = compile_options;
  chosen.train = options.gradients && !graph.losses.empty();
  chosen.optimizer = ops::Optimizer::sgd;
  const std::optional<Artifact> artifact = compile(graph, chosen);
  const LoadedNetwork loaded(*artifact);
  const Tensors values = random_values(graph, options);
  const std::map<Value, HostTensor> reference = evaluate(graph, values, options.batch);

  runtime::Network network(loaded.info(), options.threads);
  network.set_weights(weight_file(loaded.info(), values));
  network.reserve(options.batch);
  std::vector<Comparison> list = compare_outputs(graph, network, values, reference, options);
  if (uses_winograd(artifact->inference.graph)) {
    for (Comparison& c : list) c.tolerance = kWinogradTolerance;
  }
  const auto append = [&](const std::vector<Comparison>& more) {
    list.insert(list.end(), more.begin(), more.end());
  };
  if (chosen.train) {
    append(compare_step(graph, network, chosen.freeze, values, options.batch));
  }
  if (options.kernels) {
    append(verify_kernels(*artifact, loaded, values, options.batch, options.threads));
  }
  return list;
}

}  // namespace halcyon::compiler
