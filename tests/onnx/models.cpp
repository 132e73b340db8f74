#include "tests/onnx/models.h"

namespace halcyon::tests {

ModelWriter::ModelWriter(int64_t opset) {
  model_.set_ir_version(8);
  model_.add_opset_import()->set_version(opset);
  graph().set_name("small");
}

ModelWriter& ModelWriter::input(const std::string& name, const compiler::Dims& dims, int type) {
  onnx::ValueInfoProto& info = *graph().add_input();
  info.set_name(name);
  info.mutable_type()->mutable_tensor_type()->set_elem_type(type);
  for (int64_t extent : dims) {
    auto* dim = info.mutable_type()->mutable_tensor_type()->mutable_shape()->add_dim();
    if (extent == 0) {
      dim->set_dim_param("n");
    } else {
      dim->set_dim_value(extent);
    }
  }
  info.mutable_type()->mutable_tensor_type()->mutable_shape();
  return *this;
}

ModelWriter& ModelWriter::output(const std::string& name) {
  onnx::ValueInfoProto& info = *graph().add_output();
  info.set_name(name);
  info.mutable_type()->mutable_tensor_type()->set_elem_type(onnx::TensorProto::FLOAT);
  return *this;
}

ModelWriter& ModelWriter::weight(const std::string& name, const compiler::Dims& dims,
                                 const std::vector<float>& values) {
  onnx::TensorProto& tensor = *graph().add_initializer();
  tensor.set_name(name);
  tensor.set_data_type(onnx::TensorProto::FLOAT);
  for (int64_t extent : dims) tensor.add_dims(extent);
  for (float value : values) tensor.add_float_data(value);
  return *this;
}

ModelWriter& ModelWriter::weight(const std::string& name, const compiler::Dims& dims, float value) {
  int64_t count = 1;
  for (int64_t extent : dims) count *= extent;
  return weight(name, dims, std::vector<float>(static_cast<std::size_t>(count), value));
}

ModelWriter& ModelWriter::integers(const std::string& name, const std::vector<int64_t>& values) {
  onnx::TensorProto& tensor = *graph().add_initializer();
  tensor.set_name(name);
  tensor.set_data_type(onnx::TensorProto::INT64);
  tensor.add_dims(static_cast<int64_t>(values.size()));
  for (int64_t value : values) tensor.add_int64_data(value);
  return *this;
}

ModelWriter& ModelWriter::node(const std::string& op, const std::vector<std::string>& inputs,
                               const std::vector<std::string>& outputs) {
  onnx::NodeProto& node = *graph().add_node();
  node.set_op_type(op);
  std::string name = "the_" + op;
  for (char& c : name) c = static_cast<char>(c >= 'A' && c <= 'Z' ? c + 32 : c);
  node.set_name(name);
  for (const std::string& input : inputs) node.add_input(input);
  for (const std::string& output : outputs) node.add_output(output);
  return *this;
}

onnx::AttributeProto& ModelWriter::attribute(const std::string& name,
                                             onnx::AttributeProto::AttributeType type) {
  onnx::AttributeProto& attribute = *last().add_attribute();
  attribute.set_name(name);
  attribute.set_type(type);
  return attribute;
}

ModelWriter& ModelWriter::with(const std::string& name, int64_t value) {
  attribute(name, onnx::AttributeProto::INT).set_i(value);
  return *this;
}

ModelWriter& ModelWriter::with(const std::string& name, const std::vector<int64_t>& values) {
  onnx::AttributeProto& list = attribute(name, onnx::AttributeProto::INTS);
  for (int64_t value : values) list.add_ints(value);
  return *this;
}

ModelWriter& ModelWriter::with(const std::string& name, const std::string& value) {
  attribute(name, onnx::AttributeProto::STRING).set_s(value);
  return *this;
}

ModelWriter& ModelWriter::with_real(const std::string& name, float value) {
  attribute(name, onnx::AttributeProto::FLOAT).set_f(value);
  return *this;
}

compiler::ImportedModel ModelWriter::import(const compiler::ImportOptions& options) const {
  return compiler::import_model(model_, ".", "small.onnx", options);
}

ModelWriter conv_model() {
  ModelWriter writer;
  writer.input("x", {0, 2, 4, 4})
      .weight("w", {3, 2, 3, 3}, 0.5f)
      .node("Conv", {"x", "w"}, {"y"})
      .output("y");
  return writer;
}

}  // namespace halcyon::tests
