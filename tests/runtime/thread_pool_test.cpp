#include "runtime/thread_pool.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <thread>
#include <vector>

#include "runtime/base/error.h"
#include "tests/runtime/count_allocations.h"
#include "tests/runtime/expect_error.h"

namespace halcyon::runtime {
namespace {

using tests::expect_error;

/// Counts how often each index came, and notices two tasks with one worker number.
struct Tally {
  explicit Tally(int64_t count, int workers)
      : hits(static_cast<std::size_t>(count)), inside(static_cast<std::size_t>(workers)) {}

  static void task(void* closure, int64_t index, int32_t worker) {
    Tally& tally = *static_cast<Tally*>(closure);
    std::atomic<int>& inside = tally.inside.at(static_cast<std::size_t>(worker));
    if (inside.fetch_add(1) != 0) tally.clashes.fetch_add(1);
    ++tally.hits[static_cast<std::size_t>(index)];  // not atomic: no index comes twice
    inside.fetch_sub(1);
  }

  std::vector<int> hits;
  std::vector<std::atomic<int>> inside;
  std::atomic<int> clashes{0};
};

TEST(ThreadPool, RunsEveryIndexOnceWithWorkerNumbersOfItsOwn) {
  for (const int threads : {1, 2, 3, 7}) {
    ThreadPool pool(threads);
    ASSERT_EQ(pool.workers(), threads);
    for (const int64_t count : {0, 1, 2, 3, 5, 64, 1000}) {
      for (int round = 0; round < 20; ++round) {
        Tally tally(count, threads);
        ThreadPool::parallel_for(&pool, count, Tally::task, &tally);
        EXPECT_EQ(tally.hits, std::vector<int>(static_cast<std::size_t>(count), 1));
        EXPECT_EQ(tally.clashes, 0);
      }
    }
  }
}

TEST(ThreadPool, UsesItsThreads) {
  ThreadPool pool(2);
  // Each of the two tasks waits for the other: only two threads can finish them.
  std::atomic<int> arrived{0};
  const auto meet = [](void* closure, int64_t, int32_t) {
    std::atomic<int>& arrived = *static_cast<std::atomic<int>*>(closure);
    arrived.fetch_add(1);
    while (arrived.load() < 2) std::this_thread::yield();
  };
  ThreadPool::parallel_for(&pool, 2, meet, &arrived);
  std::this_thread::sleep_for(std::chrono::milliseconds(5));  // long enough for the helper to sleep
  arrived = 0;
  const auto meet_late = [](void* closure, int64_t index, int32_t) {
    std::atomic<int>& arrived = *static_cast<std::atomic<int>*>(closure);
    // The helper may come after the caller took both, so only the first waits, and not for ever.
    if (index == 0) {
      for (int i = 0; i < 1000 && arrived.load() == 0; ++i) {
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
      }
    } else {
      arrived.fetch_add(1);
    }
  };
  ThreadPool::parallel_for(&pool, 2, meet_late, &arrived);
  EXPECT_EQ(arrived, 1);
}

TEST(ThreadPool, WaitsForASlowHelper) {
  ThreadPool pool(2);
  std::atomic<int> done{0};
  const auto slow = [](void* closure, int64_t, int32_t worker) {
    std::this_thread::sleep_for(std::chrono::milliseconds(worker == 0 ? 1 : 10));
    static_cast<std::atomic<int>*>(closure)->fetch_add(1);
  };
  for (int round = 1; round <= 5; ++round) {
    ThreadPool::parallel_for(&pool, 4, slow, &done);
    EXPECT_EQ(done, 4 * round);
  }
}

TEST(ThreadPool, ServesCallersFromManyThreads) {
  ThreadPool pool(2);
  std::vector<std::thread> callers;
  std::atomic<int> wrong{0};
  for (int caller = 0; caller < 4; ++caller) {
    callers.emplace_back([&] {
      for (int round = 0; round < 300; ++round) {
        Tally tally(20, pool.workers());
        ThreadPool::parallel_for(&pool, 20, Tally::task, &tally);
        if (tally.hits != std::vector<int>(20, 1) || tally.clashes != 0) wrong.fetch_add(1);
      }
    });
  }
  for (std::thread& caller : callers) caller.join();
  EXPECT_EQ(wrong, 0);
}

TEST(ThreadPool, RunsARegionInsideATask) {
  struct Nest {
    ThreadPool pool{2};
    std::atomic<int> calls{0};
  } nest;
  const auto outer = [](void* closure, int64_t, int32_t) {
    const auto inner = [](void* nested, int64_t, int32_t) {
      static_cast<Nest*>(nested)->calls.fetch_add(1);
    };
    ThreadPool::parallel_for(&static_cast<Nest*>(closure)->pool, 10, inner, closure);
  };
  ThreadPool::parallel_for(&nest.pool, 10, outer, &nest);
  EXPECT_EQ(nest.calls, 100);
}

TEST(ThreadPool, AllocatesNothingInARegion) {
  ThreadPool pool(2);
  Tally tally(100, 2);
  ThreadPool::parallel_for(&pool, 100, Tally::task, &tally);
  const int64_t before = tests::allocation_count();
  for (int round = 0; round < 50; ++round) {
    ThreadPool::parallel_for(&pool, 100, Tally::task, &tally);
  }
  EXPECT_EQ(tests::allocation_count(), before);
}

TEST(ThreadPool, UsesNoProcessorTimeWhenIdle) {
  const auto processor_time_us = [] {
    rusage used{};
    getrusage(RUSAGE_SELF, &used);
    return (used.ru_utime.tv_sec + used.ru_stime.tv_sec) * 1'000'000 + used.ru_utime.tv_usec +
           used.ru_stime.tv_usec;
  };
  ThreadPool pool(4);
  Tally tally(100, 4);
  ThreadPool::parallel_for(&pool, 100, Tally::task, &tally);
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  const auto before = processor_time_us();
  std::this_thread::sleep_for(std::chrono::milliseconds(100));
  EXPECT_LT(processor_time_us() - before, 20'000);
}

TEST(ThreadPool, StartsAndStopsAtAnyTime) {
  for (int round = 0; round < 50; ++round) {
    ThreadPool pool(3);
    if (round % 2 == 0) continue;  // stopped before its threads have come up
    Tally tally(5, 3);
    ThreadPool::parallel_for(&pool, 5, Tally::task, &tally);
    EXPECT_EQ(tally.hits, std::vector<int>(5, 1));
  }
}

TEST(ThreadPool, RefusesImpossibleSizes) {
  EXPECT_GE(ThreadPool(0).workers(), 1);
  expect_error<UserError>([] { ThreadPool pool(-1); }, "a pool of -1 threads is not possible");
  expect_error<UserError>([] { ThreadPool pool(1025); }, "1025 threads", "1024 are the most");
}

}  // namespace
}  // namespace halcyon::runtime
