/// Compiled networks touch nothing but the memory they were given, and read nothing in it that they
/// have not written: for ragged shapes, small batches and several workers.

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <deque>

#include "compiler/driver/load.h"
#include "dsl/layers.h"
#include "runtime/thread_pool.h"
#include "tests/support/guarded_buffer.h"
#include "tests/support/object_cache.h"

namespace halcyon::compiler {
namespace {

using dsl::conv;
using dsl::dense;
using dsl::Network;
using dsl::Tensor;
using tests::GuardedBuffer;

/// Channels that fill no vector everywhere, halos, and every kind of value at the host's edge.
Network ragged_network(dsl::Order order) {
  Network net("bounds");
  Tensor x = net.input("x", {.height = 7, .width = 9, .channels = 3, .order = order});
  Tensor a = x | conv(5, 3, {.pad = 1}) | dsl::relu | dsl::max_pool(2);
  Tensor b =
      x | dsl::max_pool(3, {.stride = 2, .pad = {1, 0}}) | conv(19, {2, 1}, {.stride = {1, 1}});
  Tensor rows = x | conv(18, {3, 2}, {.stride = {1, 2}, .pad = {0, 1}}) | dsl::relu |
                dsl::max_pool(3, {.stride = 2, .pad = {1, 0}, .ceil = true}) | dsl::sigmoid;
  Tensor pooled = x | dsl::max_pool(3, {.stride = 1, .pad = 1}) | conv(4, {3, 2}, {.stride = 2});
  Tensor reduced =
      x | conv(18, 1) | dsl::relu | conv(20, {3, 2}, {.stride = {2, 3}, .pad = {0, 1}});
  Tensor c = dsl::concat({a, b | conv(2, {1, 1}, {.pad = 0}), rows | dsl::upsample({1, 2}), pooled,
                          reduced, x | dsl::average_pool({3, 2}, {.stride = 2})});
  Tensor scores =
      dsl::concat({c | dsl::flatten, x | dsl::flatten}) | dense(33) | dsl::relu | dense(7);
  net.output("map", c);
  net.output("scores", scores | dsl::softmax);
  net.output("raw", scores);
  net.loss("class", dsl::softmax_cross_entropy(scores, net.labels("label")));
  net.loss("map", dsl::mean_square(a, net.target("wanted", {5, 3, 4})));
  return net;
}

/// Everything that a host hands over, each piece between forbidden pages.
class GuardedHost {
 public:
  GuardedHost(const halcyon_network& network, int64_t batch, int workers,
              GuardedBuffer::Against side)
      : network_(network), batch_(batch), side_(side), pool_(workers) {
    context_.parallel_for = runtime::ThreadPool::parallel_for;
    context_.pool = &pool_;
    context_.workers = workers;
    parameters_ = buffer(network.parameter_bytes);
    state_ = buffer(network.state_bytes);
    inputs_ = buffers(network.inputs, network.input_count);
    targets_ = buffers(network.targets, network.target_count);
    outputs_ = buffers(network.outputs, network.output_count);
    losses_ = buffer(static_cast<uint64_t>(network.loss_count) * sizeof(float));
  }

  halcyon_status infer() {
    set_workspace(network_.workspace_bytes(batch_, context_.workers));
    return network_.infer(&context_, batch_, parameters_, inputs_.data(), outputs_.data());
  }

  halcyon_status train_step() {
    const halcyon_hyper hyper = {.learning_rate = 0.1F, .momentum = 0.9F, .step = 1};
    set_workspace(network_.train_workspace_bytes(batch_, context_.workers));
    return network_.train_step(&context_, batch_, parameters_, state_, inputs_.data(),
                               targets_.data(), &hyper, static_cast<float*>(losses_),
                               outputs_.data());
  }

  /// Of all outputs and parameters.
  bool is_finite() const {
    bool finite = true;
    for (int32_t i = 0; i < network_.parameter_count; ++i) {
      std::vector<float> values(static_cast<std::size_t>(network_.parameters[i].elements));
      network_.unpack(i, parameters_, values.data());
      finite = finite && all_finite(values.data(), values.size());
    }
    for (int32_t i = 0; i < network_.output_count; ++i) {
      const auto at = static_cast<std::size_t>(i);
      finite = finite && all_finite(outputs_[at],
                                    static_cast<uint64_t>(batch_ * network_.outputs[i].elements));
    }
    return finite;
  }

 private:
  static bool all_finite(const void* values, uint64_t count) {
    const auto* first = static_cast<const float*>(values);
    return std::all_of(first, first + count, [](float v) { return std::isfinite(v); });
  }

  void* buffer(uint64_t bytes) { return memory_.emplace_back(bytes, side_).data(); }

  std::vector<void*> buffers(const halcyon_tensor_info* infos, int32_t count) {
    std::vector<void*> list;
    for (int32_t i = 0; i < count; ++i) {
      list.push_back(buffer(static_cast<uint64_t>(batch_ * infos[i].elements) * sizeof(float)));
    }
    return list;
  }

  void set_workspace(uint64_t bytes) {
    context_.workspace = buffer(bytes);
    context_.workspace_bytes = bytes;
    std::memset(context_.workspace, 0xFF, bytes);  // every number in it is NaN
  }

  const halcyon_network& network_;
  int64_t batch_;
  GuardedBuffer::Against side_;
  runtime::ThreadPool pool_;
  std::deque<GuardedBuffer> memory_;
  halcyon_context context_ = {};
  void *parameters_ = nullptr, *state_ = nullptr, *losses_ = nullptr;
  std::vector<void*> inputs_, targets_, outputs_;
};

TEST(MemoryBounds, HoldForInferenceAndTraining) {
  CompileOptions options = tests::cached_options();
  options.train = true;
  for (const dsl::Order order : {dsl::Order::hwc, dsl::Order::chw}) {
    const std::optional<Artifact> artifact = compile(ragged_network(order).graph(), options);
    const LoadedNetwork loaded(*artifact);
    for (const GuardedBuffer::Against side :
         {GuardedBuffer::Against::begin, GuardedBuffer::Against::end}) {
      for (const int64_t batch : {1, 2, 13}) {
        GuardedHost host(loaded.info(), batch, 2, side);
        EXPECT_EQ(host.infer(), HALCYON_OK);
        EXPECT_TRUE(host.is_finite()) << "batch " << batch;
        EXPECT_EQ(host.train_step(), HALCYON_OK);
        EXPECT_TRUE(host.is_finite()) << "batch " << batch;
      }
    }
  }
}

}  // namespace
}  // namespace halcyon::compiler
