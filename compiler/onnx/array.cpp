#include "compiler/onnx/array.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "dsl/ops/op.h"
#include "runtime/base/error.h"
#include "runtime/weights.h"

namespace halcyon::compiler {

namespace {

using onnx::TensorProto;

static_assert(std::endian::native == std::endian::little, "raw data is copied as it stands");

/// Bytes of one element in raw data; 0 for what has no fixed size.
uint64_t element_bytes(int32_t type) {
  switch (type) {
    case TensorProto::BOOL:
    case TensorProto::INT8:
    case TensorProto::UINT8: return 1;
    case TensorProto::INT16:
    case TensorProto::UINT16:
    case TensorProto::FLOAT16:
    case TensorProto::BFLOAT16: return 2;
    case TensorProto::FLOAT:
    case TensorProto::INT32:
    case TensorProto::UINT32: return 4;
    case TensorProto::DOUBLE:
    case TensorProto::INT64:
    case TensorProto::UINT64: return 8;
    default: return 0;
  }
}

/// Source: IEEE 754, binary16.
float from_half(uint16_t bits) {
  const uint32_t sign = static_cast<uint32_t>(bits & 0x8000U) << 16;
  const uint32_t exponent = (bits >> 10) & 0x1fU;
  const uint32_t fraction = bits & 0x3ffU;
  if (exponent == 0x1f) return std::bit_cast<float>(sign | 0x7f800000U | (fraction << 13));
  if (exponent != 0) {
    return std::bit_cast<float>(sign | ((exponent + 112) << 23) | (fraction << 13));
  }
  const float subnormal = static_cast<float>(fraction) * 0x1p-24f;
  return sign != 0 ? -subnormal : subnormal;
}

float from_bfloat(uint16_t bits) { return std::bit_cast<float>(static_cast<uint32_t>(bits) << 16); }

template <class Stored, class Made, class Convert>
std::vector<Made> convert_raw(const std::string& raw, const Convert& convert) {
  std::vector<Made> values(raw.size() / sizeof(Stored));
  for (std::size_t i = 0; i < values.size(); ++i) {
    Stored stored;
    std::memcpy(&stored, raw.data() + i * sizeof(Stored), sizeof(Stored));
    values[i] = static_cast<Made>(convert(stored));
  }
  return values;
}

constexpr auto kAsItIs = [](auto value) { return value; };

std::vector<float> raw_reals(const std::string& raw, int32_t type) {
  switch (type) {
    case TensorProto::FLOAT: {
      std::vector<float> values(raw.size() / sizeof(float));
      if (!values.empty()) std::memcpy(values.data(), raw.data(), values.size() * sizeof(float));
      return values;
    }
    case TensorProto::DOUBLE: return convert_raw<double, float>(raw, kAsItIs);
    case TensorProto::FLOAT16: return convert_raw<uint16_t, float>(raw, from_half);
    default: return convert_raw<uint16_t, float>(raw, from_bfloat);
  }
}

std::vector<int64_t> raw_integers(const std::string& raw, int32_t type) {
  switch (type) {
    case TensorProto::BOOL:
      return convert_raw<uint8_t, int64_t>(raw, [](uint8_t v) { return v != 0; });
    case TensorProto::INT8: return convert_raw<int8_t, int64_t>(raw, kAsItIs);
    case TensorProto::UINT8: return convert_raw<uint8_t, int64_t>(raw, kAsItIs);
    case TensorProto::INT16: return convert_raw<int16_t, int64_t>(raw, kAsItIs);
    case TensorProto::UINT16: return convert_raw<uint16_t, int64_t>(raw, kAsItIs);
    case TensorProto::INT32: return convert_raw<int32_t, int64_t>(raw, kAsItIs);
    case TensorProto::UINT32: return convert_raw<uint32_t, int64_t>(raw, kAsItIs);
    default: return convert_raw<int64_t, int64_t>(raw, kAsItIs);
  }
}

std::vector<float> typed_reals(const TensorProto& tensor) {
  switch (tensor.data_type()) {
    case TensorProto::FLOAT: return {tensor.float_data().begin(), tensor.float_data().end()};
    case TensorProto::DOUBLE: {
      std::vector<float> values;
      for (double value : tensor.double_data()) values.push_back(static_cast<float>(value));
      return values;
    }
    default: {
      const bool half = tensor.data_type() == TensorProto::FLOAT16;
      std::vector<float> values;
      for (int32_t value : tensor.int32_data()) {
        const auto bits = static_cast<uint16_t>(value);
        values.push_back(half ? from_half(bits) : from_bfloat(bits));
      }
      return values;
    }
  }
}

std::vector<int64_t> typed_integers(const TensorProto& tensor) {
  switch (tensor.data_type()) {
    case TensorProto::INT64: return {tensor.int64_data().begin(), tensor.int64_data().end()};
    case TensorProto::UINT32:
    case TensorProto::UINT64: {
      std::vector<int64_t> values;
      for (uint64_t value : tensor.uint64_data()) values.push_back(static_cast<int64_t>(value));
      return values;
    }
    default: return {tensor.int32_data().begin(), tensor.int32_data().end()};
  }
}

}  // namespace

ElementKind element_kind(int32_t onnx_type, const std::string& what) {
  switch (onnx_type) {
    case TensorProto::FLOAT:
    case TensorProto::DOUBLE:
    case TensorProto::FLOAT16:
    case TensorProto::BFLOAT16: return ElementKind::real;
    case TensorProto::BOOL: return ElementKind::truth;
    default: break;
  }
  if (element_bytes(onnx_type) != 0) return ElementKind::integer;
  throw UserError(what + " is of type " + element_type_name(onnx_type) +
                      ", which is neither a number nor a truth value",
                  "networks compute with real numbers");
}

std::string element_type_name(int32_t onnx_type) {
  if (!onnx::TensorProto_DataType_IsValid(onnx_type)) {
    return "number " + std::to_string(onnx_type);
  }
  std::string name =
      onnx::TensorProto_DataType_Name(static_cast<onnx::TensorProto_DataType>(onnx_type));
  for (char& c : name) c = static_cast<char>(c >= 'A' && c <= 'Z' ? c + 32 : c);
  return name;
}

Array Array::picked(Dims extents, const std::vector<int64_t>& indices) const {
  const auto pick = [&](const auto& values) {
    std::remove_cvref_t<decltype(values)> made;
    made.reserve(indices.size());
    for (int64_t index : indices) made.push_back(values[static_cast<std::size_t>(index)]);
    return made;
  };
  Array other = kind == ElementKind::real ? Array(std::move(extents), pick(*reals_))
                                          : Array(std::move(extents), pick(*integers_), kind);
  other.name = name;
  other.is_weight = is_weight;
  return other;
}

int64_t count_elements(const Dims& dims, const std::string& what) {
  int64_t count = 1;
  bool is_empty = false;
  for (int64_t extent : dims) {
    if (extent < 0) {
      throw UserError(what + " has the shape " + dims_text(dims) + ", with an extent below zero");
    }
    is_empty = is_empty || extent == 0;
    // An extent of zero does not excuse the others.
    if (extent > dsl::kMaxElements / count) {
      throw UserError(what + " has the shape " + dims_text(dims) + ", and more than " +
                      std::to_string(dsl::kMaxElements) + " values cannot be counted");
    }
    if (extent > 0) count *= extent;
  }
  return is_empty ? 0 : count;
}

std::string dims_text(const Dims& dims) {
  std::string text = "[";
  for (std::size_t axis = 0; axis < dims.size(); ++axis) {
    if (axis > 0) text += ',';
    text += dims[axis] == kBatchNumber ? "N" : std::to_string(dims[axis]);
  }
  return text + "]";
}

Array read_array(const TensorProto& tensor, const std::filesystem::path& folder) {
  const std::string what = "tensor " + runtime::quote(tensor.name());
  const int32_t type = tensor.data_type();
  const ElementKind kind = element_kind(type, what);
  if (tensor.has_segment()) throw UserError(what + " is stored in segments");
  Dims dims(tensor.dims().begin(), tensor.dims().end());
  const auto count = static_cast<uint64_t>(count_elements(dims, what));
  const uint64_t expected_bytes = count * element_bytes(type);
  const bool is_external = tensor.data_location() == TensorProto::EXTERNAL;
  std::string external;
  if (is_external) external = read_external_data(tensor, folder, expected_bytes, what);
  const bool is_raw = is_external || tensor.has_raw_data();
  const std::string& raw = is_external ? external : tensor.raw_data();
  if (is_raw && raw.size() != expected_bytes) {
    throw UserError(what + " has " + std::to_string(raw.size()) + " bytes of data, and " +
                    element_type_name(type) + dims_text(dims) + " needs " +
                    std::to_string(expected_bytes));
  }
  Array array;
  if (kind == ElementKind::real) {
    array = Array(std::move(dims), is_raw ? raw_reals(raw, type) : typed_reals(tensor));
  } else {
    std::vector<int64_t> values = is_raw ? raw_integers(raw, type) : typed_integers(tensor);
    std::ranges::transform(values, values.begin(), plain_number);
    array = Array(std::move(dims), std::move(values), kind);
  }
  if (static_cast<uint64_t>(array.size()) != count) {
    throw UserError(what + " has " + std::to_string(array.size()) + " values, and " +
                    element_type_name(type) + dims_text(array.dims) + " needs " +
                    std::to_string(count));
  }
  array.name = tensor.name();
  array.is_stored = true;
  return array;
}

}  // namespace halcyon::compiler
