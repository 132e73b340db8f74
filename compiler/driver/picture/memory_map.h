#pragma once
/// Which bytes of the workspace hold which value when: what the memory plan looks like.

#include <cstdint>
#include <string>
#include <vector>

#include "compiler/driver/picture/describe.h"
#include "compiler/program.h"

namespace halcyon::compiler {

/// A buffer from the region that first writes it to the last that reads it.
struct MemoryBlock {
  std::string name;  ///< of the value; several where parts of a buffer are values of their own
  Kind kind = Kind::other;  ///< of the node that began the region that writes it
  int64_t offset_bytes = 0;
  int64_t size_bytes = 0;
  int first_step = 0, last_step = 0;
};

struct MemoryMap {
  std::vector<MemoryBlock> blocks;
  int steps = 0;                   ///< regions
  int64_t size_bytes = 0;          ///< of this part of the workspace
  int64_t largest_live_bytes = 0;  ///< at once in any plan; values begin aligned
};

/// Of the part of the workspace that grows with the batch (Storage::workspace), for one sample, or
/// of the part that does not (Storage::fixed).
MemoryMap memory_map(const Program& program, Storage part);

/// Time to the right, offsets upwards. `id`: prefix of its identifiers.
std::string memory_svg(const MemoryMap& map, const std::string& id);

}  // namespace halcyon::compiler
