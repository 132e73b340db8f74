#include "compiler/schedules/words.h"

#include <vector>

#include "compiler/passes/fusion_rules.h"
#include "compiler/schedules/schedules.h"

namespace halcyon::compiler {

using namespace dsl;

namespace {

std::string number(int64_t count, const std::string& one, const std::string& many) {
  return std::to_string(count) + " " + (count == 1 ? one : many);
}

std::string joined_parts(const std::vector<std::string>& parts) {
  std::string text;
  for (const std::string& part : parts) text += (text.empty() ? "" : ", ") + part;
  return text;
}

bool is_depthwise(const KernelSpec& spec, const ops::Conv& conv) {
  const Shape& x = spec.program->graph.shape(spec.anchor().inputs[0]);
  return conv.groups > 1 && conv.groups == conv.filters && conv.groups == x[1];
}

}  // namespace

std::string algorithm_of(const KernelSpec& spec) {
  const Op& op = spec.anchor().op;
  if (const auto* conv = std::get_if<ops::Conv>(&op)) {
    if (is_depthwise(spec, *conv)) return "depthwise";
    return conv->groups > 1 ? "direct, in groups" : "direct";
  }
  if (const auto* conv = std::get_if<ops::WinogradConv>(&op)) {
    const std::string tile = std::to_string(conv->tile), kernel = std::to_string(conv->kernel);
    return "Winograd F(" + tile + "x" + tile + ", " + kernel + "x" + kernel + ")";
  }
  if (std::holds_alternative<ops::Dense>(op)) return "matrix";
  return std::string(dsl::name_of(op));
}

std::string schedule_in_words(const KernelSpec& spec) {
  const Choice& c = spec.choice;
  const bool winograd = std::holds_alternative<ops::WinogradConv>(spec.anchor().op);
  std::vector<std::string> parts;
  if (c.tile_x > 0 || c.tile_n > 0) {
    std::string held = c.tile_n > 0 ? number(c.tile_n, "sample", "samples")
                       : winograd   ? number(c.tile_x, "tile", "tiles")
                                    : number(c.tile_x, "output", "outputs");
    if (c.pixels > 1) held += ", " + std::to_string(c.pixels) + " to a vector,";
    if (c.tile_k > 0) held += " of " + number(c.tile_k, "block", "blocks");
    parts.push_back(held + " in registers");
  } else if (c.tile_c > 0) {
    parts.push_back(number(c.tile_c, "channel", "channels") +
                    (c.tile_s > 0 ? " by " + number(c.tile_s, "column", "columns") : "") +
                    " in registers");
  }
  if (reads_own_rows(spec.program->graph, *spec.region)) {
    parts.emplace_back("rows of the layer in front in scratch memory");
  }
  if (pool_of_rows(spec.program->graph, *spec.region) >= 0) {
    parts.emplace_back("rows for the pool in scratch memory");
  }
  if (c.rows_per_task > 0) {
    parts.push_back(number(c.rows_per_task, winograd ? "row of tiles" : "row",
                           winograd ? "rows of tiles" : "rows") +
                    (winograd ? " in a chunk" : " in a task"));
  }
  if (c.filter_tasks > 0) parts.emplace_back("filters are the tasks");
  if (c.chunks > 0) parts.push_back("the batch in " + number(c.chunks, "part", "parts"));
  return joined_parts(parts);
}

int64_t computed_macs(const KernelSpec& spec) {
  const auto* conv = std::get_if<ops::WinogradConv>(&spec.anchor().op);
  if (conv == nullptr) return spec.macs();
  const auto [rows, columns] = winograd_tiles(spec);
  const int64_t channels = spec.program->graph.shape(spec.anchor().inputs[0])[1];
  return rows * columns * conv->frequencies() * conv->filled_filters() * channels / conv->groups;
}

}  // namespace halcyon::compiler
