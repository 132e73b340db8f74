#pragma once
/// The attributes of one ONNX node, asked for by name and type. What nobody asked for is an
/// attribute that the importer does not know, and must not be passed over.

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "compiler/onnx/array.h"

namespace halcyon::compiler {

class Attributes {
 public:
  /// `folder` holds the model. Errors: UserError for an attribute that stands twice.
  Attributes(const onnx::NodeProto& node, const std::filesystem::path& folder);

  // Each returns what the node says, or `otherwise` where it says nothing.
  // Errors: UserError for an attribute of another type.

  int64_t integer(const std::string& name, int64_t otherwise);
  float real(const std::string& name, float otherwise);
  std::string text(const std::string& name, const std::string& otherwise);
  std::vector<int64_t> integers(const std::string& name, std::vector<int64_t> otherwise = {});
  std::vector<float> reals(const std::string& name);
  std::optional<Array> tensor(const std::string& name);
  bool has(const std::string& name) const;

  /// For attributes that say nothing about the result.
  void ignore(const std::string& name) { asked_.insert(name); }

  /// Errors: UserError naming an attribute that nobody asked for.
  void check_all_were_read() const;

 private:
  const onnx::AttributeProto* find(const std::string& name,
                                   onnx::AttributeProto::AttributeType type);

  const onnx::NodeProto& node_;
  const std::filesystem::path& folder_;
  std::set<std::string> asked_;
};

}  // namespace halcyon::compiler
