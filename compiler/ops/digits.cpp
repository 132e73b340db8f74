#include "compiler/ops/digits.h"

#include "runtime/base/error.h"

namespace halcyon::compiler {

Digits digits_of(const ops::Transpose& op, const Shape& x) {
  Digits digits;
  for (int axis = 1; axis < x.rank; ++axis) {
    digits.extents.push_back(x[axis]);
    digits.order.push_back(static_cast<std::size_t>(op.permutation[axis - 1] - 1));
  }
  return digits;
}

Digits digits_of(const ops::ChannelShuffle& op, const Shape& x) {
  Digits digits{{op.groups, x[1] / op.groups}, {1, 0}};
  for (int axis = 2; axis < x.rank; ++axis) {
    digits.order.push_back(digits.extents.size());
    digits.extents.push_back(x[axis]);
  }
  return digits;
}

Digits digits_of(const ops::DepthToSpace& op, const Shape& x) {
  const auto rank = static_cast<std::size_t>(x.spatial_rank());
  const bool depth_first = op.order == ops::DepthOrder::dcr;
  const std::size_t channel = depth_first ? rank : 0;
  const std::size_t first_block = depth_first ? 0 : 1;
  Digits digits;
  digits.extents.assign(rank + 1, op.block);
  digits.extents[channel] = x[1];
  for (std::size_t axis = 0; axis < rank; ++axis) digits.extents[channel] /= op.block;
  digits.order = {channel};
  for (std::size_t axis = 0; axis < rank; ++axis) {
    digits.order.push_back(digits.extents.size());
    digits.order.push_back(first_block + axis);
    digits.extents.push_back(x.spatial(static_cast<int>(axis)));
  }
  return digits;
}

Digits digits_of(const ops::SpaceToDepth& op, const Shape& x) {
  const Shape y = op.infer({x})[0];
  const Digits back = digits_of(ops::DepthToSpace{.block = op.block, .order = op.order}, y);
  Digits digits;
  digits.order.resize(back.order.size());
  for (std::size_t i = 0; i < back.order.size(); ++i) {
    digits.extents.push_back(back.extents[back.order[i]]);
    digits.order[back.order[i]] = i;
  }
  return digits;
}

std::vector<std::size_t> digits_per_axis(const std::vector<int64_t>& extents, const Shape& shape) {
  std::vector<std::size_t> counts;
  std::size_t next = 0;
  for (int axis = 1; axis < shape.rank; ++axis) {
    int64_t product = 1;
    std::size_t count = 0;
    // Digits of one value say nothing, so an axis of extent 1 may have none.
    while (next < extents.size() && (product < shape[axis] || extents[next] == 1)) {
      product *= extents[next++];
      ++count;
    }
    if (product != shape[axis]) throw InternalError("digits do not fill the axes of a shape");
    counts.push_back(count);
  }
  return counts;
}

bool is_identity(const Digits& digits) {
  std::size_t last = 0;
  for (std::size_t digit : digits.order) {
    if (digits.extents[digit] == 1) continue;
    if (digit < last) return false;
    last = digit;
  }
  return true;
}

}  // namespace halcyon::compiler
