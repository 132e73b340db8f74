#pragma once
/// Puts an ONNX graph together: names that are taken once, nodes, weights.

#include <cstdint>
#include <initializer_list>
#include <map>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "compiler/onnx/onnx.pb.h"
#include "runtime/base/shape.h"

namespace halcyon::compiler {

/// "kernel_shape" and {3, 3}.
struct ModelAttribute {
  std::string name;
  std::variant<int64_t, float, std::string, std::vector<int64_t>> value;
};
using ModelAttributes = std::vector<ModelAttribute>;

class ModelWriter {
 public:
  explicit ModelWriter(onnx::GraphProto& graph) : graph_(graph) {}

  /// `wanted`, or the same with a number where it is taken already.
  std::string fresh(const std::string& wanted);

  void add_node(const std::string& type, const std::string& name,
                const std::vector<std::string>& inputs, const std::vector<std::string>& outputs,
                const ModelAttributes& attributes = {});

  /// Weights, row-major, under a name that fresh() gave.
  /// Errors: UserError when all of them are more than a file can hold.
  void add_values(const std::string& name, const std::vector<int64_t>& dims,
                  std::span<const float> values);
  /// The same as a node, for numbers that no training changes.
  void add_constant(const std::string& name, const std::vector<int64_t>& dims,
                    std::span<const float> values);
  /// How many axes values of that name have; -1 where there are none.
  int rank_of(const std::string& name) const;

  // Numbers that operators take as inputs; equal ones are stored once.

  std::string integers(const std::vector<int64_t>& values);
  /// Without axes.
  std::string number(float value);

 private:
  void count_bytes(uint64_t bytes);

  onnx::GraphProto& graph_;
  std::set<std::string> taken_;
  std::map<std::vector<int64_t>, std::string> integers_;
  std::map<uint32_t, std::string> numbers_;  // by their bits
  std::map<std::string, int> ranks_;
  uint64_t bytes_ = 0;
};

}  // namespace halcyon::compiler
