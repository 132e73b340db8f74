#include "compiler/machine/peak.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <new>
#include <thread>
#include <vector>

#if defined(__x86_64__)
#include <immintrin.h>
#endif
#if defined(__unix__)
#include <unistd.h>
#endif

namespace halcyon::machine {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

// ---- kernels: the same loops for every instruction set, chosen when the program runs
//
// A multiply-add takes four or five cycles and two can start in each, so ten independent chains
// keep the units busy. Twelve fit the sixteen registers of SSE and AVX2 beside the two constants.
// The constants keep the sums finite and away from denormal numbers.

constexpr int kChains = 12;
constexpr float kScale = 0.999f, kShift = 0.001f;

/// Runs `steps` multiply-adds in each chain; returns something that depends on all of them.
using MultiplyAdds = float (*)(int64_t steps);
/// Reads `count` bytes, a multiple of 512; returns something that depends on all of them.
using Read = uint64_t (*)(const std::byte* data, int64_t count);

struct Kernels {
  const char* instructions;
  int lanes;
  MultiplyAdds multiply_adds;
  Read read;
};

#if defined(__x86_64__)

__attribute__((target("avx512f"))) float multiply_adds_avx512(int64_t steps) {
  const __m512 scale = _mm512_set1_ps(kScale), shift = _mm512_set1_ps(kShift);
  __m512 sums[kChains];
  for (int i = 0; i < kChains; ++i) sums[i] = _mm512_set1_ps(float(i));
  for (int64_t step = 0; step < steps; ++step) {
#pragma GCC unroll 12
    for (int i = 0; i < kChains; ++i) sums[i] = _mm512_fmadd_ps(sums[i], scale, shift);
  }
  for (int i = 1; i < kChains; ++i) sums[0] = _mm512_add_ps(sums[0], sums[i]);
  return _mm512_cvtss_f32(sums[0]);
}

__attribute__((target("avx512f"))) uint64_t read_avx512(const std::byte* data, int64_t count) {
  __m512i sums[8] = {};
  for (int64_t at = 0; at < count; at += 512) {
#pragma GCC unroll 8
    for (int i = 0; i < 8; ++i) {
      sums[i] = _mm512_xor_si512(sums[i], _mm512_load_si512(data + at + 64 * i));
    }
  }
  for (int i = 1; i < 8; ++i) sums[0] = _mm512_xor_si512(sums[0], sums[i]);
  alignas(64) uint64_t lanes[8];
  _mm512_store_si512(lanes, sums[0]);
  return lanes[0] ^ lanes[1] ^ lanes[2] ^ lanes[3] ^ lanes[4] ^ lanes[5] ^ lanes[6] ^ lanes[7];
}

__attribute__((target("avx2,fma"))) float multiply_adds_avx2(int64_t steps) {
  const __m256 scale = _mm256_set1_ps(kScale), shift = _mm256_set1_ps(kShift);
  __m256 sums[kChains];
  for (int i = 0; i < kChains; ++i) sums[i] = _mm256_set1_ps(float(i));
  for (int64_t step = 0; step < steps; ++step) {
#pragma GCC unroll 12
    for (int i = 0; i < kChains; ++i) sums[i] = _mm256_fmadd_ps(sums[i], scale, shift);
  }
  for (int i = 1; i < kChains; ++i) sums[0] = _mm256_add_ps(sums[0], sums[i]);
  return _mm256_cvtss_f32(sums[0]);
}

__attribute__((target("avx2"))) uint64_t read_avx2(const std::byte* data, int64_t count) {
  __m256i sums[8] = {};
  for (int64_t at = 0; at < count; at += 256) {
#pragma GCC unroll 8
    for (int i = 0; i < 8; ++i) {
      const auto* source = reinterpret_cast<const __m256i*>(data + at + 32 * i);
      sums[i] = _mm256_xor_si256(sums[i], _mm256_load_si256(source));
    }
  }
  for (int i = 1; i < 8; ++i) sums[0] = _mm256_xor_si256(sums[0], sums[i]);
  alignas(32) uint64_t lanes[4];
  _mm256_store_si256(reinterpret_cast<__m256i*>(lanes), sums[0]);
  return lanes[0] ^ lanes[1] ^ lanes[2] ^ lanes[3];
}

#endif

// Vectors of 16 bytes exist everywhere: SSE2 on x86, NEON on ARM. Where there is no fused
// instruction this is a multiplication and an addition.
using Float4 = float __attribute__((vector_size(16)));
using Long2 = uint64_t __attribute__((vector_size(16)));

float multiply_adds_portable(int64_t steps) {
  const Float4 scale = Float4{} + kScale, shift = Float4{} + kShift;
  Float4 sums[kChains];
  for (int i = 0; i < kChains; ++i) sums[i] = Float4{} + float(i);
  for (int64_t step = 0; step < steps; ++step) {
#pragma GCC unroll 12
    for (int i = 0; i < kChains; ++i) sums[i] = sums[i] * scale + shift;
  }
  for (int i = 1; i < kChains; ++i) sums[0] += sums[i];
  return sums[0][0];
}

uint64_t read_portable(const std::byte* data, int64_t count) {
  Long2 sums[8] = {};
  for (int64_t at = 0; at < count; at += 128) {
    const auto* source = reinterpret_cast<const Long2*>(data + at);
#pragma GCC unroll 8
    for (int i = 0; i < 8; ++i) sums[i] ^= source[i];
  }
  for (int i = 1; i < 8; ++i) sums[0] ^= sums[i];
  return sums[0][0] ^ sums[0][1];
}

Kernels choose_kernels() {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx512f")) {
    return {"avx512", 16, multiply_adds_avx512, read_avx512};
  }
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) {
    return {"avx2", 8, multiply_adds_avx2, read_avx2};
  }
  return {"sse2", 4, multiply_adds_portable, read_portable};
#else
  return {"portable", 4, multiply_adds_portable, read_portable};
#endif
}

// ---- windows: all threads do the same amount of work from a common start, and the slowest ends
// the window

/// What the kernels return ends here, so that no compiler drops them.
std::atomic<uint64_t> g_sink{0};

/// Seconds from the moment all threads are ready until the last has done work(thread).
template <class Work>
double window_seconds(int threads, const Work& work) {
  std::atomic<int> waiting{threads};
  std::atomic<bool> go{false};
  std::vector<std::thread> others;
  const auto run = [&](int thread) {
    waiting.fetch_sub(1);
    while (!go.load()) std::this_thread::yield();
    work(thread);
  };
  for (int thread = 1; thread < threads; ++thread) others.emplace_back(run, thread);
  waiting.fetch_sub(1);
  while (waiting.load() > 0) std::this_thread::yield();
  const Clock::time_point start = Clock::now();
  go.store(true);
  work(0);
  for (std::thread& other : others) other.join();
  return seconds_since(start);
}

/// The shortest window within a budget of `seconds`; at least three.
template <class Work>
double best_window_seconds(int threads, double seconds, const Work& work) {
  const Clock::time_point start = Clock::now();
  double best = window_seconds(threads, work);
  for (int window = 1; window < 3 || seconds_since(start) < seconds; ++window) {
    best = std::min(best, window_seconds(threads, work));
  }
  return best;
}

/// Bytes that no cache holds: twice the largest cache, between 256 MiB and 1 GiB.
int64_t read_buffer_bytes() {
  int64_t cache = 0;
#if defined(_SC_LEVEL3_CACHE_SIZE)
  cache = std::max<int64_t>(0, sysconf(_SC_LEVEL3_CACHE_SIZE));
#endif
  return std::clamp<int64_t>(2 * cache, int64_t{256} << 20, int64_t{1} << 30);
}

}  // namespace

std::string peak_instructions() { return choose_kernels().instructions; }

double peak_gflops(int threads, double seconds) {
  const Kernels kernels = choose_kernels();
  constexpr int64_t kSteps =
      4'000'000;  // about 10 ms: short enough to fall between two interruptions
  const double best = best_window_seconds(threads, seconds, [&](int) {
    g_sink += static_cast<uint64_t>(kernels.multiply_adds(kSteps));
  });
  return 2.0 * kChains * kernels.lanes * static_cast<double>(kSteps) * threads / best / 1e9;
}

double peak_read_gb_per_s(int threads, double seconds) {
  const Kernels kernels = choose_kernels();
  constexpr int64_t kUnit = 4096;
  const int64_t part = read_buffer_bytes() / threads / kUnit * kUnit;
  const std::unique_ptr<std::byte, decltype(&std::free)> buffer(
      static_cast<std::byte*>(std::aligned_alloc(kUnit, size_t(part * threads))), &std::free);
  if (!buffer) throw std::bad_alloc();
  // Written once, by the thread that will read it: an untouched page has no memory of its own.
  window_seconds(threads, [&](int thread) {
    std::fill_n(buffer.get() + thread * part, part, static_cast<std::byte>(thread + 1));
  });
  const double best = best_window_seconds(threads, seconds, [&](int thread) {
    g_sink += kernels.read(buffer.get() + thread * part, part);
  });
  return static_cast<double>(part * threads) / best / 1e9;
}

}  // namespace halcyon::machine
