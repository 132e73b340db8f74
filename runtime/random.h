#pragma once
/// Random numbers that are the same on every machine: the standard library fixes its engines but
/// not its distributions. bits, below, shuffle and uniform() are exact; uniform(low, high) and
/// normal() may differ in the last bits of a double, where a compiler fuses a product and a sum.
///
/// Source: xoshiro256++ 1.0 and splitmix64 (Blackman and Vigna, https://prng.di.unimi.it).

#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <span>
#include <string_view>
#include <utility>

namespace halcyon::runtime {

/// One step of splitmix64: advances `state` and returns well mixed bits.
constexpr uint64_t splitmix(uint64_t& state) {
  uint64_t z = state += 0x9e3779b97f4a7c15u;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

/// A number for a name (FNV-1a), to give each named thing a stream of its own.
constexpr uint64_t stream_of(std::string_view name) {
  uint64_t hash = 0xcbf29ce484222325u;
  for (const char letter : name) {
    hash = (hash ^ static_cast<unsigned char>(letter)) * 0x100000001b3u;
  }
  return hash;
}

/// A generator with its distributions. Equal (seed, stream) give equal numbers; different ones are
/// independent.
class Random {
 public:
  explicit constexpr Random(uint64_t seed, uint64_t stream = 0) {
    uint64_t mixed = splitmix(seed) ^ stream;
    for (uint64_t& word : state_) word = splitmix(mixed);
  }

  constexpr uint64_t bits() {
    const uint64_t result = std::rotl(state_[0] + state_[3], 23) + state_[0];
    const uint64_t shifted = state_[1] << 17;
    state_[2] ^= state_[0];
    state_[3] ^= state_[1];
    state_[1] ^= state_[2];
    state_[0] ^= state_[3];
    state_[2] ^= shifted;
    state_[3] = std::rotl(state_[3], 45);
    return result;
  }

  /// Uniform in [0, count); count is at least 1.
  constexpr uint64_t below(uint64_t count) {
    // Bits below the remainder of 2^64 / count would make small numbers likelier; they are drawn
    // again.
    const uint64_t remainder = (0 - count) % count;
    uint64_t drawn = bits();
    while (drawn < remainder) drawn = bits();
    return drawn % count;
  }

  /// Uniform in [0, 1), a multiple of 2^-53.
  constexpr double uniform() { return static_cast<double>(bits() >> 11) * 0x1p-53; }
  constexpr double uniform(double low, double high) { return low + (high - low) * uniform(); }

  /// Normal, mean 0, standard deviation 1 (Marsaglia's polar method; one of its two values is
  /// used).
  double normal() {
    double x = 0, square = 0;
    do {
      x = uniform(-1, 1);
      const double y = uniform(-1, 1);
      square = x * x + y * y;
    } while (square >= 1 || square == 0);
    return x * std::sqrt(-2 * logarithm(square) / square);
  }

  /// Any order of `values`, equally likely (Fisher and Yates).
  template <typename T>
  constexpr void shuffle(std::span<T> values) {
    for (std::size_t left = values.size(); left > 1; --left) {
      std::swap(values[left - 1], values[static_cast<std::size_t>(below(left))]);
    }
  }

 private:
  /// Natural logarithm of a normal positive number, from exactly rounded operations only: that of
  /// the C library may differ from one to the next. Relative error below 1e-14.
  static constexpr double logarithm(double value) {
    const uint64_t pattern = std::bit_cast<uint64_t>(value);
    int exponent = static_cast<int>(pattern >> 52) - 1023;
    double mantissa =
        std::bit_cast<double>((pattern & 0x000fffffffffffffu) | 0x3ff0000000000000u);  // [1, 2)
    if (mantissa > 1.4142135623730951) {
      mantissa *= 0.5;
      ++exponent;
    }
    // log m = 2 atanh((m - 1) / (m + 1)), where the argument is at most 0.172
    const double z = (mantissa - 1) / (mantissa + 1);
    const double z2 = z * z;
    double series = 0;
    for (int power = 19; power >= 1; power -= 2) series = series * z2 + 1.0 / power;
    return 2 * z * series + exponent * 0.6931471805599453;
  }

  std::array<uint64_t, 4> state_{};
};

}  // namespace halcyon::runtime
