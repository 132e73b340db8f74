#pragma once
/// The tensors that a weight file must hold for a compiled network: its parameters, and for each
/// trainable one the slots of the optimizer's state.

#include <cstdint>
#include <string>
#include <vector>

#include "runtime/base/abi.h"
#include "runtime/weights.h"

namespace halcyon::runtime {

/// Metadata of a weight file: the name of the network; a version, in checkpoints only.
inline constexpr const char* kNetworkKey = "halcyon.network";
inline constexpr const char* kCheckpointKey = "halcyon.checkpoint";
/// What the names of tensors of optimizer state begin with.
inline constexpr const char* kStatePrefix = "optimizer/";

/// A tensor that a weight file must hold.
struct ExpectedTensor {
  std::string name;
  std::vector<int64_t> shape;
};

std::vector<int64_t> shape_of(const halcyon_parameter_info& parameter);

/// How many numbers the optimizer keeps for each parameter.
uint64_t slot_count(const halcyon_network& info);

/// "optimizer/SLOT/PARAMETER"
std::string state_name(uint64_t slot, const halcyon_parameter_info& parameter);

std::vector<ExpectedTensor> expected_weights(const halcyon_network& info);
std::vector<ExpectedTensor> expected_state(const halcyon_network& info);

/// Errors: UserError unless `file` holds exactly the expected tensors. `source` is what messages
/// call the file.
void require_match(const std::vector<ExpectedTensor>& expected, const WeightFile& file,
                   const halcyon_network& info, const std::string& source);

}  // namespace halcyon::runtime
