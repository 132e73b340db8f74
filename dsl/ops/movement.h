#pragma once
/// Operators that move values along the axes of a sample: each value of y is one value of x, or a
/// given constant. Axes are counted as in a shape: 1 is the channels, 2 the first spatial axis.

#include "dsl/ops/op.h"

namespace halcyon::dsl::ops {

/// What stands in a border: one value, the inside mirrored without its outermost value, or that
/// value repeated.
enum class PadMode { constant, reflect, edge };

/// Puts `begin` values in front of each axis, `end` behind it and `between` of them between
/// neighbours (which only `constant` can).
/// Shapes: x [N,C,...] -> y [N,begin+(C-1)*(between+1)+1+end,...]
/// Errors: negative numbers, a reflected border that is not smaller than its axis.
/// Source: ONNX Pad-18; `between` is XLA's interior padding.
struct Pad {
  static constexpr std::string_view name = "pad";
  static constexpr auto fields() {
    return attributes(field("begin", &Pad::begin), field("end", &Pad::end),
                      field("between", &Pad::between), field("mode", &Pad::mode),
                      field("value", &Pad::value));
  }

  SampleAxes begin = 0;
  SampleAxes end = 0;
  SampleAxes between = 0;
  PadMode mode = PadMode::constant;
  float value = 0;

  constexpr Shapes infer(const Shapes& in) const {
    rules::check_input_count(in, 1, 1);
    rules::check_activation(in[0], 2, 5);
    rules::check_axes("begin", begin, in[0]);
    rules::check_axes("end", end, in[0]);
    rules::check_axes("between", between, in[0]);
    Shape y = in[0];
    for (int axis = 1; axis < y.rank; ++axis) {
      for (int64_t border : {begin[axis - 1], end[axis - 1]}) {
        rules::check_padding(border);
        if (mode == PadMode::reflect && border >= y[axis]) {
          mistakes::reflection_needs_larger_axis(axis, border, y[axis]);
        }
      }
      rules::check_padding(between[axis - 1]);
      if (mode != PadMode::constant && between[axis - 1] != 0) {
        mistakes::only_constants_stand_between();
      }
      y[axis] = begin[axis - 1] + (y[axis] - 1) * (between[axis - 1] + 1) + 1 + end[axis - 1];
    }
    return {y};
  }
  constexpr bool operator==(const Pad&) const = default;
};

/// Sums the gradients of a border that repeats values into the values it came from.
/// Shapes: dy -> dx = `input`
struct PadGrad {
  static constexpr std::string_view name = "pad_grad";
  static constexpr auto fields() {
    return attributes(field("input", &PadGrad::input), field("pad", &PadGrad::pad));
  }

  Shape input;
  Pad pad;

  constexpr Shapes infer(const Shapes& in) const {
    rules::check_input_count(in, 1, 1);
    rules::check_size(input);
    const Shape y = pad.infer({input})[0];
    if (!(in[0] == y)) mistakes::gradient_has_wrong_shape(in[0], y);
    return {input};
  }
  constexpr bool operator==(const PadGrad&) const = default;
};

/// Of each axis the positions begin, begin + step, ... in front of `end`. A negative step runs
/// backwards; -1 is then in front of the first position.
/// Shapes: x [N,C,...] -> y [N,(end-begin)/step rounded up,...]
/// Errors: positions that x does not have, a step of zero. Source: ONNX Slice-13.
struct Slice {
  static constexpr std::string_view name = "slice";
  static constexpr auto fields() {
    return attributes(field("begin", &Slice::begin), field("end", &Slice::end),
                      field("step", &Slice::step));
  }

  SampleAxes begin = 0;
  SampleAxes end = 1;
  SampleAxes step = 1;

  constexpr Shapes infer(const Shapes& in) const {
    rules::check_input_count(in, 1, 1);
    rules::check_activation(in[0], 2, 5);
    rules::check_axes("begin", begin, in[0]);
    rules::check_axes("end", end, in[0]);
    rules::check_axes("step", step, in[0]);
    Shape y = in[0];
    for (int axis = 1; axis < y.rank; ++axis) {
      y[axis] = positions(axis, begin[axis - 1], end[axis - 1], step[axis - 1], y[axis]);
    }
    return {y};
  }
  constexpr bool operator==(const Slice&) const = default;

 private:
  static constexpr int64_t positions(int axis, int64_t begin, int64_t end, int64_t step,
                                     int64_t extent) {
    if (step == 0) mistakes::slice_has_no_step(axis);
    const bool inside = begin >= 0 && begin < extent &&
                        (step > 0 ? end > begin && end <= extent : end < begin && end >= -1);
    if (!inside) mistakes::slice_is_out_of_range(axis, begin, end, step, extent);
    return step > 0 ? (end - begin - 1) / step + 1 : (begin - end - 1) / -step + 1;
  }
};

/// Exchanges axes: axis i + 1 of y is axis permutation[i] of x. The batch stays in front.
/// Shapes: x [N,C,H,W] -> y [N,W,C,H] for {3,1,2}
/// Errors: a permutation that does not name each axis once. Source: ONNX Transpose-13.
struct Transpose {
  static constexpr std::string_view name = "transpose";
  static constexpr auto fields() {
    return attributes(field("permutation", &Transpose::permutation));
  }

  SampleAxes permutation;

  constexpr Shapes infer(const Shapes& in) const {
    rules::check_input_count(in, 1, 1);
    rules::check_activation(in[0], 2, 5);
    const int axes = in[0].rank - 1;
    if (permutation.rank != axes) mistakes::permutation_has_wrong_rank(permutation.rank, axes);
    Shape y = in[0];
    for (int i = 0; i < axes; ++i) {
      const int64_t axis = permutation[i];
      if (axis < 1 || axis > axes) mistakes::permutation_names_no_axis(axis, axes);
      for (int j = 0; j < i; ++j) {
        if (permutation[j] == axis) mistakes::permutation_names_axis_twice(axis);
      }
      y[i + 1] = in[0][static_cast<int>(axis)];
    }
    return {y};
  }
  constexpr bool operator==(const Transpose&) const = default;
};

/// Sorts channels by their place within their group, so that the next grouped convolution sees all
/// groups: y[k*groups + g] = x[g*C/groups + k]. Shapes: x [N,C,...] -> y alike.
/// Errors: groups that do not divide the channels. Source: ShuffleNet, Zhang et al. 2017.
struct ChannelShuffle {
  static constexpr std::string_view name = "channel_shuffle";
  static constexpr auto fields() { return attributes(field("groups", &ChannelShuffle::groups)); }

  int64_t groups = 1;

  constexpr Shapes infer(const Shapes& in) const {
    rules::check_input_count(in, 1, 1);
    rules::check_activation(in[0], 2, 5);
    rules::check_positive("groups", groups);
    if (in[0][1] % groups != 0) mistakes::channels_not_divisible_by_groups(in[0][1], groups);
    return {in[0]};
  }
  constexpr bool operator==(const ChannelShuffle&) const = default;
};

/// Which part of a channel's number is its place in the block: the slow one ("depth, column, row")
/// or the fast one.
enum class DepthOrder { dcr, crd };

/// Channels become blocks of positions. Shapes: x [N,C,H,W] -> y [N,C/block^2,H*block,W*block], and
/// so for any number of spatial axes.
/// Errors: channels that are no multiple of a block's positions.
/// Source: ONNX DepthToSpace-13; crd is PyTorch's pixel_shuffle.
struct DepthToSpace {
  static constexpr std::string_view name = "depth_to_space";
  static constexpr auto fields() {
    return attributes(field("block", &DepthToSpace::block), field("order", &DepthToSpace::order));
  }

  int64_t block = 2;
  DepthOrder order = DepthOrder::dcr;

  constexpr Shapes infer(const Shapes& in) const {
    rules::check_input_count(in, 1, 1);
    rules::check_activation(in[0], 3, 5);
    rules::check_positive("block", block);
    Shape y = in[0];
    for (int axis = 2; axis < y.rank; ++axis) {
      if (y[1] % block != 0) {
        mistakes::channels_fill_no_blocks(in[0][1], block, in[0].spatial_rank());
      }
      y[1] /= block;
      y[axis] *= block;
    }
    return {y};
  }
  constexpr bool operator==(const DepthToSpace&) const = default;
};

/// The reverse of DepthToSpace. Shapes: x [N,C,H,W] -> y [N,C*block^2,H/block,W/block]
/// Errors: extents that are no multiple of the block. Source: ONNX SpaceToDepth-13 (dcr).
struct SpaceToDepth {
  static constexpr std::string_view name = "space_to_depth";
  static constexpr auto fields() {
    return attributes(field("block", &SpaceToDepth::block), field("order", &SpaceToDepth::order));
  }

  int64_t block = 2;
  DepthOrder order = DepthOrder::dcr;

  constexpr Shapes infer(const Shapes& in) const {
    rules::check_input_count(in, 1, 1);
    rules::check_activation(in[0], 3, 5);
    rules::check_positive("block", block);
    Shape y = in[0];
    for (int axis = 2; axis < y.rank; ++axis) {
      if (y[axis] % block != 0) mistakes::extent_is_no_multiple_of_block(axis, y[axis], block);
      y[1] *= block;
      y[axis] /= block;
    }
    return {y};
  }
  constexpr bool operator==(const SpaceToDepth&) const = default;
};

}  // namespace halcyon::dsl::ops
