#pragma once
/// Networks whose pictures are tested.

#include "compiler/passes/pipeline.h"
#include "compiler/target.h"
#include "dsl/layers.h"

namespace halcyon::tests {

inline compiler::PassContext wide_context() {
  compiler::PassContext context;
  context.target =
      compiler::parse_target("x86-64-linux-avx512_skylake-avx512-avx-avx2-f16c-fma-sse41");
  return context;
}

/// A convolution, a pool and a residual sum.
inline dsl::Network small_network() {
  dsl::Network net("small");
  const dsl::Tensor x = net.input("image", {.height = 6, .width = 6, .channels = 3});
  const dsl::Tensor y = x | dsl::conv(4, 3, {.pad = 1}) | dsl::relu;
  const dsl::Tensor z = dsl::add(y | dsl::conv(4, 3, {.pad = 1}), y) | dsl::max_pool(2);
  const dsl::Tensor scores = z | dsl::flatten | dsl::dense(2);
  net.output("scores", scores | dsl::softmax);
  net.loss("loss", dsl::softmax_cross_entropy(scores, net.labels("label")));
  return net;
}

inline compiler::Program planned(const dsl::Graph& graph, bool train) {
  compiler::Program program;
  program.graph = graph;
  compiler::run_passes(program, wide_context(),
                       train ? compiler::training_passes() : compiler::inference_passes());
  return program;
}

}  // namespace halcyon::tests
