#pragma once
/// Which of ONNX's own tests are for us. One that is not has a reason, which follows from what is
/// documented (op_map.h, builder.h): anything else is a failure.

#include <optional>
#include <string>

#include "compiler/onnx/import.h"

namespace halcyon::tests {

/// Why a model is out of scope, before anybody tries to import it: its operators, and the types of
/// its inputs.
std::optional<std::string> reason_of_model(const onnx::ModelProto& model);

/// The documented limit that an error of the importer names; nothing if it is none.
std::optional<std::string> reason_of_error(const std::string& message);

}  // namespace halcyon::tests
