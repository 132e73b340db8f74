#pragma once
/// The layers that move values: borders, cuts, other orders, other sizes. Axes are counted as in a
/// shape: 1 is the channels, 2 the first spatial axis.

#include <vector>

#include "dsl/network.h"
#include "dsl/padding.h"

namespace halcyon::dsl {

namespace detail {

/// A layer of one operator without parameters, whose attributes `resolve(Shape)` completes.
template <class Op, class Resolve>
struct MovementLayer {
  Resolve resolve;
  FixedString given_name;
  Place place;

  constexpr Tensor operator()(Tensor x) const {
    Network& net = x.owner();
    const Shape in = x.shape();
    const FixedString name = net.unique_name(given_name, Op::name, place);
    const Op op = explain(Op::name, name, place, {&in, 1}, [&]() -> Op { return resolve(in); });
    return net.add(op, {x.value}, name, place);
  }
};

template <class Op, class Resolve>
constexpr MovementLayer<Op, Resolve> movement(Resolve resolve, const FixedString& name,
                                              const Place& place) {
  return {resolve, name, place};
}

/// Everything of x.
constexpr ops::Slice whole(const Shape& x) {
  ops::Slice slice{.begin = {}, .end = {}, .step = {}};
  for (int axis = 1; axis < x.rank; ++axis) {
    slice.begin.push_back(0);
    slice.end.push_back(x[axis]);
    slice.step.push_back(1);
  }
  return slice;
}

constexpr void check_axis(int64_t axis, const Shape& x) {
  if (axis < 1 || axis >= x.rank) mistakes::there_is_no_such_axis(axis, x.rank);
}

}  // namespace detail

struct PadOptions {
  ops::PadMode mode = ops::PadMode::constant;
  float value = 0;
  int64_t channels_begin = 0;
  int64_t channels_end = 0;
  FixedString name = {};
};

/// A border around the spatial axes, and extra channels. Shapes: x [N,C,H,W] -> [N,C,H+2a,W+2a] for
/// a number a; see ops::Pad.
constexpr auto pad(Padding amount, PadOptions options = {}, Place place = Place::here()) {
  const auto resolve = [=](const Shape& x) {
    rules::check_activation(x, 2, 5);
    ops::Pad op{.begin = {options.channels_begin},
                .end = {options.channels_end},
                .mode = options.mode,
                .value = options.value};
    rules::check_axes("pad", amount.begin, x);
    rules::check_axes("pad", amount.end, x);
    for (int axis = 0; axis < x.spatial_rank(); ++axis) {
      op.begin.push_back(amount.begin[axis]);
      op.end.push_back(amount.end[axis]);
    }
    return op;
  };
  return detail::movement<ops::Pad>(resolve, options.name, place);
}

struct SliceOptions {
  int64_t step = 1;
  FixedString name = {};
};

/// Positions begin, begin + step, ... in front of `end` of one axis; see ops::Slice.
constexpr auto slice(int64_t axis, int64_t begin, int64_t end, SliceOptions options = {},
                     Place place = Place::here()) {
  const auto resolve = [=](const Shape& x) {
    rules::check_activation(x, 2, 5);
    detail::check_axis(axis, x);
    ops::Slice op = detail::whole(x);
    const int a = static_cast<int>(axis) - 1;
    op.begin[a] = begin;
    op.end[a] = end;
    op.step[a] = options.step;
    return op;
  };
  return detail::movement<ops::Slice>(resolve, options.name, place);
}

/// Cuts a border off the spatial axes: the reverse of pad.
constexpr auto crop(Padding amount, FixedString name = {}, Place place = Place::here()) {
  const auto resolve = [=](const Shape& x) {
    rules::check_activation(x, 3, 5);
    rules::check_axes("crop", amount.begin, x);
    rules::check_axes("crop", amount.end, x);
    ops::Slice op = detail::whole(x);
    for (int axis = 0; axis < x.spatial_rank(); ++axis) {
      op.begin[axis + 1] += amount.begin[axis];
      op.end[axis + 1] -= amount.end[axis];
    }
    return op;
  };
  return detail::movement<ops::Slice>(resolve, name, place);
}

/// Cuts x into parts of the given extents along an axis. Source: ONNX Split-13.
/// Errors: parts that do not add up to x.
constexpr std::vector<Tensor> split(Tensor x, const std::vector<int64_t>& extents, int64_t axis = 1,
                                    Place place = Place::here()) {
  const Shape in = x.shape();
  explain("split", {}, place, {&in, 1}, [&] {
    rules::check_activation(in, 2, 5);
    detail::check_axis(axis, in);
    int64_t sum = 0;
    for (int64_t extent : extents) {
      rules::check_positive("the extent of a part", extent);
      sum += extent;
    }
    const int64_t expected = in[static_cast<int>(axis)];
    if (sum != expected) mistakes::parts_do_not_fill_axis(axis, sum, expected);
  });
  std::vector<Tensor> parts;
  int64_t begin = 0;
  for (int64_t extent : extents) {
    parts.push_back(slice(axis, begin, begin + extent, {}, place)(x));
    begin += extent;
  }
  return parts;
}

/// The same into `parts` equal parts.
constexpr std::vector<Tensor> split(Tensor x, int64_t parts, int64_t axis = 1,
                                    Place place = Place::here()) {
  const Shape in = x.shape();
  explain("split", {}, place, {&in, 1}, [&] {
    rules::check_activation(in, 2, 5);
    detail::check_axis(axis, in);
    rules::check_positive("parts", parts);
    const int64_t extent = in[static_cast<int>(axis)];
    if (extent % parts != 0) mistakes::axis_cannot_be_split_evenly(axis, extent, parts);
  });
  const int64_t extent = in[static_cast<int>(axis)] / parts;
  return split(x, std::vector<int64_t>(static_cast<std::size_t>(parts), extent), axis, place);
}

/// Another shape of a sample, without the batch; an extent of -1 is found from the others.
constexpr auto reshape(const Shape& sample, FixedString name = {}, Place place = Place::here()) {
  const auto resolve = [=](const Shape& x) {
    rules::check_activation(x, 2, 5);
    if (sample.rank < 1 || sample.rank > 4) mistakes::input_has_wrong_rank(sample.rank, 1, 4);
    ops::Reshape op{.shape = {kBatch}};
    int open = 0;
    int64_t known = 1;
    for (int axis = 0; axis < sample.rank; ++axis) {
      op.shape.push_back(sample[axis]);
      if (sample[axis] == -1) {
        open = open == 0 ? axis + 1 : -1;
      } else {
        rules::check_positive("an extent", sample[axis]);
        known *= sample[axis];
      }
      if (known > kMaxElements) mistakes::shape_is_too_large(sample, kMaxElements);
    }
    if (open == 0) return op;
    if (open < 0 || x.elements() % known != 0) mistakes::reshape_leaves_axis_open(x);
    op.shape[open] = x.elements() / known;
    return op;
  };
  return detail::movement<ops::Reshape>(resolve, name, place);
}

/// Axis i + 1 of the result is axis permutation[i] of x; see ops::Transpose.
constexpr auto transpose(SampleAxes permutation, FixedString name = {},
                         Place place = Place::here()) {
  const auto resolve = [=](const Shape&) { return ops::Transpose{.permutation = permutation}; };
  return detail::movement<ops::Transpose>(resolve, name, place);
}

/// See ops::ChannelShuffle.
constexpr auto channel_shuffle(int64_t groups, FixedString name = {}, Place place = Place::here()) {
  const auto resolve = [=](const Shape&) { return ops::ChannelShuffle{.groups = groups}; };
  return detail::movement<ops::ChannelShuffle>(resolve, name, place);
}

/// Shapes: x [N,C,H,W] -> [N,C/block^2,H*block,W*block]; see ops::DepthToSpace.
constexpr auto depth_to_space(int64_t block, ops::DepthOrder order = ops::DepthOrder::dcr,
                              FixedString name = {}, Place place = Place::here()) {
  const auto resolve = [=](const Shape&) {
    return ops::DepthToSpace{.block = block, .order = order};
  };
  return detail::movement<ops::DepthToSpace>(resolve, name, place);
}

/// Shapes: x [N,C,H,W] -> [N,C*block^2,H/block,W/block]; see ops::SpaceToDepth.
constexpr auto space_to_depth(int64_t block, ops::DepthOrder order = ops::DepthOrder::dcr,
                              FixedString name = {}, Place place = Place::here()) {
  const auto resolve = [=](const Shape&) {
    return ops::SpaceToDepth{.block = block, .order = order};
  };
  return detail::movement<ops::SpaceToDepth>(resolve, name, place);
}

struct ResizeOptions {
  ops::Interpolation interpolation = ops::Interpolation::nearest;
  ops::Coordinates coordinates = ops::Coordinates::half_pixel;
  ops::Rounding rounding = ops::Rounding::prefer_floor;
  FixedString name = {};
};

/// Shapes: x [N,C,H,W] -> [N,C,size]; see ops::Resize.
constexpr auto resize(Spatial size, ResizeOptions options = {}, Place place = Place::here()) {
  const auto resolve = [=](const Shape&) {
    return ops::Resize{.size = size,
                       .interpolation = options.interpolation,
                       .coordinates = options.coordinates,
                       .rounding = options.rounding};
  };
  return detail::movement<ops::Resize>(resolve, options.name, place);
}

/// Shapes: x [N,C,H,W] -> [N,C,floor(H*scale),floor(W*scale)]; see ops::Resize.
constexpr auto rescale(SpatialScale scale, ResizeOptions options = {},
                       Place place = Place::here()) {
  const auto resolve = [=](const Shape&) {
    return ops::Resize{.scale = scale,
                       .interpolation = options.interpolation,
                       .coordinates = options.coordinates,
                       .rounding = options.rounding};
  };
  return detail::movement<ops::Resize>(resolve, options.name, place);
}

/// Enlarges by whole factors: every value repeated, or linear between the middles of values.
/// Shapes: x [N,C,H,W] -> [N,C,H*factor,W*factor]
constexpr auto upsample(Spatial factor,
                        ops::Interpolation interpolation = ops::Interpolation::nearest,
                        FixedString name = {}, Place place = Place::here()) {
  const auto resolve = [=](const Shape& x) {
    rules::check_activation(x, 3, 5);
    rules::check_axes("factor", factor, x);
    ops::Resize op{.size = {}, .interpolation = interpolation};
    for (int axis = 0; axis < x.spatial_rank(); ++axis) {
      rules::check_positive("factor", factor[axis]);
      op.size.push_back(x.spatial(axis) * factor[axis]);
    }
    return op;
  };
  return detail::movement<ops::Resize>(resolve, name, place);
}

}  // namespace halcyon::dsl
