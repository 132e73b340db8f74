#pragma once
/// A compiled classifier of small pictures written by hand: softmax(image * weight^T + bias),
/// trained with momentum on the cross-entropy. Pictures are 4x3 pixels of 2 channels in three
/// classes, in HWC or CHW order.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "runtime/base/abi.h"

namespace halcyon::tests {

/// What a fake classifier was called with, and when it shall fail; reset before use.
struct FakeClassifierCalls {
  std::vector<int64_t> batches;  ///< of train_step
  std::vector<halcyon_hyper> hypers;
  bool record = false;
  int64_t fail_after = -1;  ///< refuse every train_step after so many; below 0: never
  int64_t steps = 0;
};

inline FakeClassifierCalls& fake_calls() {
  static FakeClassifierCalls calls;
  return calls;
}

namespace fake_classifier_detail {

constexpr int64_t kElements = 4 * 3 * 2, kClasses = 3;
constexpr int64_t kBiasAt = 80;  // floats; the weight has 72, the next multiple of 64 bytes is here
constexpr int64_t kBlock = 96;

inline constexpr halcyon_tensor_info kHwc{"image", HALCYON_F32, 3, {4, 3, 2}, "HWC", kElements, 0};
inline constexpr halcyon_tensor_info kChw{"image", HALCYON_F32, 3, {2, 4, 3}, "CHW", kElements, 0};
inline constexpr halcyon_tensor_info kScores{"scores", HALCYON_F32, 1, {kClasses},
                                             "C",      kClasses,    0};
inline constexpr halcyon_tensor_info kLabel{"label", HALCYON_I32, 0, {}, "", 1, kClasses};
inline constexpr const char* kLosses[] = {"loss"};
inline constexpr halcyon_parameter_info kParameters[] = {{"dense.weight",
                                                          2,
                                                          {kClasses, kElements},
                                                          kClasses* kElements,
                                                          0,
                                                          kBiasAt * 4,
                                                          HALCYON_INIT_NORMAL,
                                                          0.1f,
                                                          nullptr,
                                                          1},
                                                         {"dense.bias",
                                                          1,
                                                          {kClasses},
                                                          kClasses,
                                                          kBiasAt * 4,
                                                          (kBlock - kBiasAt) * 4,
                                                          HALCYON_INIT_CONSTANT,
                                                          0,
                                                          nullptr,
                                                          1}};

inline uint64_t workspace_bytes(int64_t batch, int32_t) {
  return static_cast<uint64_t>(batch * kClasses) * sizeof(float);
}

inline void pack(int32_t parameter, const float* canonical, void* block) {
  const halcyon_parameter_info& info = kParameters[parameter];
  std::copy_n(canonical, info.elements, static_cast<float*>(block) + info.offset_bytes / 4);
}

inline void unpack(int32_t parameter, const void* block, float* canonical) {
  const halcyon_parameter_info& info = kParameters[parameter];
  std::copy_n(static_cast<const float*>(block) + info.offset_bytes / 4, info.elements, canonical);
}

inline void forward(int64_t batch, const float* p, const float* image, float* scores) {
  for (int64_t n = 0; n < batch; ++n, image += kElements, scores += kClasses) {
    float sum = 0;
    for (int64_t k = 0; k < kClasses; ++k) {
      scores[k] = p[kBiasAt + k];
      for (int64_t i = 0; i < kElements; ++i) scores[k] += p[k * kElements + i] * image[i];
    }
    const float most = *std::max_element(scores, scores + kClasses);
    for (int64_t k = 0; k < kClasses; ++k) sum += scores[k] = std::exp(scores[k] - most);
    for (int64_t k = 0; k < kClasses; ++k) scores[k] /= sum;
  }
}

inline halcyon_status infer(const halcyon_context*, int64_t batch, const void* parameters,
                            const void* const* inputs, void* const* outputs) {
  forward(batch, static_cast<const float*>(parameters), static_cast<const float*>(inputs[0]),
          static_cast<float*>(outputs[0]));
  return HALCYON_OK;
}

inline halcyon_status train_step(const halcyon_context* context, int64_t batch, void* parameters,
                                 void* state, const void* const* inputs, const void* const* targets,
                                 const halcyon_hyper* hyper, float* losses, void* const*) {
  FakeClassifierCalls& calls = fake_calls();
  if (calls.fail_after >= 0 && calls.steps >= calls.fail_after) return HALCYON_BAD_WORKERS;
  ++calls.steps;
  if (calls.record) {
    calls.batches.push_back(batch);
    calls.hypers.push_back(*hyper);
  }
  float* p = static_cast<float*>(parameters);
  float* v = static_cast<float*>(state);
  const float* image = static_cast<const float*>(inputs[0]);
  const int32_t* label = static_cast<const int32_t*>(targets[0]);
  float* scores = static_cast<float*>(context->workspace);
  forward(batch, p, image, scores);
  float gradient[kBlock] = {};
  losses[0] = 0;
  for (int64_t n = 0; n < batch; ++n)
    for (int64_t k = 0; k < kClasses; ++k) {
      const float slope =
          (scores[n * kClasses + k] - (label[n] == k ? 1.0f : 0.0f)) / static_cast<float>(batch);
      if (label[n] == k)
        losses[0] -= std::log(scores[n * kClasses + k]) / static_cast<float>(batch);
      gradient[kBiasAt + k] += slope;
      for (int64_t i = 0; i < kElements; ++i)
        gradient[k * kElements + i] += slope * image[n * kElements + i];
    }
  for (int64_t i = 0; i < kBlock; ++i) {
    v[i] = hyper->momentum * v[i] + gradient[i];
    p[i] -= hyper->learning_rate * v[i];
  }
  return HALCYON_OK;
}

}  // namespace fake_classifier_detail

/// Input "image", output "scores", target "label"; a copy may be changed.
inline halcyon_network fake_classifier(bool channels_first = false) {
  namespace f = fake_classifier_detail;
  halcyon_network network{};
  network.abi_version = HALCYON_ABI_VERSION;
  network.name = "fake";
  network.target = "any";
  network.input_count = network.output_count = network.target_count = network.loss_count = 1;
  network.parameter_count = 2;
  network.inputs = channels_first ? &f::kChw : &f::kHwc;
  network.outputs = &f::kScores;
  network.targets = &f::kLabel;
  network.losses = f::kLosses;
  network.parameters = f::kParameters;
  network.parameter_bytes = network.packed_bytes = network.state_bytes = f::kBlock * sizeof(float);
  network.optimizer = HALCYON_MOMENTUM;
  network.workspace_bytes = network.train_workspace_bytes = f::workspace_bytes;
  network.infer = f::infer;
  network.pack = f::pack;
  network.unpack = f::unpack;
  network.train_step = f::train_step;
  return network;
}

}  // namespace halcyon::tests
