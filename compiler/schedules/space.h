#pragma once
/// The schedules that one kernel may have: a choice to begin with, and which of its numbers may be
/// others. Knows no operator.

#include <functional>
#include <random>
#include <string>
#include <vector>

#include "compiler/schedules/choice.h"

namespace halcyon::compiler {

/// A number that may vary, and the values that are worth trying.
struct Parameter {
  int64_t Choice::*member;
  std::vector<int64_t> values;
};

struct Space {
  Choice standard;  ///< what is compiled where nothing was measured
  std::vector<Parameter> parameters;
  /// Why a choice of these values cannot be compiled; empty where it can. Not set: all can.
  std::function<std::string(const Choice&)> refuse;
};

/// Why `choice` is no member of the space, or an empty text. The standard choice always is one.
std::string why_illegal(const Space& space, const Choice& choice);

/// Any member of the space; the standard choice where others are hard to find.
Choice random_choice(const Space& space, std::mt19937_64& random);

/// 1, 2, 4, ... and `most` itself.
std::vector<int64_t> powers_of_two(int64_t most);

/// Every number from `least` to `most`.
std::vector<int64_t> numbers(int64_t least, int64_t most);

}  // namespace halcyon::compiler
