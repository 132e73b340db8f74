#include "compiler/driver/picture/memory_map.h"

#include <algorithm>
#include <map>
#include <set>
#include <span>

#include "compiler/integer.h"

namespace halcyon::compiler {

namespace {

int64_t largest_live_set(const MemoryMap& map) {
  std::vector<int64_t> live(static_cast<std::size_t>(map.steps), 0);
  for (const MemoryBlock& block : map.blocks) {
    const int64_t bytes = round_up(block.size_bytes, HALCYON_ALIGNMENT);
    for (int step = block.first_step; step <= block.last_step; ++step)
      live[static_cast<std::size_t>(step)] += bytes;
  }
  return live.empty() ? 0 : *std::max_element(live.begin(), live.end());
}

}  // namespace

MemoryMap memory_map(const Program& program, Storage part) {
  MemoryMap map;
  const bool fixed = part == Storage::fixed;
  const std::span<const Region> regions = fixed ? program.regions : program.call_regions();
  map.steps = static_cast<int>(regions.size());
  map.size_bytes = fixed ? std::max(program.memory.fixed_bytes, program.memory.prepare_bytes)
                         : program.memory.per_sample_bytes;
  std::map<Value, MemoryBlock> blocks;  // of each buffer, which several values may share
  std::set<Value> named;
  const auto use = [&](Value v, int step, Kind kind) {
    const Value stored = program.stored(v);
    const Value holder = program.holder(v);
    const auto place = program.memory.places.find(stored);
    if (place == program.memory.places.end() || place->second.storage != part) return;
    const Node& node = program.graph.node(stored);
    std::string name(node.name.view());
    if (stored.output > 0) name += "." + std::to_string(stored.output);
    const auto [it, is_new] = blocks.try_emplace(holder);
    MemoryBlock& block = it->second;
    if (is_new) {
      block = {"", kind, place->second.offset_bytes, place->second.size_bytes, step, step};
    }
    block.last_step = step;
    if (named.insert(stored).second) block.name += (block.name.empty() ? "" : ", ") + name;
  };
  for (int step = 0; step < map.steps; ++step) {
    const Region& region = regions[static_cast<std::size_t>(step)];
    const Kind kind = kind_of(program.graph.node(region.nodes.front()).op);
    for (Value v : region.inputs) use(v, step, kind);
    for (Value v : region.outputs) use(v, step, kind);
  }
  for (auto& [v, block] : blocks) map.blocks.push_back(std::move(block));
  map.largest_live_bytes = largest_live_set(map);
  return map;
}

}  // namespace halcyon::compiler
