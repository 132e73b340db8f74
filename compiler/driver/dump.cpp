#include "compiler/driver/dump.h"

#include <fmt/format.h>

#include <sstream>

#include "dsl/print.h"

namespace halcyon::compiler {

namespace {

std::string list_text(const std::vector<Value>& values) {
  std::string text;
  for (Value v : values) text += " " + dsl::to_string(v);
  return text;
}

}  // namespace

std::string to_string(const Place& place) {
  switch (place.storage) {
    case Storage::host_input: return fmt::format("host input {}", place.index);
    case Storage::host_output: return fmt::format("host output {}", place.index);
    case Storage::loss: return fmt::format("loss {}", place.index);
    case Storage::constant: return "constant";
    case Storage::parameter: return fmt::format("parameters + {}", place.offset_bytes);
    case Storage::workspace: return fmt::format("workspace + N * {}", place.offset_bytes);
    case Storage::fixed: return fmt::format("workspace + {}", place.offset_bytes);
  }
  return "";
}

std::string program_text(const Program& program) {
  std::ostringstream out;
  dsl::print(program.graph, out);
  for (const Region& region : program.regions) {
    const auto number = static_cast<std::size_t>(&region - program.regions.data());
    out << (number < program.prepare_regions ? "prepare" : "region");
    for (int32_t id : region.nodes) out << ' ' << program.graph.node(id).name.view();
    out << " reads" << list_text(region.inputs) << " writes" << list_text(region.outputs) << '\n';
  }
  for (const auto& [v, slot] : program.slots) {
    out << "slot " << dsl::to_string(v) << " buffer " << slot.buffer << " from block "
        << slot.first_block << (slot.is_computed ? "" : ", in place") << '\n';
  }
  for (const auto& [v, layout] : program.layouts)
    out << "layout " << dsl::to_string(v) << ' ' << to_string(layout) << '\n';
  for (const auto& [v, layout] : program.weights)
    out << "layout " << dsl::to_string(v) << ' ' << to_string(layout) << '\n';
  for (const auto& [v, place] : program.memory.places) {
    out << "place " << dsl::to_string(v) << ' ' << to_string(place) << ", " << place.size_bytes
        << " bytes\n";
  }
  if (!program.memory.places.empty()) {
    out << fmt::format("workspace {} + N * {} bytes (at least N * {}), parameters {} + {} bytes\n",
                       program.memory.fixed_bytes, program.memory.per_sample_bytes,
                       program.memory.per_sample_lower_bound, program.memory.parameter_bytes,
                       program.memory.prepared_bytes);
  }
  return out.str();
}

}  // namespace halcyon::compiler
