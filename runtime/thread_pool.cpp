/// How a region runs.
///
/// The caller splits [0, count) into one share for each worker, opens the gate and works; a helper
/// that sees the open gate joins, works and leaves. Who has emptied his own share takes from the
/// others', so shares only decide who starts where: the same worker meets the same part of a tensor
/// in every region, which keeps it in his cache. When nothing is left the caller closes the gate
/// and waits for those who joined, and for nobody else: a helper that sleeps, or has no processor
/// just now, delays nothing, the others do its share.
///
/// The gate is one word, so joining, leaving and closing exclude each other without a lock:
///   bits 0-11 helpers inside | open | caller sleeps | stop | number of the region
/// The number makes a helper join each region once only, and one that comes late fail instead of
/// joining the next.

#include "runtime/thread_pool.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <mutex>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

#include "runtime/base/error.h"

namespace halcyon::runtime {
namespace {

constexpr uint64_t kInside = (uint64_t{1} << 12) - 1;
constexpr uint64_t kOpen = uint64_t{1} << 12;
constexpr uint64_t kCallerSleeps = uint64_t{1} << 13;
constexpr uint64_t kStop = uint64_t{1} << 14;
constexpr uint64_t kRegion = uint64_t{1} << 15;
static_assert(ThreadPool::kMaxThreads <= static_cast<int>(kInside));

constexpr std::size_t kCacheLineBytes = 64;
constexpr std::chrono::nanoseconds kSpin{50'000};
// With more threads than processors, who spins keeps the processor from those who would end the
// wait.
constexpr std::chrono::nanoseconds kSpinCrowded{2'000};

void relax() {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__) || defined(__arm__)
  __asm__ __volatile__("yield");
#endif
}

/// Waits actively until `done()` or the limit; returns the last done().
template <typename Done>
bool spin_until(Done done, std::chrono::nanoseconds limit) {
  constexpr int kChecks = 32;  // between two looks at the clock
  const auto start = std::chrono::steady_clock::now();
  do {
    for (int i = 0; i < kChecks; ++i) {
      if (done()) return true;
      relax();
    }
  } while (std::chrono::steady_clock::now() - start < limit);
  return done();
}

int processors() { return std::max(1, static_cast<int>(std::thread::hardware_concurrency())); }

}  // namespace

struct ThreadPool::Crew {
  explicit Crew(int workers);
  ~Crew();

  void start_helpers();
  void run(int64_t count, halcyon_task task, void* closure);

  struct alignas(kCacheLineBytes) Share {
    std::atomic<int64_t> next{0};
    int64_t end = 0;
  };

  const int workers;

 private:
  void help(int worker);
  void work(int worker);
  void wait_for_news(uint64_t last_region);
  void wait_for_helpers();
  bool is_news(uint64_t gate, uint64_t last_region) const {
    return (gate & kStop) != 0 || ((gate & kOpen) != 0 && gate / kRegion != last_region);
  }

  const std::chrono::nanoseconds spin_;
  alignas(kCacheLineBytes) std::atomic<bool> busy_{false};
  uint64_t region_ = 0;  // this and the next four are the caller's, helpers read them while inside
  halcyon_task task_ = nullptr;
  void* closure_ = nullptr;
  int share_count_ = 0;
  std::vector<Share> shares_;

  alignas(kCacheLineBytes) std::atomic<uint64_t> gate_{0};
  alignas(kCacheLineBytes) std::atomic<int> sleepers_{0};
  std::mutex mutex_;                  // for sleeping only
  std::condition_variable wake_;      // a region was opened
  std::condition_variable finished_;  // the last helper left
  std::vector<std::thread> threads_;
};

ThreadPool::Crew::Crew(int workers)
    : workers(workers),
      spin_(workers > processors() ? kSpinCrowded : kSpin),
      shares_(static_cast<std::size_t>(workers)) {}

ThreadPool::Crew::~Crew() {
  gate_.store(kStop);
  {
    const std::lock_guard lock(
        mutex_);  // who is about to sleep either saw the stop or hears the bell
  }
  wake_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

void ThreadPool::Crew::start_helpers() {
  threads_.reserve(static_cast<std::size_t>(workers - 1));
  for (int worker = 1; worker < workers; ++worker) {
    try {
      threads_.emplace_back([this, worker] { help(worker); });
    } catch (const std::system_error& error) {
      throw SystemError("cannot start thread " + std::to_string(worker + 1) + " of " +
                            std::to_string(workers) + ": " + error.code().message(),
                        "use fewer threads");
    }
  }
}

void ThreadPool::Crew::run(int64_t count, halcyon_task task, void* closure) {
  const auto run_here = [&] {
    for (int64_t i = 0; i < count; ++i) task(closure, i, 0);
  };
  if (count <= 1 || workers == 1) return run_here();
  if (busy_.exchange(true, std::memory_order_acquire)) return run_here();

  task_ = task;
  closure_ = closure;
  share_count_ = static_cast<int>(std::min<int64_t>(count, workers));
  int64_t begin = 0;
  for (int i = 0; i < share_count_; ++i) {
    Share& share = shares_[static_cast<std::size_t>(i)];
    share.next.store(begin, std::memory_order_relaxed);
    begin += count / share_count_ + (i < count % share_count_ ? 1 : 0);
    share.end = begin;
  }

  // Sequentially consistent, as is the sleeper's pair of operations: either we see the sleeper, or
  // he sees the gate.
  gate_.store(++region_ * kRegion | kOpen);
  const int sleepers = sleepers_.load();
  if (sleepers > 0) {
    { const std::lock_guard lock(mutex_); }
    for (int i = std::min(sleepers, share_count_ - 1); i > 0; --i) wake_.notify_one();
  }
  work(0);
  const uint64_t gate = gate_.fetch_and(~kOpen, std::memory_order_acq_rel);
  if ((gate & kInside) != 0) wait_for_helpers();
  busy_.store(false, std::memory_order_release);
}

void ThreadPool::Crew::work(int worker) {
  const int count = share_count_;
  for (int i = 0; i < count; ++i) {
    Share& share = shares_[static_cast<std::size_t>((worker + i) % count)];
    // The first look is only a load: an empty share's cache line stays shared.
    while (share.next.load(std::memory_order_relaxed) < share.end) {
      const int64_t index = share.next.fetch_add(1, std::memory_order_relaxed);
      if (index >= share.end) break;
      task_(closure_, index, worker);
    }
  }
}

void ThreadPool::Crew::wait_for_helpers() {
  const auto all_left = [&] { return (gate_.load(std::memory_order_acquire) & kInside) == 0; };
  if (spin_until(all_left, spin_)) return;
  std::unique_lock lock(mutex_);
  gate_.fetch_or(kCallerSleeps, std::memory_order_acq_rel);
  finished_.wait(lock, all_left);
}

void ThreadPool::Crew::wait_for_news(uint64_t last_region) {
  const auto news = [&] { return is_news(gate_.load(std::memory_order_relaxed), last_region); };
  if (spin_until(news, spin_)) return;
  std::unique_lock lock(mutex_);
  sleepers_.fetch_add(1);
  // One wait, not a loop: who was woken for a region that is over by now stays awake a while for
  // the next.
  if (!is_news(gate_.load(), last_region)) wake_.wait(lock);
  sleepers_.fetch_sub(1);
}

void ThreadPool::Crew::help(int worker) {
  uint64_t last_region = 0;
  while (true) {
    uint64_t gate = gate_.load(std::memory_order_relaxed);
    if ((gate & kStop) != 0) return;
    if (!is_news(gate, last_region)) {
      wait_for_news(last_region);
      continue;
    }
    if (!gate_.compare_exchange_weak(gate, gate + 1, std::memory_order_acquire,
                                     std::memory_order_relaxed)) {
      continue;
    }
    last_region = gate / kRegion;
    work(worker);
    gate = gate_.fetch_sub(1, std::memory_order_acq_rel);
    if ((gate & kCallerSleeps) != 0 && (gate & kInside) == 1) {
      const std::lock_guard lock(mutex_);
      finished_.notify_one();
    }
  }
}

ThreadPool::ThreadPool(int threads) {
  if (threads < 0 || threads > kMaxThreads) {
    throw UserError(
        "a pool of " + std::to_string(threads) + " threads is not possible",
        "0 is one for each processor, " + std::to_string(kMaxThreads) + " are the most");
  }
  crew_ = std::make_unique<Crew>(threads == 0 ? std::min(processors(), kMaxThreads) : threads);
  crew_->start_helpers();
}

ThreadPool::~ThreadPool() = default;

int ThreadPool::workers() const { return crew_->workers; }

void ThreadPool::parallel_for(void* pool, int64_t count, halcyon_task task,
                              void* closure) noexcept {
  static_cast<ThreadPool*>(pool)->crew_->run(count, task, closure);
}

}  // namespace halcyon::runtime
