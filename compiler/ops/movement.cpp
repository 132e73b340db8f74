/// Meaning and gradient of the operators that move values along the axes of a sample.

#include <algorithm>

#include "compiler/ops/axis_map.h"
#include "compiler/ops/digits.h"
#include "compiler/ops/rules.h"

namespace halcyon::compiler {
namespace {

// x mapped along one axis (0 is the batch); `fill` where nothing is read.
HostTensor mapped(const HostTensor& x, const AxisMap& map, int axis, double fill) {
  HostTensor y{x.shape, {}};
  y.shape[axis] = map.output_extent();
  int64_t inner = 1;
  for (int a = axis + 1; a < x.shape.rank; ++a) inner *= x.shape[a];
  const int64_t outer = static_cast<int64_t>(x.values.size()) / (inner * map.input_extent);
  for (int64_t o = 0; o < outer; ++o) {
    for (const std::vector<AxisTap>& taps : map.taps) {
      for (int64_t i = 0; i < inner; ++i) {
        double sum = taps.empty() ? fill : 0;
        for (const AxisTap& tap : taps) {
          const int64_t at = (o * map.input_extent + tap.from) * inner + i;
          sum += tap.weight * x.values[static_cast<std::size_t>(at)];
        }
        y.values.push_back(sum);
      }
    }
  }
  return y;
}

template <class Op>
HostTensors mapped(const Op& op, HostInputs in, double fill = 0) {
  HostTensor y = in[0];
  Shape x = in[0].shape;
  x[0] = kBatch;
  const AxisMaps maps = axis_maps(op, x);
  for (std::size_t i = 0; i < maps.size(); ++i) {
    y = mapped(y, maps[i], static_cast<int>(i) + 1, fill);
  }
  return {y};
}

template <class Op>
HostTensors rearranged(const Op& op, HostInputs in) {
  Shape x = in[0].shape;
  x[0] = kBatch;
  const Digits digits = digits_of(op, x);
  HostTensor y = zeros(detail::output_shape(op, in));
  // What a step of each digit is worth in x.
  std::vector<int64_t> worth(digits.extents.size(), 1);
  for (std::size_t i = worth.size() - 1; i-- > 0;) {
    worth[i] = worth[i + 1] * digits.extents[i + 1];
  }
  const int64_t sample = x.elements();
  for (std::size_t i = 0; i < y.values.size(); ++i) {
    const auto number = static_cast<int64_t>(i);
    int64_t rest = number % sample;
    int64_t from = number - rest;
    for (std::size_t place = digits.order.size(); place-- > 0;) {
      const std::size_t digit = digits.order[place];
      from += rest % digits.extents[digit] * worth[digit];
      rest /= digits.extents[digit];
    }
    y.values[i] = in[0].values[static_cast<std::size_t>(from)];
  }
  return {y};
}

}  // namespace

HostTensors reference(const ops::Pad& op, HostInputs in, int64_t) {
  return mapped(op, in, static_cast<double>(op.value));
}

void gradient(const ops::Pad& op, GradientContext& context) {
  const Shape x = context.shape(context.x(0));
  if (op.mode != ops::PadMode::constant) {
    const ops::PadGrad back{.input = x, .pad = op};
    return context.add_gradient(0, context.emit(back, {context.dy()}, "x"));
  }
  ops::Slice inside{.begin = {}, .end = {}, .step = {}};
  for (int axis = 0; axis < x.rank - 1; ++axis) {
    const int64_t step = op.between[axis] + 1;
    inside.begin.push_back(op.begin[axis]);
    inside.end.push_back(op.begin[axis] + (x[axis + 1] - 1) * step + 1);
    inside.step.push_back(step);
  }
  context.add_gradient(0, context.emit(inside, {context.dy()}, "x"));
}

HostTensors reference(const ops::PadGrad& op, HostInputs in, int64_t) { return mapped(op, in); }

void gradient(const ops::PadGrad&, GradientContext& context) { context.refuse(); }

HostTensors reference(const ops::Slice& op, HostInputs in, int64_t) { return mapped(op, in); }

// Zeros where nothing was taken; an axis that runs backwards is turned round before.
void gradient(const ops::Slice& op, GradientContext& context) {
  const Shape x = context.shape(context.x(0));
  const Shape y = context.shape(context.y());
  ops::Slice turn{.begin = {}, .end = {}, .step = {}};
  ops::Pad spread{.begin = {}, .end = {}, .between = {}};
  bool turns = false;
  for (int axis = 0; axis < x.rank - 1; ++axis) {
    const int64_t count = y[axis + 1];
    const bool backwards = op.step[axis] < 0;
    const int64_t last = op.begin[axis] + (count - 1) * op.step[axis];
    turns = turns || (backwards && count > 1);
    turn.begin.push_back(backwards ? count - 1 : 0);
    turn.end.push_back(backwards ? -1 : count);
    turn.step.push_back(backwards ? -1 : 1);
    spread.begin.push_back(std::min(op.begin[axis], last));
    spread.end.push_back(x[axis + 1] - 1 - std::max(op.begin[axis], last));
    spread.between.push_back(std::max(op.step[axis], -op.step[axis]) - 1);
  }
  Value dy = context.dy();
  if (turns) dy = context.emit(turn, {dy}, "turn");
  context.add_gradient(0, context.emit(spread, {dy}, "x"));
}

HostTensors reference(const ops::Transpose& op, HostInputs in, int64_t) {
  return rearranged(op, in);
}

void gradient(const ops::Transpose& op, GradientContext& context) {
  ops::Transpose back = op;
  for (int i = 0; i < op.permutation.rank; ++i) {
    back.permutation[static_cast<int>(op.permutation[i]) - 1] = i + 1;
  }
  context.add_gradient(0, context.emit(back, {context.dy()}, "x"));
}

HostTensors reference(const ops::ChannelShuffle& op, HostInputs in, int64_t) {
  return rearranged(op, in);
}

void gradient(const ops::ChannelShuffle& op, GradientContext& context) {
  const ops::ChannelShuffle back{.groups = context.shape(context.x(0))[1] / op.groups};
  context.add_gradient(0, context.emit(back, {context.dy()}, "x"));
}

HostTensors reference(const ops::DepthToSpace& op, HostInputs in, int64_t) {
  return rearranged(op, in);
}

void gradient(const ops::DepthToSpace& op, GradientContext& context) {
  const ops::SpaceToDepth back{.block = op.block, .order = op.order};
  context.add_gradient(0, context.emit(back, {context.dy()}, "x"));
}

HostTensors reference(const ops::SpaceToDepth& op, HostInputs in, int64_t) {
  return rearranged(op, in);
}

void gradient(const ops::SpaceToDepth& op, GradientContext& context) {
  const ops::DepthToSpace back{.block = op.block, .order = op.order};
  context.add_gradient(0, context.emit(back, {context.dy()}, "x"));
}

HostTensors reference(const ops::Resize& op, HostInputs in, int64_t) { return mapped(op, in); }

void gradient(const ops::Resize& op, GradientContext& context) {
  const ops::ResizeGrad back{.input = context.shape(context.x(0)), .resize = op};
  context.add_gradient(0, context.emit(back, {context.dy()}, "x"));
}

HostTensors reference(const ops::ResizeGrad& op, HostInputs in, int64_t) { return mapped(op, in); }

void gradient(const ops::ResizeGrad&, GradientContext& context) { context.refuse(); }

}  // namespace halcyon::compiler
