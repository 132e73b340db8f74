#pragma once
/// Winograd's convolutions: the numbers of their transforms.
///
/// F(m, r) computes m neighbouring outputs of a filter with r taps from a patch of A = m + r - 1
/// inputs with A multiplications instead of m * r. In two dimensions, for a patch d and a filter g,
///
///     y = A^T [ (G g G^T) * (B^T d B) ] A         * multiplies number by number
///
/// F(4,3) needs 36 multiplications for 16 outputs of a 3 x 3 window, a fourth of the direct 144;
/// F(2,3) 16 for 4 outputs, F(2,5) 36 for 4 of a 5 x 5 window. For many channels the products of
/// one frequency (a place in the patch) over all tiles, channels and filters are a matrix product.
///
/// The matrices evaluate polynomials at the points 0, 1, -1, 2, -2 and infinity, and interpolate.
/// Source: Lavin, Gray: Fast Algorithms for Convolutional Neural Networks, 2015; Toom, Cook.

#include <cstdint>
#include <vector>

namespace halcyon::compiler {

struct WinogradTransforms {
  using Matrix = std::vector<std::vector<double>>;  ///< rows
  Matrix input;                                     ///< B^T, A x A
  Matrix filter;                                    ///< G, A x r
  Matrix output;                                    ///< A^T, m x A
};

/// The longest patch there are points for.
inline constexpr int64_t kLongestPatch = 6;

/// Of F(tile, kernel). Errors: InternalError for a patch that is too long.
WinogradTransforms winograd_transforms(int64_t tile, int64_t kernel);

}  // namespace halcyon::compiler
