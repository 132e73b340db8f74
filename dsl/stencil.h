#pragma once
/// Functions of a position and its neighbours, as values: a Formula (dsl/formula.h) whose inputs
/// are the values of one channel at constant offsets.
///
///   [](Window x) { return x(0, -1) + x(0, 1) + x(-1, 0) + x(1, 0) - 4 * x(0, 0); }
///
/// Invariant: neighbours are numbered in the order in which the formula's terms read them, and each
/// is read. So two stencils are equal if their lists are.

#include <array>
#include <concepts>

#include "dsl/formula.h"

namespace halcyon::dsl {

/// What lies outside of the map: zeros, or the value of the nearest position inside.
enum class Border { zero, edge };

/// Steps along the spatial axes, outermost first.
using Offset = std::array<int16_t, 3>;

struct Stencil {
  static constexpr int kMostReach = 4096;  ///< of an offset

  Formula formula;  ///< input i is the value at offsets[i]
  std::array<Offset, Formula::kCapacity> offsets = {};
  uint8_t count = 0;  ///< of offsets
  uint8_t rank = 0;   ///< how many spatial axes they have

  /// Number of the neighbour, which is appended if it has none yet.
  /// Errors: another number of steps than the others, a step too far, too many neighbours.
  constexpr int number_of(const int* steps, int axes) {
    if (count > 0 && axes != rank) mistakes::stencil_mixes_axes(axes, rank);
    rank = static_cast<uint8_t>(axes);
    Offset offset = {};
    for (int axis = 0; axis < axes; ++axis) {
      if (steps[axis] > kMostReach || steps[axis] < -kMostReach) {
        mistakes::attribute_is_too_large("offset", steps[axis], kMostReach);
      }
      offset[static_cast<std::size_t>(axis)] = static_cast<int16_t>(steps[axis]);
    }
    for (int i = 0; i < count; ++i) {
      if (at(i) == offset) return i;
    }
    if (count == Formula::kCapacity) mistakes::formula_is_too_long(Formula::kCapacity);
    offsets[count] = offset;
    return count++;
  }

  constexpr const Offset& at(int neighbour) const {
    return offsets[static_cast<std::size_t>(neighbour)];
  }

  /// How far the neighbours reach along an axis, to lower and to higher positions.
  constexpr int64_t before(int axis) const {
    int64_t most = 0;
    for (int i = 0; i < count; ++i) {
      const int64_t step = at(i)[static_cast<std::size_t>(axis)];
      if (-step > most) most = -step;
    }
    return most;
  }
  constexpr int64_t after(int axis) const {
    int64_t most = 0;
    for (int i = 0; i < count; ++i) {
      const int64_t step = at(i)[static_cast<std::size_t>(axis)];
      if (step > most) most = step;
    }
    return most;
  }

  /// The stencil whose result is `result`, a formula of the neighbours that have a number here.
  constexpr Stencil with(const Formula& result) const {
    Stencil sorted;
    sorted.formula = result;
    sorted.rank = rank;
    int numbers[Formula::kCapacity] = {};  // new ones, from 1
    for (int i = 0; i < result.size; ++i) {
      Term& term = sorted.formula.terms[i];
      if (term.operation != Operation::input) continue;
      int& number = numbers[term.a];
      if (number == 0) {
        sorted.offsets[sorted.count] = at(term.a);
        number = ++sorted.count;
      }
      term.a = static_cast<uint8_t>(number - 1);
    }
    return sorted;
  }

  constexpr bool operator==(const Stencil&) const = default;
};

/// The values around a position, for formulas: x(0, -1) is the one to the left.
class Window {
 public:
  constexpr explicit Window(Stencil& neighbours) : neighbours_(&neighbours) {}

  /// One step for each spatial axis, outermost first: x(dx), x(dy, dx) or x(dz, dy, dx).
  template <std::same_as<int>... Steps>
  requires(sizeof...(Steps) >= 1 && sizeof...(Steps) <= 3) constexpr Scalar operator()(
      Steps... steps) const {
    const int list[] = {steps...};
    return Scalar::input(neighbours_->number_of(list, static_cast<int>(sizeof...(Steps))));
  }

 private:
  Stencil* neighbours_;
};

}  // namespace halcyon::dsl
