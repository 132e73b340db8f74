/// Meaning and gradient of products of two computed matrices.

#include "compiler/ops/rules.h"

namespace halcyon::compiler {

HostTensors reference(const ops::MatMul& op, HostInputs in, int64_t batch) {
  const HostTensor &a = in[0], &b = in[1];
  const int64_t rows = a.shape[op.transpose_a ? 2 : 1];
  const int64_t summed = a.shape[op.transpose_a ? 1 : 2];
  const int64_t columns = b.shape[op.transpose_b ? 1 : 2];
  // Of the element (i, j) of a transposed or plain matrix of sample n.
  const auto at = [](const HostTensor& m, bool transpose, int64_t n, int64_t i, int64_t j) {
    if (transpose) std::swap(i, j);
    return m.values[static_cast<std::size_t>((n * m.shape[1] + i) * m.shape[2] + j)];
  };
  HostTensor y = zeros({batch, rows, columns});
  for (int64_t n = 0; n < batch; ++n) {
    for (int64_t r = 0; r < rows; ++r) {
      for (int64_t k = 0; k < columns; ++k) {
        double& sum = y.values[static_cast<std::size_t>((n * rows + r) * columns + k)];
        for (int64_t c = 0; c < summed; ++c) {
          sum += at(a, op.transpose_a, n, r, c) * at(b, op.transpose_b, n, c, k);
        }
      }
    }
  }
  return {y};
}

// With A and B the factors as they are multiplied: dA = dy B^T and dB = A^T dy, and the transpose
// of that for a factor that is stored transposed.
void gradient(const ops::MatMul& op, GradientContext& context) {
  const Value a = context.x(0), b = context.x(1), dy = context.dy();
  const auto product = [&](bool transpose_a, bool transpose_b, std::vector<Value> factors,
                           const char* suffix) {
    const ops::MatMul matmul{.transpose_a = transpose_a, .transpose_b = transpose_b};
    return context.emit(matmul, std::move(factors), suffix);
  };
  if (context.wants(0)) {
    context.add_gradient(0, op.transpose_a ? product(op.transpose_b, true, {b, dy}, "a")
                                           : product(false, !op.transpose_b, {dy, b}, "a"));
  }
  if (context.wants(1)) {
    context.add_gradient(1, op.transpose_b ? product(true, op.transpose_a, {dy, a}, "b")
                                           : product(!op.transpose_a, false, {a, dy}, "b"));
  }
}

}  // namespace halcyon::compiler
