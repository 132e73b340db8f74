#include "runtime/checkpoint.h"

#include <array>
#include <charconv>
#include <string_view>
#include <system_error>
#include <utility>

#include "runtime/base/error.h"
#include "runtime/weight_table.h"

namespace halcyon::runtime {
namespace {

constexpr const char* kVersion = "1";
constexpr const char* kOptimizerKey = "halcyon.optimizer";
constexpr const char* kEpochKey = "halcyon.epoch";
constexpr const char* kStepKey = "halcyon.step";
constexpr const char* kSeedKey = "halcyon.shuffle_seed";
constexpr const char* kHyperStepKey = "halcyon.hyper.step";
constexpr std::string_view kNotePrefix = "halcyon.note.";

struct HyperField {
  const char* key;
  float halcyon_hyper::*value;
};
constexpr std::array<HyperField, 5> kHyperFields{
    {{"halcyon.hyper.learning_rate", &halcyon_hyper::learning_rate},
     {"halcyon.hyper.momentum", &halcyon_hyper::momentum},
     {"halcyon.hyper.beta2", &halcyon_hyper::beta2},
     {"halcyon.hyper.epsilon", &halcyon_hyper::epsilon},
     {"halcyon.hyper.weight_decay", &halcyon_hyper::weight_decay}}};

/// The shortest text that reads back as the same number, bit for bit, in every locale.
template <typename Number>
std::string number_text(Number value) {
  std::array<char, 64> text{};
  const std::to_chars_result result = std::to_chars(text.data(), text.data() + text.size(), value);
  return {text.data(), result.ptr};
}

/// Takes facts out of a checkpoint's metadata, or says which one is missing or wrong.
class Facts {
 public:
  Facts(std::map<std::string, std::string>& metadata, const std::string& source)
      : metadata_(metadata), source_(source) {}

  std::string text(const char* key) const {
    const auto fact = metadata_.extract(key);
    if (fact.empty()) fail(std::string("metadata ") + key + " is missing");
    return fact.mapped();
  }

  template <typename Number>
  void read(const char* key, Number& value) const {
    const std::string found = text(key);
    const char* const end = found.data() + found.size();
    const std::from_chars_result result = std::from_chars(found.data(), end, value);
    if (result.ec != std::errc() || result.ptr != end) {
      fail(std::string("metadata ") + key + " is " + quote(found) + ", a number should be there");
    }
  }

  [[noreturn]] void fail(const std::string& what) const {
    throw UserError("checkpoint '" + source_ + "': " + what);
  }

 private:
  std::map<std::string, std::string>& metadata_;
  const std::string& source_;
};

}  // namespace

std::string optimizer_name(halcyon_optimizer optimizer) {
  switch (optimizer) {
    case HALCYON_NO_OPTIMIZER: return "none";
    case HALCYON_SGD: return "sgd";
    case HALCYON_MOMENTUM: return "momentum";
    case HALCYON_RMSPROP: return "rmsprop";
    case HALCYON_ADAM: return "adam";
  }
  return "unknown";
}

Checkpoint Checkpoint::take(const Network& network, const TrainerPosition& position) {
  return {.position = position,
          .weights = network.weights(),
          .state = network.state(),
          .network = network.info().name,
          .optimizer = optimizer_name(network.info().optimizer),
          .source = "in memory"};
}

void Checkpoint::apply(Network& into) const {
  const std::string wanted = optimizer_name(into.info().optimizer);
  if (optimizer != wanted) {
    throw UserError("checkpoint '" + source + "' was trained with optimizer " + quote(optimizer) +
                        ", network '" + into.info().name + "' is compiled for '" + wanted + "'",
                    "compile the network with the checkpoint's optimizer");
  }
  into.restore(weights, state, source);
}

void Checkpoint::save(const std::string& path) const {
  WeightFile file = weights;
  file.tensors.insert(file.tensors.end(), state.tensors.begin(), state.tensors.end());
  std::map<std::string, std::string>& facts = file.metadata;
  facts[kCheckpointKey] = kVersion;
  facts[kNetworkKey] = network;
  facts[kOptimizerKey] = optimizer;
  facts[kEpochKey] = number_text(position.epoch);
  facts[kStepKey] = number_text(position.step);
  facts[kSeedKey] = number_text(position.shuffle_seed);
  facts[kHyperStepKey] = number_text(position.hyper.step);
  for (const HyperField& field : kHyperFields) {
    facts[field.key] = number_text(position.hyper.*field.value);
  }
  for (const auto& [name, note] : position.notes) facts[std::string(kNotePrefix) + name] = note;
  write_weights(path, file);
}

Checkpoint Checkpoint::load(const std::string& path) {
  WeightFile file = read_weights(path);
  const Facts facts(file.metadata, path);
  if (!file.metadata.contains(kCheckpointKey)) {
    throw UserError("'" + path + "' is no checkpoint, only weights",
                    "to start from these weights, load them instead of resuming");
  }
  const std::string version = facts.text(kCheckpointKey);
  if (version != kVersion) {
    facts.fail("it has version " + quote(version) + ", this program reads version " + kVersion);
  }
  Checkpoint checkpoint;
  checkpoint.source = path;
  checkpoint.network = facts.text(kNetworkKey);
  checkpoint.optimizer = facts.text(kOptimizerKey);
  TrainerPosition& position = checkpoint.position;
  facts.read(kEpochKey, position.epoch);
  facts.read(kStepKey, position.step);
  facts.read(kSeedKey, position.shuffle_seed);
  facts.read(kHyperStepKey, position.hyper.step);
  for (const HyperField& field : kHyperFields) facts.read(field.key, position.hyper.*field.value);
  if (position.epoch < 0 || position.step < 0) {
    facts.fail("it stands at epoch " + std::to_string(position.epoch) + ", step " +
               std::to_string(position.step) + ": these cannot be negative");
  }
  for (const auto& [key, value] : file.metadata) {
    if (key.starts_with(kNotePrefix)) position.notes[key.substr(kNotePrefix.size())] = value;
  }
  for (WeightTensor& tensor : file.tensors) {
    WeightFile& part =
        tensor.name.starts_with(kStatePrefix) ? checkpoint.state : checkpoint.weights;
    part.tensors.push_back(std::move(tensor));
  }
  checkpoint.weights.metadata[kNetworkKey] = checkpoint.network;
  checkpoint.state.metadata[kNetworkKey] = checkpoint.network;
  return checkpoint;
}

}  // namespace halcyon::runtime
