#pragma once
/// The derivatives of a stencil: what its reference, its kernel and its gradient rule share.

#include <vector>

#include "compiler/ops/formula.h"
#include "dsl/stencil.h"

namespace halcyon::compiler {

/// For each neighbour, dy * d(result)/d(neighbour), from dy and the neighbours of one position.
struct StencilDerivatives {
  std::vector<FormulaGradient> of;

  /// Errors: ShapeMistake for a derivative that is too long.
  explicit StencilDerivatives(const dsl::Stencil& stencil);

  /// False where no derivative reads a neighbour: those of sums.
  bool read_x() const;
};

}  // namespace halcyon::compiler
