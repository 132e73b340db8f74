#pragma once
/// Compiled outputs, losses and gradients held against the reference meaning.

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "compiler/driver/verify.h"
#include "dsl/layers.h"
#include "tests/support/object_cache.h"

namespace halcyon::tests {

/// Single precision over a few hundred additions, relative to the largest value of a tensor.
inline constexpr double kKernelTolerance = 1e-5;

inline void expect_like_reference(const dsl::Graph& graph, const compiler::VerifyOptions& options,
                                  const compiler::CompileOptions& compile_options) {
  for (const compiler::Comparison& c : compiler::verify_network(graph, compile_options, options)) {
    EXPECT_TRUE(c.finite) << c.what << ", seed " << options.seed;
    EXPECT_EQ(c.undefined, 0) << c.what << ", seed " << options.seed;
    // A sum that cancels keeps the errors of its parts, and those of gradients are far above 1.
    const bool is_gradient = c.what.starts_with("gradient");
    const double scale = is_gradient ? std::max(c.largest_value, 1.0) : c.largest_value;
    EXPECT_LE(c.largest_error, kKernelTolerance * scale)
        << c.what << ", seed " << options.seed << ", batch " << options.batch << ", largest value "
        << c.largest_value;
  }
}

inline void expect_like_reference(const dsl::Graph& graph,
                                  const compiler::VerifyOptions& options = {},
                                  const std::string& target = "host") {
  compiler::CompileOptions compile_options = cached_options();
  compile_options.target = target;
  expect_like_reference(graph, options, compile_options);
}

/// Makes `y` the network's output and the mean square of its distance from a target its loss. The
/// weight lifts the gradients above the parameters: they are read off one step.
inline void finish_with_mean_square(dsl::Network& net, dsl::Tensor y) {
  Shape wanted;
  for (int axis = 1; axis < y.shape().rank; ++axis) wanted.push_back(y.shape()[axis]);
  net.output("y", y);
  net.loss("loss", dsl::mean_square(y, net.target("wanted", wanted)),
           100 * static_cast<float>(wanted.elements()));
}

}  // namespace halcyon::tests
