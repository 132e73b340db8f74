#pragma once
/// What it costs and what it saves to run two layers in one loop nest: numbers of bytes and
/// multiply-adds, compared through what the machine does in a cycle. No Halide, no clock.
///
/// Two kernels hand a map over through memory: one writes it, the other reads it. That is free
/// where the map still lies in a core's own cache, so only a map that outgrows it counts. One loop
/// nest hands it over row by row; tasks that run side by side then compute the rows at their
/// borders twice.

#include "compiler/program.h"
#include "compiler/target.h"

namespace halcyon::compiler {

/// Per sample: the decision must hold for every batch.
struct FusionCost {
  int64_t rows_per_task = 0;    ///< of the last layer; 0 where no task's rows fit into the cache
  int64_t scratch_bytes = 0;    ///< what a task keeps of the map between the layers
  int64_t saved_bytes = 0;      ///< no longer written to and read from beyond a core's cache
  int64_t recomputed_macs = 0;  ///< in rows that several tasks need
  bool fills_threads = false;   ///< are there about as many tasks as the work deserves?

  /// Rows that nobody computes twice cost nothing, and larger batches outgrow every cache.
  bool pays(const Target& target) const;
};

/// A convolution whose result `map` has `macs` multiply-adds, and the pool behind it.
FusionCost pooled_conv_cost(const Shape& map, int64_t macs, const dsl::ops::PoolWindow& pool,
                            const Shape& y, const Target& target);

/// The same of two nodes of a graph.
FusionCost cost_of_pool(const Graph& graph, const Node& conv, const Node& pool,
                        const Target& target);

/// Layers of `map_macs` multiply-adds whose result `map` is read by a convolution of `conv_macs`
/// and `weight_elements`. A task computes all filters of its rows, so that none of the map is
/// computed once for each of them; in return each task reads all weights.
FusionCost rows_into_conv_cost(const Shape& map, int64_t map_macs, const dsl::ops::Conv& conv,
                               int64_t conv_macs, int64_t weight_elements, const Shape& y,
                               const Target& target);

/// The same of the pool or convolution that begins the map and the convolution that reads it.
FusionCost cost_of_rows(const Graph& graph, const Node& first, const Node& conv,
                        const Target& target);

}  // namespace halcyon::compiler
