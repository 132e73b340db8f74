#pragma once
/// Convolution with fewer multiplications, after Winograd: what passes make of some convolutions
/// of inference. compiler/ops/winograd.h says how it works.

#include "dsl/ops/op.h"

namespace halcyon::dsl::ops {

/// The form of filters that a Winograd convolution multiplies with: A x A numbers for each pair of
/// filter and channel, A = tile + R - 1, filled with zeros up to a multiple of `block` filters.
/// Shapes: weight [K,C,R,R] -> [A*A*filled(K),C,1,1], frequency outermost
struct WinogradFilters {
  static constexpr std::string_view name = "winograd_filters";
  static constexpr auto fields() {
    return attributes(field("tile", &WinogradFilters::tile),
                      field("block", &WinogradFilters::block));
  }

  int64_t tile = 4;
  int64_t block = 1;

  constexpr int64_t filled(int64_t filters) const { return (filters + block - 1) / block * block; }
  constexpr int64_t frequencies(int64_t kernel) const {
    return (tile + kernel - 1) * (tile + kernel - 1);
  }

  constexpr Shapes infer(const Shapes& in) const {
    rules::check_input_count(in, 1, 1);
    const Shape& weight = in[0];
    rules::check_rank(weight, 4, 4);
    rules::check_positive("tile", tile);
    rules::check_positive("block", block);
    if (weight[2] != weight[3]) mistakes::weight_has_wrong_shape(weight, square(weight));
    return {Shape{frequencies(weight[2]) * filled(weight[0]), weight[1], 1, 1}};
  }
  constexpr bool operator==(const WinogradFilters&) const = default;

 private:
  static constexpr Shape square(const Shape& weight) {
    return {weight[0], weight[1], weight[2], weight[2]};
  }
};

/// Convolution with stride 1, in square tiles of `tile` x `tile` outputs.
/// Shapes: x [N,C,H,W], WinogradFilters of [K,C/groups,R,R], bias [K] -> y [N,K,P,Q] as Conv's
struct WinogradConv {
  static constexpr std::string_view name = "winograd_conv";
  static constexpr auto fields() {
    return attributes(
        field("filters", &WinogradConv::filters), field("kernel", &WinogradConv::kernel),
        field("tile", &WinogradConv::tile), field("block", &WinogradConv::block),
        field("pad_begin", &WinogradConv::pad_begin), field("pad_end", &WinogradConv::pad_end),
        field("groups", &WinogradConv::groups));
  }

  int64_t filters = 1;
  int64_t kernel = 3;
  int64_t tile = 4;
  int64_t block = 1;
  Spatial pad_begin = 0;
  Spatial pad_end = 0;
  int64_t groups = 1;

  constexpr int64_t patch() const {
    return tile + kernel - 1;
  }  ///< inputs of a tile, along an axis
  constexpr int64_t frequencies() const { return patch() * patch(); }
  constexpr int64_t filled_filters() const { return (filters + block - 1) / block * block; }
  /// Tiles along an axis; the last may reach beyond the map.
  constexpr int64_t tiles(int64_t outputs) const { return (outputs + tile - 1) / tile; }
  /// What all tiles of an axis read beyond its end.
  constexpr int64_t reach_end(int axis, int64_t input, int64_t outputs) const {
    return tiles(outputs) * tile + kernel - 1 - pad_begin[axis] - input;
  }

  constexpr Shapes infer(const Shapes& in) const {
    rules::check_input_count(in, 2, 3);
    const Shape& x = in[0];
    rules::check_activation(x, 4, 4);
    rules::check_axes("pad_begin", pad_begin, x);
    rules::check_axes("pad_end", pad_end, x);
    rules::check_positive("tile", tile);
    rules::check_positive("block", block);
    rules::check_filter_groups(x, filters, groups);
    const Shape expected = {frequencies() * filled_filters(), x[1] / groups, 1, 1};
    if (!(in[1] == expected)) mistakes::weight_has_wrong_shape(in[1], expected);
    if (in.size() == 3 && !(in[2] == Shape{filters})) {
      mistakes::bias_has_wrong_shape(in[2], filters);
    }
    Shape y = {x[0], filters};
    for (int axis = 0; axis < 2; ++axis) {
      y.push_back(
          rules::window_output(x.spatial(axis), kernel, 1, 1, pad_begin[axis], pad_end[axis]));
    }
    return {y};
  }

  /// Multiply-adds per sample of the convolution that it stands for.
  constexpr int64_t macs(const Shapes& in, const Shapes& out) const {
    return out[0].elements() * (in[0][1] / groups) * kernel * kernel;
  }
  constexpr bool operator==(const WinogradConv&) const = default;
};

}  // namespace halcyon::dsl::ops
