#include "runtime/program/run.h"

#include <algorithm>
#include <chrono>
#include <iostream>

#include "runtime/base/error.h"
#include "runtime/network.h"
#include "runtime/program/usage.h"
#include "runtime/program/workspace_limit.h"
#include "runtime/tensor_table.h"
#include "runtime/weights.h"

namespace halcyon::runtime {
namespace {

bool all_linked_in(const halcyon_network& info) {
  return std::all_of(info.parameters, info.parameters + info.parameter_count,
                     [](const halcyon_parameter_info& parameter) {
                       return parameter.init == HALCYON_INIT_VALUES;
                     });
}

void give_weights(Network& network, const RunOptions& options, const WeightFile* own) {
  if (!options.weights.empty()) {
    network.load(options.weights);
    // A relu or a maximum may turn what is no number into one: results that look right are not.
    const WeightFile given = network.weights();
    for (const WeightTensor& tensor : given.tensors) {
      check_finite(tensor.floats(), options.weights + ": tensor '" + tensor.name + "'");
    }
  } else if (own != nullptr) {
    network.set_weights(*own);
  } else if (!all_linked_in(network.info())) {
    std::cerr << "warning: no --weights: they are random (seed " << options.seed
              << "), and so are the results\n";
    network.initialize(options.seed);
  }
}

}  // namespace

void RunOptions::add_to(CLI::App& command) {
  input.add_to(command);
  output.add_to(command);
  CLI::Option* const file = command.add_option("--weights", weights, "safetensors file");
  file->check(some_path());
  command.add_option("--seed", seed, "of random weights, where none are given")
      ->check(whole_number<uint64_t>(0))
      ->excludes(file);
  command.add_option("--threads", threads, "0: as many as the machine has")
      ->check(whole_number(0, 1024));
  add_workspace_limit_to(command, workspace_limit);
}

void run_network(const halcyon_network& info, const RunOptions& options, const WeightFile* own) {
  const OutputPlan plan(info, options.output);
  Network network(info, options.threads);
  const InputValues inputs = read_inputs(info, options.input);
  plan.check_batch(inputs.batch);
  check_workspace_limit(
      options.workspace_limit, std::string("network '") + info.name + "'", inputs.batch,
      [&](int64_t batch) { return info.workspace_bytes(batch, network.pool().workers()); });
  give_weights(network, options, own);
  network.reserve_inference(inputs.batch);

  OutputValues outputs;
  outputs.batch = inputs.batch;
  outputs.values = make_tensors(outputs_of(info), inputs.batch);
  const auto begin = std::chrono::steady_clock::now();
  network.infer(inputs.values, outputs.values);
  const std::chrono::duration<double, std::milli> time = std::chrono::steady_clock::now() - begin;
  outputs.time_ms = time.count();
  outputs.threads = network.pool().workers();
  plan.deliver(outputs);
}

}  // namespace halcyon::runtime
