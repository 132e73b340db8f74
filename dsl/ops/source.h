#pragma once
/// Where values come from: the host's inputs and targets, and the network's parameters.

#include "dsl/ops/op.h"

namespace halcyon::dsl::ops {

/// How an initial parameter value is drawn (see halcyon_init_kind); `scale` is already resolved.
enum class InitKind { constant, uniform, normal, values };

/// What the host hands over for each call. Its shape is [N,...]; in memory the host may keep
/// channels last (HWC) or first (CHW). Errors: an extent below 1, no batch.
struct Input {
  static constexpr std::string_view name = "input";
  static constexpr auto fields() {
    return attributes(field("shape", &Input::shape), field("dtype", &Input::dtype),
                      field("channels_last", &Input::channels_last),
                      field("target", &Input::target), field("classes", &Input::classes));
  }

  Shape shape;
  DType dtype = DType::f32;
  bool channels_last = true;
  bool target = false;  ///< read by losses only: absent from an inference library
  int64_t classes = 0;  ///< labels: valid values are [0, classes)

  constexpr Shapes infer(const Shapes& in) const {
    rules::check_input_count(in, 0, 0);
    rules::check_activation(shape, 1, 5);
    return {shape};
  }
  constexpr bool operator==(const Input&) const = default;
};

/// A weight or bias. Two parameters are never the same value, so `id` keeps them apart.
/// Errors: an extent below 1.
struct Parameter {
  static constexpr std::string_view name = "parameter";
  static constexpr auto fields() {
    return attributes(field("id", &Parameter::id), field("shape", &Parameter::shape),
                      field("init", &Parameter::init), field("scale", &Parameter::scale),
                      field("values", &Parameter::values),
                      field("trainable", &Parameter::trainable),
                      field("file_shape", &Parameter::file_shape));
  }

  int64_t id = 0;
  Shape shape;
  InitKind init = InitKind::constant;
  float scale = 0;
  int64_t values = -1;  ///< index into Graph::constants for InitKind::values
  bool trainable = true;
  Shape file_shape = {};  ///< how weight files know the same values; empty: as `shape`

  constexpr const Shape& canonical_shape() const {
    return file_shape.rank > 0 ? file_shape : shape;
  }

  constexpr Shapes infer(const Shapes& in) const {
    rules::check_input_count(in, 0, 0);
    if (shape.has_batch()) mistakes::extent_must_be_positive(0, shape[0]);
    if (file_shape.rank > 0) check_file_shape();
    return {shape};
  }
  constexpr bool operator==(const Parameter&) const = default;

 private:
  constexpr void check_file_shape() const {
    rules::check_size(shape);
    rules::check_size(file_shape);
    if (file_shape.has_batch() || file_shape.elements() != shape.elements()) {
      mistakes::shapes_must_be_equal(shape, file_shape);
    }
  }
};

/// Numbers that never change: part of the code, in no weight file.
/// Errors: an extent below 1. Source: ONNX Constant-13.
struct Constant {
  static constexpr std::string_view name = "constant";
  static constexpr auto fields() {
    return attributes(field("shape", &Constant::shape), field("values", &Constant::values));
  }

  Shape shape;
  int64_t values = -1;  ///< index into Graph::constants, row-major

  constexpr Shapes infer(const Shapes& in) const {
    rules::check_input_count(in, 0, 0);
    if (shape.has_batch()) mistakes::extent_must_be_positive(0, shape[0]);
    return {shape};
  }
  constexpr bool operator==(const Constant&) const = default;
};

}  // namespace halcyon::dsl::ops
