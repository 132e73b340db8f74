#include "compiler/driver/kernel_runner.h"

namespace halcyon::compiler {

BoundKernel::BoundKernel(Function function, const Scratch& scratch, runtime::ThreadPool& pool)
    : function_(function),
      scratch_(static_cast<uint64_t>(scratch.own_bytes + scratch.worker_bytes * pool.workers() +
                                     HALCYON_ALIGNMENT),
               "scratch"),
      frame_{&runtime::ThreadPool::parallel_for, &pool, scratch_.data() + scratch.own_bytes,
             scratch.worker_bytes, scratch_.data()} {}

KernelRunner::KernelRunner(const Artifact& artifact, const LoadedNetwork& loaded, int threads)
    : loaded_(loaded), pool_(threads) {
  for (const KernelObject& kernel : artifact.kernels) scratch_[kernel.symbol] = kernel.scratch;
}

BoundKernel KernelRunner::bind(const KernelSpec& spec) {
  const std::string symbol = kernel_symbol(spec);
  const auto function = reinterpret_cast<BoundKernel::Function>(loaded_.kernel(symbol));
  return {function, scratch_.at(symbol), pool_};
}

}  // namespace halcyon::compiler
