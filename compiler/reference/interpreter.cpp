#include "compiler/reference/interpreter.h"

#include <random>

namespace halcyon::compiler {
namespace {

const HostTensor& given_value(const Node& n, const std::map<std::string, HostTensor>& given,
                              int64_t batch) {
  const std::string where = dsl::describe(dsl::name_of(n.op), n.name, n.place);
  const auto found = given.find(std::string(n.name.view()));
  if (found == given.end()) throw UserError(where + ": no value is given");
  const HostTensor& value = found->second;
  const Shape expected = with_batch(n.outputs[0], batch);
  if (!(value.shape == expected) ||
      value.values.size() != static_cast<std::size_t>(expected.elements())) {
    throw UserError(where + ": the given value is " + to_string(value.shape) + " with " +
                    std::to_string(value.values.size()) + " numbers, expected " +
                    to_string(expected));
  }
  return value;
}

}  // namespace

HostTensor value_of(const Graph& graph, const ops::Constant& constant) {
  const std::vector<float>& given = graph.constants.at(static_cast<std::size_t>(constant.values));
  return {constant.shape, {given.begin(), given.end()}};
}

std::map<Value, HostTensor> evaluate(const Graph& graph,
                                     const std::map<std::string, HostTensor>& given,
                                     int64_t batch) {
  if (batch < 1) {
    throw UserError("the batch is " + std::to_string(batch) + ", expected at least 1");
  }
  std::map<Value, HostTensor> values;
  for (int32_t id = 0; id < graph.node_count(); ++id) {
    const Node& n = graph.node(id);
    if (n.outputs.empty()) continue;
    if (std::holds_alternative<ops::Input>(n.op) || std::holds_alternative<ops::Parameter>(n.op)) {
      values[{id, 0}] = given_value(n, given, batch);
      continue;
    }
    if (const auto* constant = std::get_if<ops::Constant>(&n.op)) {
      values[{id, 0}] = value_of(graph, *constant);
      continue;
    }
    HostTensors in;
    for (Value v : n.inputs) in.push_back(values.at(v));
    HostTensors out = reference(n.op, in, batch);
    for (std::size_t o = 0; o < n.outputs.size(); ++o) {
      if (o >= out.size() || !(out[o].shape == with_batch(n.outputs[o], batch))) {
        throw InternalError(dsl::describe(dsl::name_of(n.op), n.name, n.place) +
                            ": the reference disagrees with the shape rule, expected " +
                            to_string(n.outputs[o]));
      }
      values[{id, static_cast<int32_t>(o)}] = std::move(out[o]);
    }
  }
  return values;
}

HostTensor random_tensor(const Shape& shape, int64_t batch, uint64_t seed) {
  HostTensor t = zeros(with_batch(shape, batch));
  std::mt19937_64 random(seed);  // not a distribution: those differ between standard libraries
  for (double& v : t.values) v = static_cast<double>(random() >> 43) / 0x1p20 - 1;
  return t;
}

HostTensor random_labels(int64_t classes, int64_t batch, uint64_t seed) {
  HostTensor t = zeros({batch});
  std::mt19937_64 random(seed);
  for (double& v : t.values) v = static_cast<double>(random() % static_cast<uint64_t>(classes));
  return t;
}

}  // namespace halcyon::compiler
