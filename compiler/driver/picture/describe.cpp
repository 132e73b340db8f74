#include "compiler/driver/picture/describe.h"

#include <fmt/format.h>

#include <algorithm>

#include "dsl/print.h"

namespace halcyon::compiler {

using namespace dsl;

namespace {

template <class T>
std::string value_text(const T& value) {
  return print_detail::text_of(value);
}
std::string value_text(float value) { return fmt::format("{}", value); }
template <std::size_t most>
std::string value_text(const Numbers<float, most>& value) {
  if (value.rank == 0) return value_text(value[0]);
  std::string text;
  for (int axis = 0; axis < value.rank; ++axis)
    text += (axis > 0 ? "," : "[") + value_text(value[axis]);
  return text + "]";
}

/// "[7,7]" -> "7x7"; one number stands for as many axes as the operator has.
std::string window_text(std::string text) {
  text.erase(std::remove(text.begin(), text.end(), '['), text.end());
  text.erase(std::remove(text.begin(), text.end(), ']'), text.end());
  std::replace(text.begin(), text.end(), ',', 'x');
  return text;
}

/// Equal numbers are said once: "2x2" -> "2".
std::string said_once(const std::string& text) {
  const std::size_t end = text.find('x');
  if (end == text.npos) return text;
  const std::string first = text.substr(0, end);
  std::string same = first;
  while (same.size() < text.size()) same += "x" + first;
  return same == text ? first : text;
}

template <class T>
constexpr bool is_any(std::initializer_list<std::string_view> names) {
  return std::find(names.begin(), names.end(), T::name) != names.end();
}

template <class T>
constexpr Kind kind_of_type() {
  constexpr std::string_view name = T::name;
  if (is_any<T>({"input", "parameter", "constant"})) return Kind::source;
  if (is_any<T>({"conv", "conv_transpose", "winograd_conv"})) return Kind::convolution;
  if (is_any<T>({"dense", "matmul"})) return Kind::dense;
  if (is_any<T>({"max_pool", "average_pool", "reduce"})) return Kind::pooling;
  if (is_any<T>({"batch_norm", "normalize", "moments", "group_moments", "batch_moments",
                 "l2_normalize", "local_response_norm", "move_statistics"}))
    return Kind::normalisation;
  if (is_any<T>({"pointwise", "softmax", "log_softmax", "softmax_cross_entropy", "mean_square",
                 "dropout", "random_mask", "sum_to", "stencil"}))
    return Kind::pointwise;
  if (is_any<T>({"flatten", "unflatten", "concat", "pad", "slice", "reshape", "transpose",
                 "channel_shuffle", "depth_to_space", "space_to_depth", "resize", "copy",
                 "flip_filter", "scale_filters", "stack_filters", "winograd_filters",
                 "transpose_matrix"}))
    return Kind::movement;
  if (name.ends_with("_grad") || is_any<T>({"normalize_sums", "group_sums", "update"}))
    return Kind::gradient;
  return Kind::other;
}

}  // namespace

const char* to_string(Kind kind) {
  constexpr const char* kNames[] = {"source",   "convolution",   "dense",
                                    "pooling",  "normalisation", "pointwise",
                                    "movement", "gradient",      "other"};
  return kNames[static_cast<int>(kind)];
}

Kind kind_of(const Op& op) {
  return std::visit([]<class T>(const T&) { return kind_of_type<T>(); }, op);
}

std::vector<Fact> attribute_facts(const Op& op) {
  std::vector<Fact> facts;
  const auto add_all = [&]<class T>(const T& o) {
    T::fields()([&](const auto& f) {
      facts.push_back({std::string(f.name), value_text(o.*(f.member))});
    });
  };
  std::visit(add_all, op);
  return facts;
}

std::string short_text(const Op& op) {
  std::string kernel, stride, size, groups;
  for (const Fact& fact : attribute_facts(op)) {
    if (fact.name == "kernel") kernel = " " + window_text(fact.value);
    if (fact.name == "stride") stride = " /" + said_once(window_text(fact.value));
    if (fact.name == "filters" || fact.name == "units") size = ", " + fact.value;
    if (fact.name == "groups" && fact.value != "1") groups = ", " + fact.value + " groups";
  }
  if (stride == " /1") stride.clear();
  return std::string(name_of(op)) + kernel + stride + size + groups;
}

std::string short_text(const Layout& layout) {
  constexpr const char* kSpatial[] = {"", "W", "HW", "DHW"};
  constexpr const char* kTypes[] = {"", "i32 ", "u8 "};
  const std::string spatial = kSpatial[layout.spatial_rank()];
  std::string text = kTypes[static_cast<int>(layout.dtype)];
  if (layout.block == 1) {
    text += layout.shape.rank > 1 ? "NC" + spatial : "N";
  } else if (layout.block == layout.channels()) {
    text += "N" + spatial + "C";
  } else {
    text += fmt::format("NC{}{}c", spatial, layout.block);
  }
  if (!layout.has_halo()) return text;
  std::string begin, end;
  for (int axis = 0; axis < layout.spatial_rank(); ++axis) {
    begin += (axis > 0 ? "x" : "") + std::to_string(layout.halo(axis));
    end += (axis > 0 ? "x" : "") + std::to_string(layout.after.at(static_cast<std::size_t>(axis)));
  }
  text += " halo " + said_once(begin);
  return begin == end ? text : text + "+" + said_once(end);
}

}  // namespace halcyon::compiler
