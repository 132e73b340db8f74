#pragma once
/// Random numbers as a function of a counter: no state, any order, any thread.
/// Source: Salmon et al. 2011, Philox4x32 with ten rounds. compiler/kernels/dropout.cpp computes
/// the same in generated code.

#include <array>
#include <cstddef>
#include <cstdint>

namespace halcyon::compiler {

struct Philox {
  static constexpr int kRounds = 10;
  static constexpr uint32_t kMultipliers[] = {0xD2511F53, 0xCD9E8D57};
  static constexpr uint32_t kKeySteps[] = {0x9E3779B9, 0xBB67AE85};

  static constexpr std::array<uint32_t, 4> words(std::array<uint32_t, 4> counter,
                                                 std::array<uint32_t, 2> key) {
    for (int round = 0; round < kRounds; ++round) {
      const uint64_t first = uint64_t{kMultipliers[0]} * counter[0];
      const uint64_t second = uint64_t{kMultipliers[1]} * counter[2];
      counter = {
          static_cast<uint32_t>(second >> 32) ^ counter[1] ^ key[0], static_cast<uint32_t>(second),
          static_cast<uint32_t>(first >> 32) ^ counter[3] ^ key[1], static_cast<uint32_t>(first)};
      for (std::size_t i = 0; i < 2; ++i) key[i] += kKeySteps[i];
    }
    return counter;
  }
};

/// A value is dropped when its random word is below this.
constexpr uint32_t drop_threshold(float probability) {
  return static_cast<uint32_t>(static_cast<double>(probability) * 0x1p32);
}

}  // namespace halcyon::compiler
