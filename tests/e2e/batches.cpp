#include "tests/e2e/batches.h"

#include <cstring>

#include "runtime/random.h"
#include "runtime/trainer.h"

namespace halcyon::tests {

Batch random_batch(const halcyon_network& info, int64_t size, uint64_t seed) {
  runtime::Random random(seed);
  Batch batch;
  batch.size = size;
  batch.images.resize(static_cast<std::size_t>(size * info.inputs[0].elements));
  for (float& value : batch.images) value = static_cast<float>(random.uniform(-1, 1));
  if (info.target_count == 0) return batch;
  batch.labels.resize(static_cast<std::size_t>(size));
  const auto classes = static_cast<uint64_t>(info.targets[0].classes);
  for (int32_t& label : batch.labels) label = static_cast<int32_t>(random.below(classes));
  return batch;
}

std::vector<float> infer(runtime::Network& network, const Batch& batch) {
  std::vector<float> scores(
      static_cast<std::size_t>(batch.size * network.info().outputs[0].elements));
  const void* const inputs[] = {batch.images.data()};
  void* const outputs[] = {scores.data()};
  network.infer(batch.size, inputs, outputs);
  return scores;
}

float train(runtime::Network& network, const Batch& batch, int64_t step) {
  const void* const inputs[] = {batch.images.data()};
  const void* const targets[] = {batch.labels.data()};
  halcyon_hyper hyper = runtime::default_hyper(network.info().optimizer);
  hyper.step = step;
  float loss = 0;
  network.train_step(batch.size, inputs, targets, hyper, {&loss, 1});
  return loss;
}

std::vector<std::byte> bits_of(const runtime::Network& network) {
  std::vector<std::byte> bits = runtime::format_weights(network.weights());
  const std::vector<std::byte> state = runtime::format_weights(network.state());
  bits.insert(bits.end(), state.begin(), state.end());
  return bits;
}

bool same_bits(const std::vector<float>& a, const std::vector<float>& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
}

}  // namespace halcyon::tests
