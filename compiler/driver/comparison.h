#pragma once
/// What comes of holding one tensor against the reference.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>

namespace halcyon::compiler {

/// Allowed errors, of the largest value: what direct convolution in single precision stays well
/// below, for a whole network and for one kernel, and what Winograd's transforms add.
inline constexpr double kTolerance = 5e-5, kWinogradTolerance = 2e-4;
inline constexpr double kKernelTolerance = 1e-5, kWinogradKernelTolerance = 1e-4;

/// One compared tensor.
struct Comparison {
  std::string what;               ///< "output scores", "loss loss", "gradient conv1.weight",
                                  ///< "statistic bn1.running_mean", "kernel conv1+relu1"
  double largest_error = 0;       ///< absolute
  double largest_value = 0;       ///< of the reference, absolute
  double tolerance = kTolerance;  ///< of relative()
  double resolution = 0;   ///< what rounding alone does to a gradient that is read off parameters
  bool finite = true;      ///< what was found is, wherever the reference is
  int64_t undefined = 0;   ///< values of the reference that no float holds: nothing to compare
  bool same_bits = true;   ///< of an output, with 1 thread and with as many as were asked for
  int64_t other_tops = 0;  ///< samples with another largest class than the reference's; of scores

  /// Error beyond the resolution, relative to the largest value, but at least to 1e-6.
  double relative() const {
    return std::max(0.0, largest_error - resolution) / std::max(largest_value, 1e-6);
  }
};

class Comparer {
 public:
  explicit Comparer(std::string what) { result_.what = std::move(what); }
  void add(double found, double expected) {
    // Written so that a value that is not a number is none that a float holds.
    if (!(std::abs(expected) <= static_cast<double>(std::numeric_limits<float>::max()))) {
      ++result_.undefined;
      return;
    }
    if (!std::isfinite(found)) result_.finite = false;
    result_.largest_error = std::max(result_.largest_error, std::abs(found - expected));
    result_.largest_value = std::max(result_.largest_value, std::abs(expected));
  }
  void allow(double resolution) { result_.resolution = std::max(result_.resolution, resolution); }
  Comparison& result() { return result_; }

 private:
  Comparison result_;
};

}  // namespace halcyon::compiler
