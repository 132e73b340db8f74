#pragma once
/// Values that are known while a model is imported: weights, shapes, and what follows from them.

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "compiler/onnx/onnx.pb.h"

namespace halcyon::compiler {

/// Extents as ONNX counts them: the batch, where there is one, is the first.
using Dims = std::vector<int64_t>;

/// A number in a shape that is only known when the network runs: the batch.
inline constexpr int64_t kBatchNumber = INT64_MIN;

/// A number that a model stores, or that wrapped around: never the mark of the batch. Models do
/// store that number, for "down to the first" in a Slice, and the next one says the same.
constexpr int64_t plain_number(int64_t value) { return std::max(value, kBatchNumber + 1); }

/// What the elements of a tensor are, as far as importing tells them apart.
enum class ElementKind { real, integer, truth };

/// Errors: UserError for strings, complex and unknown types; `what` begins the message.
ElementKind element_kind(int32_t onnx_type, const std::string& what);
/// "float", "int64", ...
std::string element_type_name(int32_t onnx_type);

/// A dense, row-major tensor. Real numbers are kept in single precision whatever they were stored
/// as; integers and truth values (0 and 1) in 64 bits. Copies share the values.
class Array {
 public:
  ElementKind kind = ElementKind::real;
  Dims dims;
  std::string name;        ///< of the tensor whose values these are; empty for what was computed
  bool is_weight = false;  ///< stored in the model as an initializer of its own
  bool is_stored = false;  ///< these values are in the model; not copied to what is made of them

  Array() = default;
  Array(Dims extents, std::vector<float> values)
      : dims(std::move(extents)),
        reals_(std::make_shared<const std::vector<float>>(std::move(values))) {}
  Array(Dims extents, std::vector<int64_t> values, ElementKind of = ElementKind::integer)
      : kind(of),
        dims(std::move(extents)),
        integers_(std::make_shared<const std::vector<int64_t>>(std::move(values))) {}

  const std::vector<float>& reals() const { return *reals_; }
  const std::vector<int64_t>& integers() const { return *integers_; }
  int64_t size() const {
    return static_cast<int64_t>(kind == ElementKind::real ? reals_->size() : integers_->size());
  }
  double number(int64_t index) const {
    const auto at = static_cast<std::size_t>(index);
    return kind == ElementKind::real ? static_cast<double>((*reals_)[at])
                                     : static_cast<double>((*integers_)[at]);
  }
  /// The same values seen as another shape of as many elements.
  Array reshaped(Dims extents) const {
    Array other = *this;
    other.dims = std::move(extents);
    return other;
  }
  /// The values whose numbers those are, in that order; the name stays.
  Array picked(Dims extents, const std::vector<int64_t>& indices) const;

 private:
  std::shared_ptr<const std::vector<float>> reals_;
  std::shared_ptr<const std::vector<int64_t>> integers_;
};

/// Product of the extents.
/// Errors: UserError for a negative extent, or more elements than dsl::kMaxElements; `what` begins
/// the message.
int64_t count_elements(const Dims& dims, const std::string& what);

/// "[2,3,224,224]"; the batch is "N".
std::string dims_text(const Dims& dims);

/// The values of a stored tensor: raw, typed, or in a file of its own inside `folder`. Half, bfloat
/// and double precision become single; integers are plain numbers.
/// Errors: UserError naming the tensor, for types that cannot be read, a number of values that does
/// not fit the shape (before memory is taken), and files outside `folder`.
Array read_array(const onnx::TensorProto& tensor, const std::filesystem::path& folder);

/// Bytes that a tensor keeps in a file of its own. Errors: as read_array.
std::string read_external_data(const onnx::TensorProto& tensor, const std::filesystem::path& folder,
                               uint64_t expected_bytes, const std::string& what);

}  // namespace halcyon::compiler
