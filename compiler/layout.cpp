#include "compiler/layout.h"

namespace halcyon::compiler {

int64_t natural_block(int64_t channels, int64_t vector_width) {
  int64_t block = 1;
  while (block < channels && block < vector_width) block *= 2;
  return block;
}

std::string to_string(const Layout& layout) {
  constexpr const char* kNames[] = {"f32", "i32", "u8"};
  std::string text = std::string(kNames[static_cast<int>(layout.dtype)]) +
                     halcyon::to_string(layout.shape) + " block " + std::to_string(layout.block);
  if (layout.buffer_blocks > 0) text += " in " + std::to_string(layout.buffer_blocks) + " blocks";
  if (!layout.has_halo()) return text;
  std::string begin;
  std::string end;
  for (int axis = 0; axis < layout.spatial_rank(); ++axis) {
    begin += (axis > 0 ? "," : "") + std::to_string(layout.halo(axis));
    end += (axis > 0 ? "," : "") + std::to_string(layout.after.at(static_cast<std::size_t>(axis)));
  }
  return text + " halo " + begin + "/" + end;
}

std::string to_string(const WeightLayout& layout) {
  return std::to_string(layout.filters) + " filters in blocks of " +
         std::to_string(layout.filter_block) + " of " + to_string(layout.sample);
}

}  // namespace halcyon::compiler
