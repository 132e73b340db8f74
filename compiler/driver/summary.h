#pragma once
/// A network as the table of a paper, and what the compiler makes of it. Compiles no kernel.

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "compiler/passes/passes.h"

namespace halcyon::compiler {

/// One layer of the network as it was written.
struct LayerFacts {
  std::string name;
  std::string op;
  Shape shape;             ///< of its first output
  int64_t elements = 0;    ///< of that output, per sample
  int64_t parameters = 0;  ///< of its own
  int64_t macs = 0;        ///< multiply-adds per sample
};

/// One fused region: what runs as one loop nest.
struct RegionFacts {
  std::vector<std::string> nodes;
  std::vector<std::string> outputs;  ///< with their physical form
  int64_t macs = 0;                  ///< per sample
};

struct Summary {
  std::string network;
  Target machine;
  std::vector<LayerFacts> layers;    ///< those that inference needs
  std::vector<RegionFacts> regions;  ///< in execution order
  std::vector<RegionFacts> prepare;  ///< those that run once, when the parameters are known
  int64_t parameters = 0;
  int64_t macs = 0;
  int64_t parameter_bytes = 0;               ///< packed
  int64_t prepared_bytes = 0;                ///< what `prepare` leaves beside them
  int64_t per_sample_bytes = 0;              ///< workspace that grows with the batch
  int64_t per_sample_lower_bound_bytes = 0;  ///< the largest sum of values that live at once
  int64_t fixed_bytes = 0;                   ///< workspace that does not
  int64_t prepare_bytes = 0;                 ///< the least workspace: what preparing needs
};

/// Of the network as it was written, and of what the passes made of it.
Summary summarize(const Graph& graph, const Program& program);
/// Of the inference network for that machine. Errors: as the passes.
Summary summarize(const Graph& graph, const Target& target, const FusionChoice& fusing = {},
                  bool exact = false);

/// Whether an output depends on each node.
std::vector<bool> needed_for_outputs(const Graph& graph);

/// Columns of plain text.
std::string to_text(const Summary& summary);
nlohmann::json to_json(const Summary& summary);

}  // namespace halcyon::compiler
