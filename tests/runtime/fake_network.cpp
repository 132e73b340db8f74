#include "tests/runtime/fake_network.h"

#include <cstdint>

namespace halcyon::tests {
namespace {

constexpr int kRow = 4;  // packed width of a row of the weight
constexpr int kBiasAt = HALCYON_ALIGNMENT / sizeof(float);
constexpr uint64_t kBlockBytes = 2 * HALCYON_ALIGNMENT;

constexpr halcyon_tensor_info kImage{.name = "image",
                                     .dtype = HALCYON_F32,
                                     .rank = 1,
                                     .shape = {kInputs},
                                     .axes = "C",
                                     .elements = kInputs,
                                     .classes = 0};
constexpr halcyon_tensor_info kScores{.name = "scores",
                                      .dtype = HALCYON_F32,
                                      .rank = 1,
                                      .shape = {kClasses},
                                      .axes = "C",
                                      .elements = kClasses,
                                      .classes = 0};
constexpr halcyon_tensor_info kLabel{.name = "label",
                                     .dtype = HALCYON_I32,
                                     .rank = 0,
                                     .shape = {},
                                     .axes = "",
                                     .elements = 1,
                                     .classes = kClasses};
constexpr const char* kLosses[] = {"distance"};
constexpr halcyon_parameter_info kParameters[] = {{.name = "dense.weight",
                                                   .rank = 2,
                                                   .shape = {kClasses, kInputs},
                                                   .elements = kClasses * kInputs,
                                                   .offset_bytes = 0,
                                                   .packed_bytes = kClasses * kRow * sizeof(float),
                                                   .init = HALCYON_INIT_NORMAL,
                                                   .init_scale = 0.25f,
                                                   .init_values = nullptr,
                                                   .trainable = 1},
                                                  {.name = "dense.bias",
                                                   .rank = 1,
                                                   .shape = {kClasses},
                                                   .elements = kClasses,
                                                   .offset_bytes = HALCYON_ALIGNMENT,
                                                   .packed_bytes = kClasses * sizeof(float),
                                                   .init = HALCYON_INIT_CONSTANT,
                                                   .init_scale = 0.5f,
                                                   .init_values = nullptr,
                                                   .trainable = 1}};

/// Where canonical value i of a parameter lies in the block.
int place(int32_t parameter, int i) {
  return parameter == 0 ? i / kInputs * kRow + i % kInputs : kBiasAt + i;
}

void pack(int32_t parameter, const float* canonical, void* parameters) {
  for (int i = 0; i < kParameters[parameter].elements; ++i) {
    static_cast<float*>(parameters)[place(parameter, i)] = canonical[i];
  }
}

void unpack(int32_t parameter, const void* parameters, float* canonical) {
  for (int i = 0; i < kParameters[parameter].elements; ++i) {
    canonical[i] = static_cast<const float*>(parameters)[place(parameter, i)];
  }
}

uint64_t workspace_bytes(int64_t batch, int32_t workers) {
  return static_cast<uint64_t>(batch * kClasses) * sizeof(float) + static_cast<uint64_t>(workers);
}

struct Forward {
  const float* parameters;
  const float* image;
  float* scores;
};

void forward_one(void* closure, int64_t n, int32_t) {
  const Forward& f = *static_cast<const Forward*>(closure);
  for (int k = 0; k < kClasses; ++k) {
    float sum = f.parameters[place(1, k)];
    for (int c = 0; c < kInputs; ++c) {
      sum += f.image[n * kInputs + c] * f.parameters[place(0, k * kInputs + c)];
    }
    f.scores[n * kClasses + k] = sum;
  }
}

halcyon_status forward(const halcyon_context* context, int64_t batch, const void* parameters,
                       const void* image, float* scores) {
  if (context->workspace_bytes < workspace_bytes(batch, context->workers))
    return HALCYON_WORKSPACE_TOO_SMALL;
  if (reinterpret_cast<uintptr_t>(parameters) % HALCYON_ALIGNMENT != 0) return HALCYON_MISALIGNED;
  Forward closure{static_cast<const float*>(parameters), static_cast<const float*>(image), scores};
  if (context->parallel_for != nullptr) {
    context->parallel_for(context->pool, batch, forward_one, &closure);
  } else {
    for (int64_t n = 0; n < batch; ++n) forward_one(&closure, n, 0);
  }
  return HALCYON_OK;
}

halcyon_status infer(const halcyon_context* context, int64_t batch, const void* parameters,
                     const void* const* inputs, void* const* outputs) {
  if (inputs[0] == nullptr || outputs[0] == nullptr) return HALCYON_NULL_ARGUMENT;
  return forward(context, batch, parameters, inputs[0], static_cast<float*>(outputs[0]));
}

halcyon_status train_step(const halcyon_context* context, int64_t batch, void* parameters,
                          void* state, const void* const* inputs, const void* const* targets,
                          const halcyon_hyper* hyper, float* losses, void* const* outputs) {
  const float* const image = static_cast<const float*>(inputs[0]);
  const int32_t* const label = static_cast<const int32_t*>(targets[0]);
  for (int64_t n = 0; n < batch; ++n) {
    if (label[n] < 0 || label[n] >= kClasses) return HALCYON_LABEL_OUT_OF_RANGE;
  }
  float* const scores = static_cast<float*>(context->workspace);
  const halcyon_status status = forward(context, batch, parameters, image, scores);
  if (status != HALCYON_OK) return status;

  float gradient[kBlockBytes / sizeof(float)] = {};
  losses[0] = 0;
  for (int64_t n = 0; n < batch; ++n) {
    for (int k = 0; k < kClasses; ++k) {
      const float distance = scores[n * kClasses + k] - (label[n] == k ? 1.0f : 0.0f);
      losses[0] += distance * distance / static_cast<float>(batch);
      const float slope = 2 * distance / static_cast<float>(batch);
      gradient[place(1, k)] += slope;
      for (int c = 0; c < kInputs; ++c) {
        gradient[place(0, k * kInputs + c)] += slope * image[n * kInputs + c];
      }
      if (outputs != nullptr && outputs[0] != nullptr) {
        static_cast<float*>(outputs[0])[n * kClasses + k] = scores[n * kClasses + k];
      }
    }
  }
  float* const p = static_cast<float*>(parameters);
  float* const v = static_cast<float*>(state);
  for (uint64_t i = 0; i < kBlockBytes / sizeof(float); ++i) {
    v[i] = hyper->momentum * v[i] + gradient[i] + hyper->weight_decay * p[i];
    p[i] -= hyper->learning_rate * v[i];
  }
  return HALCYON_OK;
}

}  // namespace

halcyon_network fake_network() {
  return {.abi_version = HALCYON_ABI_VERSION,
          .name = "fake",
          .target = "any",
          .input_count = 1,
          .output_count = 1,
          .target_count = 1,
          .loss_count = 1,
          .parameter_count = 2,
          .inputs = &kImage,
          .outputs = &kScores,
          .targets = &kLabel,
          .losses = kLosses,
          .parameters = kParameters,
          .parameter_bytes = kBlockBytes,
          .packed_bytes = kBlockBytes,
          .state_bytes = kBlockBytes,
          .optimizer = HALCYON_MOMENTUM,
          .workspace_bytes = workspace_bytes,
          .infer = infer,
          .pack = pack,
          .unpack = unpack,
          .train_workspace_bytes = workspace_bytes,
          .train_step = train_step};
}

halcyon_network fake_inference_network() {
  halcyon_network network = fake_network();
  network.target_count = network.loss_count = 0;
  network.targets = nullptr;
  network.losses = nullptr;
  network.state_bytes = 0;
  network.optimizer = HALCYON_NO_OPTIMIZER;
  network.train_workspace_bytes = nullptr;
  network.train_step = nullptr;
  return network;
}

}  // namespace halcyon::tests
