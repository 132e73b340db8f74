#include "benchmarks/training/parity.h"

#include <algorithm>
#include <cmath>
#include <exception>
#include <limits>
#include <nlohmann/json.hpp>
#include <span>
#include <string_view>

#include "runtime/base/error.h"
#include "runtime/checkpoint.h"
#include "runtime/data/npy.h"
#include "runtime/file.h"
#include "runtime/network.h"
#include "runtime/trainer.h"
#include "runtime/weights.h"

namespace halcyon::benchmarks {
namespace {

using runtime::WeightFile;
using runtime::WeightTensor;

halcyon_optimizer parse_optimizer(const std::string& text, const std::string& path) {
  for (const halcyon_optimizer optimizer :
       {HALCYON_SGD, HALCYON_MOMENTUM, HALCYON_RMSPROP, HALCYON_ADAM}) {
    if (text == runtime::optimizer_name(optimizer)) return optimizer;
  }
  throw UserError("'" + path + "': optimizer is '" + text +
                  "', expected sgd, momentum, rmsprop or adam");
}

void read_description(const std::string& path, ParityCase& parity) {
  const std::vector<std::byte> bytes = runtime::read_file(path);
  try {
    const auto* text = reinterpret_cast<const char*>(bytes.data());
    const nlohmann::json json = nlohmann::json::parse(text, text + bytes.size());
    parity.optimizer = parse_optimizer(json.at("optimizer").get<std::string>(), path);
    parity.learning_rate = json.at("learning_rate").get<float>();
    parity.losses = json.at("losses").get<std::vector<double>>();
  } catch (const nlohmann::json::exception& error) {
    throw UserError("'" + path + "' is no description of a parity run: " + error.what());
  }
}

WeightTensor read_array(const std::string& path, std::string_view dtype) {
  WeightTensor array = runtime::parse_npy(runtime::read_file(path), path);
  if (array.dtype == dtype) return array;
  throw UserError("'" + path + "' holds numbers of type " + array.dtype + ", expected " +
                  std::string(dtype));
}

template <class T>
std::vector<T> values_of(const WeightTensor& array) {
  std::vector<T> values(array.data.size() / sizeof(T));
  std::ranges::copy(array.data, std::as_writable_bytes(std::span(values)).begin());
  return values;
}

/// A difference that is not a number must not look small.
double at_least(double largest, double value) {
  return std::isnan(value) ? std::numeric_limits<double>::infinity() : std::max(largest, value);
}

double norm_of_difference(std::span<const float> a, std::span<const float> b) {
  double sum = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    const double difference = double{a[i]} - double{b[i]};
    sum += difference * difference;
  }
  return std::sqrt(sum);
}

const WeightTensor& find(const WeightFile& file, const std::string& path,
                         const WeightTensor& like) {
  const WeightTensor* tensor = file.find(like.name);
  if (tensor == nullptr || tensor->dtype != "F32" || tensor->shape != like.shape) {
    throw UserError("'" + path + "' has no float tensor " + runtime::quote(like.name) +
                    " of shape " + runtime::shape_text(like.shape));
  }
  return *tensor;
}

double largest_update_difference(const ParityCase& parity, const WeightFile& trained) {
  const WeightFile theirs = runtime::read_weights(parity.trained_path);
  const WeightFile initial = runtime::read_weights(parity.initial_path);
  double largest = 0;
  for (const WeightTensor& tensor : trained.tensors) {
    const std::span<const float> expected = find(theirs, parity.trained_path, tensor).floats();
    const std::span<const float> start = find(initial, parity.initial_path, tensor).floats();
    largest = at_least(largest, norm_of_difference(tensor.floats(), expected) /
                                    norm_of_difference(expected, start));
  }
  return largest;
}

void check_fits(const ParityCase& parity, const halcyon_network& network) {
  if (network.optimizer != parity.optimizer) {
    throw UserError("the network was compiled for " + runtime::optimizer_name(network.optimizer) +
                    ", the run to compare with used " + runtime::optimizer_name(parity.optimizer));
  }
  const auto values = static_cast<int64_t>(parity.images.size());
  const int64_t expected = parity.steps * parity.batch * network.inputs[0].elements;
  if (values != expected) {
    throw UserError("images.npy has " + std::to_string(values) + " values, expected " +
                    std::to_string(expected) + " for the network's input");
  }
}

}  // namespace

ParityCase read_parity_case(const std::string& folder) {
  ParityCase parity;
  read_description(folder + "/losses.json", parity);
  parity.initial_path = folder + "/weights.safetensors";
  parity.trained_path = folder + "/trained.safetensors";
  const WeightTensor images = read_array(folder + "/images.npy", "F32");
  const WeightTensor labels = read_array(folder + "/labels.npy", "I32");
  if (images.shape.size() != 5 || labels.shape.size() != 2 ||
      !std::equal(labels.shape.begin(), labels.shape.end(), images.shape.begin()) ||
      labels.shape[0] != static_cast<int64_t>(parity.losses.size()) || labels.data.empty()) {
    throw UserError(
        "'" + folder + "': " + std::to_string(parity.losses.size()) + " losses, images of shape " +
            runtime::shape_text(images.shape) + " and labels of shape " +
            runtime::shape_text(labels.shape) + " do not fit each other",
        "expected images [steps, batch, height, width, channels] and labels [steps, batch]");
  }
  parity.steps = labels.shape[0];
  parity.batch = labels.shape[1];
  parity.images = values_of<float>(images);
  parity.labels = values_of<int32_t>(labels);
  return parity;
}

ParityResult run_parity(const ParityCase& parity, const halcyon_network& network, int threads) {
  check_fits(parity, network);
  runtime::Network net(network, threads);
  net.load(parity.initial_path);
  net.reserve(parity.batch);
  halcyon_hyper hyper = runtime::default_hyper(network.optimizer);
  hyper.learning_rate = parity.learning_rate;

  ParityResult result;
  result.losses.resize(static_cast<size_t>(parity.steps));
  const int64_t elements = network.inputs[0].elements;
  for (int64_t step = 0; step < parity.steps; ++step) {
    const void* const inputs[] = {parity.images.data() + step * parity.batch * elements};
    const void* const targets[] = {parity.labels.data() + step * parity.batch};
    float& loss = result.losses[static_cast<size_t>(step)];
    hyper.step = step + 1;
    net.train_step(parity.batch, inputs, targets, hyper, std::span(&loss, 1));
    const double theirs = parity.losses[static_cast<size_t>(step)];
    result.loss_difference =
        at_least(result.loss_difference, std::abs(loss - theirs) / std::abs(theirs));
  }
  result.update_difference = largest_update_difference(parity, net.weights());
  return result;
}

}  // namespace halcyon::benchmarks
