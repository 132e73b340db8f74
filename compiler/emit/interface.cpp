#include "compiler/emit/interface.h"

namespace halcyon::compiler {

using namespace dsl;

namespace {

HostValue host_value(const Graph& graph, const FixedString& name, Value v, bool channels_last) {
  const Shape& shape = graph.shape(v);
  HostValue host{.name = std::string(name.view()), .elements = shape.elements()};
  static const std::string kSpatial[] = {"", "W", "HW", "DHW"};
  const std::string spatial = kSpatial[shape.spatial_rank()];
  for (int axis = 2; axis < shape.rank; ++axis) host.extents.push_back(shape[axis]);
  if (shape.rank > 1) {
    host.extents.insert(channels_last ? host.extents.end() : host.extents.begin(), shape[1]);
    host.axes = channels_last ? spatial + "C" : "C" + spatial;
  }
  return host;
}

void add_inputs(const Graph& graph, Interface& interface) {
  for (int32_t id = 0; id < graph.node_count(); ++id) {
    const auto* input = std::get_if<ops::Input>(&graph.node(id).op);
    if (input == nullptr) continue;
    HostValue host = host_value(graph, graph.node(id).name, {id, 0}, input->channels_last);
    host.dtype = input->dtype;
    host.classes = input->classes;
    (input->target ? interface.targets : interface.inputs).push_back(host);
  }
}

void add_parameters(const Program& program, Interface& interface) {
  for (int32_t id = 0; id < program.graph.node_count(); ++id) {
    const Node& node = program.graph.node(id);
    const auto* parameter = std::get_if<ops::Parameter>(&node.op);
    if (parameter == nullptr) continue;
    interface.parameters.push_back({std::string(node.name.view()), parameter->canonical_shape(),
                                    program.memory.places.at({id, 0}), program.weights.at({id, 0}),
                                    *parameter});
  }
  interface.parameter_bytes = program.memory.parameter_bytes;
  interface.constants = program.graph.constants;
}

}  // namespace

Interface describe_interface(const std::string& name, const std::string& target,
                             const Program& inference, const Program* training) {
  Interface interface { .name = name, .target = target };
  const Program& whole = training != nullptr ? *training : inference;
  add_inputs(whole.graph, interface);
  for (const Output& o : inference.graph.outputs) {
    interface.outputs.push_back(host_value(inference.graph, o.name, o.value, o.channels_last));
  }
  add_parameters(whole, interface);
  interface.prepared_bytes = inference.memory.prepared_bytes;
  if (training == nullptr) {
    for (HostParameter& p : interface.parameters) p.definition.trainable = false;
  } else {
    for (const Loss& l : training->graph.losses) interface.losses.emplace_back(l.name.view());
    for (const Node& node : training->graph.nodes()) {
      const auto* update = std::get_if<ops::Update>(&node.op);
      if (update == nullptr) continue;
      interface.optimizer = static_cast<int>(update->optimizer) + HALCYON_SGD;
      interface.state_bytes = update->state_slots() * interface.parameter_bytes;
    }
  }
  return interface;
}

}  // namespace halcyon::compiler
