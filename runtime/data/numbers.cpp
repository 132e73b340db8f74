#include "runtime/data/numbers.h"

#include <cstdint>
#include <cstring>

#include "runtime/base/error.h"

namespace halcyon::runtime {
namespace {

template <class Number>
void convert(const std::vector<std::byte>& data, std::span<float> floats) {
  for (std::size_t i = 0; i < floats.size(); ++i) {
    Number number;
    std::memcpy(&number, data.data() + i * sizeof number, sizeof number);
    floats[i] = static_cast<float>(number);
  }
}

using Convert = void (*)(const std::vector<std::byte>& data, std::span<float> floats);

/// nullptr for a type that is not read.
Convert conversion_from(const std::string& type) {
  if (type == "F32") return convert<float>;
  if (type == "F64") return convert<double>;
  if (type == "U8" || type == "BOOL") return convert<uint8_t>;
  if (type == "I8") return convert<int8_t>;
  if (type == "U16") return convert<uint16_t>;
  if (type == "I16") return convert<int16_t>;
  if (type == "U32") return convert<uint32_t>;
  if (type == "I32") return convert<int32_t>;
  if (type == "U64") return convert<uint64_t>;
  if (type == "I64") return convert<int64_t>;
  return nullptr;
}

}  // namespace

Tensor to_tensor(const WeightTensor& array, const std::string& what) {
  const Convert convert = conversion_from(array.dtype);
  if (convert == nullptr) {
    throw UserError(what + " holds numbers of type " + quote(array.dtype) + ", which are not read",
                    "save them as 32-bit floats");
  }
  if (array.shape.size() > static_cast<std::size_t>(Shape::kMaxRank)) {
    throw UserError(what + " has " + std::to_string(array.shape.size()) + " axes, at most " +
                    std::to_string(Shape::kMaxRank) + " are read");
  }
  Shape shape;
  for (const int64_t extent : array.shape) shape.push_back(extent);
  Tensor tensor(shape);
  convert(array.data, tensor.floats());
  return tensor;
}

}  // namespace halcyon::runtime
