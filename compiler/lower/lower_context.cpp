#include "compiler/lower/lower_context.h"

#include <algorithm>

#include "runtime/base/error.h"

namespace halcyon::compiler {

using Halide::Expr;
using Halide::Func;
using Halide::ImageParam;
using Halide::Var;

namespace {

int to_int(int64_t value) {
  if (value > INT32_MAX)
    throw UserError("a value is too large for one kernel: " + std::to_string(value) + " elements");
  return static_cast<int>(value);
}

Halide::Type halide_type(DType dtype) {
  return dtype == DType::f32   ? Halide::Float(32)
         : dtype == DType::i32 ? Halide::Int(32)
                               : Halide::UInt(8);
}

/// Dimensions of an activation's buffer but for the batch, innermost first.
std::vector<Dimension> dimensions(const Layout& layout) {
  std::vector<Dimension> dims = {{0, layout.block, 1}};
  for (int axis = layout.spatial_rank() - 1; axis >= 0; --axis) {
    dims.push_back({-layout.halo(axis), layout.extent(axis), layout.spatial_stride(axis)});
  }
  dims.push_back({0, layout.blocks(), layout.block_stride()});
  return dims;
}

/// What a kernel writes of an activation: everything but the halo. The buffer then begins behind
/// the halo.
std::vector<Dimension> inside_dimensions(const Layout& layout) {
  std::vector<Dimension> dims = dimensions(layout);
  for (int axis = 0; axis < layout.spatial_rank(); ++axis) {
    Dimension& d = dims[static_cast<std::size_t>(layout.spatial_rank() - axis)];
    d.min = 0;
    d.extent = layout.shape.spatial(axis);
  }
  return dims;
}

std::vector<Dimension> dimensions(const WeightLayout& layout) {
  std::vector<Dimension> dims = {{0, layout.filter_block, 1}};
  for (Dimension d : dimensions(layout.sample)) {
    dims.push_back({d.min, d.extent, d.stride * layout.filter_block});
  }
  dims.push_back({0, layout.filter_blocks(), layout.filter_block_stride()});
  return dims;
}

/// A weight as a dense layer sees it: filter in block, element of the sample, filter block.
std::vector<Dimension> flat_dimensions(const WeightLayout& layout) {
  return {{0, layout.filter_block, 1},
          {0, layout.sample.sample_elements(), layout.filter_block},
          {0, layout.filter_blocks(), layout.filter_block_stride()}};
}

template <class Buffer>
void set_dimensions(Buffer buffer, const std::vector<Dimension>& dims) {
  for (std::size_t i = 0; i < dims.size(); ++i) {
    buffer.dim(static_cast<int>(i))
        .set_bounds(to_int(dims[i].min), to_int(dims[i].extent))
        .set_stride(to_int(dims[i].stride));
  }
}

/// Adds the batch as the outermost dimension.
template <class Buffer>
void set_dimensions(Buffer buffer, const Layout& layout, const Expr& batch) {
  std::vector<Dimension> dims = dimensions(layout);
  set_dimensions(buffer, dims);
  buffer.dim(static_cast<int>(dims.size()))
      .set_bounds(0, batch)
      .set_stride(to_int(layout.sample_stride()));
}

}  // namespace

std::vector<Expr> Point::arguments() const {
  std::vector<Expr> list = {ci};
  list.insert(list.end(), s.rbegin(), s.rend());
  list.push_back(cb);
  list.push_back(n);
  return list;
}

std::vector<Var> PointVars::arguments() const {
  std::vector<Var> list = {ci};
  list.insert(list.end(), s.rbegin(), s.rend());
  list.push_back(cb);
  list.push_back(n);
  return list;
}

Point PointVars::point(int64_t block) const {
  return {ci, cb, std::vector<Expr>(s.begin(), s.end()), n, block};
}

LowerContext::LowerContext(const KernelSpec& spec) : spec_(spec) {
  const Program& program = *spec.program;
  for (std::size_t i = 0; i < spec.inputs.size(); ++i) {
    const std::string name = "in" + std::to_string(i);
    const KernelArgument& argument = spec.inputs[i];
    if (argument.kind != KernelArgument::Kind::value) {
      const bool step = argument.kind == KernelArgument::Kind::step;
      arguments_.emplace_back(step ? Halide::UInt(32) : Halide::Float(32), 1, name);
      continue;
    }
    const auto weight = program.weights.find(argument.value);
    if (weight != program.weights.end()) {
      const int rank = weight->second.sample.spatial_rank() + 4;
      arguments_.emplace_back(Halide::Float(32), rank, name);
      set_dimensions(arguments_.back(), dimensions(weight->second));
    } else {
      const Layout& layout = program.layouts.at(argument.value);
      arguments_.emplace_back(halide_type(layout.dtype), layout.spatial_rank() + 3, name);
      set_dimensions(arguments_.back(), layout, batch_);
    }
    images_.emplace(argument.value, arguments_.back());
  }
  if (!spec.region->outputs.empty() && graph().shape(spec.region->outputs[0]).has_batch()) {
    block_ = output_layout().block;
  }
}

Layout LowerContext::output_layout() const {
  const Layout& layout = spec_.program->layouts.at(spec_.region->outputs[0]);
  if (graph().shape(spec_.region->outputs[0]).rank > 2 || layout.spatial_rank() == 0) return layout;
  Layout flat{.shape = {kBatch, layout.sample_elements()}};
  flat.block = layout.block;
  return flat;
}

PointVars LowerContext::vars(int spatial_rank) {
  static const char* const kNames[] = {"x", "y", "z"};
  PointVars vars;
  for (int axis = spatial_rank - 1; axis >= 0; --axis) vars.s.emplace_back(kNames[axis]);
  return vars;
}

void LowerContext::define(Value v, const Func& func, int part) {
  defined_[v] = {func, part, func.outputs() > 1};
}

Expr LowerContext::load(Value v, const Point& p) const {
  const auto inside = defined_.find(v);
  if (inside == defined_.end()) return load_stored(v, p);
  const Definition& d = inside->second;
  if (d.tuple) return d.func(p.arguments())[d.part];
  return d.func(p.arguments());
}

Expr LowerContext::load_repeated(Value v, const Point& p, const Shape& full) const {
  const Shape own = dsl::rules::aligned(shape(v), full.rank);
  Point q = p;
  for (int axis = 2; axis < full.rank; ++axis) {
    if (own[axis] < full[axis]) q.s[static_cast<std::size_t>(axis - 2)] = 0;
  }
  if (!shape(v).has_batch()) return load_parameter(v, q, own);
  if (own[1] < full[1]) {
    q.ci = 0;
    q.cb = 0;
    q.block = layout(v).block;
  }
  return load(v, q);
}

Expr LowerContext::load_parameter(Value v, const Point& p, const Shape& own) const {
  const WeightLayout& w = weight_layout(v);
  const bool per_channel = shape(v).rank == 1;
  const int block = to_int(per_channel ? w.filter_block : w.sample.block);
  Expr lane = p.ci;
  Expr number = p.cb;
  Expr inside;  // undefined where the zeros behind the last channel are read like any other
  if (own[1] == 1) {
    lane = number = 0;
  } else if (p.block != block) {
    const Expr channel = Halide::min(p.channel(), to_int(own[1] - 1));
    lane = channel % block;
    number = channel / block;
    if (own[1] % p.block != 0) inside = p.channel() < to_int(own[1]);
  }
  std::vector<Expr> args = {lane, 0, 0, number};
  if (!per_channel) {
    args = {0, lane};
    args.insert(args.end(), p.s.rbegin(), p.s.rend());
    args.push_back(number);
    args.emplace_back(0);
  }
  const Expr value = images_.at(v)(args);
  return inside.defined() ? Halide::select(inside, value, 0.0f) : value;
}

Expr LowerContext::load_stored(Value v, const Point& p) const {
  const Layout& stored = layout(v);
  const ImageParam& im = images_.at(v);
  const bool flattened = shape(v).spatial_rank() == 0 && stored.spatial_rank() > 0;
  // A dense layer in the same region may see the value as rows.
  const bool rows = im.dimensions() == 2;
  const auto read = [&](const Point& at) -> Expr {
    if (!rows) return im(at.arguments());
    Expr element = at.ci + at.cb * to_int(stored.block_stride());
    for (int axis = 0; axis < stored.spatial_rank(); ++axis) {
      element += at.s[static_cast<std::size_t>(axis)] * to_int(stored.spatial_stride(axis));
    }
    return im(element, at.n);
  };
  if (stored.block == p.block && !flattened) return read(p);

  const Expr channel = p.channel();
  const int channels = to_int(shape(v).rank > 1 ? shape(v)[1] : 1);
  const int covered = to_int((channels + p.block - 1) / p.block * p.block);
  // Lanes beyond the last channel must not read beyond the buffer.
  Expr c = covered > channels ? Halide::clamp(channel, 0, channels - 1) : channel;
  Point q = p;
  if (flattened) {
    // c counts C, H, W in row-major order.
    q.s.clear();
    for (int axis = stored.spatial_rank() - 1; axis >= 0; --axis) {
      const int extent = to_int(stored.shape.spatial(axis));
      q.s.insert(q.s.begin(), c % extent);
      c = c / extent;
    }
  }
  const int block = to_int(stored.block);
  q.ci = c % block;
  q.cb = c / block;
  Expr value = read(q);
  if (covered == channels) return value;
  return Halide::select(channel < channels, value, Halide::cast(value.type(), 0));
}

ImageParam LowerContext::replace_image(Value v, const ImageParam& image) {
  for (std::size_t i = 0; i < spec_.inputs.size(); ++i) {
    if (spec_.inputs[i].value == v) arguments_[i] = image;
  }
  images_.at(v) = image;
  return image;
}

ImageParam LowerContext::flat_image(Value v) {
  const int64_t length = layout(v).sample_elements();
  ImageParam flat(halide_type(layout(v).dtype), 2, images_.at(v).name());
  set_dimensions(flat, {{0, length, 1}});
  flat.dim(1).set_bounds(0, batch_).set_stride(to_int(layout(v).sample_stride()));
  return replace_image(v, flat);
}

ImageParam LowerContext::flat_weight(Value v) {
  if (images_.at(v).dimensions() == 3) return images_.at(v);
  ImageParam flat(Halide::Float(32), 3, images_.at(v).name());
  set_dimensions(flat, flat_dimensions(weight_layout(v)));
  return replace_image(v, flat);
}

ImageParam LowerContext::raw_image(std::size_t input, int64_t elements) {
  ImageParam im = arguments_.at(input);
  im.dim(0).set_bounds(0, to_int(elements)).set_stride(1);
  return im;
}

ImageParam LowerContext::step_numbers() {
  constexpr int64_t kWords = 4;
  for (std::size_t i = 0; i < spec_.inputs.size(); ++i) {
    if (spec_.inputs[i].kind == KernelArgument::Kind::step) return raw_image(i, kWords);
  }
  throw InternalError("kernel " + spec_.label() + " is not given the step's numbers");
}

Expr LowerContext::weight_at(Value v, const Expr& k, const Expr& c,
                             const std::vector<Expr>& taps) const {
  const WeightLayout& w = weight_layout(v);
  const int filter_block = to_int(w.filter_block);
  const int block = to_int(w.sample.block);
  const Expr kk = Halide::clamp(k, 0, to_int(w.filters - 1));
  const Expr cc = Halide::clamp(c, 0, to_int(w.sample.channels() - 1));
  std::vector<Expr> args = {kk % filter_block, cc % block};
  args.insert(args.end(), taps.rbegin(), taps.rend());
  args.push_back(cc / block);
  args.push_back(kk / filter_block);
  const Expr inside = k < to_int(w.filters) && c < to_int(w.sample.channels());
  return Halide::select(inside, images_.at(v)(args), 0.0f);
}

void LowerContext::make_output() {
  output_vars_ = vars(output_layout().spatial_rank());
  const Point p = output_vars_.point(block_);
  std::vector<Expr> results;
  for (Value v : spec_.region->outputs) {
    const Expr value = load(v, p);
    results.push_back(v.output == 1 ? Halide::cast(halide_type(layout(v).dtype), value) : value);
  }
  output_ = Func("out");
  if (results.size() == 1) {
    output_(output_vars_.arguments()) = results[0];
  } else {
    output_(output_vars_.arguments()) = Halide::Tuple(results);
  }
}

std::vector<Dimension> LowerContext::output_dimensions(std::size_t output) const {
  const KernelArgument& argument = spec_.outputs[output];
  if (argument.kind != KernelArgument::Kind::value) {
    return {{0, spec_.program->memory.trainable_bytes / 4, 1}};
  }
  const auto weight = spec_.program->weights.find(argument.value);
  if (weight != spec_.program->weights.end()) {
    return output_.dimensions() == 3 ? flat_dimensions(weight->second) : dimensions(weight->second);
  }
  if (!shape(argument.value).has_batch()) return {};
  return inside_dimensions(output == 0 ? output_layout() : layout(argument.value));
}

int64_t LowerContext::output_offset_bytes(std::size_t output) const {
  const KernelArgument& argument = spec_.outputs[output];
  const auto known = spec_.program->layouts.find(argument.value);
  if (argument.kind != KernelArgument::Kind::value || known == spec_.program->layouts.end())
    return 0;
  int64_t elements = 0;
  for (int axis = 0; axis < known->second.spatial_rank(); ++axis) {
    elements += known->second.halo(axis) * known->second.spatial_stride(axis);
  }
  return elements * size_bytes(known->second.dtype);
}

std::vector<Halide::Argument> LowerContext::finish() {
  const std::vector<Halide::OutputImageParam> buffers = output_.output_buffers();
  for (std::size_t i = 0; i < spec_.outputs.size(); ++i) {
    const std::vector<Dimension> dims = output_dimensions(i);
    Halide::OutputImageParam buffer = buffers[i];
    for (std::size_t d = 0; d < dims.size(); ++d) {
      buffer.dim(static_cast<int>(d)).set_stride(to_int(dims[d].stride));
      // Halide takes the bounds of all outputs from the first.
      if (i > 0) continue;
      buffer.dim(static_cast<int>(d)).set_bounds(to_int(dims[d].min), to_int(dims[d].extent));
      output_.bound(output_.args()[d], to_int(dims[d].min), to_int(dims[d].extent));
    }
    if (static_cast<int>(dims.size()) == output_.dimensions()) continue;
    const Layout stored = i == 0 ? output_layout() : layout(spec_.outputs[i].value);
    const int n = output_.dimensions() - 1;
    buffer.dim(n).set_stride(to_int(stored.sample_stride()));
    if (i > 0) continue;
    buffer.dim(n).set_bounds(0, batch_);
    output_.bound(output_.args().back(), 0, batch_);
  }
  std::vector<Halide::Argument> list(arguments_.begin(), arguments_.end());
  list.push_back(batch_);
  return list;
}

Var parallelise(Func f, const std::vector<Var>& outer) {
  Var task = outer.front();
  for (std::size_t i = 1; i < outer.size(); ++i) {
    Var fused("task" + std::to_string(i));
    f.fuse(task, outer[i], fused);
    task = fused;
  }
  f.parallel(task);
  return task;
}

void vectorise_channels(Halide::Stage stage, const Var& ci, int64_t extent, int width) {
  if (extent <= width) {
    if (extent > 1) stage.vectorize(ci);
  } else {
    stage.vectorize(ci, width, Halide::TailStrategy::GuardWithIf);
  }
}

}  // namespace halcyon::compiler
