#include "compiler/onnx/model_writer.h"

#include <bit>
#include <type_traits>

#include "runtime/base/error.h"

namespace halcyon::compiler {

namespace {

static_assert(std::endian::native == std::endian::little, "ONNX keeps raw data in that order");

/// What is not data: names, nodes, and what protobuf adds.
constexpr uint64_t kRoomBytes = uint64_t{64} << 20;
constexpr uint64_t kMostBytes = (uint64_t{1} << 31) - 1 - kRoomBytes;

void fill(onnx::TensorProto& tensor, const std::string& name, const std::vector<int64_t>& dims,
          std::span<const float> values) {
  tensor.set_name(name);
  tensor.set_data_type(onnx::TensorProto::FLOAT);
  for (const int64_t extent : dims) tensor.add_dims(extent);
  tensor.set_raw_data(values.data(), values.size_bytes());
}

}  // namespace

std::string ModelWriter::fresh(const std::string& wanted) {
  std::string name = wanted;
  for (int i = 2; !taken_.insert(name).second; ++i) name = wanted + "_" + std::to_string(i);
  return name;
}

void ModelWriter::add_node(const std::string& type, const std::string& name,
                           const std::vector<std::string>& inputs,
                           const std::vector<std::string>& outputs,
                           const ModelAttributes& attributes) {
  onnx::NodeProto& node = *graph_.add_node();
  node.set_op_type(type);
  node.set_name(name);
  for (const std::string& input : inputs) node.add_input(input);
  for (const std::string& output : outputs) node.add_output(output);
  for (const ModelAttribute& given : attributes) {
    onnx::AttributeProto& attribute = *node.add_attribute();
    attribute.set_name(given.name);
    std::visit(
        [&](const auto& value) {
          using Value = std::decay_t<decltype(value)>;
          if constexpr (std::is_same_v<Value, int64_t>) {
            attribute.set_type(onnx::AttributeProto::INT);
            attribute.set_i(value);
          } else if constexpr (std::is_same_v<Value, float>) {
            attribute.set_type(onnx::AttributeProto::FLOAT);
            attribute.set_f(value);
          } else if constexpr (std::is_same_v<Value, std::string>) {
            attribute.set_type(onnx::AttributeProto::STRING);
            attribute.set_s(value);
          } else {
            attribute.set_type(onnx::AttributeProto::INTS);
            for (const int64_t element : value) attribute.add_ints(element);
          }
        },
        given.value);
  }
}

void ModelWriter::add_values(const std::string& name, const std::vector<int64_t>& dims,
                             std::span<const float> values) {
  count_bytes(values.size_bytes());
  ranks_[name] = static_cast<int>(dims.size());
  fill(*graph_.add_initializer(), name, dims, values);
}

void ModelWriter::add_constant(const std::string& name, const std::vector<int64_t>& dims,
                               std::span<const float> values) {
  count_bytes(values.size_bytes());
  ranks_[name] = static_cast<int>(dims.size());
  onnx::NodeProto& node = *graph_.add_node();
  node.set_op_type("Constant");
  node.set_name(name);
  node.add_output(name);
  onnx::AttributeProto& attribute = *node.add_attribute();
  attribute.set_name("value");
  attribute.set_type(onnx::AttributeProto::TENSOR);
  fill(*attribute.mutable_t(), name, dims, values);
}

int ModelWriter::rank_of(const std::string& name) const {
  const auto known = ranks_.find(name);
  return known == ranks_.end() ? -1 : known->second;
}

std::string ModelWriter::integers(const std::vector<int64_t>& values) {
  std::string& name = integers_[values];
  if (!name.empty()) return name;
  std::string wanted = "integers";
  for (const int64_t value : values) wanted += "_" + std::to_string(value);
  name = fresh(wanted.substr(0, 48));
  onnx::TensorProto& tensor = *graph_.add_initializer();
  tensor.set_name(name);
  tensor.set_data_type(onnx::TensorProto::INT64);
  tensor.add_dims(static_cast<int64_t>(values.size()));
  tensor.set_raw_data(values.data(), values.size() * sizeof(int64_t));
  return name;
}

std::string ModelWriter::number(float value) {
  std::string& name = numbers_[std::bit_cast<uint32_t>(value)];
  if (!name.empty()) return name;
  name = fresh("number_" + std::to_string(value));
  fill(*graph_.add_initializer(), name, {}, {&value, 1});
  return name;
}

void ModelWriter::count_bytes(uint64_t bytes) {
  bytes_ += bytes;
  if (bytes_ <= kMostBytes) return;
  throw UserError("the weights take more than " + std::to_string(kMostBytes) +
                      " bytes, which is all that one ONNX file can hold",
                  "save them as .safetensors instead");
}

}  // namespace halcyon::compiler
