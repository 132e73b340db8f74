#include "compiler/driver/verify_kernels.h"

#include <limits>

#include "compiler/reference/interpreter.h"
#include "compiler/reference/stored.h"

namespace halcyon::compiler {

namespace {

/// One argument of a kernel in the form that it has inside the network.
class Argument {
 public:
  Argument(const Program& program, Value v, int64_t batch)
      : shape_(program.graph.shape(v)), batch_(batch) {
    const auto weight = program.weights.find(v);
    if (weight != program.weights.end()) {
      weight_ = &weight->second;
    } else {
      layout_ = &program.layouts.at(v);
    }
    const int64_t bytes = weight_ != nullptr ? weight_->bytes() : batch * layout_->buffer_bytes();
    memory_ = runtime::AlignedBuffer(static_cast<uint64_t>(bytes + HALCYON_ALIGNMENT),
                                     "a kernel's argument");
    memory_.clear();
  }

  /// Where the value begins.
  std::byte* data() {
    if (weight_ != nullptr) return memory_.data();
    return memory_.data() + layout_->first_element() * size_bytes(layout_->dtype);
  }

  void store(const HostTensor& tensor) {
    if (weight_ != nullptr) return compiler::store(tensor, *weight_, data());
    compiler::store(tensor, *layout_, batch_, data());
  }

  HostTensor load() {
    if (weight_ != nullptr) return compiler::load(shape_, *weight_, data());
    return compiler::load(shape_, *layout_, batch_, data());
  }

 private:
  Shape shape_;
  int64_t batch_;
  const WeightLayout* weight_ = nullptr;
  const Layout* layout_ = nullptr;
  runtime::AlignedBuffer memory_;
};

/// What kernels receive: the reference's values in single precision.
HostTensor rounded(HostTensor tensor) {
  for (double& v : tensor.values) v = static_cast<double>(static_cast<float>(v));
  return tensor;
}

HostTensor not_yet_written(HostTensor tensor) {
  for (double& v : tensor.values) v = std::numeric_limits<double>::quiet_NaN();
  return tensor;
}

}  // namespace

std::vector<Comparison> verify_kernels(const Artifact& artifact, const LoadedNetwork& loaded,
                                       const std::map<std::string, HostTensor>& given,
                                       int64_t batch, int threads) {
  const Program& program = artifact.inference;
  const Target target = parse_target(artifact.interface.target);
  KernelRunner runner(artifact, loaded, threads);
  std::map<Value, HostTensor> values = evaluate(program.graph, given, batch);
  for (auto& [v, tensor] : values) tensor = rounded(std::move(tensor));

  std::vector<Comparison> list;
  for (const Region& region : program.regions) {
    const KernelSpec spec = make_kernel_spec(program, region, target);
    std::vector<Argument> arguments;
    for (Value v : region.inputs) {
      arguments.emplace_back(program, v, batch);
      arguments.back().store(values.at(v));
    }
    for (Value v : region.outputs) {
      arguments.emplace_back(program, v, batch);
      arguments.back().store(not_yet_written(values.at(v)));
    }
    std::vector<void*> pointers;
    for (Argument& argument : arguments) pointers.push_back(argument.data());
    runner.bind(spec)(pointers.data(), batch);

    // What the nodes of the region make of rounded inputs, without rounding in between.
    std::map<Value, HostTensor> exact;
    for (int32_t id : region.nodes) {
      HostTensors in;
      for (Value v : program.graph.node(id).inputs) {
        in.push_back(exact.contains(v) ? exact.at(v) : values.at(v));
      }
      HostTensors out = reference(program.graph.node(id).op, in, batch);
      for (std::size_t o = 0; o < out.size(); ++o) {
        exact[{id, static_cast<int32_t>(o)}] = std::move(out[o]);
      }
    }
    Comparer comparer("kernel " + spec.label());
    const Op& op = spec.anchor().op;
    const bool transforms = std::holds_alternative<dsl::ops::WinogradConv>(op) ||
                            std::holds_alternative<dsl::ops::WinogradFilters>(op);
    comparer.result().tolerance = transforms ? kWinogradKernelTolerance : kKernelTolerance;
    for (std::size_t o = 0; o < region.outputs.size(); ++o) {
      const HostTensor found = arguments[region.inputs.size() + o].load();
      const HostTensor& expected = exact.at(region.outputs[o]);
      for (std::size_t i = 0; i < expected.values.size(); ++i) {
        comparer.add(found.values[i], expected.values[i]);
      }
    }
    list.push_back(comparer.result());
  }
  return list;
}

}  // namespace halcyon::compiler
