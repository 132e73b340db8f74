#pragma once
/// Calls single kernels of a loaded network, as its entry functions would.

#include <map>
#include <string>

#include "compiler/driver/compile.h"
#include "compiler/driver/load.h"
#include "compiler/emit/frame.h"
#include "runtime/memory.h"
#include "runtime/thread_pool.h"

namespace halcyon::compiler {

/// A kernel with scratch memory of its own.
class BoundKernel {
 public:
  using Function = void (*)(Frame*, void**, int64_t);

  BoundKernel(Function function, const Scratch& scratch, runtime::ThreadPool& pool);

  /// `arguments`: in the kernel's order, inputs first, each where the value itself begins.
  void operator()(void** arguments, int64_t batch) { function_(&frame_, arguments, batch); }

 private:
  Function function_;
  runtime::AlignedBuffer scratch_;
  Frame frame_;
};

class KernelRunner {
 public:
  /// `loaded` must outlive it.
  KernelRunner(const Artifact& artifact, const LoadedNetwork& loaded, int threads);

  /// Not to be used longer than the runner.
  BoundKernel bind(const KernelSpec& spec);

 private:
  const LoadedNetwork& loaded_;
  runtime::ThreadPool pool_;
  std::map<std::string, Scratch> scratch_;
};

}  // namespace halcyon::compiler
