#include "compiler/driver/profile.h"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <map>

#include "compiler/emit/frame.h"
#include "compiler/lower/hyper.h"
#include "runtime/memory.h"
#include "runtime/random.h"
#include "runtime/thread_pool.h"

namespace halcyon::compiler {

namespace {

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

std::vector<KernelTime> profile_kernels(const Program& program, const Artifact& artifact,
                                        const LoadedNetwork& loaded, int64_t batch, int threads,
                                        int runs) {
  runtime::ThreadPool pool(threads);
  runtime::Random random(1);
  const Target target = parse_target(artifact.interface.target);
  std::map<std::string, int64_t> scratch;
  for (const KernelObject& kernel : artifact.kernels) scratch[kernel.symbol] = kernel.scratch_bytes;
  std::vector<KernelTime> times;
  for (const Region& region : program.regions) {
    const KernelSpec spec = make_kernel_spec(program, region, target);
    KernelTime time{
        .label = spec.label(), .schedule = to_string(spec.choice), .macs = spec.macs() * batch};
    std::vector<runtime::AlignedBuffer> buffers;
    std::vector<void*> pointers;
    for (const auto* side : {&spec.inputs, &spec.outputs}) {
      for (const KernelArgument& argument : *side) {
        const auto layout = program.layouts.find(argument.value);
        const bool is_value =
            argument.kind == KernelArgument::Kind::value && layout != program.layouts.end();
        const int64_t bytes = argument_bytes(program, argument, batch);
        buffers.push_back(
            random_buffer(bytes, is_value ? layout->second.dtype : DType::f32, random));
        pointers.push_back(buffers.back().data());
        time.bytes += bytes;
      }
    }
    const std::string symbol = kernel_symbol(spec);
    const int64_t stride = scratch.at(symbol);
    runtime::AlignedBuffer memory(
        static_cast<uint64_t>(stride * (pool.workers() + 1) + HALCYON_ALIGNMENT), "scratch");
    Frame frame{&runtime::ThreadPool::parallel_for, &pool, memory.data() + stride, stride};
    const auto kernel = reinterpret_cast<void (*)(Frame*, void**, int64_t)>(loaded.kernel(symbol));
    std::vector<double> samples;
    for (int run = -2; run < runs; ++run) {
      const auto begin = std::chrono::steady_clock::now();
      kernel(&frame, pointers.data(), batch);
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
