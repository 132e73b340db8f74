#include "runtime/weight_table.h"

#include <string_view>
#include <unordered_map>
#include <utility>

#include "runtime/base/error.h"

namespace halcyon::runtime {

std::vector<int64_t> shape_of(const halcyon_parameter_info& parameter) {
  return {parameter.shape, parameter.shape + parameter.rank};
}

std::vector<ExpectedTensor> expected_weights(const halcyon_network& info) {
  std::vector<ExpectedTensor> expected;
  for (int32_t i = 0; i < info.parameter_count; ++i) {
    expected.push_back({info.parameters[i].name, shape_of(info.parameters[i])});
  }
  return expected;
}

uint64_t slot_count(const halcyon_network& info) {
  return info.packed_bytes == 0 ? 0 : info.state_bytes / info.packed_bytes;
}

std::string state_name(uint64_t slot, const halcyon_parameter_info& parameter) {
  return kStatePrefix + std::to_string(slot) + "/" + parameter.name;
}

std::vector<ExpectedTensor> expected_state(const halcyon_network& info) {
  std::vector<ExpectedTensor> expected;
  for (uint64_t slot = 0; slot < slot_count(info); ++slot) {
    for (int32_t i = 0; i < info.parameter_count; ++i) {
      const halcyon_parameter_info& parameter = info.parameters[i];
      if (parameter.trainable == 0) continue;
      expected.push_back({state_name(slot, parameter), shape_of(parameter)});
    }
  }
  return expected;
}

void require_match(const std::vector<ExpectedTensor>& expected, const WeightFile& file,
                   const halcyon_network& info, const std::string& source) {
  std::vector<std::pair<std::string, std::string>> problems;  // message, hint
  std::unordered_map<std::string_view, const WeightTensor*> found;
  for (const WeightTensor& tensor : file.tensors) {
    if (!found.emplace(tensor.name, &tensor).second) {
      problems.emplace_back("tensor " + quote(tensor.name) + " is there twice", "");
    }
  }
  for (const ExpectedTensor& wanted : expected) {
    const auto entry = found.extract(wanted.name);
    if (entry.empty()) {
      problems.emplace_back(
          "tensor " + quote(wanted.name) + " " + shape_text(wanted.shape) + " is missing", "");
    } else if (const WeightTensor& tensor = *entry.mapped(); tensor.shape != wanted.shape) {
      problems.emplace_back("tensor " + quote(wanted.name) + " has shape " +
                                shape_text(tensor.shape) + ", the network needs " +
                                shape_text(wanted.shape),
                            "");
    } else if (tensor.dtype != "F32") {
      problems.emplace_back("tensor " + quote(wanted.name) + " has dtype " + quote(tensor.dtype) +
                                ", the network needs 'F32'",
                            "convert the file to 32-bit floats");
    } else {
      static_cast<void>(tensor.floats());  // a size that is wrong must show before anything changes
    }
  }
  for (const WeightTensor& tensor : file.tensors) {
    if (!found.contains(tensor.name)) continue;
    problems.emplace_back("tensor " + quote(tensor.name) + " " + shape_text(tensor.shape) +
                              " is not one of the network's",
                          "remove it from the file, or compile the network it belongs to");
  }
  if (problems.empty()) return;

  const auto origin = file.metadata.find(kNetworkKey);
  if (origin != file.metadata.end() && origin->second != info.name) {
    problems[0].second = "the weights were saved from network " + quote(origin->second);
  }
  throw UserError(
      "weights '" + source + "' do not fit network '" + info.name + "': " + problems[0].first +
          (problems.size() == 1
               ? ""
               : " (and " + std::to_string(problems.size() - 1) + " more that do not fit)"),
      problems[0].second);
}

}  // namespace halcyon::runtime
