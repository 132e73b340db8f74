#include "compiler/driver/profile.h"

#include <algorithm>
#include <chrono>
#include <cstring>

#include "compiler/driver/kernel_runner.h"
#include "compiler/lower/hyper.h"
#include "compiler/schedules/words.h"
#include "runtime/memory.h"
#include "runtime/random.h"

namespace halcyon::compiler {

namespace {

/// What a kernel reads or writes of an argument, without the rest of a shared buffer.
int64_t argument_bytes(const Program& program, const KernelArgument& argument, int64_t batch) {
  switch (argument.kind) {
    case KernelArgument::Kind::value: break;
    case KernelArgument::Kind::hyper: return kHyperCount * size_bytes(DType::f32);
    default: return program.memory.trainable_bytes;
  }
  const auto weight = program.weights.find(argument.value);
  if (weight != program.weights.end()) return weight->second.bytes();
  const auto layout = program.layouts.find(argument.value);
  return layout == program.layouts.end() ? 4 : batch * layout->second.sample_bytes();
}

runtime::AlignedBuffer random_buffer(int64_t bytes, DType dtype, runtime::Random& random) {
  runtime::AlignedBuffer buffer(static_cast<uint64_t>(bytes + HALCYON_ALIGNMENT),
                                "a kernel's argument");
  if (dtype != DType::f32) return buffer;  // zeros are valid labels and positions
  for (int64_t i = 0; i < bytes / 4; ++i) {
    const auto value = static_cast<float>(random.uniform(-0.5, 0.5));
    std::memcpy(buffer.data() + 4 * i, &value, 4);
  }
  return buffer;
}

}  // namespace

int64_t moved_bytes(const Program& program, const Target& target, int64_t batch) {
  int64_t bytes = 0;
  for (const Region& region : program.call_regions()) {
    const KernelSpec spec = make_kernel_spec(program, region, target);
    for (const auto* side : {&spec.inputs, &spec.outputs}) {
      for (const KernelArgument& argument : *side) {
        bytes += argument_bytes(program, argument, batch);
      }
    }
  }
  return bytes;
}

std::vector<KernelTime> profile_kernels(const Program& program, const Artifact& artifact,
                                        const LoadedNetwork& loaded, int64_t batch, int threads,
                                        int runs) {
  KernelRunner runner(artifact, loaded, threads);
  runtime::Random random(1);
  const Target target = parse_target(artifact.interface.target);
  std::vector<KernelTime> times;
  for (const Region& region : program.call_regions()) {
    const KernelSpec spec = make_kernel_spec(program, region, target);
    KernelTime time{.label = spec.label(),
                    .algorithm = algorithm_of(spec),
                    .words = schedule_in_words(spec),
                    .schedule = to_string(spec.choice),
                    .macs = spec.macs() * batch,
                    .computed_macs = computed_macs(spec) * batch};
    std::vector<runtime::AlignedBuffer> buffers;
    std::vector<void*> pointers;
    for (const auto* side : {&spec.inputs, &spec.outputs}) {
      for (const KernelArgument& argument : *side) {
        const auto layout = program.layouts.find(argument.value);
        const bool is_value =
            argument.kind == KernelArgument::Kind::value && layout != program.layouts.end();
        const int64_t bytes = argument_bytes(program, argument, batch);
        const int64_t buffer_bytes = is_value ? batch * layout->second.buffer_bytes() : bytes;
        buffers.push_back(
            random_buffer(buffer_bytes, is_value ? layout->second.dtype : DType::f32, random));
        pointers.push_back(buffers.back().data());
        time.bytes += bytes;
      }
    }
    BoundKernel kernel = runner.bind(spec);
    std::vector<double> samples;
    for (int run = -2; run < runs; ++run) {
      const auto begin = std::chrono::steady_clock::now();
      kernel(pointers.data(), batch);
      const std::chrono::duration<double, std::micro> passed =
          std::chrono::steady_clock::now() - begin;
      if (run >= 0) samples.push_back(passed.count());
    }
    std::nth_element(samples.begin(), samples.begin() + runs / 2, samples.end());
    time.median_us = samples[static_cast<std::size_t>(runs / 2)];
    times.push_back(time);
  }
  return times;
}

}  // namespace halcyon::compiler
