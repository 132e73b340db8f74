#pragma once
/// Everything that training needs to go on bit for bit, in one safetensors file: parameters under
/// their own names, the optimizer's state as "optimizer/SLOT/PARAMETER", the position in the
/// metadata. Written atomically.

#include <cstdint>
#include <map>
#include <string>

#include "runtime/base/abi.h"
#include "runtime/network.h"
#include "runtime/weights.h"

namespace halcyon::runtime {

/// Where a training run stands.
struct TrainerPosition {
  int64_t epoch = 0;          ///< whole epochs done
  int64_t step = 0;           ///< steps done since the start of training
  uint64_t shuffle_seed = 0;  ///< the order of samples follows from it and the epoch
  halcyon_hyper hyper{};      ///< as of the last step
  /// What else the trainer has to find again, by names of its own choice.
  std::map<std::string, std::string> notes;
};

struct Checkpoint {
  TrainerPosition position;
  WeightFile weights;
  WeightFile state;
  std::string network;    ///< name of the network it was taken from
  std::string optimizer;  ///< "none", "sgd", "momentum", "rmsprop", "adam"
  std::string source;     ///< what messages call it: the path, after load

  static Checkpoint take(const Network& network, const TrainerPosition& position);

  /// Puts parameters and state back.
  /// Errors: UserError if it is from another network or optimizer; then the network is as it was.
  void apply(Network& network) const;

  /// Errors: as write_weights.
  void save(const std::string& path) const;

  /// Errors: UserError if the file is no complete checkpoint; as read_weights.
  static Checkpoint load(const std::string& path);
};

/// "momentum" for HALCYON_MOMENTUM.
std::string optimizer_name(halcyon_optimizer optimizer);

}  // namespace halcyon::runtime
