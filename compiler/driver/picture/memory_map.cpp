#include "compiler/driver/picture/memory_map.h"

#include <algorithm>
#include <map>

namespace halcyon::compiler {

namespace {

bool share_bytes(const MemoryBlock& a, const MemoryBlock& b) {
  return a.first_step <= b.last_step && b.first_step <= a.last_step &&
         a.offset_bytes < b.offset_bytes + b.size_bytes &&
         b.offset_bytes < a.offset_bytes + a.size_bytes;
}

void absorb(MemoryBlock& whole, const MemoryBlock& part) {
  const int64_t end =
      std::max(whole.offset_bytes + whole.size_bytes, part.offset_bytes + part.size_bytes);
  if (part.size_bytes > whole.size_bytes) whole.kind = part.kind;
  whole.name += ", " + part.name;
  whole.offset_bytes = std::min(whole.offset_bytes, part.offset_bytes);
  whole.size_bytes = end - whole.offset_bytes;
  whole.first_step = std::min(whole.first_step, part.first_step);
  whole.last_step = std::max(whole.last_step, part.last_step);
}

/// Values that hold the same bytes at the same time are parts of one buffer.
void join_parts(std::vector<MemoryBlock>& blocks) {
  for (std::size_t i = 0; i < blocks.size();) {
    const auto other =
        std::find_if(blocks.begin() + static_cast<std::ptrdiff_t>(i) + 1, blocks.end(),
                     [&](const MemoryBlock& b) { return share_bytes(blocks[i], b); });
    if (other == blocks.end()) {
      ++i;
      continue;
    }
    absorb(blocks[i], *other);
    blocks.erase(other);
    i = 0;  // what has grown may meet others
  }
}

int64_t largest_live_set(const MemoryMap& map) {
  std::vector<int64_t> live(static_cast<std::size_t>(map.steps), 0);
  for (const MemoryBlock& block : map.blocks) {
    const int64_t units = (block.size_bytes + HALCYON_ALIGNMENT - 1) / HALCYON_ALIGNMENT;
    for (int step = block.first_step; step <= block.last_step; ++step)
      live[static_cast<std::size_t>(step)] += units * HALCYON_ALIGNMENT;
  }
  return live.empty() ? 0 : *std::max_element(live.begin(), live.end());
}

}  // namespace

MemoryMap memory_map(const Program& program, Storage part) {
  MemoryMap map;
  map.steps = static_cast<int>(program.regions.size());
  map.size_bytes =
      part == Storage::fixed ? program.memory.fixed_bytes : program.memory.per_sample_bytes;
  std::map<Value, MemoryBlock> blocks;
  const auto use = [&](Value v, int step, Kind kind) {
    const Value stored = program.stored(v);
    const auto place = program.memory.places.find(stored);
    if (place == program.memory.places.end() || place->second.storage != part) return;
    const Node& node = program.graph.node(stored);
    std::string name(node.name.view());
    if (stored.output > 0) name += "." + std::to_string(stored.output);
    const auto [it, is_new] = blocks.try_emplace(stored);
    if (is_new) {
      it->second = {std::move(name),          kind, place->second.offset_bytes,
                    place->second.size_bytes, step, step};
    }
    it->second.last_step = step;
  };
  for (int step = 0; step < map.steps; ++step) {
    const Region& region = program.regions[static_cast<std::size_t>(step)];
    const Kind kind = kind_of(program.graph.node(region.nodes.front()).op);
    for (Value v : region.inputs) use(v, step, kind);
    for (Value v : region.outputs) use(v, step, kind);
  }
  for (auto& [v, block] : blocks) map.blocks.push_back(std::move(block));
  join_parts(map.blocks);
  map.largest_live_bytes = largest_live_set(map);
  return map;
}

}  // namespace halcyon::compiler
