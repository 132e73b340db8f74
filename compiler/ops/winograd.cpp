#include "compiler/ops/winograd.h"

#include "compiler/ops/rules.h"
#include "runtime/base/error.h"

namespace halcyon::compiler {

namespace {

using Matrix = WinogradTransforms::Matrix;

constexpr double kPoints[] = {0, 1, -1, 2, -2};

/// The coefficients of the product of (x - point) over all points but number `skipped`.
std::vector<double> product_of_roots(std::size_t points, std::size_t skipped) {
  std::vector<double> polynomial = {1};
  for (std::size_t p = 0; p < points; ++p) {
    if (p == skipped) continue;
    polynomial.insert(polynomial.begin(), 0);  // times x
    for (std::size_t i = 0; i + 1 < polynomial.size(); ++i) {
      polynomial[i] -= kPoints[p] * polynomial[i + 1];
    }
  }
  return polynomial;
}

double evaluated(const std::vector<double>& polynomial, double x) {
  double value = 0;
  for (std::size_t i = polynomial.size(); i-- > 0;) value = value * x + polynomial[i];
  return value;
}

/// Rows of powers of the points; infinity's row has its highest power alone.
Matrix powers(std::size_t points, std::size_t length) {
  Matrix m(points + 1, std::vector<double>(length, 0));
  for (std::size_t p = 0; p < points; ++p) {
    m[p][0] = 1;
    for (std::size_t i = 1; i < length; ++i) m[p][i] = m[p][i - 1] * kPoints[p];
  }
  m[points][length - 1] = 1;
  return m;
}

Matrix transposed(const Matrix& m) {
  Matrix t(m[0].size(), std::vector<double>(m.size()));
  for (std::size_t i = 0; i < m.size(); ++i) {
    for (std::size_t j = 0; j < m[i].size(); ++j) t[j][i] = m[i][j];
  }
  return t;
}

/// left * square * left^T of a square of numbers, rows behind each other.
std::vector<double> both_sides(const Matrix& left, const std::vector<double>& square) {
  const std::size_t rows = left.size(), inner = left[0].size();
  std::vector<double> half(rows * inner, 0), result(rows * rows, 0);
  for (std::size_t i = 0; i < rows; ++i) {
    for (std::size_t j = 0; j < inner; ++j) {
      for (std::size_t k = 0; k < inner; ++k)
        half[i * inner + j] += left[i][k] * square[k * inner + j];
    }
  }
  for (std::size_t i = 0; i < rows; ++i) {
    for (std::size_t j = 0; j < rows; ++j) {
      for (std::size_t k = 0; k < inner; ++k)
        result[i * rows + j] += half[i * inner + k] * left[j][k];
    }
  }
  return result;
}

std::size_t size(int64_t n) { return static_cast<std::size_t>(n); }

}  // namespace

WinogradTransforms winograd_transforms(int64_t tile, int64_t kernel) {
  const int64_t patch = tile + kernel - 1;
  if (patch > kLongestPatch) {
    throw InternalError("winograd: no points for tiles of " + std::to_string(tile) +
                        " outputs of a window of " + std::to_string(kernel));
  }
  const std::size_t points = size(patch - 1);
  WinogradTransforms t;
  t.output = transposed(powers(points, size(tile)));
  t.filter = powers(points, size(kernel));
  for (std::size_t p = 0; p < points; ++p) {
    std::vector<double> others = product_of_roots(points, p);
    const double scale = evaluated(others, kPoints[p]);
    for (double& g : t.filter[p]) g /= scale;
    others.push_back(0);
    t.input.push_back(std::move(others));
  }
  t.input.push_back(product_of_roots(points, points));
  return t;
}

HostTensors reference(const ops::WinogradFilters& op, HostInputs in, int64_t) {
  const Shape& shape = in[0].shape;
  const Matrix g = winograd_transforms(op.tile, shape[2]).filter;
  HostTensor out = zeros(op.infer({shape})[0]);
  const std::size_t taps = size(shape[2] * shape[3]), channels = size(shape[1]);
  const std::size_t filled = size(op.filled(shape[0]));
  for (std::size_t k = 0; k < size(shape[0]); ++k) {
    for (std::size_t c = 0; c < channels; ++c) {
      const auto first =
          in[0].values.begin() + static_cast<std::ptrdiff_t>((k * channels + c) * taps);
      const std::vector<double> filter(first, first + static_cast<std::ptrdiff_t>(taps));
      const std::vector<double> u = both_sides(g, filter);
      for (std::size_t f = 0; f < u.size(); ++f) out.values[(f * filled + k) * channels + c] = u[f];
    }
  }
  return {out};
}

HostTensors reference(const ops::WinogradConv& op, HostInputs in, int64_t) {
  const HostTensor &x = in[0], &u = in[1];
  HostTensor y = zeros(detail::output_shape(op, in));
  const WinogradTransforms t = winograd_transforms(op.tile, op.kernel);
  const int64_t patch = op.patch(), tile = op.tile;
  const int64_t height = x.shape[2], width = x.shape[3];
  const int64_t rows = y.shape[2], columns = y.shape[3];
  const std::size_t group_channels = size(u.shape[1]);
  const std::size_t group_filters = size(op.filters / op.groups);

  // The transformed patch of each channel, then sums over channels, tile by tile.
  for (int64_t n = 0; n < x.shape[0]; ++n) {
    for (int64_t ty = 0; ty < op.tiles(rows); ++ty) {
      for (int64_t tx = 0; tx < op.tiles(columns); ++tx) {
        std::vector<std::vector<double>> v;
        for (int64_t c = 0; c < x.shape[1]; ++c) {
          std::vector<double> d(size(patch * patch), 0);
          for (int64_t i = 0; i < patch; ++i) {
            for (int64_t j = 0; j < patch; ++j) {
              const int64_t row = ty * tile + i - op.pad_begin[0];
              const int64_t column = tx * tile + j - op.pad_begin[1];
              if (row < 0 || row >= height || column < 0 || column >= width) continue;
              d[size(i * patch + j)] =
                  x.values[size(((n * x.shape[1] + c) * height + row) * width + column)];
            }
          }
          v.push_back(both_sides(t.input, d));
        }
        for (std::size_t k = 0; k < size(op.filters); ++k) {
          std::vector<double> sums(size(op.frequencies()), 0);
          for (std::size_t f = 0; f < sums.size(); ++f) {
            const double* weights = &u.values[(f * size(op.filled_filters()) + k) * group_channels];
            for (std::size_t c = 0; c < group_channels; ++c) {
              sums[f] += weights[c] * v[k / group_filters * group_channels + c][f];
            }
          }
          const std::vector<double> outputs = both_sides(t.output, sums);
          const double bias = in.size() > 2 ? in[2].values[k] : 0;
          for (int64_t i = 0; i < tile && ty * tile + i < rows; ++i) {
            for (int64_t j = 0; j < tile && tx * tile + j < columns; ++j) {
              const int64_t at =
                  ((n * op.filters + static_cast<int64_t>(k)) * rows + ty * tile + i) * columns +
                  tx * tile + j;
              y.values[size(at)] = outputs[size(i * tile + j)] + bias;
            }
          }
        }
      }
    }
  }
  return {y};
}

void gradient(const ops::WinogradFilters&, GradientContext& context) { context.refuse(); }
void gradient(const ops::WinogradConv&, GradientContext& context) { context.refuse(); }

}  // namespace halcyon::compiler
