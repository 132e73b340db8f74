/// Operators that move values along the axes of a sample: one pass over the output, each position
/// of which reads the positions that it comes from. Where they lie is known while compiling, so it
/// stands in the kernel: as a line (begin + step * i) or as a table.

#include <algorithm>
#include <optional>

#include "compiler/kernels/kernels.h"
#include "compiler/kernels/sum_over.h"
#include "compiler/ops/axis_map.h"
#include "compiler/ops/digits.h"

namespace halcyon::compiler {

using namespace Halide;

namespace {

int to_int(int64_t value) { return static_cast<int>(value); }

/// Positions first..last read offset + step * position, all others nothing.
struct Line {
  int first, last, offset, step;
};

std::optional<Line> line_of(const AxisMap& map) {
  std::optional<Line> line;
  int known = 0;  // positions seen that read something
  for (std::size_t i = 0; i < map.taps.size(); ++i) {
    if (map.taps[i].empty()) continue;
    if (map.taps[i].size() > 1 || map.taps[i][0].weight != 1) return {};
    const int position = static_cast<int>(i);
    const int from = to_int(map.taps[i][0].from);
    if (known == 0) line = {position, position, from - position, 1};
    if (known == 1) {
      line->step = from - (line->offset + line->first);
      line->offset = from - line->step * position;
    }
    const bool follows = known == 0 || position == line->last + 1;
    if (!follows || from != line->offset + line->step * position) return {};
    line->last = position;
    ++known;
  }
  return line;
}

/// One axis of a movement in Halide's terms.
class AxisReader {
 public:
  struct Read {
    Expr at;      ///< always within the input
    Expr inside;  ///< whether something is read; undefined where it always is
    Expr weight;  ///< undefined where it is 1
  };

  /// `covered`: how many positions are asked for, channels that fill up the last block among them.
  AxisReader(const AxisMap& map, int64_t covered)
      : line_(line_of(map)),
        covered_(to_int(covered)),
        input_extent_(to_int(map.input_extent)),
        output_extent_(to_int(map.output_extent())) {
    for (const auto& taps : map.taps) taps_ = std::max(taps_, to_int(std::ssize(taps)));
    if (!line_) make_tables(map);
  }

  /// How many reads a position is the sum of, at most.
  int taps() const { return taps_; }
  bool is_identity() const {
    return line_ && line_->first == 0 && line_->offset == 0 && line_->step == 1 &&
           line_->last + 1 == input_extent_ && input_extent_ == output_extent_;
  }
  const std::optional<Line>& line() const { return line_; }

  Read read(const Expr& position, const Expr& tap) const {
    if (!line_) return read_tables(position, tap);
    Read read;
    Expr at = position;
    if (line_->first > 0 || line_->last < covered_ - 1) {
      read.inside = position >= line_->first && position <= line_->last;
      at = clamp(position, line_->first, line_->last);
    }
    read.at = at * line_->step + line_->offset;
    return read;
  }

 private:
  void make_tables(const AxisMap& map) {
    from_ = Buffer<int32_t>(taps_, covered_);
    from_.fill(-1);
    bool weighted = false;
    Buffer<float> weight(taps_, covered_);
    weight.fill(0);
    complete_ = covered_ == output_extent_;
    for (std::size_t i = 0; i < map.taps.size(); ++i) {
      const int position = static_cast<int>(i);
      complete_ = complete_ && std::ssize(map.taps[i]) == taps_;
      for (int t = 0; t < to_int(std::ssize(map.taps[i])); ++t) {
        const AxisTap& tap = map.taps[i][static_cast<std::size_t>(t)];
        from_(t, position) = to_int(tap.from);
        weight(t, position) = static_cast<float>(tap.weight);
        weighted = weighted || tap.weight != 1;
      }
    }
    if (weighted) weight_ = weight;
  }

  Read read_tables(const Expr& position, const Expr& tap) const {
    Read read;
    const Expr from = from_(tap, position);
    read.at = clamp(from, 0, input_extent_ - 1);
    if (!complete_) read.inside = from >= 0;
    if (weight_.defined()) read.weight = weight_(tap, position);
    return read;
  }

  std::optional<Line> line_;
  int covered_;
  int input_extent_;
  int output_extent_;
  int taps_ = 1;
  bool complete_ = false;  // every position has all its taps
  Buffer<int32_t> from_;   // -1 where nothing is read
  Buffer<float> weight_;
};

/// The channels of a read: whole blocks where the input's blocks lie under the output's.
void set_channel(Point& q, const Point& p, const AxisReader& axis, const Expr& at,
                 int64_t input_channels) {
  if (axis.is_identity()) return;
  const int block = to_int(p.block);
  const std::optional<Line>& line = axis.line();
  if (line && line->step == 1 && line->offset % block == 0) {
    const int blocks = to_int((input_channels + block - 1) / block);
    q.cb = clamp(p.cb + line->offset / block, 0, blocks - 1);
    return;
  }
  q.block = 1;
  q.ci = 0;
  q.cb = at;
}

void lower_axis_maps(LowerContext& context, int32_t id, const AxisMaps& maps, float fill,
                     const char* name) {
  const Node& node = context.graph().node(id);
  const Value x = node.inputs[0];
  const Shape& y_shape = node.outputs[0];
  PointVars v = LowerContext::vars(y_shape.spatial_rank());
  const Point p = v.point(context.block());
  const int channels = to_int(y_shape[1]);
  const int block = to_int(context.block());
  std::vector<AxisReader> axes;
  std::vector<int> taps;
  for (std::size_t i = 0; i < maps.size(); ++i) {
    const int covered =
        i == 0 ? (channels + block - 1) / block * block : to_int(maps[i].output_extent());
    axes.emplace_back(maps[i], covered);
    taps.push_back(axes.back().taps());
  }

  const Expr value = sum_over(context, v, taps, [&](const Position& tap) {
    Point q = p;
    Expr inside;
    Expr weight;
    for (std::size_t i = 0; i < axes.size(); ++i) {
      const Expr position = i == 0 ? p.channel() : p.s[i - 1];
      const AxisReader::Read read = axes[i].read(position, tap[i]);
      if (i == 0) {
        set_channel(q, p, axes[0], read.at, maps[0].input_extent);
      } else {
        q.s[i - 1] = read.at;
      }
      // Channels beyond the last are zeros in x already.
      const bool asks = read.inside.defined() && !(i == 0 && axes[0].is_identity());
      if (asks) inside = inside.defined() ? inside && read.inside : read.inside;
      if (read.weight.defined()) weight = weight.defined() ? weight * read.weight : read.weight;
    }
    Expr term = context.load(x, q);
    if (weight.defined()) term *= weight;
    return inside.defined() ? select(inside, term, fill) : term;
  });
  Func y(name);
  const bool masked = fill != 0 && channels % block != 0;
  y(v.arguments()) = masked ? select(p.channel() < channels, value, 0.0f) : value;
  context.define({id, 0}, y);
}

template <class Op>
void lower_axis_maps(const Op& op, LowerContext& context, int32_t id, float fill = 0) {
  const Shape& x = context.shape(context.graph().node(id).inputs[0]);
  lower_axis_maps(context, id, axis_maps(op, x), fill, Op::name.data());
}

/// The digits of y at `position`, in y's order.
std::vector<Expr> digits_at(const std::vector<Expr>& position, const std::vector<int64_t>& extents,
                            const std::vector<std::size_t>& per_axis) {
  std::vector<Expr> digits(extents.size());
  std::size_t next = 0;
  for (std::size_t axis = 0; axis < per_axis.size(); ++axis) {
    Expr rest = position[axis];
    for (std::size_t i = next + per_axis[axis]; i-- > next;) {
      const int extent = to_int(extents[i]);
      digits[i] = i == next ? rest : rest % extent;
      rest = rest / extent;
    }
    next += per_axis[axis];
  }
  return digits;
}

/// True if the first `count` digits, which are y's channels, are also the first of x.
bool keeps_channels(const Digits& digits, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    if (digits.order[i] != i) return false;
  }
  return true;
}

void lower_digits(LowerContext& context, int32_t id, const Digits& digits, const char* name) {
  const Node& node = context.graph().node(id);
  const Value x = node.inputs[0];
  const Shape& from = context.shape(x);
  const Shape& to = node.outputs[0];
  PointVars v = LowerContext::vars(to.spatial_rank());
  const Point p = v.point(context.block());
  const int channels = to_int(to[1]);
  const bool ragged = channels % context.block() != 0;

  std::vector<int64_t> moved_extents;
  for (std::size_t digit : digits.order) moved_extents.push_back(digits.extents[digit]);
  std::vector<Expr> position = {ragged ? min(p.channel(), channels - 1) : p.channel()};
  position.insert(position.end(), p.s.begin(), p.s.end());
  const std::vector<std::size_t> per_axis = digits_per_axis(moved_extents, to);
  const std::vector<Expr> moved = digits_at(position, moved_extents, per_axis);
  std::vector<Expr> values(moved.size());
  for (std::size_t i = 0; i < moved.size(); ++i) values[digits.order[i]] = moved[i];

  std::vector<Expr> source;
  std::size_t next = 0;
  for (std::size_t count : digits_per_axis(digits.extents, from)) {
    Expr at = 0;
    for (std::size_t i = next; i < next + count; ++i) {
      at = at * to_int(digits.extents[i]) + values[i];
    }
    source.push_back(at);
    next += count;
  }
  Point q = p;
  q.s.assign(source.begin() + 1, source.end());
  // Where channels stay, so do blocks, and what fills up the last one is zero already.
  const bool channels_stay = from[1] == to[1] && keeps_channels(digits, per_axis[0]);
  if (!channels_stay) {
    q.block = 1;
    q.ci = 0;
    q.cb = source[0];
  }
  const Expr value = context.load(x, q);
  Func y(name);
  y(v.arguments()) = ragged && !channels_stay ? select(p.channel() < channels, value, 0.0f) : value;
  context.define({id, 0}, y);
}

template <class Op>
void lower_digits(const Op& op, LowerContext& context, int32_t id) {
  const Shape& x = context.shape(context.graph().node(id).inputs[0]);
  lower_digits(context, id, digits_of(op, x), Op::name.data());
}

}  // namespace

void lower(const ops::Pad& op, LowerContext& context, int32_t id) {
  lower_axis_maps(op, context, id, op.value);
}
void lower(const ops::PadGrad& op, LowerContext& context, int32_t id) {
  lower_axis_maps(op, context, id);
}
void lower(const ops::Slice& op, LowerContext& context, int32_t id) {
  lower_axis_maps(op, context, id);
}
void lower(const ops::Resize& op, LowerContext& context, int32_t id) {
  lower_axis_maps(op, context, id);
}
void lower(const ops::ResizeGrad& op, LowerContext& context, int32_t id) {
  lower_axis_maps(op, context, id);
}
void lower(const ops::Transpose& op, LowerContext& context, int32_t id) {
  lower_digits(op, context, id);
}
void lower(const ops::ChannelShuffle& op, LowerContext& context, int32_t id) {
  lower_digits(op, context, id);
}
void lower(const ops::DepthToSpace& op, LowerContext& context, int32_t id) {
  lower_digits(op, context, id);
}
void lower(const ops::SpaceToDepth& op, LowerContext& context, int32_t id) {
  lower_digits(op, context, id);
}

}  // namespace halcyon::compiler
