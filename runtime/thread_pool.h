#pragma once
/// The default threads of a compiled network: `parallel_for` is the hook that halcyon_context asks
/// for.
///
///     ThreadPool pool(2);
///     context.parallel_for = &ThreadPool::parallel_for;
///     context.pool = &pool;
///     context.workers = pool.workers();

#include <cstdint>
#include <memory>

#include "runtime/base/abi.h"

namespace halcyon::runtime {

/// A fixed set of threads; the caller of `parallel_for` is one of them. Between regions the others
/// wait actively for some 50 microseconds, then they sleep: an idle pool uses no processor time.
class ThreadPool {
 public:
  static constexpr int kMaxThreads = 1024;  ///< what the C interface allows

  /// `threads` counts the caller: 1 runs everything in the caller, 0 is one for each processor.
  /// Errors: UserError outside [0, kMaxThreads]; SystemError if a thread cannot be started.
  explicit ThreadPool(int threads = 0);

  /// No region may be running.
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  int workers() const;

  /// Calls task(closure, i, worker) once for each i in [0, count) and returns when all have
  /// returned; a count of 0 or below does nothing. `pool` is a ThreadPool. A task must not throw.
  /// Threads: any; while one region runs, another on the same pool (from a second thread or from
  /// inside a task) runs wholly in its caller, as worker 0. Allocates nothing.
  static void parallel_for(void* pool, int64_t count, halcyon_task task, void* closure) noexcept;

 private:
  struct Crew;  // what the threads share
  std::unique_ptr<Crew> crew_;
};

}  // namespace halcyon::runtime
