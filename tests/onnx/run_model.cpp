#include "tests/onnx/run_model.h"

#include <algorithm>
#include <mutex>
#include <stdexcept>

#include "runtime/network.h"
#include "tests/support/object_cache.h"

namespace halcyon::tests {

namespace {

/// Samples that the inputs hold.
int64_t count_samples(const halcyon_network& info, const NamedFloats& inputs) {
  int64_t count = 0;
  for (int32_t i = 0; i < info.input_count; ++i) {
    const halcyon_tensor_info& tensor = info.inputs[i];
    const auto found = inputs.find(tensor.name);
    if (found == inputs.end()) throw std::runtime_error(std::string("no input ") + tensor.name);
    const auto size = static_cast<int64_t>(found->second.size());
    if (i == 0) count = size / tensor.elements;
    if (size != count * tensor.elements) {
      throw std::runtime_error(std::string(tensor.name) + " has " + std::to_string(size) +
                               " values for " + std::to_string(count) + " samples");
    }
  }
  return count;
}

}  // namespace

CompiledModel::CompiledModel(dsl::Graph graph, int jobs) {
  weights_ = compiler::take_weights(graph);
  compiler::CompileOptions options = cached_options();
  options.jobs = jobs;
  const std::optional<compiler::Artifact> artifact = compiler::compile(graph, options);
  static std::mutex loading;  // LLVM's start-up is not made for several at once
  const std::lock_guard lock(loading);
  loaded_ = std::make_unique<compiler::LoadedNetwork>(*artifact);
}

NamedFloats CompiledModel::run(const NamedFloats& inputs, int threads, int64_t batch) const {
  const halcyon_network& info = loaded_->info();
  runtime::Network network(info, threads);
  network.set_weights(weights_);
  const int64_t count = count_samples(info, inputs);
  if (batch == 0) batch = count;
  network.reserve_inference(batch);
  NamedFloats outputs;
  for (int32_t i = 0; i < info.output_count; ++i) {
    outputs[info.outputs[i].name].resize(
        static_cast<std::size_t>(count * info.outputs[i].elements));
  }
  for (int64_t first = 0; first < count; first += batch) {
    std::vector<const void*> in;
    std::vector<void*> out;
    for (int32_t i = 0; i < info.input_count; ++i) {
      in.push_back(inputs.at(info.inputs[i].name).data() + first * info.inputs[i].elements);
    }
    for (int32_t i = 0; i < info.output_count; ++i) {
      out.push_back(outputs.at(info.outputs[i].name).data() + first * info.outputs[i].elements);
    }
    network.infer(std::min(batch, count - first), in, out);
  }
  return outputs;
}

}  // namespace halcyon::tests
