#include "runtime/network.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>
#include <utility>
#include <vector>

#include "runtime/base/error.h"
#include "runtime/initialize.h"
#include "runtime/tensor_table.h"
#include "runtime/weight_table.h"

namespace halcyon::runtime {
namespace {

/// The first label that is out of range, in words; empty if there is none.
std::string bad_label(const halcyon_network& info, int64_t batch,
                      std::span<const void* const> targets) {
  for (int32_t i = 0; i < info.target_count; ++i) {
    const halcyon_tensor_info& target = info.targets[i];
    if (target.classes == 0 || target.dtype != HALCYON_I32) continue;
    const int32_t* const labels = static_cast<const int32_t*>(targets[static_cast<std::size_t>(i)]);
    for (int64_t k = 0; k < batch * target.elements; ++k) {
      if (labels[k] >= 0 && labels[k] < target.classes) continue;
      return std::string("target '") + target.name + "' has label " + std::to_string(labels[k]) +
             " at index " + std::to_string(k) + ", valid are 0 to " +
             std::to_string(target.classes - 1);
    }
  }
  return {};
}

void require_count(const halcyon_network& info, const char* what, std::size_t given,
                   int32_t expected) {
  if (given == static_cast<std::size_t>(expected)) return;
  throw UserError(std::string("network '") + info.name + "' has " + std::to_string(expected) + " " +
                  what + ", the call gives " + std::to_string(given));
}

const void* data_of(const Tensor& tensor) { return tensor.bytes().data(); }

[[noreturn]] void fail_status(const halcyon_network& info, const char* call, halcyon_status status,
                              int64_t batch, int64_t reserved, const halcyon_context& context) {
  throw UserError(std::string("network '") + info.name + "': " + call + " of batch " +
                  std::to_string(batch) + " (reserved " + std::to_string(reserved) +
                  ", workspace " + std::to_string(context.workspace_bytes) + " bytes, " +
                  std::to_string(context.workers) + " workers): " + halcyon_status_text(status));
}

}  // namespace

Network::Network(const halcyon_network& info, int threads) : info_(&info) {
  if (info.abi_version != HALCYON_ABI_VERSION) {
    throw UserError("a compiled network has interface version " + std::to_string(info.abi_version) +
                        ", this runtime needs " + std::to_string(HALCYON_ABI_VERSION),
                    "compile the network again");
  }
  pool_ = std::make_unique<ThreadPool>(threads);
  const std::string name = std::string("network '") + info.name + "'";
  parameters_ = AlignedBuffer(info.parameter_bytes, "the parameters of " + name);
  state_ = AlignedBuffer(info.state_bytes, "the optimizer state of " + name);
  const bool all_linked_in = std::all_of(info.parameters, info.parameters + info.parameter_count,
                                         [](const halcyon_parameter_info& parameter) {
                                           return parameter.init == HALCYON_INIT_VALUES;
                                         });
  if (all_linked_in) initialize(0);
  input_pointers_.resize(static_cast<std::size_t>(info.input_count));
  target_pointers_.resize(static_cast<std::size_t>(info.target_count));
  output_pointers_.resize(static_cast<std::size_t>(info.output_count));
}

void Network::initialize(uint64_t seed) {
  std::vector<float> values;
  parameters_.clear();  // the padding between packed values too
  for (int32_t i = 0; i < info_->parameter_count; ++i) {
    const halcyon_parameter_info& parameter = info_->parameters[i];
    values.resize(static_cast<std::size_t>(parameter.elements));
    if (parameter.init == HALCYON_INIT_VALUES) {
      std::copy_n(parameter.init_values, parameter.elements, values.begin());
    } else {
      draw_parameter(parameter.name, parameter.init, parameter.init_scale, seed, values);
    }
    info_->pack(i, values.data(), parameters_.data());
  }
  state_.clear();
  has_weights_ = true;
  is_prepared_ = false;
}

void Network::load(const std::string& path) {
  WeightFile file = read_weights(path);
  if (file.metadata.contains(kCheckpointKey)) {
    std::erase_if(file.tensors,
                  [](const WeightTensor& tensor) { return tensor.name.starts_with(kStatePrefix); });
  }
  require_match(expected_weights(*info_), file, *info_, path);
  fill_weights(file);
}

void Network::set_weights(const WeightFile& file) {
  require_match(expected_weights(*info_), file, *info_, "in memory");
  fill_weights(file);
}

void Network::save(const std::string& path) const { write_weights(path, weights()); }

WeightFile Network::weights() const {
  require_weights();
  WeightFile file;
  file.metadata[kNetworkKey] = info_->name;
  for (int32_t i = 0; i < info_->parameter_count; ++i) {
    const halcyon_parameter_info& parameter = info_->parameters[i];
    info_->unpack(i, parameters_.data(), file.add(parameter.name, shape_of(parameter)).data());
  }
  return file;
}

WeightFile Network::state() const {
  WeightFile file;
  file.metadata[kNetworkKey] = info_->name;
  for (uint64_t slot = 0; slot < slot_count(*info_); ++slot) {
    const std::byte* const block = state_.data() + slot * info_->packed_bytes;
    for (int32_t i = 0; i < info_->parameter_count; ++i) {
      const halcyon_parameter_info& parameter = info_->parameters[i];
      if (parameter.trainable == 0) continue;
      info_->unpack(i, block, file.add(state_name(slot, parameter), shape_of(parameter)).data());
    }
  }
  return file;
}

void Network::set_state(const WeightFile& file) {
  require_match(expected_state(*info_), file, *info_, "in memory");
  fill_state(file);
}

void Network::restore(const WeightFile& weights, const WeightFile& state,
                      const std::string& source) {
  require_match(expected_weights(*info_), weights, *info_, source);
  require_match(expected_state(*info_), state, *info_, source);
  fill_weights(weights);
  fill_state(state);
}

void Network::fill_weights(const WeightFile& file) {
  parameters_.clear();
  for (int32_t i = 0; i < info_->parameter_count; ++i) {
    info_->pack(i, file.find(info_->parameters[i].name)->floats().data(), parameters_.data());
  }
  has_weights_ = true;
  is_prepared_ = false;
}

void Network::fill_state(const WeightFile& file) {
  state_.clear();
  for (uint64_t slot = 0; slot < slot_count(*info_); ++slot) {
    std::byte* const block = state_.data() + slot * info_->packed_bytes;
    for (int32_t i = 0; i < info_->parameter_count; ++i) {
      const halcyon_parameter_info& parameter = info_->parameters[i];
      if (parameter.trainable == 0) continue;
      info_->pack(i, file.find(state_name(slot, parameter))->floats().data(), block);
    }
  }
}

void Network::reserve(int64_t max_batch) {
  reserve_inference(max_batch);
  if (info_->train_step == nullptr || max_batch <= train_batch_) return;
  grow_workspace(info_->train_workspace_bytes(max_batch, pool_->workers()));
  train_batch_ = max_batch;
}

void Network::reserve_inference(int64_t max_batch) {
  if (max_batch < 1 || max_batch > kMaxBatch) {
    throw UserError(std::string("network '") + info_->name + "': cannot reserve for batch " +
                    std::to_string(max_batch) + ", possible are 1 to " + std::to_string(kMaxBatch));
  }
  if (max_batch <= infer_batch_) return;
  grow_workspace(info_->workspace_bytes(max_batch, pool_->workers()));
  infer_batch_ = max_batch;
}

void Network::grow_workspace(uint64_t size_bytes) {
  if (size_bytes <= workspace_.size_bytes()) return;
  const int64_t infer_batch = std::exchange(infer_batch_, 0);
  const int64_t train_batch = std::exchange(train_batch_, 0);
  workspace_ = AlignedBuffer();  // nothing in it is kept, so the two need not be there at once
  workspace_ =
      AlignedBuffer(size_bytes, std::string("the workspace of network '") + info_->name + "'");
  infer_batch_ = infer_batch;
  train_batch_ = train_batch;
}

void Network::infer(int64_t batch, std::span<const void* const> inputs,
                    std::span<void* const> outputs) {
  check_call("infer", batch, infer_batch_);
  require_count(*info_, "inputs", inputs.size(), info_->input_count);
  require_count(*info_, "outputs", outputs.size(), info_->output_count);
  const halcyon_context lent = context();
  if (!is_prepared_) prepare(lent);
  const halcyon_status status =
      info_->infer(&lent, batch, parameters_.data(), inputs.data(), outputs.data());
  if (status != HALCYON_OK) fail_status(*info_, "infer", status, batch, infer_batch_, lent);
}

void Network::infer(std::span<const Tensor> inputs, std::span<Tensor> outputs) {
  const int64_t batch = check_tensors(*info_, inputs_of(*info_), inputs);
  check_tensors(*info_, outputs_of(*info_), outputs, batch);
  std::ranges::transform(inputs, input_pointers_.begin(), data_of);
  std::ranges::transform(outputs, output_pointers_.begin(),
                         [](Tensor& tensor) { return tensor.bytes().data(); });
  infer(batch, input_pointers_, output_pointers_);
}

std::vector<Tensor> Network::infer(std::span<const Tensor> inputs) {
  require_weights();
  const int64_t batch = check_tensors(*info_, inputs_of(*info_), inputs);
  reserve_inference(batch);
  std::vector<Tensor> outputs = make_tensors(outputs_of(*info_), batch);
  infer(inputs, outputs);
  return outputs;
}

Tensor Network::infer(const Tensor& input) {
  require_count(*info_, "outputs", 1, info_->output_count);
  return std::move(infer(std::span(&input, 1)).front());
}

void Network::prepare(const halcyon_context& lent) {
  if (info_->packed_bytes < info_->parameter_bytes) {
    const halcyon_status status = info_->prepare(&lent, parameters_.data());
    if (status != HALCYON_OK) fail_status(*info_, "prepare", status, 1, infer_batch_, lent);
  }
  is_prepared_ = true;
}

void Network::train_step(int64_t batch, std::span<const void* const> inputs,
                         std::span<const void* const> targets, const halcyon_hyper& hyper,
                         std::span<float> losses, std::span<void* const> outputs) {
  if (info_->train_step == nullptr) {
    throw UserError(std::string("network '") + info_->name + "' is compiled for inference only",
                    "compile it with --train");
  }
  check_call("train_step", batch, train_batch_);
  is_prepared_ = false;
  require_count(*info_, "inputs", inputs.size(), info_->input_count);
  require_count(*info_, "targets", targets.size(), info_->target_count);
  require_count(*info_, "losses", losses.size(), info_->loss_count);
  if (!outputs.empty()) require_count(*info_, "outputs", outputs.size(), info_->output_count);
  const halcyon_context lent = context();
  const halcyon_status status = info_->train_step(
      &lent, batch, parameters_.data(), state_.data(), inputs.data(), targets.data(), &hyper,
      losses.data(), outputs.empty() ? nullptr : outputs.data());
  if (status == HALCYON_LABEL_OUT_OF_RANGE) {
    const std::string text = bad_label(*info_, batch, targets);
    if (!text.empty()) throw UserError(std::string("network '") + info_->name + "': " + text);
  }
  if (status != HALCYON_OK) fail_status(*info_, "train_step", status, batch, train_batch_, lent);
}

void Network::train_step(std::span<const Tensor> inputs, std::span<const Tensor> targets,
                         const halcyon_hyper& hyper, std::span<float> losses) {
  const int64_t batch = check_tensors(*info_, inputs_of(*info_), inputs);
  check_tensors(*info_, targets_of(*info_), targets, batch);
  std::ranges::transform(inputs, input_pointers_.begin(), data_of);
  std::ranges::transform(targets, target_pointers_.begin(), data_of);
  train_step(batch, input_pointers_, target_pointers_, hyper, losses);
}

void Network::require_weights() const {
  if (has_weights_) return;
  throw UserError(std::string("network '") + info_->name + "' has no weights yet",
                  "load a weight file, or initialize it");
}

void Network::check_call(const char* call, int64_t batch, int64_t reserved_batch) const {
  require_weights();
  if (batch >= 1 && batch <= reserved_batch) return;
  throw UserError(std::string("network '") + info_->name + "': " + call + " of batch " +
                      std::to_string(batch) + ", planned are batches of 1 to " +
                      std::to_string(reserved_batch),
                  batch > reserved_batch ? "reserve(" + std::to_string(batch) + ") first" : "");
}

halcyon_context Network::context() {
  const bool alone = pool_->workers() == 1;
  return {.workspace = workspace_.data(),
          .workspace_bytes = workspace_.size_bytes(),
          .parallel_for = alone ? nullptr : &ThreadPool::parallel_for,
          .pool = pool_.get(),
          .workers = pool_->workers()};
}

void check_finite(std::span<const float> values, std::string_view what) {
  // First all at once, which vectorises; infinities and NaNs are the values whose exponent is all
  // ones.
  constexpr uint32_t kExponent = 0x7f800000;
  uint32_t found = 0;
  for (const float value : values) {
    found |= (std::bit_cast<uint32_t>(value) & kExponent) == kExponent ? 1u : 0u;
  }
  if (found == 0) return;
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (std::isfinite(values[i])) continue;
    throw UserError(std::string(what) + ": value " + std::to_string(i) + " of " +
                    std::to_string(values.size()) + " is " +
                    (std::isnan(values[i]) ? "not a number" : "infinite"));
  }
}

}  // namespace halcyon::runtime
