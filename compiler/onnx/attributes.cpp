#include "compiler/onnx/attributes.h"

#include "runtime/base/error.h"
#include "runtime/weights.h"

namespace halcyon::compiler {

using onnx::AttributeProto;

Attributes::Attributes(const onnx::NodeProto& node, const std::filesystem::path& folder)
    : node_(node), folder_(folder) {
  std::set<std::string> names;
  for (const AttributeProto& attribute : node.attribute()) {
    if (!names.insert(attribute.name()).second) {
      throw UserError("attribute " + runtime::quote(attribute.name()) + " is given twice");
    }
  }
}

const AttributeProto* Attributes::find(const std::string& name,
                                       AttributeProto::AttributeType type) {
  asked_.insert(name);
  for (const AttributeProto& attribute : node_.attribute()) {
    if (attribute.name() != name) continue;
    // Writers of the first version left the type out.
    if (attribute.type() == type || attribute.type() == AttributeProto::UNDEFINED) {
      return &attribute;
    }
    throw UserError("attribute " + runtime::quote(name) + " is of type " +
                    onnx::AttributeProto_AttributeType_Name(attribute.type()) + ", expected " +
                    onnx::AttributeProto_AttributeType_Name(type));
  }
  return nullptr;
}

bool Attributes::has(const std::string& name) const {
  for (const AttributeProto& attribute : node_.attribute()) {
    if (attribute.name() == name) return true;
  }
  return false;
}

int64_t Attributes::integer(const std::string& name, int64_t otherwise) {
  const AttributeProto* found = find(name, AttributeProto::INT);
  return found != nullptr ? found->i() : otherwise;
}

float Attributes::real(const std::string& name, float otherwise) {
  const AttributeProto* found = find(name, AttributeProto::FLOAT);
  return found != nullptr ? found->f() : otherwise;
}

std::string Attributes::text(const std::string& name, const std::string& otherwise) {
  const AttributeProto* found = find(name, AttributeProto::STRING);
  return found != nullptr ? found->s() : otherwise;
}

std::vector<int64_t> Attributes::integers(const std::string& name, std::vector<int64_t> otherwise) {
  const AttributeProto* found = find(name, AttributeProto::INTS);
  if (found == nullptr) return otherwise;
  return {found->ints().begin(), found->ints().end()};
}

std::vector<float> Attributes::reals(const std::string& name) {
  const AttributeProto* found = find(name, AttributeProto::FLOATS);
  if (found == nullptr) return {};
  return {found->floats().begin(), found->floats().end()};
}

std::optional<Array> Attributes::tensor(const std::string& name) {
  const AttributeProto* found = find(name, AttributeProto::TENSOR);
  if (found == nullptr) return {};
  return read_array(found->t(), folder_);
}

void Attributes::check_all_were_read() const {
  for (const AttributeProto& attribute : node_.attribute()) {
    if (asked_.contains(attribute.name())) continue;
    throw UserError("attribute " + runtime::quote(attribute.name()) + " is not supported here");
  }
}

}  // namespace halcyon::compiler
