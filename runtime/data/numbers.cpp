#include "runtime/data/numbers.h"

#include <cstdint>
#include <cstring>

#include "runtime/base/error.h"

namespace halcyon::runtime {
namespace {

template <class Number>
std::vector<float> convert(const std::vector<std::byte>& data) {
  std::vector<float> floats(data.size() / sizeof(Number));
  for (std::size_t i = 0; i < floats.size(); ++i) {
    Number number;
    std::memcpy(&number, data.data() + i * sizeof number, sizeof number);
    floats[i] = static_cast<float>(number);
  }
  return floats;
}

}  // namespace

std::vector<float> to_floats(const WeightTensor& array, const std::string& what) {
  const std::string& type = array.dtype;
  if (type == "F32") return convert<float>(array.data);
  if (type == "F64") return convert<double>(array.data);
  if (type == "U8" || type == "BOOL") return convert<uint8_t>(array.data);
  if (type == "I8") return convert<int8_t>(array.data);
  if (type == "U16") return convert<uint16_t>(array.data);
  if (type == "I16") return convert<int16_t>(array.data);
  if (type == "U32") return convert<uint32_t>(array.data);
  if (type == "I32") return convert<int32_t>(array.data);
  if (type == "U64") return convert<uint64_t>(array.data);
  if (type == "I64") return convert<int64_t>(array.data);
  throw UserError(what + " holds numbers of type " + quote(type) + ", which are not read",
                  "save them as 32-bit floats");
}

}  // namespace halcyon::runtime
